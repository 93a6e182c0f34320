use proptest::prelude::*;

use super::*;
use crate::cdn::Policy;
use crate::slo::ProbedStep;

fn names() -> Names {
    let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Names {
        regions: own(&["tokyo", "london"]),
        journeys: vec![
            ("browse".to_owned(), own(&["home", "product"])),
            ("checkout".to_owned(), own(&["product", "pay", "tokyo"])),
        ],
        classes: Policy::default().classes().to_vec(),
        sections: Vec::new(),
    }
}

/// The region, the journey and the step.
fn subject(text: &str) -> Result<[Option<String>; 3], String> {
    let objective = Objective::parse(text)?.resolve(&names())?;
    assert_eq!(objective.resolve(&names()), Ok(objective.clone()), "resolving again changes nothing");
    Ok([objective.region, objective.journey, objective.step])
}

#[test]
fn objectives_are_read() {
    for (written, text, sli, parts_per_billion, window_s) in [
        (
            " checkout  availability 99.99% over 30d ",
            "checkout availability 99.99% over 30d",
            Sli::Availability,
            999_900_000,
            30 * 86_400,
        ),
        (
            "home p( latency<0.2s ) 99.9%",
            "home p(latency < 200ms) 99.9%",
            Sli::Latency { below_ns: 200_000_000 },
            999_000_000,
            30 * 86_400,
        ),
        (
            "availability 99.5 % over 6h",
            "availability 99.5 % over 6h",
            Sli::Availability,
            995_000_000,
            21_600,
        ),
        (
            "availability availability 99%",
            "availability availability 99%",
            Sli::Availability,
            990_000_000,
            2_592_000,
        ),
    ] {
        let objective = Objective::parse(written).unwrap();
        assert_eq!(objective.to_string(), text);
        assert_eq!(
            (objective.sli, objective.share.parts_per_billion, objective.window_s),
            (sli, parts_per_billion, window_s)
        );
        assert_eq!(Objective::parse(text), Ok(objective), "what is shown is read back");
    }
    let traffic = Objective::parse("traffic availability 99.99%").unwrap();
    assert!(traffic.is_traffic && traffic.journey.is_none());
    assert_eq!(traffic.scopes(&["tokyo".to_owned()]), [Scope::Global]);
    let london = Objective::parse("london availability 99.99%").unwrap().resolve(&names()).unwrap();
    assert_eq!(london.scopes(&names().regions), [Scope::Region("london".to_owned())]);
}

#[test]
fn names_mean_what_the_plan_says() {
    let found = |region: &str, journey: &str, step: &str| {
        Ok([region, journey, step].map(|name| (!name.is_empty()).then(|| name.to_owned())))
    };
    assert_eq!(subject("availability 99%"), found("", "", ""));
    assert_eq!(subject("london availability 99%"), found("london", "", ""));
    assert_eq!(subject("checkout availability 99%"), found("", "checkout", ""));
    assert_eq!(subject("pay availability 99%"), found("", "checkout", "pay"));
    assert_eq!(subject("checkout/product availability 99%"), found("", "checkout", "product"));
    assert_eq!(subject("tokyo browse p(latency < 1s) 99%"), found("tokyo", "browse", ""));
    assert_eq!(subject("traffic availability 99%"), found("", "", ""));
    let everywhere = Objective::parse("availability 99%").unwrap();
    let regions = ["tokyo".to_owned(), "london".to_owned()];
    let scopes: Vec<String> = everywhere.scopes(&regions).iter().map(Scope::to_string).collect();
    assert_eq!(scopes, ["global", "tokyo", "london"]);
}

#[test]
fn what_cannot_be_meant_is_said() {
    for (text, part) in [
        ("checkout 99.99%", "neither \"availability\" nor \"p(latency < DURATION)\""),
        ("tokyo traffic availability 99.99%", "for all regions together"),
        ("checkout avalability 99.99%", "(found \"avalability\")"),
        ("checkout availability", "is not a share"),
        ("checkout availability 99.99", "the % is missing"),
        ("checkout availability 100%", "leaves no budget"),
        ("checkout availability 99% over", "nothing follows \"over\""),
        ("checkout availability 99% over 15s", "multiples of 10s"),
        ("checkout availability 99% over 91d", "at most 90d"),
        ("home p(latency < 200ms 99%", "\")\" after \"p(\" is missing"),
        ("home p(latency > 200ms) 99%", "found \"p(latency > 200ms)\""),
        ("home p(latency < 200) 99%", "the unit is missing"),
        ("home p(latency < 0s) 99%", "nothing takes less"),
        ("traffic p(latency < 1s) 99%", "availability alone"),
        ("tokyo checkout pay availability 99%", "too many words before \"availability\""),
        ("hoem availability 99%", "did you mean \"home\"?"),
        ("paris home availability 99%", "the region \"paris\""),
        ("tokyo availability 99%", "a region and also a journey, step or class"),
        ("product availability 99%", "could mean the step browse/product or the step checkout/product"),
        ("static availability 99%", "is about the content class \"static\""),
    ] {
        let error = subject(text).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
    let long = Objective::parse(&format!("{} availability 99%", "x".repeat(200))).unwrap_err();
    assert!(long.contains("over 200 characters"), "{long}");
}

#[test]
fn a_probe_is_an_event_of_its_journey_and_of_its_steps() {
    let step = |name: &str, is_good, latency_ms: Option<u64>| ProbedStep {
        step: name.to_owned(),
        is_good,
        latency_ns: latency_ms.map(|latency_ms| latency_ms * 1_000_000),
    };
    let probed = Probed {
        region: "tokyo".to_owned(),
        journey: "browse".to_owned(),
        at_s: 0,
        steps: vec![
            step("home", true, Some(50)),
            step("product", true, Some(199)),
            step("product", true, Some(200)),
            step("cart", false, Some(1)),
        ],
        is_good: false,
    };
    let events = |text: &str| Objective::parse(text).unwrap().events(&probed);
    assert_eq!(events("availability 99%"), [(None, false)]);
    assert!(events("checkout availability 99%").is_empty());
    assert_eq!(events("browse/home availability 99%"), [(Some("home"), true)]);
    assert!(events("browse/pay availability 99%").is_empty(), "it was not reached");
    assert_eq!(
        events("browse p(latency < 200ms) 99%"),
        [(Some("home"), true), (Some("product"), false), (Some("cart"), false)],
        "a fast failure is no fast page"
    );
    assert!(events("traffic availability 99%").is_empty());
}

proptest! {
    #[test]
    fn no_text_panics(text in "(p\\(|latency|<|\\)|availability|over|99%|[0-9]s|/| |\\PC){0,12}") {
        let _ = Objective::parse(&text).and_then(|objective| objective.resolve(&names()));
    }
}
