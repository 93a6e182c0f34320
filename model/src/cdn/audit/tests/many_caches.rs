//! Edge locations of many caches: what one has, another may not have, or call otherwise.

use http::header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};

use super::*;

/// Carries out an audit of an edge of three caches, each of which calls its copies by a value of its own in this header.
fn audit_of_own(name: &HeaderName, asked_by: &HeaderName) -> Vec<Proof> {
    let mut script = Script::new(setting(true), &[page()]);
    let (mut edge, mut now_ns) = (Edge { fault: "many-caches", ..Edge::default() }, 0);
    while let Some(Next::Fetch(ask)) = script.next(now_ns) {
        now_ns = ask.at_ns;
        let own = format!("\"cache {}\"", (edge.requests + 1) % 3);
        let mut translated = (*ask).clone();
        for (header, value) in &mut translated.headers {
            if *header == *asked_by {
                let is_own = value.to_str().unwrap() == own;
                *header = IF_NONE_MATCH;
                *value = HeaderValue::from_static(if is_own { "\"1\"" } else { "\"other\"" });
            }
        }
        let result = edge.answer(&translated, now_ns).map(|mut answer| {
            if answer.headers.remove(ETAG).is_some() {
                answer.headers.insert(name, HeaderValue::from_str(&own).unwrap());
            }
            answer
        });
        script.answer(*ask, now_ns, result);
    }
    script.proofs()
}

#[test]
fn caches_that_call_their_copies_otherwise_are_right() {
    for (name, asked_by) in [(ETAG, IF_NONE_MATCH), (LAST_MODIFIED, IF_MODIFIED_SINCE)] {
        let proofs = audit_of_own(&name, &asked_by);
        for proof in &proofs {
            assert!(!matches!(proof.ruling, Ruling::Fail | Ruling::Warn), "{name}: {}", line(proof));
        }
        for promise in ["head", "revalidates"] {
            let told = proofs.iter().filter(|proof| proof.promise == promise).count();
            assert_eq!(told, 2, "{name}: {promise} of both classes");
        }
    }
}

/// What an audit says of errors that caches keep for so long, one after the other of so many, with or without an Age.
fn errors(caches: usize, kept_s: u64, tells_age: bool) -> String {
    let policy = Policy::read("policy.yaml", "cdn: { provider: generic }\n").unwrap();
    let mut script = Script::new(Setting { policy, ..setting(true) }, &[page()]);
    let mut stored: Vec<Option<u64>> = vec![None; caches];
    let (mut edge, mut now_ns, mut asked) = (Edge::default(), 0, 0);
    while let Some(Next::Fetch(ask)) = script.next(now_ns) {
        now_ns = ask.at_ns;
        let result = if ask.url.path().starts_with("/doorbuster-audit") {
            let copy = &mut stored[asked % caches];
            asked += 1;
            let age_s = copy.map(|stored_ns| (now_ns - stored_ns) / SECOND_NS);
            let age_s = age_s.filter(|age_s| *age_s < kept_s);
            if age_s.is_none() {
                *copy = Some(now_ns);
            }
            let word = if age_s.is_some() { "HIT" } else { "MISS" };
            let mut lines = vec![("x-cache", word.to_owned())];
            lines.extend(age_s.filter(|_| tells_age).map(|age_s| ("age", age_s.to_string())));
            Ok(Answer { status: 404, headers: owned(&lines), ..Answer::default() })
        } else {
            edge.answer(&ask, now_ns)
        };
        script.answer(*ask, now_ns, result);
    }
    let proofs = script.proofs();
    line(proofs.iter().find(|proof| proof.promise == "errors").unwrap())
}

#[test]
fn an_error_is_found_whichever_cache_keeps_it() {
    assert_eq!(errors(1, 3_600, true), "edge errors fail: 404 of Age 12 s");
    assert_eq!(errors(3, 3_600, true), "edge errors fail: 404 of Age 12 s");
    assert_eq!(errors(1, 3_600, false), "edge errors fail: 404 is a hit over 10 s later");
}

#[test]
fn the_audit_s_own_last_answer_is_no_error_that_is_kept() {
    for caches in [1, 2, 3] {
        for tells_age in [true, false] {
            assert_eq!(errors(caches, 5, tells_age), "edge errors pass: 404, gone after 10 s");
        }
    }
}

#[test]
fn a_cart_is_asked_for_until_the_cache_that_has_it_answers() {
    let mut script = Script::new(setting(true), &[page()]);
    let (mut edge, mut now_ns, mut carts) = (Edge::default(), 0, 0);
    while let Some(Next::Fetch(ask)) = script.next(now_ns) {
        now_ns = ask.at_ns;
        let mut result = edge.answer(&ask, now_ns);
        if ask.url.path() == "/cart" {
            carts += 1;
            // The fifth answer is the first out of the cache that had it.
            let word = if carts == 5 { "Hit from cloudfront" } else { "Miss from cloudfront" };
            result.as_mut().unwrap().headers.insert("x-cache", HeaderValue::from_static(word));
        }
        script.answer(*ask, now_ns, result);
    }
    let proofs = script.proofs();
    let kept = proofs.iter().find(|proof| proof.promise == "never-kept").unwrap();
    assert_eq!((kept.rule.as_str(), carts), ("private-hit", 5), "{}", line(kept));
}
