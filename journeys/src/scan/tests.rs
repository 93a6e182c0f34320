use std::borrow::Cow;

use proptest::prelude::*;

use super::{Found, MATCHES_MAX, Query, Take, VALUE_BYTES_MAX, scan};

fn find(html: &str, selector: &str, take: Take<'_>, until: Option<usize>) -> Found {
    let query = Query { selector: Cow::Owned(selector.parse().unwrap()), take, until };
    scan(html.as_bytes(), vec![query]).unwrap().remove(0)
}

fn texts(html: &str, selector: &str) -> Vec<String> {
    find(html, selector, Take::Text, None).values
}

#[test]
fn texts_include_descendants_and_resolve_references() {
    let html = "<h1> Lamp <b>&amp; chair</b> &eacute;&#33; </h1><p>x</p><h1>2</h1>";
    assert_eq!(texts(html, "h1"), ["Lamp & chair é!", "2"]);
    assert_eq!(texts("<div>a<div>b</div>c</div>d", "div"), ["abc", "b"]);
    assert_eq!(texts("<ul><li>one<li>two</ul>three", "li"), ["one", "two"]);
    assert_eq!(texts("<table><tr><td>1<td>2<tr><td>3</table>", "td"), ["1", "2", "3"]);
    assert_eq!(texts("<tr><td class=a>1<td>2<tr><td class=a>3</td>x</table>", ".a"), ["1", "3"]);
    assert_eq!(texts("<ul><li class=a>a<ul><li>b<li class=a>c</ul>d<li>e</ul>", ".a"), ["abcd", "c"]);
    assert_eq!(texts("<dl><dt>a<dd>b<p>c<p>d</dl><p>e", "dd, p"), ["bcd", "c", "d", "e"]);
    assert_eq!(texts("<script type=x>{\"a\": \"&amp;\"}</script>", "script"), ["{\"a\": \"&amp;\"}"]);
    assert_eq!(texts("<p>open to the end", "p"), ["open to the end"]);
    assert_eq!(texts("<input><br>", "input"), [""]);
}

#[test]
fn attributes_are_resolved_by_the_rule_for_attributes() {
    let html = r#"<a>none</a><a href="/s?a=1&amp;b=2&copy=3">x</a><a href=' /p/7 '>y</a>"#;
    assert_eq!(find(html, "a", Take::Attribute("href"), None).values, ["/s?a=1&b=2&copy=3", " /p/7 "]);
}

#[test]
fn the_search_ends_when_everything_is_found() {
    let html = "<i>0</i><i>1</i><i>2</i>";
    let found = find(html, "i", Take::Text, Some(1));
    assert_eq!((found.values, found.count), (vec!["0".to_owned(), "1".to_owned()], 2));
    assert_eq!(find(html, "i", Take::Count, None).count, 3);
    let queries = [("i", Take::Text, Some(0)), ("b", Take::Count, None)].map(|(selector, take, until)| {
        Query { selector: Cow::Owned(selector.parse().unwrap()), take, until }
    });
    let found = scan(b"<i>0</i><b></b><b></b>", queries.into()).unwrap();
    assert_eq!((found[0].values[0].as_str(), found[1].count), ("0", 2));
}

#[test]
fn every_limit_is_kept_and_shows() {
    let found = find(&"<i>x</i>".repeat(MATCHES_MAX + 1), "i", Take::Text, None);
    assert_eq!((found.values.len(), found.count, found.overflowed), (MATCHES_MAX, MATCHES_MAX + 1, true));
    let found = find(&format!("<i>{}</i>", "x".repeat(10 * VALUE_BYTES_MAX)), "i", Take::Text, None);
    assert_eq!((found.values[0].len(), found.overflowed), (VALUE_BYTES_MAX, true));
    let found = find(&format!("<i>{}</i>", "x".repeat(VALUE_BYTES_MAX)), "i", Take::Text, None);
    assert!(!found.overflowed);
    let nested = format!("{}{}", "<i>".repeat(500), "word ".repeat(20_000));
    let found = find(&nested, "i", Take::Text, None);
    assert!(found.overflowed && found.values.iter().map(String::len).sum::<usize>() < 8 << 20);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_page_panics(html in "([<>/=\"'& a-c]|<li|</li>|<script>|<!--|<table>|&#x|<svg/>|\\PC){0,60}") {
        let _ = find(&html, "li, b > a:not([c]), *", Take::Text, None);
        let _ = find(&html, "a", Take::Attribute("b"), Some(0));
    }
}
