use proptest::prelude::*;

use super::*;
use crate::cdn::{CacheStatus, ClassId, Head, Policy};
use crate::pace::{Kind, Pace, Phase, Shape};
use crate::sample::Times;
use crate::{ErrorClass, Key, Part, Sample, Tally};

fn names() -> Names {
    let phase = |name: &str, kind| Phase {
        name: name.to_owned(),
        kind,
        shape: Shape::Flat(1_000),
        length_ns: 10_000_000_000,
    };
    let pace = Pace::try_new(vec![phase("hold", Kind::Hold), phase("doors-open", Kind::Spike)]).unwrap();
    let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Names {
        regions: own(&["tokyo", "london"]),
        journeys: vec![
            ("browse".to_owned(), own(&["home", "product"])),
            ("checkout".to_owned(), own(&["product", "pay"])),
        ],
        classes: Policy::default().classes().to_vec(),
        sections: pace.sections(5_000_000_000),
    }
}

fn rule(text: &str) -> Result<Rule, String> {
    Threshold::parse(text).and_then(|threshold| threshold.resolve(&names()))
}

#[test]
fn names_mean_what_the_plan_says() {
    let scope = |text: &str| rule(text).map(|rule| (rule.region, rule.scope));
    assert_eq!(scope("errors < 0.01%"), Ok((None, Scope::All)));
    assert_eq!(scope("home p95 < 200ms"), Ok((None, Scope::Step(0, 0))));
    assert_eq!(scope("tokyo checkout p99 < 800ms"), Ok((Some(0), Scope::Journey(1))));
    assert_eq!(scope("checkout/product p99<800 ms"), Ok((None, Scope::Step(1, 0))));
    assert_eq!(scope("static hit_ratio > 95% during doors-open"), Ok((None, Scope::Class(ClassId(1)))));
    assert_eq!(scope("london unclassified savings > 1%"), Ok((Some(1), Scope::Class(ClassId::UNCLASSIFIED))));
    assert_eq!(
        rule("hit_ratio > 1%").unwrap().classes,
        [ClassId(1), ClassId(2), ClassId::UNCLASSIFIED],
        "what is never cached has no part in how well the cache works"
    );
    assert_eq!(rule("errors < 1% during spike").unwrap().sections, [2]);
    assert_eq!(rule("errors < 1%").unwrap().sections, [1, 2], "the warm-up is not judged");
    assert_eq!(rule("errors > 20% over 10s").unwrap().threshold.over, Some(Duration::from_secs(10)));
}

#[test]
fn what_cannot_be_meant_is_said() {
    for (text, part) in [
        ("product p95 < 1s", "could mean the step browse/product or the step checkout/product"),
        ("hoem p95 < 1s", "did you mean \"home\"?"),
        ("paris home p95 < 1s", "the region \"paris\""),
        ("home p95 < 200", "the unit is missing"),
        ("home p95 = 200ms", "there is no <"),
        ("home speed < 200ms", "unknown metric \"speed\""),
        ("home p100 < 200ms", "unknown metric"),
        ("< 5%", "no metric"),
        ("errors < 1% during rush", "names the phase \"rush\""),
        ("errors < 1% over 100ms", "whole seconds"),
        ("errors < 1% over 11m", "at most 10m"),
        ("static p95 < 1s", "classes have hit_ratio"),
        ("home hit_ratio > 1%", "name a class: private, static, html"),
        ("statik hit_ratio > 1%", "did you mean \"static\"?"),
        ("tokyo browse home p95 < 1s", "write journey/step"),
    ] {
        let error = rule(text).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
}

fn tally(latencies_ms: impl Iterator<Item = u64>, errors: u64) -> Tally {
    let mut tally = Tally::default();
    let key = Key { journey: 0, step: 0, part: Part::Main, section: 1 };
    let times = Times { sent_ns: Some(0), ..Times::default() };
    let mut sample = Sample {
        status: Some(200),
        bytes_wire: 25,
        bytes_decoded: Some(100),
        is_text: true,
        is_sampled: true,
        head: Head::of([(&b"X-Cache"[..], &b"Hit"[..])]),
        class: ClassId(1),
        ..Sample::new(key, times)
    };
    for latency_ms in latencies_ms {
        sample.times.ended_ns = latency_ms * 1_000_000;
        tally.record(&sample);
    }
    sample.error = Some(ErrorClass::Reset);
    sample.head.cache = CacheStatus::Miss;
    (0..errors).for_each(|_| tally.record(&sample));
    tally
}

fn verdict(text: &str, tally: &Tally) -> (Option<f64>, bool) {
    let rule = rule(text).unwrap();
    let judgement = rule.judge(rule.observe(tally, 10));
    (judgement.observed, judgement.ok)
}

#[test]
fn rules_are_judged_exactly() {
    let tally = tally((1..=999).chain([999]), 0);
    assert_eq!(verdict("home max < 999ms", &tally), (Some(999.0), false));
    assert_eq!(verdict("home max <= 999ms", &tally), (Some(999.0), true));
    assert_eq!(verdict("home mean >= 500.499ms", &tally), (Some(500.499), true));
    assert_eq!(verdict("requests >= 100/s", &tally), (Some(100.0), true));
    assert_eq!(verdict("static savings > 75%", &tally), (Some(75.0), false));
    assert_eq!(verdict("home bytes < 0.025KB", &tally), (Some(25.0), false));
    assert_eq!(verdict("london p99.9 < 5s", &tally), (None, false), "10,000 samples are needed");
    assert!(verdict("home p99 < 1s", &tally).1);
}

#[test]
fn one_failure_in_ten_thousand_is_not_below_that_share() {
    let tally = tally((0..9_999).map(|_| 5), 1);
    assert_eq!(verdict("errors < 0.01%", &tally), (Some(0.01), false));
    assert!(verdict("errors <= 0.01%", &tally).1);
    assert!(verdict("static hit_ratio >= 99.99%", &tally).1);
    assert!(!verdict("static hit_ratio > 99.99%", &tally).1);
}

#[test]
fn no_sample_is_no_pass() {
    assert_eq!(verdict("errors < 100%", &Tally::default()), (None, false));
    assert_eq!(verdict("checkout p95 < 1h", &tally([1].into_iter(), 0)), (None, false));
}

#[test]
fn a_class_of_the_plan_is_named_like_any_other() {
    let text =
        "cdn: { classes: [{ class: home, match: [\"/\"] }, { class: pictures, match: [\"image/*\"] }] }";
    let policy = Policy::read("p", text).unwrap();
    let names = Names { classes: policy.classes().to_vec(), ..names() };
    let rule = |text: &str| Threshold::parse(text).and_then(|threshold| threshold.resolve(&names));
    assert_eq!(rule("pictures hit_ratio > 1%").unwrap().scope, Scope::Class(ClassId(1)));
    for (text, part) in [
        ("home hit_ratio > 1%", "the step browse/home or the content class home; rename one of them"),
        ("static hit_ratio > 1%", "no region, journey, step or class"),
        ("pictures p95 < 1s", "asks of the class \"pictures\""),
    ] {
        let error = rule(text).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "[ -~]{0,40}") {
        let _ = Threshold::parse(&text);
    }
}
