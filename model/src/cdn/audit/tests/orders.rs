//! Parameters in another order, and such as nobody knows.

use super::*;

/// What an audit of these pages says of a promise about pages. `tells_age`: whether the edge says how old copies are.
fn said(fault: &'static str, pages: &[&str], promise: &str, tells_age: bool) -> String {
    let pages: Vec<Url> = pages.iter().map(|path| page().join(path).unwrap()).collect();
    let mut script = Script::new(setting(true), &pages);
    let (mut edge, mut now_ns) = (Edge { fault, ..Edge::default() }, 0);
    while let Some(Next::Fetch(ask)) = script.next(now_ns) {
        now_ns = ask.at_ns;
        let result = edge.answer(&ask, now_ns).map(|mut answer| {
            if !tells_age {
                answer.headers.remove("age");
            }
            answer
        });
        script.answer(*ask, now_ns, result);
    }
    let proofs = script.proofs();
    let found = proofs.iter().find(|proof| proof.class == "html" && proof.promise == promise);
    line(found.unwrap_or_else(|| panic!("{promise} is not among {proofs:#?}")))
}

#[test]
fn two_parameters_whose_order_makes_copies_are_found() {
    let copies = "html order warn: another order missed, and made a copy of its own";
    assert_eq!(said("order-key", &["/"], "order", true), copies);
    assert_eq!(said("", &["/"], "order", true), "html order pass: a hit with another order");
}

#[test]
fn what_the_audit_left_behind_is_no_hit_on_a_shared_copy() {
    // Without an Age, nothing tells the one from the other.
    let told = "html order info: the only one with another order missed";
    assert_eq!(said("order-key", &["/"], "order", false), told);
    assert_eq!(said("", &["/"], "order", false), "html order pass: a hit with another order");
}

#[test]
fn what_is_kept_for_seconds_may_have_gone_before_another_order_is_asked_for() {
    let said = said("short-ttl", &["/"], "order", true);
    assert!(said.starts_with("html order pass") || said.starts_with("html order info"), "{said}");
}

#[test]
fn three_parameters_have_orders_enough() {
    let pages = ["/", "/search?q=a&page=2&sort=price"];
    for tells_age in [true, false] {
        let missed = "html order warn: 5 of 5 with another order missed";
        assert_eq!(said("order-key", &pages, "order", tells_age), missed);
        let shared = "html order pass: a hit with another order";
        assert_eq!(said("", &pages, "order", tells_age), shared);
    }
}

#[test]
fn an_unknown_parameter_that_makes_a_copy_is_told_and_no_fault() {
    let told =
        "html unknown info: 5 of 5 with an unknown parameter missed: whoever adds one gets past the cache";
    assert_eq!(said("unknown-key", &["/"], "unknown", true), told);
    assert_eq!(said("", &["/"], "unknown", true), "html unknown pass: a hit with an unknown parameter");
}
