//! Promises of classes of content: a right edge keeps them all, and each fault breaks its own.

use super::*;

#[test]
fn a_right_edge_keeps_every_promise() {
    let mut script = Script::new(setting(false), &[page()]);
    let starts = carry_out(&mut script, &mut Edge::default());
    let lines: Vec<String> = script.proofs().iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "private never-kept pass: no hit among 7 answers to 2 shoppers",
            "private says-so pass: private, no-store",
            "static kept pass: 2 of 2 hit by fetch 2",
            "static lifetime pass: 365d",
            "static age pass: from 0 to 3 s within 3 s",
            "static expires not-applicable: 365d is too long to wait for",
            "static revalidates pass: 304",
            "static tracking pass: a hit with ?utm_source=…",
            "static unknown pass: a hit with an unknown parameter",
            "static order not-applicable: no address with several parameters was found",
            "static cookies pass: a hit with a cookie",
            "static vary pass: Vary: Accept-Encoding",
            "static sets-cookies pass: none",
            "static compressed pass: 1 of 1 texts",
            "static savings pass: 75 % of 4000 bytes of text, promised > 60%",
            "static encodings pass: 3 of 3 the same",
            "static head pass: the same",
            "static ranges pass: 206: 100 of 4000 bytes",
            "html kept pass: 2 of 2 hit by fetch 2",
            "html lifetime pass: 5m",
            "html age pass: from 0 to 3 s within 3 s",
            "html expires not-applicable: not waited for: --patient waits 5m",
            "html revalidates pass: 304",
            "html tracking pass: a hit with ?utm_source=…",
            "html unknown pass: a hit with an unknown parameter",
            "html order pass: a hit with another order",
            "html cookies pass: a hit with a cookie",
            "html vary pass: Vary: Accept-Encoding",
            "html sets-cookies pass: none",
            "html compressed pass: 2 of 2 texts",
            "html encodings pass: 6 of 6 the same",
            "html head pass: the same",
            "html ranges not-applicable: no parts are offered",
            "edge near pass: LHR50",
            "edge shares-nothing not-applicable: nothing was entered that would be recognised; see --journey",
            "edge errors pass: 404, gone after 10 s",
            "edge https not-applicable: the target is spoken to without TLS",
            "edge transport not-applicable: the target is spoken to without TLS",
        ]
    );
    assert!(starts.len() <= 60, "{} requests", starts.len());
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= 100_000_000), "10 a second at most");
    assert!(starts.last().unwrap() / SECOND_NS <= 13, "it does not wait for longer than it must");
}

#[test]
fn every_fault_breaks_its_promise_and_no_other_fails() {
    const NONE: &[&str] = &[];
    for (fault, class, promise, rule, also) in [
        ("cart-cached", "private", "never-kept", "private-hit", NONE),
        ("age-leaked", "private", "never-kept", "private-age", &[]),
        ("cart-public", "private", "says-so", "private-cacheable", &[]),
        ("cold-cache", "html", "kept", "hit-ratio", &["static kept"]),
        ("no-store-html", "html", "lifetime", "caching-forbidden", &["html kept"]),
        ("html-year", "html", "lifetime", "lifetime-differs", &[]),
        ("short-ttl", "html", "lifetime", "lifetime-differs", &[]),
        ("no-lifetime", "html", "lifetime", "lifetime-unsaid", &["static lifetime"]),
        ("stale-html", "html", "age", "age-past-lifetime", &[]),
        ("no-304", "html", "revalidates", "never-revalidates", &["static revalidates"]),
        ("query-key", "html", "tracking", "fragmented", &["static tracking"]),
        ("cookie-key", "html", "cookies", "varies-on-cookie", &["static cookies"]),
        ("vary-cookie", "html", "cookies", "varies-on-cookie", &[]),
        ("vary-agent", "html", "vary", "varies-on-user-agent", &[]),
        ("no-vary", "html", "vary", "vary-encoding-missing", &["static vary"]),
        ("session-cached", "html", "sets-cookies", "cookie-from-cache", &[]),
        ("cookie-sent", "html", "sets-cookies", "cookie-on-cacheable", &[]),
        ("sticky-cached", "html", "sets-cookies", "sticky-from-cache", &[]),
        ("no-compression", "html", "compressed", "not-compressed", &["static compressed", "static savings"]),
        ("images-compressed", "static", "compressed", "compressed-image", &[]),
        ("double-gzip", "static", "compressed", "compressed-twice", &[]),
        ("forced-gzip", "html", "encodings", "encoding-not-asked", &["static encodings"]),
        ("broken-brotli", "static", "encodings", "encodings-differ", &[]),
        ("weak-compression", "static", "savings", "savings", &[]),
        ("weak-gzip", "static", "savings", "savings", &[]),
        ("head-lies", "html", "head", "head-differs", &["static head"]),
        ("no-range", "static", "ranges", "ranges-ignored", &[]),
        ("wrong-edge", "", "near", "other-region", &[]),
        ("error-ttl", "", "errors", "error-cached", &[]),
        ("challenge", "", "challenges", "challenge-as-page", &[]),
    ] {
        let proofs = audit(fault, setting(true));
        let all: Vec<String> = proofs.iter().map(line).collect();
        let found = proofs.iter().find(|proof| proof.class == class && proof.promise == promise);
        let found = found.unwrap_or_else(|| panic!("{fault}: {all:#?}"));
        assert_eq!(found.rule, rule, "{fault}: {all:#?}");
        assert!(matches!(found.ruling, Ruling::Fail | Ruling::Warn), "{fault}: {all:#?}");
        assert!(!found.remedy.is_empty() && found.evidence.is_some(), "{fault}");
        // A challenge in place of a page spoils whatever that page was to prove.
        let others = proofs.iter().filter(|_| fault != "challenge").filter(|proof| {
            matches!(proof.ruling, Ruling::Fail | Ruling::Warn)
                && (proof.class != class || proof.promise != promise)
        });
        for other in others {
            let name = format!("{} {}", other.class, other.promise);
            assert!(also.contains(&name.as_str()), "{fault} also breaks {}: {all:#?}", line(other));
        }
    }
}

#[test]
fn what_nobody_declared_warns_unless_it_is_critical() {
    for (fault, class, promise, declared, default) in [
        ("cart-cached", "private", "never-kept", Ruling::Fail, Ruling::Fail),
        ("cold-cache", "static", "kept", Ruling::Fail, Ruling::Warn),
        ("broken-brotli", "static", "encodings", Ruling::Fail, Ruling::Warn),
        ("no-304", "static", "revalidates", Ruling::Warn, Ruling::Warn),
    ] {
        for (is_declared, ruling) in [(true, declared), (false, default)] {
            let proofs = audit(fault, setting(is_declared));
            let found = proofs.iter().find(|proof| proof.class == class && proof.promise == promise).unwrap();
            assert_eq!(found.ruling, ruling, "{fault}, declared: {is_declared}");
        }
    }
}

#[test]
fn many_caches_are_no_fault() {
    for is_declared in [true, false] {
        let proofs = audit("many-caches", setting(is_declared));
        for proof in &proofs {
            assert!(!matches!(proof.ruling, Ruling::Fail | Ruling::Warn), "{}", line(proof));
        }
        let kept = proofs.iter().find(|proof| proof.promise == "kept").unwrap();
        assert_eq!(kept.ruling, Ruling::Pass, "{}", line(kept));
    }
}

#[test]
fn a_patient_audit_waits_for_the_lifetime() {
    let patient = || Setting { is_patient: true, ..setting(true) };
    let mut script = Script::new(patient(), &[page()]);
    let starts = carry_out(&mut script, &mut Edge::default());
    let seconds = starts.last().unwrap() / SECOND_NS;
    assert!((300..310).contains(&seconds), "{seconds} s");
    assert_eq!(Script::waits_s(&patient().policy, true), 300);
    assert_eq!(Script::waits_s(&patient().policy, false), 10);
    let expires = |proofs: &[Proof]| {
        let found = proofs.iter().find(|proof| proof.class == "html" && proof.promise == "expires");
        found.map(line).unwrap()
    };
    assert_eq!(expires(&script.proofs()), "html expires pass: fetched anew after 5m");
    let never = audit("html-year", patient());
    assert_eq!(expires(&never), "html expires fail: Age 302 s, promised 5m");
}
