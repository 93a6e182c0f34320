//! Shops whose pages are not in UTF-8.

use super::{Dice, fetch, plain, start};
use crate::{Answer, ContentType, Failure, Fetch};

/// A page that says "電気" in Shift_JIS, with a form and a link.
const PAGE: &[u8] = b"<title>\x93d\x8bC</title><a href='/s?q=\x93d&n=1'>x</a>\
    <form action='/c?a=\x8bC' method=post><input name=\x93d value=\x8bC><input type=hidden name=_charset_></form>";

fn answer<'a>(content_type: &str, body: &'a [u8]) -> Answer<'a> {
    Answer { content_type: ContentType::of(content_type.as_bytes()), body, ..plain(200, "") }
}

/// The second request of two steps, once the first was answered with the page.
fn second(steps: &str, content_type: &str, body: &[u8]) -> Result<(String, Fetch), Failure> {
    let (mut walk, mut dice) = (start(steps), Dice(1));
    fetch(&mut walk, &mut dice);
    walk.answer(&answer(content_type, body), &mut dice)?;
    let fetch = fetch(&mut walk, &mut dice);
    Ok((fetch.target(walk.journey()).to_owned(), fetch))
}

#[test]
fn a_page_is_read_in_its_encoding() {
    let with_meta = [PAGE, b"<meta charset=shift_jis>"].concat();
    for (content_type, page) in [("text/html; charset=Shift_JIS", PAGE), ("text/html", &with_meta)] {
        let steps = format!(
            "steps:
  - step: a
    get: /
    expect: {{ has: 電気, matches: '^<title>..<', css: {{ title: 電気 }}, size: {} }}
    extract: {{ word: {{ css: title }}, link: {{ css: a, attribute: href }} }}
  - {{ step: b, get: '${{link}}', query: {{ w: '${{word}}' }} }}",
            page.len()
        );
        let (target, _) = second(&steps, content_type, page).unwrap();
        assert_eq!(target, "/s?q=%93d&n=1&w=%E9%9B%BB%E6%B0%97");
    }
    let steps = "steps:\n  - { step: a, get: /, expect: { has: 電気 } }\n  - { step: b, get: / }";
    let message = second(steps, "text/html", PAGE).unwrap_err().message;
    assert_eq!(message, "expected \"電気\" in the body (test.yaml:3)");
}

#[test]
fn a_form_is_sent_in_the_encoding_of_its_page() {
    let steps = "steps:
  - { step: a, get: / }
  - { step: b, submit: form, fields: { 電: 'é山' } }";
    let (target, fetch) = second(steps, "text/html; charset=Shift_JIS", PAGE).unwrap();
    assert_eq!(target, "http://shop.test/c?a=%8BC");
    assert_eq!(fetch.body.unwrap(), "%93d=%26%23233%3B%8ER&_charset_=Shift_JIS");
    let multipart = b"<form method=post enctype=multipart/form-data><input name=\x93d value=\x8bC></form>";
    let (_, fetch) = second(steps, "text/html; charset=Shift_JIS", multipart).unwrap();
    let body = fetch.body.unwrap();
    let part = b"name=\"\x93d\"\r\n\r\n&#233;\x8eR\r\n";
    assert!(body.windows(part.len()).any(|window| window == part), "{}", body.escape_ascii());
}

#[test]
fn json_is_in_utf_8_whatever_is_said_of_it() {
    let steps = "steps:
  - { step: a, get: /, extract: { word: { json: $.word } } }
  - { step: b, get: '/${word}' }";
    let body = "\u{feff}{\"word\":\"山\"}".as_bytes();
    let (target, _) = second(steps, "application/json; charset=Shift_JIS", body).unwrap();
    assert_eq!(target, "/%E5%B1%B1");
}
