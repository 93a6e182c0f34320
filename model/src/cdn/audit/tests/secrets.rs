//! Addresses that hold a secret of a journey.

use super::*;

#[test]
fn an_address_with_a_secret_is_asked_as_it_is_and_shown_without_it() {
    let mut script = Script::new(setting(true), &[page()]);
    let hit = || Answer {
        status: 200,
        headers: headers(&[("x-cache", "Hit from cloudfront"), ("content-type", "application/json")]),
        ..Answer::default()
    };
    let secret = |path: &str| page().join(path).unwrap();
    for (path, shown) in [
        ("/cart/hunter2?step=hunter2", "http://shop.test/cart/***?step=***"),
        ("/hunter2.json", "http://shop.test/***.json"),
    ] {
        let ask = Ask::of_walk(1, Method::GET, secret(path), Vec::new()).shown_as(shown.to_owned());
        script.walked(ask, false, 5, Ok(hit()));
    }
    let (mut edge, mut now_ns, mut asked) = (Edge::default(), 5, Vec::new());
    while let Some(Next::Fetch(ask)) = script.next(now_ns) {
        now_ns = ask.at_ns;
        asked.push(ask.url.clone());
        let is_own = ask.url.path().contains("hunter2");
        let result = if is_own { Ok(hit()) } else { edge.answer(&ask, now_ns) };
        script.answer(*ask, now_ns, result);
    }
    assert!(asked.contains(&secret("/cart/hunter2?step=hunter2")), "{asked:?}");
    let proofs = script.proofs();
    let kept = proofs.iter().find(|proof| proof.promise == "never-kept").unwrap();
    assert_eq!((kept.ruling, kept.rule.as_str()), (Ruling::Fail, "private-hit"));
    assert_eq!(kept.evidence.as_ref().unwrap().url, "http://shop.test/cart/***?step=***");
    let classes = proofs.iter().find(|proof| proof.promise == "classes").unwrap();
    assert_eq!(line(classes), "edge classes info: 1 in no class: /***.json");
    assert!(!format!("{proofs:?}").contains("hunter2"));
}
