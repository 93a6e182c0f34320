//! What is about the edge as a whole: shoppers' data, where pages lead, and silence.

use super::*;

#[test]
fn a_cart_with_another_s_marker_is_a_leak() {
    let mut script = Script::new(setting(false), &[page()]);
    let cart = page().join("/cart").unwrap();
    for shopper in [1, 2] {
        let at_ns = script.slot(0);
        let ask = Ask::of_walk(shopper, Method::GET, cart.clone(), Vec::new());
        let mut answer = Edge::default().answer(&ask, at_ns).unwrap();
        answer.foreign_mark = (shopper == 2).then_some(1);
        script.walked(ask, true, at_ns, Ok(answer));
    }
    carry_out(&mut script, &mut Edge::default());
    let proofs = script.proofs();
    let leak = proofs.iter().find(|proof| proof.promise == "shares-nothing").unwrap();
    assert_eq!((leak.ruling, leak.rule.as_str()), (Ruling::Fail, "marker-leaked"));
    assert_eq!(leak.observed, "shows what shopper 1 entered");

    let mut right = Script::new(setting(false), &[page()]);
    let ask = Ask::of_walk(1, Method::GET, cart, Vec::new());
    let answer = Edge::default().answer(&ask, 0);
    right.walked(ask, true, 0, answer);
    carry_out(&mut right, &mut Edge::default());
    let proofs = right.proofs();
    let shares = proofs.iter().find(|proof| proof.promise == "shares-nothing").unwrap();
    assert_eq!(shares.ruling, Ruling::Pass, "{}", line(shares));
}

#[test]
fn a_page_that_leads_on_is_followed_on_its_host() {
    for (location, follows) in [
        ("/", true),
        ("http://shop.test/", true),
        ("https://other.test/", false),
        ("ftp://shop.test/", false),
    ] {
        let start = page().join("/start").unwrap();
        let mut script = Script::new(setting(false), &[start]);
        let mut edge = Edge::default();
        let (mut now_ns, mut asked) = (0, Vec::new());
        while let Some(Next::Fetch(ask)) = script.next(now_ns) {
            asked.push(ask.url.path().to_owned());
            now_ns = ask.at_ns;
            let result = if ask.url.path() == "/start" {
                let lines = [("location", location), ("x-cache", "Miss from cloudfront")];
                Ok(Answer { status: 301, headers: headers(&lines), ..Answer::default() })
            } else {
                edge.answer(&ask, now_ns)
            };
            script.answer(*ask, now_ns, result);
        }
        assert_eq!(asked.contains(&"/".to_owned()), follows, "{location}");
        assert!(asked.iter().filter(|path| *path == "/start").count() <= 2, "{location}: {asked:?}");
    }
}

#[test]
fn where_nothing_answers_or_tells_of_an_edge_nothing_is_judged() {
    let mut script = Script::new(setting(false), &[page()]);
    let mut now_ns = 0;
    while let Some(Next::Fetch(ask)) = script.next(now_ns) {
        now_ns = ask.at_ns;
        let broken = Broken { class: crate::ErrorClass::Connect, message: "refused".to_owned() };
        script.answer(*ask, now_ns, Err(broken));
    }
    let lines: Vec<String> = script.proofs().iter().map(line).collect();
    assert_eq!(lines, ["edge page not-applicable: refused", "edge provider info: nothing answered"]);
    let mut plain = Script::new(setting(false), &[page()]);
    let mut now_ns = 0;
    while let Some(Next::Fetch(ask)) = plain.next(now_ns) {
        now_ns = ask.at_ns;
        plain.answer(*ask, now_ns, Ok(Answer { status: 200, ..Answer::default() }));
    }
    let proofs = plain.proofs();
    assert!(proofs.len() == 1 && proofs[0].observed.contains("--policy"), "{proofs:#?}");
}
