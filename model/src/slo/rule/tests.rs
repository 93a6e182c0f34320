use doorbuster_notation::parse_share;

use super::*;

fn faults(text: &str) -> String {
    Rule::read("rules.yaml", text).unwrap_err().to_string()
}

#[test]
fn a_file_of_rules_is_read() {
    let text = "
rules:
  - { name: fast, severity: page, factor: 14.4, long: 1h, short: 5m }
  - { name: slow, severity: ticket, factor: 1, long: 72h, short: 90s }
  - { name: odd, factor: \"0.05\", long: 7s, short: 1s }
";
    let rules = Rule::read("rules.yaml", text).unwrap();
    let shown: Vec<String> = rules
        .iter()
        .map(|rule| {
            format!("{} {} {} {} {}", rule.name, rule.severity, rule.factor, rule.long_s, rule.short_s)
        })
        .collect();
    assert_eq!(shown, ["fast page 14.4 3600 300", "slow ticket 1 259200 90", "odd page 0.05 7 1"]);
}

#[test]
fn the_usual_rules_spend_what_the_workbook_says() {
    // Facts: the share of a budget of 30 days that is spent when each row fires.
    let spent = [("page-14.4", 2), ("page-6", 5), ("ticket-3", 10), ("ticket-1", 10)];
    for (rule, (name, percent)) in Rule::defaults().iter().zip(spent) {
        assert_eq!(rule.name, name);
        let spent = rule.factor.digits() * u64::from(rule.long_s) * 100;
        assert_eq!(spent, percent * 30 * 86_400 * rule.factor.scale(), "{name}");
    }
    // A full outage of steady traffic: the long window burns at the factor after 5.184 s.
    let (rules, objective) = (Rule::defaults(), parse_share("99.99%").unwrap());
    let page = &rules[0];
    let outage = |failed_ms: u128| Sum { failed: failed_ms, total: u128::from(page.long_s) * 1_000 };
    assert!(outage(5_184).burns(objective, page.factor) && !outage(5_183).burns(objective, page.factor));
}

#[test]
fn a_rule_fires_by_both_windows_and_ends_by_the_short_one() {
    let (rules, objective) = (Rule::defaults(), parse_share("99.99%").unwrap());
    let rule = &rules[0];
    let sum = |failed, total| Sum { failed, total };
    let (hot, cold, none) = (sum(144, 100_000), sum(143, 100_000), Sum::default());
    for (before, long, short, after) in [
        (false, hot, hot, true),
        (false, hot, cold, false),
        (false, cold, hot, false),
        (false, none, hot, false),
        (false, hot, none, false),
        (true, cold, hot, true),
        (true, hot, cold, false),
        (true, hot, none, false),
    ] {
        assert_eq!(rule.fires(before, objective, 3, long, short), after, "{before} {long:?} {short:?}");
    }
    assert!(!rule.fires(false, objective, 145, hot, hot), "the guard");
    assert!(rule.fires(true, objective, 145, hot, hot), "it guards the beginning alone");
    assert!(!rule.fires(false, objective, 0, sum(0, 5), sum(0, 5)));
}

#[test]
fn faults_of_a_file_are_told_at_once() {
    let text = "
rules:
  - { name: a, severity: pgae, factor: 0, long: 5m, short: 1h }
  - { name: a, factor: 1, long: 1h }
  - { nmae: b, factor: 1, long: 1.5s, short: 5 }
";
    let told = faults(text);
    for part in [
        "rules.yaml:3:26: found \"pgae\", expected page or ticket; did you mean \"page\"?",
        "rules.yaml:3:40: \"0\" is not a factor (0 would always fire)",
        "rules.yaml:4:5: a rule needs the key \"short\"",
        "unknown key \"nmae\" in a rule; did you mean \"name\"?",
        "a window has whole seconds",
        "the unit is missing",
    ] {
        assert!(told.contains(part), "\"{part}\" is missing:\n{told}");
    }
    let twice =
        "rules: [{ name: a, factor: 1, long: 1h, short: 5m }, { name: a, factor: 2, long: 1h, short: 2h }]";
    let told = faults(twice);
    assert!(
        told.contains("the rule \"a\" is named twice") && told.contains("longer than the long one"),
        "{told}"
    );
    assert!(faults("rules: []").contains("there are 1 to 20 rules"));
    assert!(faults("rule: 1").contains("did you mean \"rules\"?"));
}
