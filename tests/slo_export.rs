//! What `slo export` writes: rules before Prometheus's own checker, alarms before a stand-in for AWS.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::util::{Folder, MiniStack, run, without};

const PLAN: &str = "
name: shop
regions: [tokyo, london]
journeys: [browse, checkout]
load: { arrivals: [{ hold: 1/s, for: 10s }] }
slo:
  objectives:
    - checkout availability 99.99% over 30d
    - tokyo home p(latency < 200ms) 99.9% over 30d
  rules:
    - { name: page-14.4, severity: page, factor: 14.4, long: 1h, short: 5m }
    - { name: ticket-3, severity: ticket, factor: 3, long: 6h, short: 30m }
";
const EXPORT: &str = "export: { cloudwatch: { namespace: Shop, region: eu-west-1 } }\n";

/// An hour of ten events a second, of which all fail for the last minute; then it recovers.
const SCENARIO: &str = r#"
rule_files: [rules.yaml]
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - series: 'doorbuster_slo_events_total{plan="shop",objective="checkout availability 99.99% over 30d",scope="global"}'
        values: '0+150x480'
      - series: 'doorbuster_slo_failed_events_total{plan="shop",objective="checkout availability 99.99% over 30d",scope="global"}'
        values: '0x236 0+150x3 600x240'
      - series: 'doorbuster_slo_events_total{plan="shop",objective="checkout availability 99.99% over 30d",scope="tokyo"}'
        values: '0+1x480'
      - series: 'doorbuster_slo_failed_events_total{plan="shop",objective="checkout availability 99.99% over 30d",scope="tokyo"}'
        values: '0x238 1x242'
      - series: 'doorbuster_build_info{plan="shop"}'
        values: '1x360 _x120'
      - series: 'doorbuster_evaluated_timestamp_seconds{plan="shop"}'
        values: '0+15x240 3600x240'
      - series: 'doorbuster_region_silent{plan="shop",region="london"}'
        values: '0x100 1x380'
      - series: 'doorbuster_region_silent{plan="shop",region="tokyo"}'
        values: '0x160 1x320'
    alert_rule_test:
      - { eval_time: 58m, alertname: DoorbusterBudgetBurn, exp_alerts: [] }
      - eval_time: 61m
        alertname: DoorbusterBudgetBurn
        exp_alerts:
          - exp_labels: { severity: page, rule: page-14.4, plan: shop, scope: global, objective: "checkout availability 99.99% over 30d" }
            exp_annotations: { summary: "checkout availability 99.99% over 30d, global: the error budget burns 14.4 times as fast as it may, over 1h and over 5m" }
          - exp_labels: { severity: ticket, rule: ticket-3, plan: shop, scope: global, objective: "checkout availability 99.99% over 30d" }
            exp_annotations: { summary: "checkout availability 99.99% over 30d, global: the error budget burns 3 times as fast as it may, over 6h and over 30m" }
      - { eval_time: 20m, alertname: DoorbusterRegionSilent, exp_alerts: [] }
      - eval_time: 30m
        alertname: DoorbusterRegionSilent
        exp_alerts:
          - exp_labels: { severity: ticket, rule: no-data, plan: shop, region: london }
            exp_annotations: { summary: "london: no probe has reported for too long" }
      - { eval_time: 30m, alertname: DoorbusterAllSilent, exp_alerts: [] }
      - { eval_time: 45m, alertname: DoorbusterRegionSilent, exp_alerts: [] }
      - eval_time: 45m
        alertname: DoorbusterAllSilent
        exp_alerts:
          - exp_labels: { severity: page, rule: no-data, plan: shop }
            exp_annotations: { summary: "no probe of any region has reported for too long" }
      - { eval_time: 61m, alertname: DoorbusterStuck, exp_alerts: [] }
      - eval_time: 80m
        alertname: DoorbusterStuck
        exp_alerts:
          - exp_labels: { severity: page, rule: no-data, plan: shop }
            exp_annotations: { summary: "nothing is evaluated: Doorbuster answers and does nothing else" }
      - { eval_time: 80m, alertname: DoorbusterGone, exp_alerts: [] }
      - eval_time: 110m
        alertname: DoorbusterGone
        exp_alerts:
          - exp_labels: { severity: page, rule: no-data, plan: shop }
            exp_annotations: { summary: "nobody probes: the page of Doorbuster cannot be scraped" }
"#;

fn promtool(folder: &Folder, arguments: &[&str]) -> String {
    let output = Command::new("promtool").args(arguments).current_dir(folder.path("")).output();
    let output = output.expect("promtool starts: cargo xtask test installs it");
    let said =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
    said
}

#[test]
fn rules_are_right_and_fire_when_they_should() {
    if without("promtool") {
        return;
    }
    let folder = Folder::new();
    let plan = folder.write("plan.yaml", PLAN);
    let rules = folder.path("rules.yaml").display().to_string();
    let finished = run(&["slo", "export", &plan, "--prometheus", &rules]);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    // Four windows, two counts, two rules of two objectives, four about silence, two about Doorbuster itself.
    let said = promtool(&folder, &["check", "rules", "rules.yaml"]);
    assert!(said.contains("SUCCESS: 16 rules found"), "{said}");
    folder.write("scenario.yaml", SCENARIO);
    promtool(&folder, &["test", "rules", "scenario.yaml"]);
    let shown = run(&["slo", "export", &plan, "--prometheus", "-"]);
    assert_eq!(shown.stdout, fs::read_to_string(rules).unwrap());
}

#[test]
fn alarms_come_with_what_they_cost() {
    let folder = Folder::new();
    let plan = folder.write("plan.yaml", format!("{PLAN}{EXPORT}"));
    let topic = "arn:aws:sns:eu-west-1:123456789012:page";
    let finished = run(&["slo", "export", &plan, "--cloudwatch", "-", "--page-action", topic]);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let alarms: Value = serde_json::from_str(&finished.stdout).unwrap();
    // One objective in three scopes and one in its own, two rules of three metrics each; two regions and the heartbeat.
    assert_eq!(alarms["MetricAlarms"].as_array().unwrap().len(), 4 * 2 * 3 + 3);
    let composite = alarms["CompositeAlarms"].as_array().unwrap();
    assert_eq!(composite.len(), 4 * 2 + 5);
    let page = composite.iter().find(|alarm| alarm["AlarmName"] == "doorbuster shop / page").unwrap();
    assert_eq!(page["AlarmActions"][0], topic);
    assert_eq!(page["AlarmRule"].as_str().unwrap().matches("ALARM(").count(), 4);
    assert!(
        finished.stderr.contains("custom metrics, 1 requests a minute, 27 alarms, 13 composite alarms: some")
    );
    assert!(finished.stderr.contains("USD a month (us-east-1, "), "{}", finished.stderr);
}

#[test]
fn an_objective_about_one_region_has_alarms_there_alone() {
    let folder = Folder::new();
    // Only who knows the plan's regions can tell this word from a journey's name.
    let text = PLAN.replace("checkout availability", "tokyo availability");
    let plan = folder.write("plan.yaml", format!("{text}{EXPORT}"));
    let finished = run(&["slo", "export", &plan, "--cloudwatch", "-"]);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let alarms: Value = serde_json::from_str(&finished.stdout).unwrap();
    let alarms = alarms["MetricAlarms"].as_array().unwrap();
    let of_scopes = |scope: &str| {
        let is_of = |alarm: &&Value| {
            let dimensions = alarm["Dimensions"].as_array().unwrap();
            dimensions.iter().any(|one| one["Name"] == "Scope" && one["Value"] == scope)
        };
        alarms.iter().filter(is_of).count()
    };
    assert_eq!(["global", "tokyo", "london"].map(of_scopes), [0, 2 * 2 * 3, 0]);
}

#[test]
fn what_cannot_be_exported_is_told_with_a_remedy() {
    let folder = Folder::new();
    let unknown = folder.write("unknown.yaml", PLAN.replace("checkout availability", "chekout availability"));
    let plain = PLAN.split("slo:").next().unwrap();
    let (plan, without_slo) = (folder.write("plan.yaml", PLAN), folder.write("plain.yaml", plain));
    let narrow = EXPORT.replace("eu-west-1", "eu-west-1, metrics_max: 20");
    let narrow = folder.write("narrow.yaml", format!("{PLAN}{narrow}"));
    let exported = folder.write("exported.yaml", format!("{PLAN}{EXPORT}"));
    for (arguments, expected) in [
        (&[plan.as_str()][..], "--prometheus <FILE>"),
        (&[unknown.as_str(), "--prometheus", "-"], "\"chekout\""),
        (&[without_slo.as_str(), "--prometheus", "-"], "the plan has no `slo`"),
        (&[plan.as_str(), "--cloudwatch", "-"], "the plan has no `export: { cloudwatch: { region: … } }`"),
        (&[plan.as_str(), "--prometheus", "-", "--put"], "--cloudwatch <FILE>"),
        (&[narrow.as_str(), "--cloudwatch", "-"], "metrics_max is 20; raise it"),
        (&[exported.as_str(), "--cloudwatch", "-", "--page-action", "page"], "which is no ARN"),
        (&[plan.as_str(), "--prometheus", "/nowhere/rules.yaml"], "writing /nowhere/rules.yaml"),
    ] {
        let finished = run(&[&["slo", "export"][..], arguments].concat());
        assert_eq!(finished.code, 2, "{arguments:?}: {}", finished.stderr);
        assert!(finished.stderr.contains(expected), "{arguments:?}: {}", finished.stderr);
    }
}

#[test]
fn alarms_are_put_where_they_belong() {
    if without("ministack") {
        return;
    }
    let stack = MiniStack::start();
    let folder = Folder::new();
    let plan = folder.write("plan.yaml", format!("{PLAN}{EXPORT}"));
    let file = folder.path("alarms.json");
    let put = || {
        let output = Command::new(env!("CARGO_BIN_EXE_doorbuster"))
            .args(["slo", "export", &plan, "--put", "--cloudwatch"])
            .arg(&file)
            .args(["--aws-endpoint", &stack.endpoint()])
            .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        assert!(said.contains("put 27 alarms and 13 composite alarms in eu-west-1"), "{said}");
    };
    put();
    let known = stack.alarms("eu-west-1");
    assert_eq!(known.matches("<AlarmName>").count(), 40, "{known}");
    assert!(known.contains("<AlarmName>doorbuster shop / page</AlarmName>"), "{known}");
    assert!(known.contains("<Threshold>14.4</Threshold>"), "{known}");
    // Once more changes nothing.
    put();
    assert_eq!(stack.alarms("eu-west-1").matches("<AlarmName>").count(), 40);
    let written: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(written["MetricAlarms"].as_array().unwrap().len(), 27);
}
