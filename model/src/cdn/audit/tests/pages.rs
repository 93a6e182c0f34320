//! Audits whose pages are not there.

use super::*;

/// A path, and what it answers: a status, and headers.
type Answers<'a> = (&'a str, u16, &'a [(&'a str, &'a str)]);

/// Carries an audit of these pages out, whose paths answer so, and everything else as the edge does.
fn audit_of(pages: &[&str], answers: &[Answers<'_>]) -> Vec<Proof> {
    let pages: Vec<Url> = pages.iter().map(|path| page().join(path).unwrap()).collect();
    let mut script = Script::new(setting(true), &pages);
    let (mut edge, mut now_ns) = (Edge::default(), 0);
    while let Some(Next::Fetch(ask)) = script.next(now_ns) {
        now_ns = ask.at_ns;
        let own = answers.iter().find(|(path, _, _)| *path == ask.url.path());
        let result = match own {
            Some((_, status, lines)) => {
                Ok(Answer { status: *status, headers: headers(lines), ..Answer::default() })
            }
            None => edge.answer(&ask, now_ns),
        };
        script.answer(*ask, now_ns, result);
    }
    script.proofs()
}

fn of<'a>(proofs: &'a [Proof], class: &str, promise: &str) -> Option<&'a Proof> {
    proofs.iter().find(|proof| proof.class == class && proof.promise == promise)
}

#[test]
fn without_its_first_page_an_audit_proves_nothing_and_says_what_to_do() {
    let cloudfront = ("x-cache", "Error from cloudfront");
    for (status, lines, observed) in [
        (503, &[cloudfront][..], "answered 503: see that the shop is up"),
        (401, &[cloudfront], "answered 401: give it what lets shoppers in, by --header or the plan's http"),
        (403, &[], "answered 403: give it what lets shoppers in, by --header or the plan's http"),
        (404, &[], "answered 404: name a page that is there"),
        (
            301,
            &[("location", "https://www.shop.test/?token=1"), ("x-cache", "Redirect from cloudfront")],
            "answered 301 to https://www.shop.test/: name that URL",
        ),
        (302, &[], "answered 302, which leads nowhere"),
        (
            202,
            &[("x-amzn-waf-action", "challenge"), cloudfront],
            "answered 202, a firewall's challenge: let this run's addresses or User-Agent through",
        ),
    ] {
        let proofs = audit_of(&["/"], &[("/", status, lines)]);
        let missing: Vec<&Proof> = proofs.iter().filter(|proof| proof.is_of_missing_page()).collect();
        assert_eq!(missing.len(), 1, "{status}: {proofs:#?}");
        assert_eq!((missing[0].ruling, missing[0].observed.as_str()), (Ruling::NotApplicable, observed));
        assert!(missing[0].evidence.is_some(), "{status}");
    }
    assert!(!audit("", setting(true)).iter().any(Proof::is_of_missing_page));
}

#[test]
fn another_page_that_is_missing_is_told() {
    let proofs = audit_of(&["/", "/search", "/sale"], &[("/sale", 503, &[])]);
    let pages = of(&proofs, "", "pages").unwrap();
    assert_eq!(
        line(pages),
        "edge pages info: 1 of 3 was not seen: /sale answered 503: see that the shop is up"
    );
    assert!(!proofs.iter().any(Proof::is_of_missing_page));
}

#[test]
fn a_class_of_which_nothing_came_says_what_came_instead() {
    let answers: Vec<Answers<'_>> =
        ["/a.css", "/b.css", "/pic.png"].map(|path| (path, 503, &[][..])).to_vec();
    let proofs = audit_of(&["/"], &answers);
    let kept = of(&proofs, "static", "kept").unwrap();
    assert_eq!(line(kept), "static kept not-applicable: answered 503");
}
