//! Whatever comes: an audit ends, and within its rate.

use proptest::prelude::*;

use super::*;

/// Heads that an edge might send, and some that it should not.
const HEADS: [&[(&str, &str)]; 6] = [
    &[("x-cache", "Hit from cloudfront"), ("age", "5"), ("content-type", "text/html"), ("etag", "W/\"1\"")],
    &[("x-cache", "Miss from cloudfront"), ("content-type", "text/css"), ("accept-ranges", "bytes")],
    &[("location", "/elsewhere"), ("x-cache", "Redirect from cloudfront")],
    &[("location", "http://[::"), ("age", "-1"), ("content-range", "bytes 0-99/x"), ("vary", "*")],
    &[("content-encoding", "br, gzip"), ("cache-control", "max-age=99999999999"), ("etag", "")],
    &[],
];

proptest! {
    #[test]
    fn whatever_comes_an_audit_ends_within_its_rate(
        came in prop::collection::vec(
            (prop::sample::select(vec![200_u16, 202, 206, 301, 304, 404, 503, 999]), 0_usize..7, 0_u64..9_000),
            1..30,
        ),
        is_patient in any::<bool>(),
        is_declared in any::<bool>(),
    ) {
        let mut script = Script::new(Setting { is_patient, ..setting(is_declared) }, &[page()]);
        let (mut now_ns, mut starts) = (0, Vec::new());
        while let Some(Next::Fetch(ask)) = script.next(now_ns) {
            let (status, head, bytes) = came[starts.len() % came.len()];
            starts.push(ask.at_ns);
            prop_assert!(starts.len() < 500);
            now_ns = ask.at_ns + bytes * 1_000_000;
            let result = match HEADS.get(head) {
                Some(lines) => Ok(Answer {
                    status,
                    headers: headers(lines),
                    bytes_wire: bytes,
                    bytes_decoded: Some(bytes * 2),
                    sha256: Some([u8::try_from(bytes % 3).unwrap(); 32]),
                    found: found(&ask.url),
                    ..Answer::default()
                }),
                None => Err(Broken { class: crate::ErrorClass::Body, message: "it broke off".to_owned() }),
            };
            script.answer(*ask, now_ns, result);
        }
        prop_assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= 100_000_000));
        for proof in script.proofs() {
            prop_assert_eq!(proof.rule.is_empty(), proof.remedy.is_empty());
        }
    }
}
