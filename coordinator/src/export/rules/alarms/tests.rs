use super::*;
use crate::export::cloudwatch::catalogue::Catalogue;
use crate::export::samples;
use crate::tell::golden;

fn made(slo: &Slo) -> Alarms {
    let actions = Actions { page: vec!["arn:aws:sns:eu-west-1:1:page".to_owned()], ticket: Vec::new() };
    alarms("shop", "Shop", slo, &samples::names().regions, &actions)
}

fn rule_named<'a>(alarms: &'a Alarms, name: &str) -> &'a str {
    let found = alarms.composite_alarms.iter().find(|alarm| alarm.alarm_name == name);
    &found.unwrap_or_else(|| panic!("no alarm is called {name}")).alarm_rule
}

#[test]
fn the_alarms_of_one_objective_in_one_region() {
    let mut slo = samples::slo();
    slo.objectives.truncate(1);
    slo.objectives[0].region = Some("tokyo".to_owned());
    let json = serde_json::to_string_pretty(&made(&slo)).unwrap();
    golden("alarms.json", &format!("{json}\n"));
}

#[test]
fn every_rule_in_every_scope_has_its_alarms() {
    let made = made(&samples::slo());
    assert_eq!(limits::check(&made), Ok(()));
    // Two objectives, three scopes, two rules, of which each has two windows and its failures; two regions, one heartbeat.
    assert_eq!(made.metric_alarms.len(), 2 * 3 * 2 * 3 + 2 + 1);
    assert_eq!(made.composite_alarms.len(), 2 * 3 * 2 + 5);
    let rule = "doorbuster shop / home p latency 200ms 99.9% over 30d / london / ticket-3";
    assert_eq!(
        rule_named(&made, rule),
        format!("ALARM(\"{rule} / long\") AND ALARM(\"{rule} / short\") AND ALARM(\"{rule} / failures\")")
    );
    let pages = rule_named(&made, "doorbuster shop / page");
    assert_eq!(pages.matches("ALARM(").count(), 6);
    assert!(pages.contains("/ global / page-14.4\") OR ALARM("), "{pages}");
    let [any, all] = ["silent region", "no data / every region"]
        .map(|name| rule_named(&made, &format!("doorbuster shop / {name}")));
    let [tokyo, london] =
        ["tokyo", "london"].map(|region| format!("ALARM(\"doorbuster shop / no data / {region}\")"));
    assert_eq!((any, all), (&*format!("{tokyo} OR {london}"), &*format!("{tokyo} AND {london}")));
    assert_eq!(
        rule_named(&made, "doorbuster shop / no data"),
        "ALARM(\"doorbuster shop / no data / every region\") OR ALARM(\"doorbuster shop / no data / heartbeat\")"
    );
    let with_actions = made.composite_alarms.iter().filter(|alarm| !alarm.alarm_actions.is_empty());
    let with_actions: Vec<&str> = with_actions.map(|alarm| alarm.alarm_name.as_str()).collect();
    assert_eq!(with_actions, ["doorbuster shop / page", "doorbuster shop / no data"]);
}

#[test]
fn alarms_look_at_metrics_that_are_published() {
    let (slo, names) = (samples::slo(), samples::names());
    let catalogue = Catalogue::new(&names, &samples::series(), &slo.rules, slo.min_failures, 500).unwrap();
    let series = slo.objectives.iter().flat_map(|objective| {
        objective.scopes(&names.regions).into_iter().map(|scope| (objective.text.clone(), scope))
    });
    let watched: std::collections::BTreeSet<(String, Scope)> = series.collect();
    assert_eq!(watched, catalogue.series);
    for alarm in &made(&slo).metric_alarms {
        let dimensions: Vec<&str> =
            alarm.dimensions.iter().map(|dimension| dimension.name.as_str()).collect();
        let expected: &[&str] = match alarm.metric_name.as_str() {
            metric::BURN_RATE => &["Objective", "Scope", "Rule", "Window"],
            metric::FAILED_IN_WINDOW => &["Objective", "Scope", "Rule"],
            metric::REGION_SILENT => &["Region"],
            metric::HEARTBEAT => &[],
            other => panic!("{other} is watched, and never published"),
        };
        assert_eq!(dimensions, expected, "{}", alarm.alarm_name);
        let expected = if alarm.metric_name == metric::HEARTBEAT { "breaching" } else { "ignore" };
        assert_eq!(alarm.treat_missing_data, expected, "{}", alarm.alarm_name);
    }
}

#[test]
fn without_a_guard_a_rule_is_its_two_windows() {
    let made = made(&Slo { min_failures: 0, ..samples::slo() });
    assert_eq!(made.metric_alarms.len(), 2 * 3 * 2 * 2 + 3);
    assert!(made.composite_alarms.iter().all(|alarm| !alarm.alarm_rule.contains("failures")));
}

#[test]
fn more_rules_than_a_composite_alarm_takes_become_a_tree() {
    let mut slo = samples::slo();
    let plain = slo.objectives[0].clone();
    let objective = |number: usize| {
        let text = format!("{} journey-{number} availability 99.99%", "a-long-region-name-".repeat(4));
        doorbuster_model::slo::Objective { text, ..plain.clone() }
    };
    slo.objectives = (0..100).map(objective).collect();
    let made = made(&slo);
    assert_eq!(limits::check(&made), Ok(()));
    let parts = made.composite_alarms.iter().filter(|alarm| alarm.alarm_name.contains("/ page / part 1."));
    let children: usize = parts.map(|alarm| alarm.alarm_rule.matches("ALARM(").count()).sum();
    assert_eq!(children, 300, "each page of each objective in each scope, once");
    assert!(rule_named(&made, "doorbuster shop / page").contains("/ page / part 1.1\") OR ALARM("));
}

#[test]
fn what_aws_would_refuse_is_told_before_anything_is_put() {
    let good = made(&samples::slo());
    let breaches = |change: &dyn Fn(&mut Alarms)| {
        let mut alarms = good.clone();
        change(&mut alarms);
        limits::check(&alarms).err().unwrap_or_default().join("\n")
    };
    let metric = |alarms: &mut Alarms, change: &dyn Fn(&mut MetricAlarm)| {
        let alarm = MetricAlarm { alarm_name: "x".to_owned(), ..alarms.metric_alarms[0].clone() };
        alarms.metric_alarms.push(alarm);
        if let Some(alarm) = alarms.metric_alarms.last_mut() {
            change(alarm);
        }
    };
    let composite = |alarms: &mut Alarms, change: &dyn Fn(&mut CompositeAlarm)| {
        let alarm = CompositeAlarm { alarm_name: "y".to_owned(), ..alarms.composite_alarms[0].clone() };
        alarms.composite_alarms.push(alarm);
        if let Some(alarm) = alarms.composite_alarms.last_mut() {
            change(alarm);
        }
    };
    let first = good.metric_alarms[0].alarm_name.clone();
    let of_length = |length: usize| format!("ALARM(\"{first}\"){}", " ".repeat(length - first.len() - 9));
    let of_children = |count: usize| {
        rule_of(
            &good
                .metric_alarms
                .iter()
                .cycle()
                .take(count)
                .map(|alarm| alarm.alarm_name.clone())
                .collect::<Vec<_>>(),
            " OR ",
        )
    };
    let named =
        |name: String| breaches(&|alarms| metric(alarms, &|alarm| alarm.alarm_name.clone_from(&name)));
    let ruled =
        |rule: String| breaches(&|alarms| composite(alarms, &|alarm| alarm.alarm_rule.clone_from(&rule)));
    let acting = |count: usize, action: &str| {
        breaches(&|alarms| composite(alarms, &|alarm| alarm.ok_actions = vec![action.to_owned(); count]))
    };
    let lasting = |period, periods, datapoints| {
        breaches(&|alarms| {
            metric(alarms, &|alarm| {
                (alarm.period, alarm.evaluation_periods, alarm.datapoints_to_alarm) =
                    (period, periods, datapoints);
            });
        })
    };
    for (breach, expected) in [
        (named("n".repeat(255)), ""),
        (named("n".repeat(256)), "has a name of 256 characters, of 1 to 255"),
        (named(String::new()), "has a name of 0 characters"),
        (named("a\"b".to_owned()), "without quotes"),
        (named(first.clone()), "two alarms are called"),
        (ruled(of_length(10_240)), ""),
        (ruled(of_length(10_241)), "has a rule of 10241 characters, of 1 to 10240"),
        (ruled("ALARM(\"z\")".to_owned()), "is made of \"z\", which comes after it or nowhere"),
        (ruled(format!("({}", "(".repeat(499))), ""),
        (ruled(format!("({}", "(".repeat(500))), "has a rule of 501 elements, of at most 500"),
        (ruled(of_children(101)), "is made of 101 alarms, of at most 100"),
        (acting(5, "arn:aws:sns:eu-west-1:1:page"), ""),
        (acting(6, "arn:aws:sns:eu-west-1:1:page"), "has 6 actions, of at most 5"),
        (acting(1, "page"), "has the action \"page\", which is no ARN"),
        (lasting(60, 1_440, 1_440), ""),
        (lasting(60, 1_441, 1_441), "looks at 1441 periods of 60 s"),
        (lasting(90, 1, 1), "looks at 1 periods of 90 s"),
        (lasting(60, 1, 2), "wants 2 of 1 periods"),
    ] {
        let is_expected = if expected.is_empty() { breach.is_empty() } else { breach.contains(expected) };
        assert!(is_expected, "{breach}\nexpected: {expected}");
    }
}

#[test]
fn an_alarm_that_too_many_are_made_of_is_told() {
    let mut alarms = made(&samples::slo());
    let name = alarms.metric_alarms[0].alarm_name.clone();
    for number in 0..150 {
        let alarm = CompositeAlarm {
            alarm_name: format!("parent {number}"),
            alarm_rule: format!("ALARM(\"{name}\")"),
            ..alarms.composite_alarms[0].clone()
        };
        alarms.composite_alarms.push(alarm);
    }
    let breaches = limits::check(&alarms).unwrap_err();
    assert!(breaches[0].contains("is part of 151 others, of at most 150"), "{breaches:?}");
}

#[test]
fn a_long_name_is_cut_and_stays_its_own() {
    let [one, other] = ["one", "other"].map(|end| limits::fit(&format!("{}{end}", "n".repeat(300))));
    assert_eq!((one.chars().count(), other.chars().count()), (255, 255));
    assert_ne!(one, other);
    assert_eq!(limits::fit(&"é".repeat(255)), "é".repeat(255));
}
