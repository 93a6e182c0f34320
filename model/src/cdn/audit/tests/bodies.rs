//! Bodies that nobody can read.

use super::*;
use crate::ErrorClass;

/// Everything that is asked for.
const ALL: &[&str] = &["br, gzip", "br", "gzip", "identity"];

/// What an audit finds where bodies at a path cannot be read when these codings are asked for.
fn audit_where(path: &str, unreadable: &[&str]) -> Vec<Proof> {
    let mut script = Script::new(setting(true), &[page()]);
    let (mut edge, mut now_ns) = (Edge::default(), 0);
    while let Some(Next::Fetch(ask)) = script.next(now_ns) {
        now_ns = ask.at_ns;
        let asked = header(&ask, "accept-encoding").unwrap_or_default();
        let result = if ask.url.path() == path && unreadable.contains(&asked) {
            let message = "the body does not decode as br: unexpected end".to_owned();
            Err(Broken { class: ErrorClass::Body, message })
        } else {
            edge.answer(&ask, now_ns)
        };
        script.answer(*ask, now_ns, result);
    }
    script.proofs()
}

fn of<'a>(proofs: &'a [Proof], class: &str, promise: &str) -> &'a Proof {
    let found = proofs.iter().find(|proof| proof.class == class && proof.promise == promise);
    found.unwrap_or_else(|| panic!("{class} {promise} is not among {proofs:#?}"))
}

#[test]
fn a_file_that_no_browser_can_read_breaks_its_promise() {
    for unreadable in [&["br, gzip"][..], &["br, gzip", "br"], &["br"], ALL] {
        let proofs = audit_where("/a.css", unreadable);
        let encodings = of(&proofs, "static", "encodings");
        assert_eq!((encodings.ruling, encodings.rule.as_str()), (Ruling::Fail, "encodings-differ"));
        assert!(encodings.observed.contains("a body that nobody can read"), "{}", line(encodings));
        let evidence = encodings.evidence.as_ref().unwrap();
        assert!(evidence.note.contains("unexpected end"), "{evidence}");
        assert_eq!(of(&proofs, "html", "encodings").ruling, Ruling::Pass);
    }
}

#[test]
fn a_page_that_no_browser_can_read_is_known_by_another_form() {
    let proofs = audit_where("/", &["br, gzip", "br"]);
    assert_eq!(of(&proofs, "html", "encodings").ruling, Ruling::Fail);
    assert_eq!(of(&proofs, "static", "kept").ruling, Ruling::Pass, "what it names was found all the same");
    assert!(!proofs.iter().any(Proof::is_of_missing_page));
}

#[test]
fn a_page_that_nobody_at_all_can_read_is_found_though_nothing_tells_its_class() {
    let proofs = audit_where("/", ALL);
    assert_eq!(of(&proofs, "", "bodies").ruling, Ruling::Fail);
    assert!(proofs.iter().any(Proof::is_of_missing_page));
}
