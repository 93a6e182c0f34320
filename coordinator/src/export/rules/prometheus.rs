//! Recording and alerting rules for Prometheus, over the counters of `/metrics`.
//!
//! For each window that a rule looks at the share of failed events is recorded, per objective and scope. An alert fires
//! while both of its windows fail at least as much as the rule's burn rate allows (Google, "The Site Reliability Workbook",
//! chapter 5), and, where the plan asks for a number of failures, the long one holds as many. The limit of an alert is
//! factor × (1 − objective), an exact decimal.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use doorbuster_model::slo::{Objective, Rule, Slo};
use doorbuster_notation::show_duration;

use crate::export::severity_word;

/// How often rules are evaluated: as often as scrapes usually come.
const INTERVAL: &str = "15s";

/// The rules of a plan, as the text of a rule file.
pub(crate) fn rules(plan: &str, slo: &Slo) -> String {
    let mut text = format!(
        "# The error budgets of the plan {}, by the counters of `doorbuster probe --serve`.\n\
         # Regions' tickets go on while the global page fires: inhibit them in Alertmanager, as Doorbuster's own alerts do.\n\
         groups:\n",
        quoted(plan)
    );
    let shares: BTreeSet<u32> = slo.rules.iter().flat_map(|rule| [rule.long_s, rule.short_s]).collect();
    let counts: BTreeSet<u32> =
        slo.rules.iter().filter(|_| slo.min_failures > 0).map(|rule| rule.long_s).collect();
    group(&mut text, plan, "windows");
    for window_s in shares {
        record(&mut text, &share_of(window_s), &share(plan, window_s));
    }
    for window_s in counts {
        record(&mut text, &count_of(window_s), &failures(plan, window_s));
    }
    group(&mut text, plan, "burn");
    for objective in &slo.objectives {
        for rule in &slo.rules {
            burn(&mut text, plan, slo, objective, rule);
        }
    }
    group(&mut text, plan, "no-data");
    silence(&mut text, plan, slo);
    group(&mut text, plan, "harness");
    harness(&mut text, plan);
    text
}

fn group(text: &mut String, plan: &str, name: &str) {
    let name = quoted(&format!("doorbuster {plan} {name}"));
    // Writing into a string cannot fail.
    let _ = writeln!(text, "  - name: {name}\n    interval: {INTERVAL}\n    rules:");
}

fn record(text: &mut String, name: &str, expression: &str) {
    let _ = writeln!(text, "      - record: {name}\n        expr: {}", quoted(expression));
}

/// What an alert says beside when it fires.
struct Told<'a> {
    name: &'a str,
    expression: String,
    /// For how long its expression holds before it fires, where that matters.
    lasting_s: Option<u32>,
    keep_firing_for_s: Option<u32>,
    severity: &'a str,
    rule: &'a str,
    objective: Option<&'a str>,
    summary: String,
}

fn alert(text: &mut String, told: &Told<'_>) {
    let _ = writeln!(text, "      - alert: {}\n        expr: {}", told.name, quoted(&told.expression));
    for (key, length_s) in [("for", told.lasting_s), ("keep_firing_for", told.keep_firing_for_s)] {
        if let Some(length_s) = length_s {
            let _ = writeln!(text, "        {key}: {}", shown(length_s));
        }
    }
    // The objective is a label of the series, too; here it tells rules apart for who checks the file.
    let objective = told.objective.map_or_else(String::new, |text| format!(", objective: {}", quoted(text)));
    let (severity, rule, summary) = (quoted(told.severity), quoted(told.rule), quoted(&told.summary));
    let _ = writeln!(text, "        labels: {{ severity: {severity}, rule: {rule}{objective} }}");
    let _ = writeln!(text, "        annotations: {{ summary: {summary} }}");
}

fn burn(text: &mut String, plan: &str, slo: &Slo, objective: &Objective, rule: &Rule) {
    let selector = format!("{{plan={}, objective={}}}", label(plan), label(&objective.text));
    let fails = limit(&rule.factor.to_string(), objective);
    let [long, short] =
        [rule.long_s, rule.short_s].map(|window_s| format!("{}{selector} {fails}", share_of(window_s)));
    let mut expression = format!("{long} and {short}");
    if slo.min_failures > 0 {
        let _ = write!(expression, " and {}{selector} >= {}", count_of(rule.long_s), slo.min_failures);
    }
    let (long, short) = (shown(rule.long_s), shown(rule.short_s));
    let summary = format!(
        "{}, {{{{ $labels.scope }}}}: the error budget burns {} times as fast as it may, over {long} and over {short}",
        objective.text, rule.factor
    );
    let told = Told {
        name: "DoorbusterBudgetBurn",
        expression,
        lasting_s: None,
        keep_firing_for_s: Some(slo.keep_firing_for_s.unwrap_or(rule.short_s)),
        severity: severity_word(rule.severity),
        rule: &rule.name,
        objective: Some(&objective.text),
        summary,
    };
    alert(text, &told);
}

/// Missing data is not good data: a silent region (a ticket, as Doorbuster's own), all of them (a page), a process that is
/// gone, one that evaluates nothing any more.
fn silence(text: &mut String, plan: &str, slo: &Slo) {
    let plan = label(plan);
    let lasting_s = slo.no_data_after_s;
    let all = format!("min by (plan) (doorbuster_region_silent{{plan={plan}}})");
    let mut tell = |name, severity, expression, lasting_s, summary: &str| {
        let told = Told {
            name,
            expression,
            lasting_s,
            keep_firing_for_s: None,
            severity,
            rule: "no-data",
            objective: None,
            summary: summary.to_owned(),
        };
        alert(text, &told);
    };
    tell(
        "DoorbusterRegionSilent",
        "ticket",
        format!("doorbuster_region_silent{{plan={plan}}} == 1 unless on (plan) {all} == 1"),
        None,
        "{{ $labels.region }}: no probe has reported for too long",
    );
    tell(
        "DoorbusterAllSilent",
        "page",
        format!("{all} == 1"),
        None,
        "no probe of any region has reported for too long",
    );
    tell(
        "DoorbusterGone",
        "page",
        format!("absent(doorbuster_build_info{{plan={plan}}})"),
        Some(lasting_s),
        "nobody probes: the page of Doorbuster cannot be scraped",
    );
    tell(
        "DoorbusterStuck",
        "page",
        format!("time() - doorbuster_evaluated_timestamp_seconds{{plan={plan}}} > {lasting_s}"),
        None,
        "nothing is evaluated: Doorbuster answers and does nothing else",
    );
}

/// What is counted is not kept, or somebody is not told: Doorbuster itself may not be able to say so.
fn harness(text: &mut String, plan: &str) {
    let plan = label(plan);
    let mut tell = |name, expression, lasting_s, severity, summary: &str| {
        let told = Told {
            name,
            expression,
            lasting_s,
            keep_firing_for_s: None,
            severity,
            rule: "harness",
            objective: None,
            summary: summary.to_owned(),
        };
        alert(text, &told);
    };
    tell(
        "DoorbusterStoreFailing",
        format!("doorbuster_store_failing{{plan={plan}}} == 1"),
        Some(60),
        "page",
        "the store takes nothing: what is counted now is lost when Doorbuster ends",
    );
    tell(
        "DoorbusterNoticesRefused",
        format!("delta(doorbuster_outbox_refused_notices{{plan={plan}}}[1h]) > 0"),
        None,
        "ticket",
        "a receiver refused a notice for good, or it was given up after a day",
    );
}

/// The series of the share of failed events over a window.
fn share_of(window_s: u32) -> String {
    format!("plan_objective_scope:doorbuster_slo_failed_events:ratio_rate{}", shown(window_s))
}

/// The series of the number of failed events over a window.
fn count_of(window_s: u32) -> String {
    format!("plan_objective_scope:doorbuster_slo_failed_events:increase{}", shown(window_s))
}

fn share(plan: &str, window_s: u32) -> String {
    let all = increase("doorbuster_slo_events_total", plan, window_s);
    format!("{} / {all}", failures(plan, window_s))
}

fn failures(plan: &str, window_s: u32) -> String {
    increase("doorbuster_slo_failed_events_total", plan, window_s)
}

fn increase(counter: &str, plan: &str, window_s: u32) -> String {
    let (plan, window) = (label(plan), shown(window_s));
    format!("sum by (plan, objective, scope) (increase({counter}{{plan={plan}}}[{window}]))")
}

/// At which share of failures a rule fires: factor × (1 − objective), exactly. An objective of 100 % has no budget, and
/// fires at any failure.
fn limit(factor: &str, objective: &Objective) -> String {
    let allowed = u128::from(1_000_000_000 - objective.share.parts_per_billion);
    if allowed == 0 {
        return "> 0".to_owned();
    }
    let (whole, fraction) = factor.split_once('.').unwrap_or((factor, ""));
    let digits: u128 = format!("{whole}{fraction}").parse().unwrap_or(0);
    let decimals = fraction.len() + 9;
    let padded = format!("{:0>width$}", digits * allowed, width = decimals + 1);
    let (whole, fraction) = padded.split_at(padded.len() - decimals);
    match fraction.trim_end_matches('0') {
        "" => format!(">= {whole}"),
        fraction => format!(">= {whole}.{fraction}"),
    }
}

/// A length of time, as both Prometheus and people write it.
fn shown(length_s: u32) -> String {
    show_duration(Duration::from_secs(length_s.into()))
}

/// A text in double quotes, as YAML reads it: JSON's strings are YAML's, too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A label's value in an expression.
fn label(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples;
    use crate::tell::golden;

    #[test]
    fn the_rule_file() {
        golden("rules.yaml", &rules("shop", &samples::slo()));
    }

    #[test]
    fn without_a_guard_there_are_no_counts() {
        let slo = Slo { min_failures: 0, keep_firing_for_s: Some(7_200), ..samples::slo() };
        let text = rules("shop", &slo);
        assert!(!text.contains(":increase"), "{text}");
        assert!(text.contains("        keep_firing_for: 2h\n"), "{text}");
    }

    #[test]
    fn limits_are_exact_decimals() {
        let objective = samples::slo().objectives.swap_remove(0);
        let at = |parts_per_billion| {
            let mut objective = objective.clone();
            objective.share.parts_per_billion = parts_per_billion;
            objective
        };
        for (factor, parts_per_billion, expected) in [
            ("14.4", 999_900_000, ">= 0.00144"),
            ("1", 999_900_000, ">= 0.0001"),
            ("3", 999_000_000, ">= 0.003"),
            ("0.001", 999_999_999, ">= 0.000000000001"),
            ("1000", 990_000_000, ">= 10"),
            ("2.50", 500_000_000, ">= 1.25"),
            ("6", 1_000_000_000, "> 0"),
        ] {
            assert_eq!(limit(factor, &at(parts_per_billion)), expected, "{factor} {parts_per_billion}");
        }
    }

    #[test]
    fn names_cannot_break_out_of_their_quotes() {
        let text = rules("a\"b\\c", &samples::slo());
        assert!(text.contains(r#"plan=\"a\\\"b\\\\c\""#), "{text}");
    }
}
