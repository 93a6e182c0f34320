//! The pure parts, one by one: `bench/micro`.

// A benchmark that cannot set itself up may fail loudly.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, LazyLock};

use divan::{Bencher, black_box};
use doorbuster_journeys::{Answer, ContentType, Journey, Next, Run, Shopper, Walk, built_in};
use doorbuster_model::cdn::{Asked, Head, MarkSearch, Marks, Observed, Policy, judge};
use doorbuster_model::chance::Purpose;
use doorbuster_model::pace::{Kind, Shape};
use doorbuster_model::sample::Times;
use doorbuster_model::spacing::{Schedule, Spacing};
use doorbuster_model::{Chance, Health, Key, Pace, Part, Phase, Report, Sample, Tally, Tick};
use doorbuster_wire::{FromAgent, Message as _};
use http::HeaderMap;
use url::Url;

fn main() {
    divan::main();
}

/// A ramp up to 100,000/s and a spike.
fn pace() -> Pace {
    let phase = |kind: Kind, shape, seconds: u64| Phase {
        name: kind.word().to_owned(),
        kind,
        shape,
        length_ns: seconds * 1_000_000_000,
    };
    let phases = vec![
        phase(Kind::Ramp, Shape::Line(0, 100_000_000), 60),
        phase(Kind::Hold, Shape::Flat(100_000_000), 60),
        phase(Kind::Spike, Shape::Flat(1_000_000_000), 10),
    ];
    Pace::try_new(phases).unwrap()
}

/// The next arrival of a schedule.
#[divan::bench(args = [Spacing::Even, Spacing::Poisson])]
fn pace_next_arrival(bencher: Bencher<'_, '_>, spacing: Spacing) {
    let mut schedule = Schedule::new(pace(), spacing, 7);
    let mut index = 0;
    bencher.bench_local(move || {
        index += 1;
        schedule.arrival_ns(black_box(index))
    });
}

/// What the shoppers of a run share.
fn run() -> Arc<Run> {
    Arc::new(Run { id: "run".into(), mark: "dbm-3fa09c11d2e4-".into() })
}

/// An answer without headers.
fn answer<'a>(body: &'a [u8], url: &'a Url) -> Answer<'a> {
    static NO_HEADERS: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);
    let content_type = ContentType::of(b"text/html; charset=utf-8");
    Answer { status: 200, headers: &NO_HEADERS, content_type, url, hops: &[], cookies: "", body, cut: false }
}

/// A journey of one request, from its beginning to its judged answer.
#[divan::bench]
fn walk_one_step(bencher: Bencher<'_, '_>) {
    let journey = Journey::single("hit", "request", http::Method::GET, "/", Vec::new());
    let journey = Arc::new(journey);
    let run = run();
    let url = Url::parse("http://shop.test/").unwrap();
    bencher.bench_local(move || {
        let mut walk = Walk::new(Arc::clone(&journey), Shopper { number: 1, run: Arc::clone(&run) });
        let mut chance = Chance::new(7, Purpose::Walk, 1);
        let next = walk.next(&mut chance);
        let answer = answer(b"", &url);
        let judged = walk.answer(&answer, &mut chance);
        (next_is_fetch(&next), judged.is_ok())
    });
}

/// A page of 30 KB in which a token stands near the end: what a form-based shop is asked for at every step. The others
/// take what stands in a list of products.
#[divan::bench(args = ["css", "not", "list", "nth", "all", "texts", "has", "regex", "form"])]
fn take_from_30_kb(bencher: Bencher<'_, '_>, how: &str) {
    let take = |what: &str| format!("extract: {{ t: {{ {what} }} }} }}\n  - {{ step: b, get: '/${{t}}' }}");
    let step = match how {
        "css" => take("css: 'form#buy input[name=csrf]', attribute: value"),
        "not" => take("css: 'input:not([name=quantity])', attribute: value"),
        "list" => take("css: 'em.token, input[name=csrf]', attribute: value, default: none"),
        "nth" => take("css: 'li:nth-child(250) .price'"),
        "all" => take("css: a.product, attribute: href, pick: random"),
        "texts" => take("css: li.item .price, pick: random"),
        "has" => take("css: '[name]', attribute: value"),
        "regex" => take("regex: 'name=csrf value=([0-9a-f]+)'"),
        _ => "expect: { status: 200 } }\n  - { step: b, submit: 'form#buy' }".to_owned(),
    };
    let text = format!("journey: take\nsteps:\n  - {{ step: a, get: /, {step}\n");
    let journey = Arc::new(Journey::parse("take", &text).unwrap());
    let run = run();
    let url = Url::parse("http://shop.test/").unwrap();
    let item = "<li class=item><a class=product href=/p/7><img src=/i/7.jpg alt=Lamp><b>Lamp</b></a> <i class=price>9.50</i></li>\n";
    let form = "<form id=buy method=post action=/cart><input type=hidden name=csrf value=0123abcd><input name=quantity value=1><button>Buy</button></form>";
    let page =
        format!("<!doctype html><title>Shop</title><ul>{}</ul>{form}<footer>x</footer>", item.repeat(270));
    assert!((29_000..32_000).contains(&page.len()), "{}", page.len());
    bencher.bench_local(move || {
        let mut walk = Walk::new(Arc::clone(&journey), Shopper { number: 1, run: Arc::clone(&run) });
        let mut chance = Chance::new(7, Purpose::Walk, 1);
        let first = walk.next(&mut chance);
        let judged = walk.answer(&answer(page.as_bytes(), &url), &mut chance);
        assert!(judged.is_ok());
        (next_is_fetch(&first), next_is_fetch(&walk.next(&mut chance)))
    });
}

/// A page of 16 KiB that a built-in journey looks through.
#[divan::bench]
fn walk_a_page(bencher: Bencher<'_, '_>) {
    let journey = Arc::new(Journey::parse("browse", built_in("browse").unwrap()).unwrap());
    let run = run();
    let url = Url::parse("http://shop.test/").unwrap();
    let link = "<a class=category href=/c/lamps>Lamps</a><p>words and words and words</p>\n";
    let page = format!("<!doctype html><title>Shop</title><main>{}</main>", link.repeat(220));
    bencher.bench_local(move || {
        let mut walk = Walk::new(Arc::clone(&journey), Shopper { number: 1, run: Arc::clone(&run) });
        let mut chance = Chance::new(7, Purpose::Walk, 1);
        let next = walk.next(&mut chance);
        let answer = answer(page.as_bytes(), &url);
        let judged = walk.answer(&answer, &mut chance);
        (next_is_fetch(&next), judged.is_ok())
    });
}

fn next_is_fetch(next: &Next) -> bool {
    matches!(next, Next::Fetch(_))
}

fn sample(step: u16, at_us: u64) -> Sample {
    let at_ns = at_us * 1_000;
    let times = Times {
        intended_ns: 0,
        handled_ns: 10,
        sent_ns: Some(1_000),
        first_byte_ns: Some(at_ns),
        ended_ns: at_ns + 5_000,
    };
    let key = Key { journey: 0, step, part: Part::Main, section: 0 };
    Sample { status: Some(200), bytes_wire: 1_024, bytes_decoded: Some(1_024), ..Sample::new(key, times) }
}

/// Latencies as they scatter around some hundred microseconds.
fn latency_us(chance: &mut Chance) -> u64 {
    300 + chance.below(200) + chance.below(200) * chance.below(3)
}

/// One exchange into the running tally.
#[divan::bench(args = [1, 60])]
fn tally_record(bencher: Bencher<'_, '_>, steps: u16) {
    let mut tally = Tally::default();
    let mut chance = Chance::new(7, Purpose::Walk, 1);
    let mut step = 0;
    bencher.bench_local(move || {
        step = (step + 1) % steps;
        let us = latency_us(&mut chance);
        tally.record(&sample(step, us));
    });
}

/// A hit of CloudFront with all that it says; the last line is there where a policy turns it on.
const HIT: &str = "\
content-type: text/css; charset=utf-8
content-length: 4219
date: Mon, 23 Nov 2026 03:58:56 GMT
server: nginx
cache-control: public, max-age=31536000, immutable
etag: W/\"1f2e3d4c5b6a7988\"
content-encoding: br
vary: Accept-Encoding
x-cache: Hit from cloudfront
via: 1.1 2f4b3ac1d85e60719283a4b5c6d7e8f9.cloudfront.net (CloudFront)
x-amz-cf-pop: NRT57-P1
x-amz-cf-id: 9uGxYJ0pVbq2nFh3sXk5cT7mZr1LwEoDaQ8iKvNyBgHtUeRfPjC4Ag==
age: 17230
server-timing: cdn-cache-hit,cdn-pop;desc=\"NRT57-P1\",cdn-rid;desc=\"9uGxYJ0pVbq2nFh3sXk5c==\",cdn-hit-layer;desc=\"EDGE\",cdn-downstream-fbl;dur=3";

/// The headers of [`HIT`], with the last line or without it.
fn headers_of_a_hit(with_timing: bool) -> Vec<(&'static [u8], &'static [u8])> {
    let lines = HIT.lines().filter(|line| with_timing || !line.starts_with("server-timing"));
    let pairs = lines.filter_map(|line| line.split_once(": "));
    pairs.map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
}

/// What an answer's head says of its way through the edge.
#[divan::bench(args = [false, true])]
fn head_of_an_answer(bencher: Bencher<'_, '_>, with_timing: bool) {
    let headers = headers_of_a_hit(with_timing);
    bencher.bench_local(move || Head::of(black_box(&headers).iter().copied()));
}

/// An answer against the policy that stands to reason.
#[divan::bench]
fn judge_an_answer(bencher: Bencher<'_, '_>) {
    let policy = Policy::default();
    let seen = Observed {
        head: Head::of(headers_of_a_hit(false)),
        class: policy.classify("/static/0a1b2c3d/style.css", b"text/css"),
        status: 200,
        asked: Asked::of("br, gzip"),
        bytes_wire: 4_219,
        ..Observed::default()
    };
    bencher.bench_local(move || judge(&policy, policy.edges_of("tokyo"), black_box(&seen)).is_empty());
}

/// Whether an answer is text that could have been compressed: asked once more, when its size is known.
#[divan::bench]
fn text_of_an_answer(bencher: Bencher<'_, '_>) {
    let policy = Policy::default();
    let seen = Observed {
        head: Head::of(headers_of_a_hit(false)),
        class: policy.classify("/static/0a1b2c3d/style.css", b"text/css"),
        status: 200,
        asked: Asked::of("br, gzip"),
        bytes_wire: 4_219,
        bytes_decoded: Some(16_384),
        ..Observed::default()
    };
    bencher.bench_local(move || black_box(&seen).is_text(&policy));
}

/// A private page of 30 KB, looked through for the markers of other shoppers as it comes in pieces of 4 KiB.
#[divan::bench]
fn search_30_kb(bencher: Bencher<'_, '_>) {
    let marks = Marks::of("run");
    let page = "<li class=item><a href=/p/7>Lamp</a> <i class=price>9.50</i></li>\n".repeat(470);
    let page = page + &marks.of_shopper(17);
    bencher.bench_local(move || {
        let mut search = MarkSearch::new(17);
        black_box(page.as_bytes()).chunks(4_096).for_each(|piece| search.look(&marks, piece));
        search.foreign()
    });
}

/// The class of an answer: by its path, which is known before, and by its type.
#[divan::bench(args = ["/p/117", "/static/0a1b2c3d/style.css"])]
fn classify_an_answer(bencher: Bencher<'_, '_>, path: &str) {
    let policy = Policy::default();
    bencher.bench_local(|| policy.classify(black_box(path), black_box(b"text/html; charset=utf-8")));
}

/// A second of one agent: so many steps, with 100 exchanges each.
fn second(steps: u16) -> Tally {
    let mut tally = Tally::default();
    let mut chance = Chance::new(7, Purpose::Walk, 2);
    for step in 0..steps {
        (0..100).for_each(|_| tally.record(&sample(step, latency_us(&mut chance))));
    }
    tally
}

/// An agent's second into a region's.
#[divan::bench(args = [1, 60])]
fn tally_merge(bencher: Bencher<'_, '_>, steps: u16) {
    let second = second(steps);
    let mut sum = second.clone();
    bencher.bench_local(move || sum.merge(black_box(&second)));
}

fn tick(steps: u16) -> FromAgent {
    FromAgent::Report(Report::Tick(Box::new(Tick {
        second: 3,
        tally: second(steps),
        health: Health::default(),
    })))
}

/// An agent's second as a frame.
#[divan::bench(args = [1, 60])]
fn frame_encode(bencher: Bencher<'_, '_>, steps: u16) {
    let tick = tick(steps);
    bencher.bench_local(move || tick.encode().unwrap());
}

/// A frame back into a second.
#[divan::bench(args = [1, 60])]
fn frame_decode(bencher: Bencher<'_, '_>, steps: u16) {
    let frame = tick(steps).encode().unwrap();
    bencher.bench_local(move || FromAgent::decode(black_box(&frame[4..])).unwrap());
}

/// What the coordinator does with an agent's second, from bytes to its region's sum. 1,000 agents in under 30 % of a
/// core means at most 300 µs.
#[divan::bench]
fn fold_one_report_of_60_keys(bencher: Bencher<'_, '_>) {
    let frame = tick(60).encode().unwrap();
    let mut sum = Tally::default();
    bencher.bench_local(move || {
        if let Ok(FromAgent::Report(Report::Tick(tick))) = FromAgent::decode(black_box(&frame[4..])) {
            sum.merge(&tick.tally);
        }
    });
}
