use proptest::prelude::*;

use super::*;

const SHOP: &str = r#"
cdn:
  provider: cloudfront
  classes:
    - { class: private, match: ["/api/**", "/cart/**", "/checkout/**"], cached: never }
    - { class: static, match: ["/static/**", "*.css", "*.js", "image/*"], cached_for: 365d, versioned: true, hit_ratio: "> 95%", compress: text, savings: "> 60%" }
    - { class: html, match: ["text/html"], cached_for: 5m, hit_ratio: "> 80%", compress: text }
  edges: { tokyo: [NRT, HND, KIX], london: [LHR], new-york: [JFK, EWR, IAD] }
"#;

#[test]
fn the_default_is_what_stands_to_reason() {
    let read = Policy::read("policy.yaml", SHOP).unwrap();
    assert_eq!(read, Policy { is_declared: true, ..Policy::default() });
    assert_eq!(read.classes()[0].matches.len(), 3);
    assert_eq!(read.classes()[1].cached, Cached::For(31_536_000));
    assert_eq!(read.classes()[2].hit_ratio.map(|floor| floor.to_string()).as_deref(), Some("> 80%"));
    let airports = read.edges_of("tokyo").unwrap();
    assert_eq!(airports.iter().map(ToString::to_string).collect::<Vec<_>>(), ["NRT", "HND", "KIX"]);
    assert_eq!(read.edges_of("paris"), None);
    let bare = Policy::read("policy.yaml", "cdn: { provider: generic }").unwrap();
    assert_eq!(bare.edges_of("tokyo"), None, "nobody said where agents run");
    assert_eq!(bare, Policy { provider: Provider::Generic, edges: Vec::new(), ..read });
}

#[test]
fn never_wins_and_else_the_first() {
    let shop = Policy::default();
    for (path, content_type, class) in [
        ("/cart", "text/html", "private"),
        ("/cart/", "text/html; charset=utf-8", "private"),
        ("/cart/add", "", "private"),
        ("/cart/icon.css", "text/css", "private"),
        ("/cart;jsessionid=A1", "text/html", "private"),
        ("/%63art/items", "text/html", "private"),
        ("/static/app.js;v=2", "", "static"),
        ("/cartoons", "text/html", "html"),
        ("/api/products", "application/json", "private"),
        ("/static/app.js", "text/javascript", "static"),
        ("/static", "text/html", "static"),
        ("/theme/x.css", "text/css", "static"),
        ("/p/1.html", "Text/HTML;charset=x", "html"),
        ("/logo", "image/svg+xml", "static"),
        ("/feed", "application/xml", "unclassified"),
        ("/", "", "unclassified"),
    ] {
        let id = shop.classify(path, content_type.as_bytes());
        assert_eq!(shop.name_of(id), class, "{path} {content_type}");
    }
    let text = r#"
cdn:
  classes:
    - { class: pages, match: ["text/html"], cached_for: 1m }
    - { class: all, match: ["**"] }
    - { class: mine, match: ["/me/**", "application/x-mine"], cached: never }
"#;
    let policy = Policy::read("p", text).unwrap();
    let name = |path: &str, kind: &str| policy.name_of(policy.classify(path, kind.as_bytes())).to_owned();
    assert_eq!(name("/me", "text/html"), "mine", "never wins over what stands before it");
    assert_eq!(name("/x", "application/x-mine"), "mine");
    assert_eq!((name("/x", "text/html"), name("/x", "")), ("pages".to_owned(), "all".to_owned()));
    assert_eq!(policy.classes()[1].cached, Cached::Unsaid);
    assert_eq!(policy.of_type(&[b'a'; 1_000]), Matched::default());
}

#[test]
fn all_thirty_two_classes_can_be_told_apart() {
    let classes: Vec<String> =
        (0..CLASSES_MAX).map(|n| format!("    - {{ class: c{n}, match: [\"/{n}/**\"] }}\n")).collect();
    let policy = Policy::read("p", &format!("cdn:\n  classes:\n{}", classes.concat())).unwrap();
    for n in 0..CLASSES_MAX {
        assert_eq!(policy.name_of(policy.classify(&format!("/{n}/x"), b"")), format!("c{n}"));
    }
    assert_eq!(policy.classify("/32/x", b""), ClassId::UNCLASSIFIED);
}

#[test]
fn floors_are_exact() {
    let floor = |parts_per_billion, is_exclusive| Floor { share: Share { parts_per_billion }, is_exclusive };
    assert!(!floor(950_000_000, true).holds(95, 100) && floor(950_000_000, false).holds(95, 100));
    assert!(floor(950_000_000, true).holds(950_001, 1_000_000));
    assert!(floor(999_999_999, false).holds(u64::MAX, u64::MAX));
    assert_eq!(floor(999_900_000, true).to_string(), "> 99.99%");
    assert_eq!(floor(0, false).to_string(), ">= 0%");
}

#[test]
fn faults_name_place_finding_and_remedy() {
    for (from, to, expected) in [
        (
            "provider: cloudfront",
            "provider: cloudfrnt",
            "p.yaml:3:13: found \"cloudfrnt\", expected cloudfront or generic; did you mean \"cloudfront\"?",
        ),
        (
            "cached_for: 5m",
            "cache_for: 5m",
            "unknown key \"cache_for\" in a class; did you mean \"cached_for\"?",
        ),
        ("cached: never", "cached: nevr", "found \"nevr\", expected never alone; write cached: never"),
        ("cached: never", "cached: never, hit_ratio: \"> 1%\"", "what is never cached has no hit_ratio"),
        ("cached_for: 5m", "cached_for: 0s", "\"0s\" is not a number of whole seconds above 0"),
        ("cached_for: 5m", "cached_for: 1500ms", "whole seconds"),
        ("\"> 80%\"", "80%", "\"80%\" is not a lower bound; write for example \"> 95%\""),
        ("\"> 80%\"", "\"> 101%\"", "(over 100%)"),
        ("compress: text, savings", "savings", "savings are those of compressed text; add compress: text"),
        ("compress: text }", "compress: all }", "found \"all\", expected text alone"),
        (
            "\"/static/**\"",
            "static/**",
            "p.yaml:6:32: \"static/**\" is not a pattern: a path begins with a slash; write \"/static/**\"",
        ),
        ("class: html", "class: static", "the class \"static\" is named twice"),
        ("class: html", "class: unclassified", "choose another name"),
        ("class: html", "class: a b", "expected a name of letters"),
        ("[\"text/html\"]", "[]", "a class has 1 to 100 patterns"),
        ("[\"text/html\"]", "text/html", "expected a list of patterns"),
        ("match: [\"text/html\"], ", "", "a class needs the key \"match\""),
        (
            "[LHR]",
            "[Heathrow]",
            "p.yaml:8:45: found the text \"Heathrow\", expected the three letters of an airport",
        ),
        ("[LHR]", "[]", "a region has 1 to 50 airports"),
        ("cdn:", "cnd:", "the policy needs the key \"cdn\""),
    ] {
        assert!(SHOP.contains(from), "{from}");
        let message = Policy::read("p.yaml", &SHOP.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(message.contains(expected), "{to}:\n{message}\nexpected: {expected}");
    }
    let message = Policy::read("p.yaml", "cdn: { classes: [], edges: 3, provider: none }").unwrap_err();
    assert_eq!(message.faults.len(), 3, "all at once: {message}");
}

proptest! {
    #[test]
    fn no_text_panics(
        text in "(cdn|classes|class|match|cached|edges|never|hit_ratio|[:{}\\[\\], \n-]|\"|> 9%|/[*]{0,3}|5m){0,40}",
    ) {
        let _ = Policy::read("p.yaml", &text);
    }

    #[test]
    fn no_answer_panics(path in "\\PC{0,60}", kind in prop::collection::vec(any::<u8>(), 0..60)) {
        let policy = Policy::default();
        let _ = policy.name_of(policy.classify(&path, &kind));
    }
}
