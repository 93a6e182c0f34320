//! Two shoppers, and what each is shown.

use super::*;

/// Lets shoppers walk to the cart, each of whom may enter a marker, and audits the rest of the shop. `cart` is how a cart
/// answers the audit then.
fn audit_of(walks: &[(u64, bool)], cart: impl Fn(&Ask, Answer) -> Answer) -> Vec<Proof> {
    let mut script = Script::new(setting(true), &[page()]);
    let (mut edge, mut now_ns) = (Edge::default(), 0);
    for (shopper, has_planted) in walks {
        let at_ns = script.slot(now_ns);
        let ask = Ask::of_walk(*shopper, Method::GET, page().join("/cart").unwrap(), Vec::new());
        now_ns = at_ns + 5_000_000;
        let answer = edge.answer(&ask, now_ns);
        script.walked(ask, *has_planted, now_ns, answer);
    }
    while let Some(Next::Fetch(ask)) = script.next(now_ns) {
        now_ns = ask.at_ns + 5_000_000;
        let result = edge.answer(&ask, now_ns);
        let is_cart = ask.url.path() == "/cart";
        let result = if is_cart { result.map(|answer| cart(&ask, answer)) } else { result };
        script.answer(*ask, now_ns, result);
    }
    script.proofs()
}

fn said(proofs: &[Proof], promise: &str) -> Option<String> {
    proofs.iter().find(|proof| proof.promise == promise).map(line)
}

/// Nobody is let in.
fn closed(_: &Ask, answer: Answer) -> Answer {
    Answer { status: 404, ..answer }
}

/// Everybody is shown something else.
fn own(ask: &Ask, answer: Answer) -> Answer {
    let number = if ask.who == Who::Shopper(1) { 1 } else { 2 };
    Answer { sha256: Some([number; 32]), ..answer }
}

#[test]
fn who_entered_nothing_before_another_looked_proves_nothing() {
    let nothing =
        "edge shares-nothing not-applicable: no private page was shown to another than who entered something";
    for walks in [&[(1, true)][..], &[(2, false), (1, true)], &[(1, true), (1, true)]] {
        assert_eq!(said(&audit_of(walks, closed), "shares-nothing").unwrap(), nothing, "{walks:?}");
    }
    let pass =
        |count| format!("edge shares-nothing pass: no marker of the other's in {count} private answers");
    // The walk of the second; and what the audit itself has each look at.
    assert_eq!(said(&audit_of(&[(1, true), (2, false)], closed), "shares-nothing").unwrap(), pass(1));
    assert_eq!(said(&audit_of(&[(1, true)], own), "shares-nothing").unwrap(), pass(2));
    assert_eq!(said(&audit_of(&[(1, true), (2, true)], own), "shares-nothing").unwrap(), pass(8));
}

#[test]
fn pages_of_two_shoppers_who_entered_something_are_compared() {
    let both = [(1, true), (2, true)];
    assert_eq!(said(&audit_of(&both, own), "differs").unwrap(), "private differs pass: 1 of 1 differ");
    let same = audit_of(&both, |_, answer| answer);
    let told = "private differs info: the same to both at 1 of 1 addresses, such as /cart: nothing of either is in it";
    assert_eq!(said(&same, "differs").unwrap(), told);
    let unseen = "private differs not-applicable: no private page was shown to both shoppers";
    assert_eq!(said(&audit_of(&both, closed), "differs").unwrap(), unseen);
    assert_eq!(said(&audit_of(&[(1, true)], own), "differs"), None, "a single one enters nothing to compare");
}

#[test]
fn how_many_shoppers_were_answered_is_counted() {
    let both = audit_of(&[], own);
    assert_eq!(
        said(&both, "never-kept").unwrap(),
        "private never-kept pass: no hit among 7 answers to 2 shoppers"
    );
    let one = audit_of(&[(1, false)], closed);
    assert_eq!(
        said(&one, "never-kept").unwrap(),
        "private never-kept pass: no hit among 1 answers to a shopper"
    );
}
