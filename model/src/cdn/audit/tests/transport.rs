//! What is offered to a server, and what is said of what it takes.

use super::*;

/// A server with TLS: what it makes of offers, and what its answers say of others.
struct Server {
    takes: fn(Offer) -> Result<Offered, Declined>,
    alt_svc: &'static str,
}

/// What came of an audit of a server.
struct Seen {
    offers: Vec<Offer>,
    /// How many requests came without TLS.
    clear: usize,
    proofs: Vec<Proof>,
}

impl Seen {
    fn line(&self, promise: &str) -> String {
        line(self.proofs.iter().find(|proof| proof.promise == promise).unwrap())
    }
}

fn takes(tls: &str, http: &str) -> Result<Offered, Declined> {
    Ok(Offered { tls: tls.to_owned(), http: http.to_owned() })
}

/// As servers should be.
fn right(offer: Offer) -> Result<Offered, Declined> {
    match offer {
        Offer::Anything => takes("TLS 1.3", "h2"),
        Offer::Http1 => takes("TLS 1.3", "http/1.1"),
        Offer::Tls12 => takes("TLS 1.2", "h2"),
        Offer::Tls10 | Offer::Tls11 => Err(Declined::Refused("alert protocol_version".to_owned())),
    }
}

impl Server {
    fn audited(&self) -> Seen {
        let secure = Url::parse("https://shop.test/").unwrap();
        let mut script = Script::new(setting(false), &[secure]);
        let (mut now_ns, mut offers, mut clear) = (0, Vec::new(), 0);
        let mut edge = Edge::default();
        while let Some(next) = script.next(now_ns) {
            match next {
                Next::Offer { offer, url, at_ns } => {
                    assert_eq!(url.as_str(), "https://shop.test/");
                    now_ns = at_ns;
                    offers.push(offer);
                    script.offered(offer, (self.takes)(offer));
                }
                Next::Fetch(ask) => {
                    now_ns = ask.at_ns;
                    let result = if ask.url.scheme() == "http" {
                        clear += 1;
                        let lines = [("location", "https://shop.test/")];
                        Ok(Answer { status: 301, headers: headers(&lines), ..Answer::default() })
                    } else {
                        edge.answer(&ask, now_ns).map(|answer| self.with_alternatives(answer))
                    };
                    script.answer(*ask, now_ns, result);
                }
            }
        }
        Seen { offers, clear, proofs: script.proofs() }
    }

    fn with_alternatives(&self, mut answer: Answer) -> Answer {
        if !self.alt_svc.is_empty() {
            answer.headers.insert("alt-svc", HeaderValue::from_static(self.alt_svc));
        }
        answer
    }
}

/// What a pretended server says to a hello.
type Handshake = fn(Offer) -> Result<Offered, Declined>;

#[test]
fn tls_is_offered_and_plain_http_asked_for_where_the_target_has_tls() {
    let seen = Server { takes: right, alt_svc: "" }.audited();
    let expected = [Offer::Anything, Offer::Http1, Offer::Tls12, Offer::Tls10, Offer::Tls11];
    assert_eq!((seen.offers.as_slice(), seen.clear), (&expected[..], 1));
    for (promise, expected) in [
        ("transport", "edge transport pass: TLS 1.3, TLS 1.2; h2, http/1.1"),
        ("old-tls", "edge old-tls pass: refused: alert protocol_version"),
        ("http3", "edge http3 info: no Alt-Svc offers it; not probed"),
        ("https", "edge https pass: 301 to https"),
    ] {
        assert_eq!(seen.line(promise), expected);
    }
}

#[test]
fn old_versions_of_tls_are_found() {
    let cases: [(Handshake, &str); 5] = [
        (
            |offer| match offer {
                Offer::Tls10 => takes("TLS 1.0", ""),
                Offer::Tls11 => takes("TLS 1.1", ""),
                _ => right(offer),
            },
            "edge old-tls warn: speaks TLS 1.0, TLS 1.1",
        ),
        // What is asked for TLS 1.1 at most may answer with less.
        (
            |offer| if offer.is_old() { takes("TLS 1.0", "") } else { right(offer) },
            "edge old-tls warn: speaks TLS 1.0",
        ),
        (
            |offer| match offer {
                Offer::Tls10 => Err(Declined::Unknown("no answer".to_owned())),
                Offer::Tls11 => takes("TLS 1.1", ""),
                _ => right(offer),
            },
            "edge old-tls warn: speaks TLS 1.1",
        ),
        (
            |offer| match offer {
                Offer::Tls10 => Err(Declined::Unknown("no answer".to_owned())),
                _ => right(offer),
            },
            "edge old-tls not-applicable: not known: no answer",
        ),
        (
            |offer| match offer {
                Offer::Tls10 => Err(Declined::Refused("closed the connection".to_owned())),
                _ => right(offer),
            },
            "edge old-tls pass: refused: closed the connection, alert protocol_version",
        ),
    ];
    for (takes, expected) in cases {
        let seen = Server { takes, alt_svc: "" }.audited();
        assert_eq!(seen.line("old-tls"), expected);
        let proof = seen.proofs.iter().find(|proof| proof.promise == "old-tls").unwrap();
        let is_broken = proof.ruling == Ruling::Warn;
        assert_eq!(proof.rule == "old-tls" && proof.remedy.contains("TLSv1.2_2021"), is_broken, "{expected}");
        assert_eq!(seen.line("transport"), "edge transport pass: TLS 1.3, TLS 1.2; h2, http/1.1");
    }
}

#[test]
fn http3_is_known_by_what_answers_say() {
    for (alt_svc, expected) in [
        ("h3=\":443\"; ma=86400", "Alt-Svc offers h3; not probed"),
        ("h2=\":443\", h3-29=\":443\"; ma=86400, h3=\":443\"", "Alt-Svc offers h3-29; not probed"),
        ("h2=\"alt.shop.test:443\"", "no Alt-Svc offers it; not probed"),
        ("clear", "no Alt-Svc offers it; not probed"),
        (",=,h3,", "no Alt-Svc offers it; not probed"),
        ("", "no Alt-Svc offers it; not probed"),
    ] {
        let seen = Server { takes: right, alt_svc }.audited();
        assert_eq!(seen.line("http3"), format!("edge http3 info: {expected}"), "{alt_svc}");
    }
}
