//! What comes without TLS, and what pages vary on.

use super::*;

/// Audits a page with TLS whose plain requests are led to it: how it was asked for without TLS, and what is said of that.
fn audit_of(first: &str, policy: &str, status: u16) -> (Vec<Who>, String) {
    let first = Url::parse(first).unwrap();
    let policy = Policy::read("policy.yaml", policy).unwrap();
    let mut script = Script::new(Setting { policy, ..setting(true) }, &[first]);
    let (mut edge, mut now_ns, mut clear) = (Edge::default(), 0, Vec::new());
    while let Some(next) = script.next(now_ns) {
        match next {
            Next::Offer { offer, at_ns, .. } => {
                now_ns = at_ns;
                script.offered(offer, Err(Declined::Refused("refused".to_owned())));
            }
            Next::Fetch(ask) => {
                now_ns = ask.at_ns;
                let result = if ask.url.scheme() == "http" {
                    clear.push(ask.who);
                    let lines = [("location", "https://shop.test/")];
                    Ok(Answer { status: 301, headers: headers(&lines), ..Answer::default() })
                } else if status == 200 {
                    edge.answer(&ask, now_ns)
                } else {
                    Ok(Answer { status, ..Answer::default() })
                };
                script.answer(*ask, now_ns, result);
            }
        }
    }
    let proofs = script.proofs();
    let https = proofs.iter().find(|proof| proof.promise == "https").map(line);
    (clear, https.unwrap())
}

#[test]
fn the_first_page_is_asked_for_without_tls_whatever_it_is() {
    let kept = "cdn: { provider: cloudfront }\n";
    let unsaid = "cdn: { classes: [{ class: all, match: [\"/**\"], compress: text }] }\n";
    for (first, policy, status) in [
        ("https://shop.test/", kept, 200),
        ("https://shop.test/cart", kept, 200),
        ("https://shop.test/", unsaid, 200),
        ("https://shop.test/", kept, 503),
    ] {
        let (clear, said) = audit_of(first, policy, status);
        assert_eq!(clear, [Who::Nobody], "{first} {policy} {status}: no shopper's cookies go in the clear");
        assert_eq!(said, "edge https pass: 301 to https", "{first} {policy} {status}");
    }
    let (clear, said) = audit_of("https://shop.test:8443/", kept, 200);
    assert_eq!(
        (clear, said.as_str()),
        (vec![], "edge https not-applicable: the target has a port of its own")
    );
}

#[test]
fn what_answers_vary_on_besides_encodings_is_told() {
    for (vary, said) in [
        ("Accept-Encoding", "html vary pass: Vary: Accept-Encoding"),
        ("Origin, Accept-Encoding", "html vary info: varies on Origin, too: a copy for each"),
        (
            "accept-encoding, Accept-Language,",
            "html vary info: varies on Accept-Language, too: a copy for each",
        ),
        ("*, Accept-Encoding", "html vary info: varies on *, too: a copy for each"),
    ] {
        let mut script = Script::new(setting(true), &[page()]);
        let (mut edge, mut now_ns) = (Edge::default(), 0);
        while let Some(Next::Fetch(ask)) = script.next(now_ns) {
            now_ns = ask.at_ns;
            let result = edge.answer(&ask, now_ns).map(|mut answer| {
                answer.headers.insert("vary", HeaderValue::from_static(vary));
                answer
            });
            script.answer(*ask, now_ns, result);
        }
        let proofs = script.proofs();
        let found = proofs.iter().find(|proof| proof.class == "html" && proof.promise == "vary");
        assert_eq!(found.map(line).unwrap(), said);
    }
}
