//! Answers that mean harm: bounded in time and memory, and clear.

use std::time::{Duration, Instant};

use super::{Dice, answer, fetch, start};
use crate::assets;

/// What judging a page says, which must take seconds at most: this build is not optimized.
fn said(step: &str, page: &str) -> String {
    let (mut walk, mut dice) = (start(&format!("steps:\n  - {{ step: a, get: /, {step} }}")), Dice(1));
    fetch(&mut walk, &mut dice);
    let begin = Instant::now();
    let judged = answer(&mut walk, &mut dice, 200, page);
    assert!(begin.elapsed() < Duration::from_secs(60), "{step}: {:?}", begin.elapsed());
    judged.map_or_else(|failure| failure.message, |()| "good".to_owned())
}

#[test]
fn elements_within_elements_without_end() {
    let page = "<div class=a>".repeat(300_000);
    for step in [
        "expect: { css: .a }",
        "extract: { v: { css: .a, pick: last } }",
        "extract: { v: { css: '.a .a .b', default: x } }",
    ] {
        let said = said(step, &page);
        let is_bounded = said == "good" || said.contains("memory") || said.contains("more than can be kept");
        assert!(is_bounded, "{step}: {said}");
    }
}

#[test]
fn a_million_links() {
    let page = "<a class=p href=/p>x</a>".repeat(1_000_000);
    let message = said("extract: { v: { css: a.p, attribute: href, pick: random } }", &page);
    assert!(message.contains("more than can be kept"), "{message}");
    assert_eq!(said("expect: { css: { a.p: { count: 1000000 } } }", &page), "good");
    let url = url::Url::parse("http://shop.test/").unwrap();
    let images = "<img src=a>".repeat(1_000_000);
    assert_eq!(assets::of_page(images.as_bytes(), crate::Charset::default(), &url).len(), 1);
}

#[test]
fn a_form_of_a_million_fields() {
    let page = format!("<form>{}</form>", "<input name=a value=b>".repeat(1_000_000));
    let steps = "steps:\n  - { step: a, get: / }\n  - { step: b, submit: form }";
    let (mut walk, mut dice) = (start(steps), Dice(1));
    fetch(&mut walk, &mut dice);
    answer(&mut walk, &mut dice, 200, &page).unwrap();
    let fetch = fetch(&mut walk, &mut dice);
    assert!(fetch.target(walk.journey()).len() < 200_000);
}

#[test]
fn values_that_are_fresh_again_and_again() {
    let extract = "extract: { v: { regex: '<(.*)>', pick: fresh, default: none } }";
    let steps = format!("steps:\n  - {{ repeat: 100, steps: [{{ step: a, get: /, {extract} }}] }}");
    let (mut walk, mut dice) = (start(&steps), Dice(1));
    let value = |number: usize| format!("{number:03}{}", "x".repeat(60_000));
    // What is taken already, and the default for it, are remembered once.
    for number in [0, 0, 0, 1] {
        fetch(&mut walk, &mut dice);
        answer(&mut walk, &mut dice, 200, &format!("<{}>", value(number))).unwrap();
    }
    let most = (4 << 20) / value(0).len();
    for number in 2..most {
        fetch(&mut walk, &mut dice);
        answer(&mut walk, &mut dice, 200, &format!("<{}>", value(number))).unwrap();
    }
    fetch(&mut walk, &mut dice);
    let failure = answer(&mut walk, &mut dice, 200, &format!("<{}>", value(most))).unwrap_err();
    assert_eq!(
        failure.message,
        "pick: fresh remembers at most 10000 values and 4194304 bytes of them; pick: random needs to remember none (extract \"v\", test.yaml:3)"
    );
}

#[test]
fn a_form_of_ten_thousand_radio_buttons() {
    // Every button is checked, so that each takes the check from the one before it.
    let buttons: String =
        (0..9_000).map(|number| format!("<input type=radio name=a value={number} checked>")).collect();
    let others = "<input type=radio name=b value=1 checked><input type=radio name=b value=2>".repeat(400);
    let page = format!("<form>{buttons}{others}</form>");
    let steps = "steps:\n  - { step: a, get: / }\n  - { step: b, submit: form }";
    let (mut walk, mut dice) = (start(steps), Dice(1));
    fetch(&mut walk, &mut dice);
    let begin = Instant::now();
    answer(&mut walk, &mut dice, 200, &page).unwrap();
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
    assert_eq!(fetch(&mut walk, &mut dice).target(walk.journey()), "http://shop.test/?a=8999&b=1");
}

#[test]
fn texts_in_a_million_pieces() {
    let page = format!("<form><select name=s><option>{}</select></form>", "a<br>".repeat(1_000_000));
    let steps = "steps:\n  - { step: a, get: / }\n  - { step: b, submit: form }";
    let (mut walk, mut dice) = (start(steps), Dice(1));
    fetch(&mut walk, &mut dice);
    let begin = Instant::now();
    answer(&mut walk, &mut dice, 200, &page).unwrap();
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
    assert!(fetch(&mut walk, &mut dice).target(walk.journey()).ends_with(&"a".repeat(1_000_000)));
}

#[test]
fn texts_of_many_elements_that_stay_open() {
    let divs = "<div>".repeat(9_000);
    let lists = "<ul><li>".repeat(4_900);
    for (opens, selector, pieces) in [
        (&divs, "div", "a<br>"),
        (&divs, "div", "山<br>"),
        (&divs, "div", "<p></p>"),
        (&lists, "li", "<li></li>"),
    ] {
        let page = opens.to_owned() + &pieces.repeat(500_000);
        said(&format!("extract: {{ v: {{ css: {selector}, pick: random }} }}"), &page);
    }
}

#[test]
fn bytes_that_are_no_text() {
    let (mut walk, mut dice) = (
        start(
            "steps:\n  - { step: a, get: /, extract: { v: { css: b }, w: { regex: 'x(.)y' } } }\n  - { step: b, get: '/${v}/${w}' }",
        ),
        Dice(1),
    );
    fetch(&mut walk, &mut dice);
    let page = [b"<b>\xff\xfe\xc3".as_slice(), b"</b> x\xf0y xzy"].concat();
    let plain = super::plain(200, "");
    walk.answer(&crate::Answer { body: &page, ..plain }, &mut dice).unwrap();
    let target = fetch(&mut walk, &mut dice).target(walk.journey()).to_owned();
    assert!(target.is_ascii(), "{target}");
}

#[test]
fn json_that_goes_on_and_on() {
    let deep = "[".repeat(1_000_000);
    assert!(said("extract: { v: { json: $.a } }", &deep).contains("recursion limit"));
    let wide = format!("[{}1]", "1,".repeat(1_000_000));
    assert_eq!(
        said(
            "expect: { json: { '$[*]': { count: 1000000 } } }",
            &format!("[{}]", "1,".repeat(999_999) + "1")
        ),
        "good"
    );
    assert!(said("extract: { v: { json: '$[*]', pick: all } }", &wide) == "good");
}

#[test]
fn templates_that_would_grow_like_laughter() {
    let mut steps = "steps:\n  - { step: a, get: /, extract: { v0: { css: b } } }\n".to_owned();
    for number in 1..12 {
        let ten = format!("${{v{}}}", number - 1).repeat(10);
        steps.push_str(&format!("  - {{ set: {{ v{number}: '{ten}' }} }}\n"));
    }
    steps.push_str("  - { step: b, get: '/${v11}' }\n");
    let (mut walk, mut dice) = (start(&steps), Dice(1));
    fetch(&mut walk, &mut dice);
    answer(&mut walk, &mut dice, 200, "<b>haha</b>").unwrap();
    assert!(matches!(walk.next(&mut dice), crate::Next::Done(crate::Ending::Failed)));
    let (_, failure) = walk.take_unsent().unwrap();
    assert_eq!(failure.message, "the variable is longer than 65536 bytes once its values are in");
}

#[test]
fn a_style_sheet_of_ten_megabytes() {
    let url = url::Url::parse("http://shop.test/").unwrap();
    let addresses = format!("a{{b:\"{}\"}}", "url(".repeat(4_000));
    for css in
        ["@font-face{src:url(a)}", "a{b:url(", "/* ", "@import 'a';", "{", "\"\\\n", "@media{", &addresses]
    {
        let begin = Instant::now();
        assets::of_style(css.repeat(10_000_000 / css.len()).as_bytes(), &url);
        assert!(begin.elapsed() < Duration::from_secs(60), "{css}: {:?}", begin.elapsed());
    }
}

#[test]
fn a_style_sheet_of_many_fonts_and_a_million_uses() {
    let url = url::Url::parse("http://shop.test/").unwrap();
    let fonts: String =
        (0..100).map(|number| format!("@font-face{{font-family:f{number};src:url(f{number})}}")).collect();
    let css = fonts + &"a{font:1px b c d,e}".repeat(500_000) + "a{font: bold 1px 'f7', f8}";
    let begin = Instant::now();
    let sheet = assets::of_style(css.as_bytes(), &url);
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
    let paths: Vec<&str> = sheet.assets.iter().map(|asset| asset.url.path()).collect();
    assert_eq!(paths, ["/f7", "/f8"]);
}

#[test]
fn a_style_sheet_of_many_selectors_with_many_pictures_each() {
    let url = url::Url::parse("http://shop.test/").unwrap();
    for (selector, address) in [("a:hover", "a"), ("a", "data:x")] {
        let addresses = format!("url({address})").repeat(200);
        let rule = format!("{}{{b:{addresses}}}", vec![selector; 200].join(","));
        let begin = Instant::now();
        let sheet = assets::of_style(rule.repeat(4_000).as_bytes(), &url);
        assert!(begin.elapsed() < Duration::from_secs(60), "{selector}: {:?}", begin.elapsed());
        assert!(sheet.pictures.is_empty());
    }
}
