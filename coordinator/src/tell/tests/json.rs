//! The JSON report, key by key.

use serde_json::{Value, json};

use super::{nothing_answered, three_regions};
use crate::tell::report::{Report, report};

fn told() -> Value {
    serde_json::to_value(report(&three_regions())).unwrap()
}

/// Asserts that `value` has all of `keys`, given with spaces between.
fn has(value: &Value, keys: &str) {
    let object = value.as_object().unwrap_or_else(|| panic!("{value} is no object with {keys}"));
    for key in keys.split_whitespace() {
        assert!(object.contains_key(key), "{key} is missing beside {:?}", object.keys().collect::<Vec<_>>());
    }
}

const DISTRIBUTION: &str = "p50 p90 p95 p99 p99_9 p99_99 max mean";
const EXCHANGES: &str = "requests requests_sent errors errors_by_class errors_by_layer statuses business_failures bytes_wire \
                         bytes_decoded decoded_sampled latency_ms service_ms queue_ms";

fn has_exchanges(value: &Value) {
    has(value, EXCHANGES);
    has(&value["errors_by_class"], "dns connect tls timeout reset protocol status expectation body");
    has(&value["errors_by_layer"], "edge balancer origin generator");
    for distribution in ["latency_ms", "service_ms", "queue_ms"] {
        has(&value[distribution], DISTRIBUTION);
    }
}

fn has_steps(steps: &Value, names: &str) {
    has(steps, names);
    for step in steps.as_object().unwrap().values() {
        has_exchanges(step);
        has(&step["page_ms"], DISTRIBUTION);
        for part in ["assets", "hops"] {
            has(&step[part], "requests errors latency_ms");
            has(&step[part]["latency_ms"], DISTRIBUTION);
        }
    }
}

fn has_every_key(report: &Value, regions: &str) {
    has(report, "schema run verdict reasons validity global regions phases timeline cdn thresholds slo");
    has(&report["run"], "id name job started_at finished_at seed doorbuster");
    has(
        &report["validity"],
        "arrivals_planned arrivals_started arrivals_late journeys_cut schedule_lag_ms agents_planned agents_lost \
         ticks_missing clock_offset_ms",
    );
    has(&report["validity"]["schedule_lag_ms"], "p50 p99 max");
    has(&report["regions"], regions);
    for figures in report["regions"].as_object().unwrap().values().chain([&report["global"]]) {
        has_exchanges(figures);
        has(figures, "steps journeys counters");
        has_steps(&figures["steps"], "browse/home checkout/home product pay");
        for (journey, steps) in [("browse", "home product"), ("checkout", "home pay")] {
            has(&figures["journeys"][journey], "started completed failed cut steps");
            has_steps(&figures["journeys"][journey]["steps"], steps);
        }
    }
    for phase in report["phases"].as_array().unwrap() {
        has(phase, "name from_s to_s kind warmup requests errors arrivals_planned latency_ms");
    }
    has(&report["cdn"], "declared classes regions pops unclassified findings findings_not_kept");
    has(&report["cdn"]["regions"], regions);
    let regions = report["cdn"]["regions"].as_object().unwrap().values();
    for classes in regions.chain([&report["cdn"]]).map(|scope| &scope["classes"]) {
        for class in ["private", "static", "html", "unclassified"] {
            let keys = "requests hits misses refresh_hits hit_ratio bytes_wire bytes_decoded text_bytes_wire text_bytes_decoded savings never_cached lowest_second";
            has(&classes[class], keys);
            has(&classes[class]["hit_layers"], "edge regional shield other");
        }
    }
    has(&report["slo"], "objective good total budget_spent");
}

#[test]
fn every_key_of_the_contract_is_there() {
    let report = told();
    has_every_key(&report, "tokyo london new-york");
    assert_eq!(report["schema"], "doorbuster.report/1");
    for row in report["timeline"].as_array().unwrap() {
        has(row, "second region requests errors p50 p95 p99 arrivals_planned arrivals_started hits misses");
    }
    for reason in report["reasons"].as_array().unwrap() {
        has(reason, "kind message region");
    }
    for threshold in report["thresholds"].as_array().unwrap() {
        has(threshold, "rule observed ok");
    }
}

#[test]
fn every_key_is_there_when_nothing_was_counted() {
    let report = serde_json::to_value(report(&nothing_answered())).unwrap();
    has_every_key(&report, "tokyo");
    let global = &report["global"];
    assert_eq!(global["latency_ms"]["max"], Value::Null);
    assert_eq!(global["latency_ms"]["mean"], Value::Null);
    assert_eq!(global["requests_per_s"], Value::Null);
    assert_eq!(report["cdn"]["classes"]["static"]["hit_ratio"], Value::Null);
    assert_eq!(report["cdn"]["classes"]["static"]["savings"], Value::Null);
    assert_eq!(report["slo"]["budget_spent"], Value::Null);
}

#[test]
fn counts_are_those_of_the_tallies() {
    let report = told();
    let (london, global) = (&report["regions"]["london"], &report["global"]);
    // Four steps of 300, 400 assets, 2 hops; london 8 failures and 1 cut more.
    assert_eq!(london["requests"], 1_611);
    assert_eq!(global["requests"], 1_602 * 3 + 9);
    assert_eq!(london["errors"], 8);
    assert_eq!(london["errors_by_class"]["status"], 5);
    assert_eq!(london["errors_by_class"]["timeout"], 1);
    assert_eq!(london["business_failures"], 2);
    assert_eq!(london["cut"], 1);
    assert_eq!(london["statuses"], json!({ "200": 1_602, "302": 2, "503": 5 }));
    // 10 s of load, though the run took 12.5 s.
    assert_eq!(london["requests_per_s"], 161.1);
    assert_eq!(london["decoded_sampled"], 400);
    assert_eq!(global["counters"], json!({ "connections_limited": 9 }));
}

#[test]
fn a_step_is_its_main_requests_and_the_rest_stands_apart() {
    let report = told();
    let steps = &report["regions"]["tokyo"]["steps"];
    assert_eq!(steps["browse/home"]["requests"], 300);
    assert_eq!(steps["browse/home"]["assets"]["requests"], 400);
    assert_eq!(steps["browse/home"]["page_ms"]["count"], 300);
    assert_eq!(steps["checkout/home"]["assets"]["requests"], 0);
    assert_eq!(steps["pay"]["hops"]["requests"], 2);
    let journeys = &report["regions"]["tokyo"]["journeys"];
    assert_eq!(journeys["browse"]["steps"]["home"], steps["browse/home"]);
    assert_eq!(journeys["checkout"]["steps"]["pay"], steps["pay"]);
    assert_eq!(journeys["browse"]["completed"], 290);
}

#[test]
fn milliseconds_have_three_decimals_and_unsupported_percentiles_are_null() {
    let report = told();
    let latency = &report["regions"]["tokyo"]["steps"]["product"]["latency_ms"];
    // 50 ms + n × 0.101 ms for n below 300.
    assert_eq!(latency["max"], 80.199);
    assert_eq!(latency["mean"], 65.1);
    assert_eq!(latency["count"], 300);
    assert!(latency["p95"].is_number());
    assert_eq!(latency["p99"], Value::Null);
    let text = serde_json::to_string(&report).unwrap();
    assert!(text.contains("80.199") && !text.contains("80.1990"));
}

#[test]
fn ratios_and_the_budget_come_from_counts() {
    let report = told();
    let assets = &report["cdn"]["classes"]["static"];
    assert_eq!((&assets["hits"], &assets["misses"]), (&json!(900), &json!(300)));
    assert_eq!(assets["hit_ratio"], 0.75);
    assert_eq!(assets["savings"], 0.75);
    assert_eq!((&assets["bytes_wire"], &assets["bytes_decoded"]), (&json!(2_400_000), &json!(9_600_000)));
    let texts = (&assets["text_bytes_wire"], &assets["text_bytes_decoded"]);
    assert_eq!(texts, (&json!(1_200_000), &json!(4_800_000)), "every other one is of the sample");
    assert_eq!(report["cdn"]["classes"]["html"]["savings"], Value::Null, "nothing says that it is text");
    assert_eq!(report["cdn"]["classes"]["html"]["hit_ratio"], Value::Null);
    assert_eq!((&assets["requests"], &assets["first_misses"]), (&json!(1_200), &json!(30)));
    let slo = &report["slo"];
    assert_eq!(slo["objective"], 0.9999);
    assert_eq!((&slo["good"], &slo["total"]), (&json!(4_806), &json!(4_814)));
    let spent = slo["budget_spent"].as_f64().unwrap();
    assert!((spent - 8.0 / (4_814.0 * 0.0001)).abs() < 1e-9, "{spent}");
}

#[test]
fn the_edge_is_told_by_region_class_and_edge_location() {
    let cdn = &told()["cdn"];
    assert_eq!(cdn["declared"], false);
    let tokyo = &cdn["regions"]["tokyo"]["classes"]["static"];
    assert_eq!(
        (&tokyo["requests"], &tokyo["hits"], &tokyo["hit_ratio"]),
        (&json!(400), &json!(300), &json!(0.75))
    );
    // The first two of the four seconds are warm-up, and the fourth is lower than the third.
    let lowest = |hits, lookups| json!({ "second": 3, "hits": hits, "lookups": lookups, "hit_ratio": 0.6 });
    assert_eq!(tokyo["lowest_second"], lowest(45, 75));
    assert_eq!(cdn["classes"]["static"]["lowest_second"], lowest(135, 225));
    assert_eq!(cdn["classes"]["html"]["lowest_second"], Value::Null, "three look-ups say nothing");
    let never = ["private", "static"].map(|class| cdn["classes"][class]["never_cached"].as_bool());
    assert_eq!(never, [Some(true), Some(false)]);
    let pops: Vec<_> = cdn["pops"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!([row["region"], row["pop"], row["city"]]))
        .collect();
    assert_eq!(
        pops,
        [
            json!(["tokyo", "NRT57", "Tokyo"]),
            json!(["london", "LHR50", "London"]),
            json!(["new-york", "JFK52", "New York"])
        ]
    );
    assert_eq!((&cdn["pops"][0]["class"], &cdn["pops"][0]["hits"]), (&json!("static"), &json!(300)));
    let layers = json!({ "edge": 900, "regional": 0, "shield": 0, "other": 0 });
    assert_eq!(cdn["classes"]["static"]["hit_layers"], layers);
    assert_eq!(cdn["unclassified"], json!({ "/pay": 6 }));
    let layers = &told()["regions"]["london"]["errors_by_layer"];
    assert_eq!(*layers, json!({ "edge": 0, "balancer": 5, "origin": 2, "generator": 0 }));
}

#[test]
fn findings_have_what_the_contract_lists_and_what_to_change() {
    let told = told();
    let findings = told["cdn"]["findings"].as_array().unwrap();
    for finding in findings {
        has(
            finding,
            "rule severity region pop url evidence count class layer status asked answered first_s last_s condition remedy",
        );
    }
    let hit = &findings[0];
    assert_eq!((&hit["rule"], &hit["severity"]), (&json!("private-hit"), &json!("critical")));
    assert_eq!((&hit["region"], &hit["pop"], &hit["count"]), (&json!("london"), &json!("LHR50"), &json!(37)));
    assert_eq!((&hit["first_s"], &hit["last_s"], &hit["status"]), (&json!(3.2), &json!(7.9), &json!(200)));
    assert_eq!((&hit["class"], &hit["layer"]), (&json!("private"), &json!("edge")));
    assert_eq!(hit["url"], "https://shop.example.com/cart");
    let evidence = "GET https://shop.example.com/cart: 200, X-Cache: Hit from cloudfront, Age: 5";
    assert_eq!(hit["evidence"], evidence);
    assert_eq!(hit["answered"], json!(["Server: nginx", "X-Cache: Hit from cloudfront", "Age: 5"]));
    let rate = &findings[3];
    assert_eq!((&rate["rule"], &rate["pop"], &rate["url"]), (&json!("hit-ratio"), &Value::Null, &json!("")));
    assert_eq!(rate["evidence"], "hits: 300 of 400 look-ups (75.00 %), promised > 95%");
    assert_eq!((&rate["first_s"], &rate["status"]), (&Value::Null, &Value::Null));
    assert_eq!(told["cdn"]["findings_not_kept"], 2);
    let reason = told["reasons"].as_array().unwrap().iter().find(|reason| reason["kind"] == "cdn").unwrap();
    assert_eq!((&reason["region"], &reason["invalidates"]), (&json!("london"), &json!(false)));
    let message = reason["message"].as_str().unwrap();
    assert!(
        message.contains("(private, api <b>, 40 times)") && message.contains("CachingDisabled"),
        "{message}"
    );
}

#[test]
fn phases_are_the_sections_and_share_the_requests_out() {
    let report = told();
    let phases = report["phases"].as_array().unwrap();
    let shape: Vec<_> =
        phases.iter().map(|phase| json!([phase["name"], phase["from_s"], phase["to_s"]])).collect();
    assert_eq!(
        shape,
        [json!(["ramp", 0.0, 2.0]), json!(["ramp", 2.0, 4.0]), json!(["doors-open", 4.0, 10.0])]
    );
    assert_eq!((&phases[0]["warmup"], &phases[1]["warmup"]), (&json!(true), &json!(false)));
    let planned: Vec<_> = phases.iter().map(|phase| phase["arrivals_planned"].as_u64().unwrap()).collect();
    assert_eq!(planned, [50, 150, 600]);
    let requests: u64 = phases.iter().map(|phase| phase["requests"].as_u64().unwrap()).sum();
    assert_eq!(Some(requests), report["global"]["requests"].as_u64());
}

#[test]
fn validity_sums_regions_and_takes_the_worst_clock() {
    let validity = &told()["validity"];
    assert_eq!(validity["arrivals_planned"], 1_800);
    assert_eq!(validity["arrivals_started"], 1_800);
    assert_eq!((&validity["agents_planned"], &validity["agents_lost"]), (&json!(3), &json!(1)));
    assert_eq!(validity["ticks_missing"], 3);
    assert_eq!(validity["journeys_cut"], 6);
    assert_eq!(validity["clock_offset_ms"], 1.235);
    assert_eq!(validity["schedule_lag_ms"]["max"], 0.999);
}

#[test]
fn failures_come_with_an_example_and_the_most_frequent_first() {
    let report = told();
    let failures = report["failures"].as_array().unwrap();
    let counts: Vec<_> = failures.iter().map(|row| json!([row["class"], row["count"]])).collect();
    assert_eq!(counts, [json!(["status", 5]), json!(["expectation", 2]), json!(["timeout", 1])]);
    assert_eq!(failures[0]["region"], "london");
    assert_eq!((&failures[0]["journey"], &failures[0]["step"]), (&json!("checkout"), &json!("pay")));
}

#[test]
fn a_journey_that_is_listed_twice_is_one() {
    let mut outcome = three_regions();
    outcome.names.journeys[1] = outcome.names.journeys[0].clone();
    let report = report(&outcome);
    let tokyo = &report.regions["tokyo"];
    assert_eq!(tokyo.steps.keys().collect::<Vec<_>>(), ["home", "product"]);
    assert_eq!(tokyo.steps["home"].exchanges.requests, 600);
    assert_eq!(tokyo.journeys["browse"].started, 600);
}

#[test]
fn a_report_can_be_read_again() {
    let report = report(&three_regions());
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    assert!(text.find("\"tokyo\":{") < text.find("\"london\":{"), "regions keep the plan's order");
}
