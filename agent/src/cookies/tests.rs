use super::*;

fn sent(cookies: &Cookies, url: &str) -> String {
    let mut out = Vec::new();
    cookies.write(&Url::parse(url).unwrap(), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn cookies_go_where_they_belong() {
    let (cookies, scopes) = (Cookies::default(), Scopes::default());
    let keep = |url: &str, line: &str| cookies.keep(line, &Url::parse(url).unwrap(), &scopes);
    let shop = "https://shop.example/cart/add?x=1";
    for line in [
        "session=abc; Path=/; HttpOnly",
        "deep=1; Path=/cart",
        "here=2",
        "wide=3; Domain=shop.example; Path=/",
        "tls=4; Secure; Path=/",
        "gone=5; Path=/; Max-Age=0",
        "later=6; Path=/; Max-Age=600",
        "other=7; Domain=elsewhere.example",
        "no cookie at all",
    ] {
        assert!(keep(shop, line), "{line}");
    }
    assert_eq!(sent(&cookies, shop), "deep=1; here=2; session=abc; wide=3; tls=4; later=6");
    assert_eq!(sent(&cookies, "https://shop.example/"), "session=abc; wide=3; tls=4; later=6");
    assert_eq!(sent(&cookies, "http://shop.example/"), "session=abc; wide=3; later=6");
    assert_eq!(sent(&cookies, "https://www.shop.example/"), "wide=3");
    assert_eq!(sent(&cookies, "https://notshop.example/"), "");
    assert!(keep(shop, "session=new; Path=/") && keep(shop, "wide=; Domain=shop.example; Path=/; Max-Age=0"));
    assert_eq!(sent(&cookies, "http://shop.example/"), "later=6; session=new");
    cookies.forget();
    assert_eq!(sent(&cookies, shop), "");
}

#[test]
fn a_jar_is_bounded_and_small() {
    let (cookies, scopes) = (Cookies::default(), Scopes::default());
    let url = Url::parse("http://127.0.0.1/").unwrap();
    assert!(!cookies.keep(&format!("a={}", "x".repeat(COOKIE_BYTES_MAX)), &url, &scopes));
    for number in 0..COOKIES_MAX {
        assert!(cookies.keep(&format!("c{number}=1"), &url, &scopes));
    }
    assert!(!cookies.keep("one-more=1", &url, &scopes));
    assert!(cookies.keep("c7=2", &url, &scopes), "those that are there may change");
    assert_eq!(scopes.0.borrow().len(), 1);
    assert!(size_of::<Kept>() <= 48, "{}", size_of::<Kept>());
}

#[test]
fn another_value_is_known() {
    let (cookies, scopes) = (Cookies::default(), Scopes::default());
    let url = |text: &str| Url::parse(text).unwrap();
    let shop = url("http://shop.test/cart");
    assert_eq!(cookies.differs("AWSALB", "a", &shop), None, "there is none yet");
    assert!(cookies.keep("AWSALB=a/+b==; Path=/", &shop, &scopes));
    assert_eq!(cookies.differs("AWSALB", "a/+b==", &shop), Some(false));
    assert_eq!(cookies.differs("AWSALB", "a/+b=", &shop), Some(true));
    assert_eq!(cookies.differs("AWSALBCORS", "a/+b==", &shop), None);
    assert_eq!(cookies.differs("AWSALB", "a", &url("http://other.test/")), None, "another host's balancer");
}

/// Cases in which another cookie is sent than Chromium sends, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    ("domain", "a lone dot is no domain, and not taken for one"),
    ("domain: public suffix", "of public suffixes only those of one label are known"),
    ("Max-Age: odd", "what is no number is read a little otherwise"),
    ("Expires: odd", "dates that nobody should write are read a little otherwise"),
    ("no name", "cookies without a name are not kept"),
];

/// `{4095 x}` means 4095 times x; any letter will do.
fn expanded(text: &str) -> String {
    let placeholder = text.split_once('{').and_then(|(before, rest)| {
        let (times, after) = rest.split_once(' ')?;
        let letter = after.get(..1).filter(|_| after.get(1..2) == Some("}"))?;
        Some((before, letter.repeat(times.parse().ok()?), &after[2..]))
    });
    match placeholder {
        Some((before, letters, after)) => format!("{before}{letters}{}", expanded(after)),
        None => text.to_owned(),
    }
}

#[test]
fn cookies_are_kept_and_sent_as_chromium_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../journeys/tests/recordings/cookies.json");
    let recordings: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let list = |value: &serde_json::Value| value.as_array().unwrap().clone();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let (mut wrong, mut known) = (Vec::new(), Vec::new());
    for case in list(&recordings["cases"]) {
        let name = text(&case["name"]);
        let (cookies, scopes) = (Cookies::default(), Scopes::default());
        for step in list(&case["steps"]) {
            let url = Url::parse(&text(&step["url"])).unwrap();
            for line in list(&step["set_cookie"]) {
                cookies.keep(&expanded(&text(&line)), &url, &scopes);
            }
        }
        // Journeys go where they go as if somebody had typed the address.
        for request in list(&case["sent"]).iter().filter(|request| request["by"].is_null()) {
            let (expected, found) =
                (expanded(&text(&request["cookie"])), sent(&cookies, &text(&request["url"])));
            if expected != found {
                match DIFFERENCES.iter().find(|(case, _)| *case == name) {
                    Some(difference) => known.push(*difference),
                    None => wrong.push(format!(
                        "{name}: {}\n  Chromium:   {expected}\n  Doorbuster: {found}",
                        request["url"]
                    )),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let stale: Vec<_> = DIFFERENCES.iter().filter(|difference| !known.contains(*difference)).collect();
    assert!(stale.is_empty(), "these differ no more: {stale:?}");
}
