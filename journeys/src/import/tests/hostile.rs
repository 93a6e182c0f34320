//! What is no recording, and recordings that mean harm.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::archive::read;
use super::super::{ImportError, ImportOptions, import};
use super::{answered_with, entry, har, page, posting, sent_with};
use crate::Journey;

#[test]
fn what_is_no_recording_is_refused() {
    let options = |name: &str| ImportOptions { name: name.to_owned(), hosts: Vec::new() };
    let nothing = import(&har(&[]), &options("x"));
    assert_eq!(nothing, Err(ImportError::Nothing { requests: 0 }));
    assert!(matches!(import("<html>", &options("x")), Err(ImportError::NotHar { .. })));
    assert!(matches!(import(&har(&[]), &options("a b")), Err(ImportError::Name { .. })));
}

#[test]
fn entries_are_read_with_what_they_have() {
    let mut encoded = page(500, "/b", "");
    encoded["response"]["content"]["text"] = json!("PGEgaWQ9IngiIGhyZWY9Ii94LzE/YT0xIj54PC9hPg==");
    encoded["response"]["content"]["encoding"] = json!("base64");
    let bare = json!({ "request": { "method": "get", "url": "https://shop.example/c" } });
    let entries = [encoded, page(0, "/a", "<p>"), json!(7), json!({ "request": {} }), bare];
    let archive = read(&format!("\u{feff}{}", har(&entries))).unwrap();
    let paths: Vec<&str> = archive.entries.iter().map(|entry| entry.url.path()).collect();
    assert_eq!((paths, archive.unreadable), (vec!["/a", "/c", "/b"], 2));
    assert_eq!(archive.entries[2].body.as_deref(), Some(r#"<a id="x" href="/x/1?a=1">x</a>"#));
    assert_eq!((archive.entries[1].method.as_str(), archive.entries[1].status), ("GET", 0));
}

/// What stands in many recordings, whole or in pieces.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,30}",
        "[a-f0-9]{16,20}",
        "(<form |<input |<a |</form>|<button |method=post |action=/x |name=[ab] |value=[a-f0-9]{16} |href=/p/[0-9]|class=c |id=i |>|\\PC){0,20}",
        "(\\{|\\}|\\[|\\]|\"a\":|\"[a-f0-9]{16}\"|,|[0-9]{1,9}|null|\"query\":\"\\{a\\}\"){0,12}",
        "([ab]=[a-f0-9]{0,16}&?){0,5}",
        Just("{\"a\":{\"id\":\"0123456789abcdef\",\"b\":[1,2.5,null,true,10000042]}}".to_owned()),
    ]
}

fn some_entry() -> impl Strategy<Value = Value> {
    let paths = prop_oneof![
        Just("/".to_owned()),
        "/[a-c/]{0,4}(\\?[a-c&=%$\\{]{0,8})?",
        "/p/(0123456789abcdef|10000042|[0-9]{1,3})",
        "https://(www\\.shop|api\\.shop|other)\\.example/[a-c]?",
        "\\PC{0,20}",
    ];
    let methods =
        prop_oneof![Just("GET"), Just("POST"), Just("PUT"), Just("HEAD"), Just("DELETE"), Just("x")];
    let mimes = prop_oneof![
        Just("text/html"),
        Just("application/json"),
        Just("text/css"),
        Just("application/x-www-form-urlencoded"),
        Just("multipart/form-data; boundary=b"),
        Just("text/plain"),
        Just(""),
    ];
    let statuses =
        prop_oneof![Just(200_u16), Just(302_u16), Just(303_u16), Just(404_u16), Just(0_u16), Just(999_u16)];
    let headers = proptest::collection::vec(
        ("(authorization|x-[ab]|location|set-cookie|accept|\\PC{0,5})", text()),
        0..4,
    );
    (
        0..9_000_u64,
        methods,
        paths,
        statuses,
        (mimes.clone(), mimes),
        text(),
        proptest::option::of(text()),
        headers,
    )
        .prop_map(|(at_ms, method, path, status, (mime, sent_mime), body, sent, headers)| {
            let mut entry = entry(at_ms, method, &path, status, mime, &body);
            if let Some(sent) = sent {
                entry = posting(entry, sent_mime, &sent);
            }
            for (name, value) in headers {
                entry = answered_with(sent_with(entry, &name, &value), &name, &value);
            }
            entry
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_text_panics(text in "(\\{\"log\":\\{\"entries\":\\[)?(\\{\"request\":|\"url\":|\"method\":|\\{|\\}|\\[|\\]|,|:|\"\\PC{0,9}\"|[0-9]{1,4}|\\PC){0,30}") {
        let _ = import(&text, &ImportOptions { name: "x".to_owned(), hosts: vec![text.clone()] });
    }

    #[test]
    fn whatever_was_recorded_can_be_read(entries in proptest::collection::vec(some_entry(), 0..12)) {
        let options = ImportOptions { name: "x".to_owned(), hosts: vec!["api.shop.example".to_owned()] };
        if let Ok(imported) = import(&har(&entries), &options) {
            prop_assert!(Journey::parse("x.yaml", &imported.text).is_ok(), "{}\n{:#?}", imported.text, imported.remarks);
            prop_assert!(imported.text.lines().all(|line| line.chars().count() <= 120), "{}", imported.text);
        }
    }
}
