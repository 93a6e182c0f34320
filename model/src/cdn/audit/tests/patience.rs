//! How long a patient audit waits for what may be served beyond its lifetime.

use http::header::CACHE_CONTROL;

use super::*;

/// Carries a patient audit out of an edge whose pages say so besides their lifetime. For how many seconds it went on, and
/// what it says of how long they are kept.
fn patiently(fault: &'static str, more: &str) -> (u64, String) {
    let mut script = Script::new(Setting { is_patient: true, ..setting(true) }, &[page()]);
    let (mut edge, mut now_ns) = (Edge { fault, ..Edge::default() }, 0);
    while let Some(Next::Fetch(ask)) = script.next(now_ns) {
        now_ns = ask.at_ns;
        let result = edge.answer(&ask, now_ns).map(|mut answer| {
            if ask.url.path() == "/" {
                let value = HeaderValue::from_str(&format!("public, max-age=300{more}")).unwrap();
                answer.headers.insert(CACHE_CONTROL, value);
            }
            answer
        });
        script.answer(*ask, now_ns, result);
    }
    let proofs = script.proofs();
    let expires = proofs.iter().find(|proof| proof.class == "html" && proof.promise == "expires");
    (now_ns / SECOND_NS, expires.map(line).unwrap())
}

#[test]
fn what_may_be_served_for_long_beyond_its_lifetime_is_not_waited_for() {
    let (seconds, said) = patiently("", ", stale-while-revalidate=86400");
    let why = "5m and 1d of stale-while-revalidate are too long to wait for";
    assert_eq!(said, format!("html expires not-applicable: {why}"));
    assert!(seconds < 20, "{seconds} s");
}

#[test]
fn a_short_time_beyond_its_lifetime_is_waited_for_too() {
    let (seconds, said) = patiently("", ", Stale-While-Revalidate=60");
    assert_eq!(said, "html expires pass: fetched anew after 5m");
    assert!((360..370).contains(&seconds), "{seconds} s");
}

#[test]
fn what_may_be_served_when_the_origin_fails_is_no_matter_while_it_does_not() {
    let (seconds, said) = patiently("", ", stale-if-error=86400");
    assert_eq!(said, "html expires pass: fetched anew after 5m");
    assert!((300..310).contains(&seconds), "{seconds} s");
    // Copies that stay all the same.
    let (_, said) = patiently("html-year", ", stale-if-error=86400");
    assert_eq!(said, "html expires fail: Age 302 s, promised 5m");
}
