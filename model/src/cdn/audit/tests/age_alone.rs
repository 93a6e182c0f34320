//! Caches of which nothing but an Age tells, as Varnish comes out of its box.

use super::*;

/// What an audit finds of an edge with this fault that says no word of its cache, and an Age of everything; and when pages
/// were asked for as browsers do.
fn audit_of(fault: &'static str) -> (Vec<Proof>, Vec<u64>) {
    let policy = Policy::read("policy.yaml", "cdn: { provider: generic }\n").unwrap();
    let mut script = Script::new(Setting { policy, ..setting(true) }, &[page()]);
    let (mut edge, mut now_ns, mut starts) = (Edge { fault, ..Edge::default() }, 0, Vec::new());
    while let Some(Next::Fetch(ask)) = script.next(now_ns) {
        now_ns = ask.at_ns;
        let is_plain = ask.headers.len() == 1 && header(&ask, "accept-encoding") == Some("br, gzip");
        if is_plain && ask.url.as_str() == page().as_str() {
            starts.push(ask.at_ns);
        }
        let result = edge.answer(&ask, now_ns).map(|mut answer| {
            answer.headers.remove("x-cache");
            answer.headers.entry("age").or_insert(HeaderValue::from_static("0"));
            answer
        });
        script.answer(*ask, now_ns, result);
    }
    (script.proofs(), starts)
}

#[test]
fn a_right_cache_that_tells_an_age_alone_keeps_its_promises() {
    let (proofs, starts) = audit_of("");
    for proof in &proofs {
        assert!(!matches!(proof.ruling, Ruling::Fail | Ruling::Warn), "{}", line(proof));
    }
    for class in ["static", "html"] {
        let kept = proofs.iter().find(|proof| proof.class == class && proof.promise == "kept").unwrap();
        assert_eq!(line(kept), format!("{class} kept pass: 2 of 2 hit by fetch 2"));
    }
    assert!(starts[1] - starts[0] >= 2 * SECOND_NS, "a copy must be old enough to tell: {starts:?}");
}

#[test]
fn where_every_age_is_zero_nothing_is_said_against_it() {
    let (proofs, _) = audit_of("cold-cache");
    for class in ["static", "html"] {
        let kept = proofs.iter().find(|proof| proof.class == class && proof.promise == "kept").unwrap();
        let observed = "Age 0 in 5 fetches, and nothing else tells a hit from a miss";
        assert_eq!(line(kept), format!("{class} kept info: {observed}"));
    }
}

#[test]
fn a_cart_that_is_kept_shows_by_its_age() {
    let (proofs, _) = audit_of("cart-cached");
    let kept = proofs.iter().find(|proof| proof.promise == "never-kept").unwrap();
    assert!(kept.ruling == Ruling::Fail && kept.rule.starts_with("private-"), "{}", line(kept));
}
