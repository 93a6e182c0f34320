//! What an audit has no room for, and where it may not go.

use super::*;

fn said(proofs: &[Proof], promise: &str) -> Option<String> {
    proofs.iter().find(|proof| proof.promise == promise).map(line)
}

/// Audits a shop whose first page names this.
fn audit_of(mut script: Script, named: &[Found]) -> Vec<Proof> {
    let (mut edge, mut now_ns) = (Edge::default(), 0);
    while let Some(Next::Fetch(ask)) = script.next(now_ns) {
        now_ns = ask.at_ns;
        let result = edge.answer(&ask, now_ns).map(|answer| Answer { found: named.to_vec(), ..answer });
        script.answer(*ask, now_ns, result);
    }
    script.proofs()
}

#[test]
fn what_there_is_no_room_for_is_counted() {
    let url = |path: String| page().join(&path).unwrap();
    let pages: Vec<Url> =
        std::iter::once(page()).chain((1..12).map(|number| url(format!("/p/{number}")))).collect();
    let mut script = Script::new(setting(true), &pages);
    for number in 0..12 {
        let ask = Ask::of_walk(1, Method::GET, url(format!("/api/{number}")), Vec::new());
        script.walked(ask, false, 1, Ok(Answer { status: 200, ..Answer::default() }));
    }
    let named: Vec<Found> = (0..9).map(|number| Found::Asset(url(format!("/file.k{number}")))).collect();
    let proofs = audit_of(script, &named);
    let room = "there was no room for 2 pages, 3 files of other kinds, 4 private addresses";
    let expected = format!("edge limits info: {room}; audit pages one by one to see them");
    assert_eq!(said(&proofs, "limits").unwrap(), expected);

    let small = audit_of(Script::new(setting(true), &[page()]), &[]);
    assert_eq!((said(&small, "limits"), said(&small, "hosts")), (None, None));
}

#[test]
fn files_on_hosts_that_may_not_be_asked_are_told() {
    let elsewhere = |text: &str| Found::Elsewhere(Url::parse(text).unwrap());
    let named = ["https://img.test/1", "https://cdn.test/a", "https://cdn.test/b"].map(elsewhere);
    let proofs = audit_of(Script::new(setting(true), &[page()]), &named);
    let told = "not asked: 2 files on cdn.test, a file on img.test; name a host with --allow-host to ask it";
    assert_eq!(said(&proofs, "hosts").unwrap(), format!("edge hosts info: {told}"));
}

#[test]
fn of_many_stumbles_the_first_is_told_and_how_many_there_were() {
    let mut script = Script::new(setting(true), &[page()]);
    (0..12).for_each(|number| script.stumbled(1 + number % 2, &format!("why {number}")));
    let proofs = audit_of(script, &[]);
    assert_eq!(said(&proofs, "walks").unwrap(), "edge walks info: 12 times not, first shopper 1: why 0");
    let mut once = Script::new(setting(true), &[page()]);
    once.stumbled(2, "why");
    assert_eq!(said(&audit_of(once, &[]), "walks").unwrap(), "edge walks info: shopper 2: why");
}
