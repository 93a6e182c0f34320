use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};

use super::Payload;
use crate::edge::policy::Policy;
use crate::fault::Switches;

const ETAG: &str = "\"abc\"";

fn payload(size_bytes: usize, ttl_s: u64) -> Payload {
    let answer = Response::builder()
        .header("content-type", "text/html; charset=utf-8")
        .header("content-length", size_bytes)
        .header("cache-control", "public, max-age=300")
        .header("etag", ETAG)
        .body(Bytes::from("a".repeat(size_bytes)))
        .unwrap();
    let policy = Policy::of("/", &Switches::default()).unwrap();
    Payload::new(answer, policy, Duration::from_secs(ttl_s))
}

fn viewer(headers: &[(&str, &str)]) -> Parts {
    let request =
        headers.iter().fold(Request::get("/"), |request, (name, value)| request.header(*name, *value));
    request.body(()).unwrap().into_parts().0
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn a_packed_answer_says_so_and_weakens_its_tag() {
    let payload = payload(2_000, 300);
    let answer = payload.answer(&viewer(&[("accept-encoding", "gzip, br")]), &Switches::default());
    assert_eq!(header(answer.headers(), "content-encoding"), Some("br"));
    assert_eq!(header(answer.headers(), "etag"), Some("W/\"abc\""));
    assert_eq!(header(answer.headers(), "vary"), Some("Accept-Encoding"));
    assert!(answer.body().len() < 200);

    let plain = payload.answer(&viewer(&[]), &Switches::default());
    assert_eq!(header(plain.headers(), "content-encoding"), None);
    assert_eq!(header(plain.headers(), "etag"), Some(ETAG));
    assert_eq!(header(plain.headers(), "vary"), Some("Accept-Encoding"));
    assert_eq!(plain.body().len(), 2_000);
}

#[test]
fn what_may_not_be_packed_is_left_alone() {
    let is_packed = |payload: &Payload, viewer: &Parts, switches: &Switches| {
        payload.answer(viewer, switches).headers().contains_key("content-encoding")
    };
    let on = Switches::default();
    let br = viewer(&[("accept-encoding", "br")]);
    assert!(is_packed(&payload(1_000, 300), &br, &on));
    assert!(!is_packed(&payload(999, 300), &br, &on), "too small");
    assert!(!is_packed(&payload(1_000, 0), &br, &on), "not kept");
    assert!(!is_packed(&payload(1_000, 300), &br, &Switches { no_compression: true, ..on }), "switched off");
    let mut old = viewer(&[("accept-encoding", "br")]);
    old.version = Version::HTTP_10;
    assert!(!is_packed(&payload(1_000, 300), &old, &on), "HTTP/1.0");
    let plain = payload(1_000, 300).answer(&old, &on);
    assert_eq!(header(plain.headers(), "vary"), Some("Accept-Encoding"), "a proxy on the way must know");
}

#[test]
fn a_viewer_that_has_it_gets_304() {
    let payload = payload(2_000, 300);
    let status = |tags| payload.answer(&viewer(&[("if-none-match", tags)]), &Switches::default()).status();
    for tags in [ETAG, "W/\"abc\"", "\"x\", W/\"abc\"", "*"] {
        assert_eq!(status(tags), StatusCode::NOT_MODIFIED, "{tags}");
    }
    assert_eq!(status("\"x\""), StatusCode::OK);
}

#[test]
fn a_part_is_of_the_content_as_it_came() {
    let payload = payload(2_000, 300);
    let answer = |headers: &[(&str, &str)]| payload.answer(&viewer(headers), &Switches::default());
    let part = answer(&[("range", "bytes=500-599"), ("accept-encoding", "br"), ("if-range", ETAG)]);
    assert_eq!((part.status(), part.body().len()), (StatusCode::PARTIAL_CONTENT, 100));
    assert_eq!(header(part.headers(), "content-range"), Some("bytes 500-599/2000"));
    assert_eq!(
        (header(part.headers(), "etag"), header(part.headers(), "content-encoding")),
        (Some(ETAG), None)
    );
    assert_eq!(header(part.headers(), "vary"), Some("Accept-Encoding"));
    let beyond = answer(&[("range", "bytes=2000-")]);
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(header(beyond.headers(), "content-range"), Some("bytes */2000"));
    let known = answer(&[("range", "bytes=0-9"), ("if-none-match", ETAG)]);
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    let changed = answer(&[("range", "bytes=0-9"), ("if-range", "\"other\"")]);
    assert_eq!((changed.status(), changed.body().len()), (StatusCode::OK, 2_000));

    let mut head = viewer(&[("range", "bytes=0-9")]);
    head.method = Method::HEAD;
    assert_eq!(payload.answer(&head, &Switches::default()).status(), StatusCode::OK);
}

#[test]
fn a_short_ttl_is_told_to_viewers() {
    let switches = Switches { ttl_max: Some(Duration::from_millis(4_500)), ..Switches::default() };
    let kept = payload(2_000, 300).answer(&viewer(&[]), &switches);
    assert_eq!(header(kept.headers(), "cache-control"), Some("public, max-age=5"));
    let not_kept = payload(2_000, 0).answer(&viewer(&[]), &switches);
    assert_eq!(header(not_kept.headers(), "cache-control"), Some("public, max-age=300"));
}
