use std::convert::Infallible;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method};
use rand_core::{Rng, TryRng};
use url::Url;

use super::{Answer, Ending, Fetch, Next, Run, Shopper, Target, Walk};
use crate::{ContentType, Failure, Journey};

/// SplitMix64: a generator that is the same everywhere.
#[derive(Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl TryRng for Dice {
    type Error = Infallible;

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(mixed ^ (mixed >> 31))
    }

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|number| (number >> 32) as u32)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.iter_mut().for_each(|byte| *byte = self.next_u64().to_le_bytes()[0]);
        Ok(())
    }
}

fn start(steps: &str) -> Walk {
    let journey = Journey::parse("test.yaml", &format!("journey: test\n{steps}")).unwrap();
    walk(journey)
}

fn walk(journey: Journey) -> Walk {
    Walk::new(Arc::new(journey), shopper("run 1"))
}

/// Shopper 123 of a run.
pub(crate) fn shopper(run: &str) -> Shopper {
    Shopper { number: 123, run: Arc::new(Run { id: run.into(), mark: "dbm-3fa09c11d2e4-".into() }) }
}

/// The next request; pauses are skipped.
fn fetch(walk: &mut Walk, dice: &mut Dice) -> Fetch {
    loop {
        match walk.next(dice) {
            Next::Fetch(fetch) => return *fetch,
            Next::Think(_) => {}
            Next::Done(ending) => panic!("{ending:?} {:?}", walk.take_unsent()),
        }
    }
}

fn ending(walk: &mut Walk, dice: &mut Dice) -> Ending {
    match walk.next(dice) {
        Next::Done(ending) => ending,
        other => panic!("{other:?}"),
    }
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
}

/// An answer without headers.
pub(crate) fn plain(status: u16, body: &str) -> Answer<'_> {
    static NOTHING: LazyLock<(HeaderMap, Url)> =
        LazyLock::new(|| (HeaderMap::new(), Url::parse("http://shop.test/").unwrap()));
    let (headers, url) = &*NOTHING;
    let content_type = ContentType::default();
    Answer { status, headers, content_type, url, hops: &[], cookies: "", body: body.as_bytes(), cut: false }
}

fn answer(walk: &mut Walk, dice: &mut Dice, status: u16, body: &str) -> Result<(), Failure> {
    let headers = headers(&[("location", "/p/9?a=1"), ("x-a", "1"), ("x-a", "2")]);
    walk.answer(&Answer { headers: &headers, ..plain(status, body) }, dice)
}

/// The first request of the steps, whose answer is `body`, then the second.
fn second_fetch(steps: &str, body: &str) -> (String, Fetch) {
    let (mut walk, mut dice) = (start(steps), Dice(1));
    fetch(&mut walk, &mut dice);
    answer(&mut walk, &mut dice, 200, body).unwrap();
    let fetch = fetch(&mut walk, &mut dice);
    (fetch.target(walk.journey()).to_owned(), fetch)
}

/// The message of what fails in the answer to the only step.
fn failure(step: &str, status: u16, body: &str) -> String {
    let (mut walk, mut dice) = (start(&format!("steps:\n  - {{ step: a, get: /, {step} }}")), Dice(1));
    fetch(&mut walk, &mut dice);
    let message =
        answer(&mut walk, &mut dice, status, body).map_or_else(|failure| failure.message, |()| "good".into());
    let expected = if message == "good" { Ending::Completed } else { Ending::Failed };
    assert_eq!(ending(&mut walk, &mut dice), expected, "{step}");
    message
}

#[test]
fn a_walk_is_small() {
    assert!(size_of::<Walk>() <= 96, "{}", size_of::<Walk>());
}

#[test]
fn a_status_only_step_is_sent_as_written() {
    let (mut walk, mut dice) = (start("steps: [{ step: home, get: /a b?c=d }, { think: 10s }]"), Dice(1));
    let fetch = fetch(&mut walk, &mut dice);
    assert_eq!((fetch.step, &fetch.method, &fetch.target), (0, &Method::GET, &Target::Own));
    assert_eq!(walk.journey().steps()[0].target(), Some("/a%20b?c=d"));
    assert!(
        !fetch.wants_headers
            && !fetch.wants_body
            && !fetch.assets
            && fetch.follow_redirects
            && fetch.body.is_none()
    );
    assert!(fetch.headers.is_empty() && fetch.headers.capacity() == 0 && fetch.timeout.is_none());
    answer(&mut walk, &mut dice, 304, "").unwrap();
    assert!(matches!(walk.next(&mut dice), Next::Think(think) if think == Duration::from_secs(10)));
    assert_eq!(ending(&mut walk, &mut dice), Ending::Completed);
    assert_eq!(ending(&mut walk, &mut dice), Ending::Completed);
    answer(&mut walk, &mut dice, 500, "").expect("nobody waits for this answer");
}

#[test]
fn a_journey_says_whether_its_shoppers_keep_assets() {
    for (line, expected) in [("", false), ("cache: true\n", true), ("cache: false\n", false)] {
        let mut walk = start(&format!("{line}steps: [{{ step: a, get: /, assets: true }}]"));
        assert_eq!(fetch(&mut walk, &mut Dice(1)).cache, expected, "{line}");
    }
}

#[test]
fn values_go_where_they_are_wanted_and_stay_one_value() {
    let extract = "steps:\n  - { step: a, get: /, extract: { v: { css: b } } }\n  - ";
    let html = "<b>a b/&quot;&amp;é</b>";
    for (step, target, body) in [
        ("{ step: b, get: '/p/${v}?q=${v}' }", "/p/a%20b%2F%22&%C3%A9?q=a%20b%2F%22%26%C3%A9", None),
        (
            "{ step: b, get: '/s?x=1', query: { q: '${v}', 'r&': [1, 2] } }",
            "/s?x=1&q=a%20b%2F%22%26%C3%A9&r%26=1&r%26=2",
            None,
        ),
        ("{ step: b, post: /, form: { v: 'x ${v}', n: 2 } }", "/", Some("v=x+a+b%2F%22%26%C3%A9&n=2")),
        (
            "{ step: b, post: /, json: { v: ['${v}', 1, 1.5, true, null, {}], '$${k}': \"\\n\" } }",
            "/",
            Some("{\"v\":[\"a b/\\\"&é\",1,1.5,true,null,{}],\"${k}\":\"\\u000a\"}"),
        ),
        ("{ step: b, put: /, body: '<${v}>', headers: { content-type: text/xml } }", "/", Some("<a b/\"&é>")),
    ] {
        let (found, fetch) = second_fetch(&format!("{extract}{step}"), html);
        assert_eq!(found, target, "{step}");
        assert_eq!(fetch.body.as_deref(), body.map(str::as_bytes), "{step}");
        assert_eq!(fetch.headers.len(), usize::from(body.is_some()), "{step}");
    }
}

#[test]
fn a_link_goes_in_as_extracted() {
    let steps = "steps:\n  - { step: a, get: /, extract: { v: { css: a, attribute: href } } }\n  - ";
    let html = |href: &str| format!("<a href=\"{href}\">x</a>");
    let plain = format!("{steps}{{ step: b, get: '${{v}}' }}");
    for (href, target) in [
        ("/p/7?a=1&amp;b=a%20b#top", "/p/7?a=1&b=a%20b"),
        ("https://shop.example/p/7", "https://shop.example/p/7"),
        (" lamp é.html ", "lamp%20%C3%A9.html"),
        ("?page=2", "?page=2"),
        ("", ""),
    ] {
        assert_eq!(second_fetch(&plain, &html(href)).0, target);
    }
    let with_query = format!("{steps}{{ step: b, get: '${{v}}', query: {{ ref: mail }} }}");
    assert_eq!(second_fetch(&with_query, &html("/p/7")).0, "/p/7?ref=mail");
    assert_eq!(second_fetch(&with_query, &html("/p/7?a=1")).0, "/p/7?a=1&ref=mail");
}

#[test]
fn what_cannot_be_sent_ends_the_walk() {
    let steps = "steps:\n  - { step: a, get: /, extract: { v: { css: b } } }\n  - ";
    for (step, value, expected) in [
        (
            "{ step: b, get: '${v}' }",
            "javascript:alert(1)",
            "the link \"javascript:alert(1)\" is neither http nor https",
        ),
        (
            "{ step: b, get: /, headers: { x-a: '${v}' } }",
            "a\nb",
            "header x-a cannot have the value \"a\\nb\"",
        ),
        (
            "{ step: b, get: '/${v}${v}' }",
            &"x".repeat(9_000),
            "the target is longer than 16384 bytes once its values are in",
        ),
    ] {
        let (mut walk, mut dice) = (start(&format!("{steps}{step}")), Dice(1));
        fetch(&mut walk, &mut dice);
        answer(&mut walk, &mut dice, 200, &format!("<b>{value}</b>")).unwrap();
        assert_eq!(ending(&mut walk, &mut dice), Ending::Failed);
        assert_eq!(walk.take_unsent(), Some((1, Failure::new(expected.to_owned()))));
        assert_eq!(walk.take_unsent(), None);
    }
}

#[test]
fn a_shopper_has_a_name_and_a_number() {
    let steps = "steps: [{ step: a, post: '/${shopper.number}', headers: { x-run: '${run.id}' }, redirects: stop, timeout: 5s, form: { n: '${shopper.name}', e: '${shopper.email}', m: '${shopper.mark}' } }]";
    let mut walk = start(steps);
    let fetch = fetch(&mut walk, &mut Dice(1));
    assert_eq!(fetch.target(walk.journey()), "/123");
    assert_eq!(
        fetch.body.unwrap(),
        "n=Shopper+dbm-3fa09c11d2e4-123-e&e=shopper.dbm-3fa09c11d2e4-123-e%40example.com&m=dbm-3fa09c11d2e4-123-e"
    );
    assert_eq!(fetch.headers[0].1, "application/x-www-form-urlencoded");
    assert_eq!(
        (fetch.headers[1].0.as_str(), &fetch.headers[1].1),
        ("x-run", &HeaderValue::from_static("run 1"))
    );
    assert_eq!((fetch.follow_redirects, fetch.timeout), (false, Some(Duration::from_secs(5))));
}

#[test]
fn names_fit_the_fields_of_real_forms_whoever_comes() {
    let values = "{ n: '${shopper.name}', e: '${shopper.email}' }";
    let journey =
        Journey::parse("t", &format!("journey: t\nsteps: [{{ step: a, post: /, json: {values} }}]"));
    let shopper = Shopper { number: 9_999_999_999, ..shopper("run") };
    let mut walk = Walk::new(Arc::new(journey.unwrap()), shopper);
    let body = fetch(&mut walk, &mut Dice(1)).body.unwrap();
    let sent: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let (name, email) = (sent["n"].as_str().unwrap(), sent["e"].as_str().unwrap());
    assert!(name.len() <= 40 && email.find('@').unwrap() <= 64, "{name} {email}");
    assert!(name.ends_with("-9999999999-e"), "{name}");
}

#[test]
fn who_enters_a_marker_says_so() {
    for (step, plants) in [
        ("post: /, form: { n: '${shopper.name}' }", true),
        ("post: /, json: { e: '${shopper.email}' }", true),
        ("post: /, headers: { content-type: text/plain }, body: 'for ${shopper.mark}'", true),
        ("post: /, form: { n: '${shopper.number}', r: '${run.id}' }", false),
        ("get: /", false),
    ] {
        let text = format!("journey: t\nsteps: [{{ step: a, {step} }}]");
        assert_eq!(Journey::parse("t", &text).unwrap().plants_marks(), plants, "{step}");
    }
    for (name, plants) in [("browse", false), ("cart", true), ("checkout", true)] {
        let journey = Journey::parse(name, crate::built_in(name).unwrap()).unwrap();
        assert_eq!(journey.plants_marks(), plants, "{name}");
    }
}

#[test]
fn every_source_and_pick() {
    let html = "<a href=/0>zero</a><a href=/1>one</a><a href=/2>two</a> {id=7} {id=8}";
    let json = r#"{"items": [{"id": 5}, {"id": "six"}, {"id": null}], "ok": true, "list": [1]}"#;
    for (extract, body, expected) in [
        ("{ css: a }", html, "zero"),
        ("{ css: a, attribute: HREF, pick: last }", html, "/2"),
        ("{ css: a, pick: 1 }", html, "one"),
        ("{ css: i, default: none }", html, "none"),
        ("{ css: i, default: '' }", html, ""),
        ("{ regex: 'id=([0-9])' }", html, "7"),
        ("{ regex: 'id=[0-9]', pick: last }", html, "id=8"),
        ("{ regex: 'id=([0-9])', pick: 1 }", html, "8"),
        ("{ regex: 'x(y)?', default: d }", "x", "d"),
        ("{ json: '$.items[0].id' }", json, "5"),
        ("{ json: '$.items[*].id', pick: last }", json, "six"),
        ("{ json: '$.ok' }", json, "true"),
        ("{ json: '$.list' }", json, "[1]"),
        ("{ json: '$.nothing', default: d }", json, "d"),
        ("{ header: Location }", "", "/p/9?a=1"),
        ("{ header: x-a, pick: last }", "", "2"),
    ] {
        let steps = format!(
            "steps:\n  - {{ step: a, get: /, extract: {{ v: {extract} }} }}\n  - {{ step: b, put: /, body: '${{v}}', headers: {{ content-type: a/b }} }}"
        );
        assert_eq!(second_fetch(&steps, body).1.body.unwrap(), expected, "{extract}");
    }
}

#[test]
fn failures_say_what_was_expected_and_where() {
    let html = "<a class=x>one</a><p id=n> 3 </p>";
    for (step, status, body, expected) in [
        ("timeout: 1s", 503, html, "expected status 200 to 399, got 503"),
        ("expect: { status: 200 }", 503, html, "expected status 200, got 503"),
        ("expect: { status: [200, 404] }", 404, html, "good"),
        ("expect: { status: [200, 404] }", 503, html, "expected status 200 or 404, got 503"),
        ("expect: { has: one }", 200, html, "good"),
        ("expect: { has: [one, two] }", 200, html, "expected \"two\" in the body (test.yaml:3)"),
        ("expect: { lacks: [two, one] }", 200, html, "expected no \"one\" in the body (test.yaml:3)"),
        ("expect: { lacks: '${run.id}' }", 200, "run 1", "expected no \"run 1\" in the body (test.yaml:3)"),
        ("expect: { matches: 'o.e' }", 200, html, "good"),
        ("expect: { matches: 't.o' }", 200, html, "expected the body to match /t.o/ (test.yaml:3)"),
        ("expect: { css: { '#n': 3, a.x: one } }", 200, html, "good"),
        ("expect: { css: { '#n': 4 } }", 200, html, "expected #n to be \"4\", got \"3\" (test.yaml:3)"),
        ("expect: { css: { b: 4 } }", 200, html, "expected b to be \"4\", got none (test.yaml:3)"),
        ("expect: { css: { a: { count: 2 } } }", 200, html, "expected 2 of a, got 1 (test.yaml:3)"),
        ("expect: { css: { i: { count: 0 } } }", 200, html, "good"),
        ("expect: { header: { X-A: 2 } }", 200, html, "good"),
        (
            "expect: { header: { x-a: 3 } }",
            200,
            html,
            "expected header x-a to be \"3\", got \"1\" (test.yaml:3)",
        ),
        (
            "expect: { header: { x-b: 3 } }",
            200,
            html,
            "expected header x-b to be \"3\", got none (test.yaml:3)",
        ),
        (
            "extract: { product: { css: a.product } }",
            200,
            html,
            "nothing matches a.product (extract \"product\", test.yaml:3)",
        ),
        (
            "extract: { v: { css: a, pick: 1 } }",
            200,
            html,
            "only 1 matches a; the pick counts from 0 (extract \"v\", test.yaml:3)",
        ),
        ("extract: { v: { regex: z+ } }", 200, html, "nothing matches /z+/ (extract \"v\", test.yaml:3)"),
        ("extract: { v: { json: $.a } }", 200, "{}", "nothing is at $.a (extract \"v\", test.yaml:3)"),
        (
            "extract: { v: { json: $.a } }",
            200,
            html,
            "no JSON body: expected value at line 1 column 1 (extract \"v\", test.yaml:3)",
        ),
        (
            "extract: { v: { header: etag } }",
            200,
            html,
            "nothing is in header etag (extract \"v\", test.yaml:3)",
        ),
    ] {
        assert_eq!(failure(step, status, body), expected, "{step}");
    }
    let long = format!("<b>{}</b>", "x".repeat(70_000));
    let message = failure("extract: { v: { css: b } }", 200, &long);
    assert_eq!(message, "b matches more than can be kept (extract \"v\", test.yaml:3)");
}

#[test]
fn a_cut_body_is_never_taken_for_a_whole_one() {
    for step in ["lacks: x", "css: { i: { count: 0 } }", "has: x"] {
        let (mut walk, mut dice) =
            (start(&format!("steps: [{{ step: a, get: /, expect: {{ {step} }} }}]")), Dice(1));
        fetch(&mut walk, &mut dice);
        let cut = Answer { cut: true, ..plain(200, "y") };
        let failure = walk.answer(&cut, &mut dice).unwrap_err();
        assert!(failure.message.contains("the body was longer than what is kept of it"), "{failure}");
    }
}

#[test]
fn a_broken_exchange_ends_the_walk() {
    for forgotten in [false, true] {
        let (mut walk, mut dice) = (start("steps: [{ step: a, get: / }, { step: b, get: / }]"), Dice(1));
        walk.broken();
        fetch(&mut walk, &mut dice);
        if !forgotten {
            walk.broken();
        }
        assert_eq!(ending(&mut walk, &mut dice), Ending::Failed);
    }
}

#[test]
fn one_request_needs_no_file() {
    let header = ("accept".parse().unwrap(), HeaderValue::from_static("*/*"));
    let target = "https://shop.example/${a}";
    let journey = Journey::single("hit", "url", Method::POST, target, vec![header]);
    assert_eq!((journey.name(), journey.steps()[0].name.as_str()), ("hit", "url"));
    let (mut walk, mut dice) = (walk(journey), Dice(1));
    let fetch = fetch(&mut walk, &mut dice);
    assert_eq!((&fetch.method, fetch.headers.len()), (&Method::POST, 1));
    assert_eq!(fetch.target(walk.journey()), target);
    answer(&mut walk, &mut dice, 204, "").unwrap();
    assert_eq!(ending(&mut walk, &mut dice), Ending::Completed);
}

#[test]
fn days_count_from_the_day_that_it_is() {
    let text = "journey: test\nchoose: { day: { date: +1d..+1d } }\nsteps: [{ step: a, get: '/${day}' }]";
    let mut journey = Journey::parse("test.yaml", text).unwrap();
    for (today, expected) in [(20_780, "/2026-11-24"), (20_781, "/2026-11-25")] {
        journey.set_today(today);
        let (mut walk, mut dice) = (walk(journey.clone()), Dice(1));
        let fetch = fetch(&mut walk, &mut dice);
        assert_eq!(fetch.target(walk.journey()), expected);
    }
}

#[test]
fn who_runs_out_of_data_says_so_beforehand() {
    for (table, ends) in [
        ("{ file: users.csv }", false),
        ("{ file: users.csv, at_end: stop }", true),
        ("{ file: users.csv, at_end: stop, rows: random }", false),
    ] {
        let text = format!(
            "journey: test\ndata: {{ user: {table} }}\nsteps: [{{ step: a, get: '/${{user.name}}' }}]"
        );
        assert_eq!(Journey::parse("test.yaml", &text).unwrap().ends_with_its_data(), ends, "{table}");
    }
}

/// Everything that a walk does, as text.
fn trace(steps: &str, seed: u64) -> String {
    let (mut walk, mut dice, mut trace) = (start(steps), Dice(seed), String::new());
    loop {
        let next = walk.next(&mut dice);
        trace.push_str(&format!("{next:?}\n"));
        match next {
            Next::Fetch(_) => answer(&mut walk, &mut dice, 200, "<a>1</a><a>2</a><a>3</a><a>4</a>").unwrap(),
            Next::Think(_) => {}
            Next::Done(_) => return trace,
        }
    }
}

#[test]
fn the_same_draws_give_the_same_walk() {
    let steps = "choose: { w: [a, b, c, d] }
steps:
  - { step: a, get: '/${w}', extract: { v: { css: a, pick: random } }, think: 1s..20s }
  - { think: { exponential: 8s } }
  - { step: b, get: '/${v}', choose: { w: [e, f, g], x: [1, 2, 3] }, think: { log_normal: { median: 8s, sigma: 0.6 } } }
  - { step: c, get: '/${w}/${x}' }";
    let traces: Vec<String> = (0..20).map(|seed| trace(steps, seed)).collect();
    assert_eq!(traces, (0..20).map(|seed| trace(steps, seed)).collect::<Vec<_>>());
    for wanted in ["\"/a\"", "\"/d\"", "\"/1\"", "\"/4\"", "\"/e/1\"", "\"/g/3\""] {
        assert!(traces.iter().any(|trace| trace.contains(wanted)), "{wanted} is drawn at times");
    }
}

mod built_in;
mod charsets;
mod hostile;
