use std::collections::BTreeMap;

use super::*;
use crate::Plan;
use crate::plan::{Function, Responses};

/// A plan with these regions and this load.
fn plan(regions: &str, load: &str, more: &str) -> Plan {
    let text = format!(
        "name: x\ntarget: https://shop.example.com\nregions: {regions}\njourneys: [browse]\nload: {load}\n{more}"
    );
    Plan::read("plan.yaml", &text).unwrap()
}

/// A journey whose shopper thinks for so long.
fn walk(think_s: f64, requests: f64, pages: f64) -> Walk {
    let (journey, rows) = ("browse".to_owned(), Vec::new());
    Walk { journey, weight: 1, think_s, pacing_s: 0.0, requests, pages, requests_max: 4, rows }
}

fn close(observed: f64, expected: f64) {
    assert!((observed - expected).abs() <= expected.abs() * 1e-6, "{observed} is not {expected}");
}

#[test]
fn shoppers_of_the_open_model_are_those_who_came_while_one_stays() {
    // 9 s of thinking and 4 answers of 0.25 s.
    let walks = [walk(9.0, 4.0, 0.0)];
    let steady = plan("[a]", "{ arrivals: [{ hold: 500/s, for: 10m }] }", "");
    let crowd = Crowd::of(&steady.load, &walks);
    assert_eq!((crowd.arrivals, crowd.shoppers_max), (Some(300_000), 5_000));
    close(crowd.stay_s(), 10.0);
    close(crowd.answering(), 0.1);
    close(crowd.requests, 1_200_000.0);
    close(crowd.requests_per_s_max, 2_000.0);
    close(crowd.bits_per_s_max(), 2_000.0 * 38_000.0 * 8.0);
    // A spike is over before the first of it leave: 2 s of it, and 8 s of what was before.
    let spike = plan("[a]", "{ arrivals: [{ hold: 10/s, for: 60s }, { spike: 1000/s, for: 2s }] }", "");
    assert_eq!(Crowd::of(&spike.load, &walks).shoppers_max, 2_080);
    let few = plan("[a]", "{ arrivals: [{ hold: 10/s, for: 10s }] }", "");
    assert_eq!(Crowd::of(&few.load, &[walk(3_600.0, 1.0, 0.0)]).shoppers_max, 100, "never more than come");
    assert_eq!(Crowd::of(&few.load, &[walk(0.0, 0.0, 0.0)]).shoppers_max, 1);
}

#[test]
fn journeys_count_by_their_weights() {
    let heavy = Walk { weight: 3, ..walk(8.0, 4.0, 1.0) };
    let load = plan("[a]", "{ arrivals: [{ hold: 1/s, for: 10s }] }", "").load;
    let crowd = Crowd::of(&load, &[heavy, walk(0.0, 8.0, 0.0)]);
    close(crowd.think_s, 6.0);
    // 3 × (4 × 0.25 s + 1 s) + 8 × 0.25 s, over 4.
    close(crowd.answers_s, 2.0);
    close(crowd.requests_per_walk, (3.0 * 74.0 + 8.0) / 4.0);
}

#[test]
fn shoppers_of_the_closed_model_come_again_when_their_pacing_is_over() {
    let load = plan("[a]", "{ shoppers: [{ hold: 1000, for: 60s }] }", "").load;
    let quick = Crowd::of(&load, &[walk(9.0, 4.0, 0.0)]);
    assert_eq!((quick.arrivals, quick.shoppers_max), (None, 1_000));
    close(quick.requests_per_s_max, 400.0);
    let paced = Crowd::of(&load, &[Walk { pacing_s: 20.0, ..walk(9.0, 4.0, 0.0) }]);
    close(paced.walks_per_s_max, 50.0);
    close(paced.requests, 12_000.0);
}

#[test]
fn how_long_a_rate_is_exceeded_is_exact() {
    let plan =
        plan("[a]", "{ arrivals: [{ ramp: [0/s, 1000/s], over: 100s }, { hold: 900/s, for: 7s }] }", "");
    let (pace, crowd) = (&plan.load.pace, Crowd::of(&plan.load, &[walk(9.0, 4.0, 0.0)]));
    // 1 Gbit/s are 822.368 walks/s of 4 answers of 38 kB.
    close(crowd.seconds_over(pace, EARLIER_BITS_PER_S), 17.763_157_894 + 7.0);
    close(crowd.seconds_over(pace, 0.0), 107.0);
    close(crowd.seconds_over(pace, SHAPED_BITS_PER_S), 0.0);
}

#[test]
fn half_a_million_shoppers_need_556_environments() {
    assert_eq!((agents_for(500_000), agents_for(900), agents_for(901)), (556, 1, 2));
    let load = "{ shoppers: [{ hold: 500000, for: 1h }] }";
    let regions = "{ tokyo: { aws: ap-northeast-1, launch: lambda, agents: 556 } }";
    let plan = plan(regions, load, "");
    let walks = [walk(60.0, 4.0, 0.0)];
    let part = &parts(&plan, &Crowd::of(&plan.load, &walks), &walks)[0];
    assert_eq!((part.shoppers_max, part.shoppers_per_agent), (500_000, 900));
    assert_eq!(part.connections, Connections { least: 900, most: 900 });
    // 4 of 13 minutes and one of 8, each with 20 s before it, 90 s after all but the last, and 10 s after that.
    assert_eq!((part.generations, part.agents_at_once), (5, 1_112));
    close(part.runs_s, 3_600.0 + 5.0 * 20.0 + 4.0 * 90.0 + 10.0);
}

#[test]
fn short_generations_overlap_more_than_twice() {
    let at_once = |launch: &str, generation: &str, length: &str| {
        let load = format!("{{ arrivals: [{{ hold: 10/s, for: {length} }}] }}");
        let regions = format!("{{ a: {{ aws: eu-west-2, launch: {launch}, agents: 4 }} }}");
        let plan = plan(&regions, &load, &format!("fleet: {{ generation: {generation} }}\n"));
        let walks = [walk(9.0, 4.0, 0.0)];
        parts(&plan, &Crowd::of(&plan.load, &walks), &walks)[0].agents_at_once
    };
    // 20 s before, 90 s after: 140 s of each 30 s, 110 s more than a generation of 110 s.
    assert_eq!(at_once("lambda", "30s", "1h"), 5 * 4);
    assert_eq!(at_once("lambda", "60s", "1h"), 3 * 4);
    assert_eq!((at_once("lambda", "109s", "1h"), at_once("lambda", "110s", "1h")), (3 * 4, 2 * 4));
    assert_eq!(at_once("lambda", "30s", "60s"), 2 * 4, "never more than there are");
    assert_eq!(at_once("lambda", "30s", "30s"), 4);
    // 3 s before, where nobody has to begin cold.
    assert_eq!((at_once("join", "31s", "1h"), at_once("join", "30s", "1h")), (4 * 4, 5 * 4));
}

#[test]
fn shares_are_exact_and_connections_are_those_that_shoppers_keep() {
    let regions = "{ a: { share: 2, agents: 3 }, b: {}, c: { share: 0 } }";
    let load = |more: &str| format!("{{ shoppers: [{{ hold: 1000, for: 60s }}]{more} }}");
    let walks = [walk(9.0, 4.0, 1.0)];
    let parts_of = |more: &str, http: &str| {
        let plan = plan(regions, &load(more), http);
        parts(&plan, &Crowd::of(&plan.load, &walks), &walks)
    };
    let kept = parts_of("", "");
    let shoppers: Vec<(u64, u64)> =
        kept.iter().map(|part| (part.shoppers_max, part.shoppers_per_agent)).collect();
    assert_eq!(shoppers, [(667, 223), (333, 333), (0, 0)]);
    assert_eq!((kept[0].generations, kept[0].agents_at_once), (1, 3));
    let of = |more: &str, http: &str| parts_of(more, http)[1].connections;
    assert_eq!(of("", ""), Connections { least: 333, most: 1_998 });
    assert_eq!(of("", "http: { version: \"2\" }\n"), Connections { least: 333, most: 333 });
    // 2 of 11 s are spent waiting for answers.
    assert_eq!(of(", connections: per-page", ""), Connections { least: 61, most: 366 });
    let shared = of(", connections: shared, max_connections: 50", "");
    assert_eq!(shared, Connections { least: 50, most: 50 });
}

#[test]
fn an_hour_of_556_small_arm64_functions_costs_about_46_dollars() {
    let function = plan("[a]", "{ shoppers: [{ hold: 1, for: 60s }] }", "fleet: { architecture: arm64 }\n")
        .fleet
        .function();
    let work = Work { runs_s: 556.0 * 3_600.0, invocations: 556.0 * 5.0, length_s: 3_600.0, requests: 1e7 };
    let of = |function, responses, aws: &str, what: &str| {
        let items = work.items(function, responses, aws);
        items.iter().filter(|item| item.what == what).map(Item::usd).sum::<f64>()
    };
    let usd = |what: &str| of(function, Responses::Streamed, "eu-west-2", what);
    // 556 × 3,600 s × 1,769 ÷ 1,024 GB × 0.0000133334 USD.
    close(usd("Lambda compute"), 46.104_793);
    close(usd("Lambda invocations"), 0.000_556);
    // 10 kB a second, without 6 MB of each invocation.
    close(usd("Lambda response streaming"), (20.016 - 16.68) * 0.008);
    close(usd("S3 objects read"), (1_000_800.0 + 111_200.0) * 4e-7);
    close(usd("S3 objects written"), (2_780.0 + 1_800.0) * 5e-6);
    close(usd("transfer out of AWS"), 10.0 * 0.09);
    close(of(function, Responses::Streamed, "ap-northeast-1", "transfer out of AWS"), 10.0 * 0.114);
    close(of(function, Responses::Streamed, "af-south-1", "transfer out of AWS"), 10.0 * 0.154);
    let whole = |what: &str| of(Function { arm64: false, ..function }, Responses::Whole, "eu-west-2", what);
    close(whole("Lambda compute"), 57.630_818);
    close(whole("Lambda response streaming"), 0.0);
}

#[test]
fn what_is_deployed_is_what_costs() {
    let regions = "{ a: { aws: eu-west-2, launch: lambda }, b: { aws: us-east-1, launch: lambda }, c: { aws: us-east-1, launch: lambda } }";
    let plan = plan(regions, "{ arrivals: [{ hold: 30/s, for: 60s }] }", "");
    let walks = [walk(9.0, 4.0, 0.0)];
    let crowd = Crowd::of(&plan.load, &walks);
    let parts = parts(&plan, &crowd, &walks);
    let gb_s = |deployed: &BTreeMap<String, Function>| {
        let items = cost(&plan, &crowd, &parts, deployed);
        let compute = items.iter().filter(|item| item.what == "Lambda compute");
        compute.map(|item| (item.price.usd, item.quantity)).collect::<Vec<_>>()
    };
    // 60 s, with 20 s before and 10 s after.
    let planned = gb_s(&BTreeMap::new());
    assert_eq!(planned.len(), 1);
    close(planned[0].1, 3.0 * 90.0 * 1_769.0 / 1_024.0);
    let large = Function { memory_mb: 10_240, arm64: true };
    let deployed = gb_s(&BTreeMap::from([("us-east-1".to_owned(), large)]));
    assert_eq!(deployed.iter().map(|(usd, _)| *usd).collect::<Vec<_>>(), [1.666_67e-5, 1.333_34e-5]);
    close(deployed[0].1, 90.0 * 1_769.0 / 1_024.0);
    close(deployed[1].1, 2.0 * 90.0 * 10.0);
}

#[test]
fn edges_cost_what_they_cost_where_they_stand() {
    let load = "{ arrivals: [{ hold: 1000/s, for: 250s }] }";
    let regions = "{ tokyo: {}, london: { aws: eu-west-2 } }";
    let mut plan = plan(regions, load, "");
    let walks = [walk(9.0, 4.0, 0.0)];
    let crowd = Crowd::of(&plan.load, &walks);
    let parts = parts(&plan, &crowd, &walks);
    assert!(cost(&plan, &crowd, &parts, &BTreeMap::new()).is_empty(), "nobody knows whose edge it is");
    plan.target = Some("https://d111111abcdef8.cloudfront.net/".parse().unwrap());
    let items = cost(&plan, &crowd, &parts, &BTreeMap::new());
    let told: Vec<(&str, f64)> = items.iter().map(|item| (item.what, item.quantity)).collect();
    // A million requests; half a million answers of 38 kB are 19 GB.
    let expected =
        [("CloudFront requests", 1e6), ("CloudFront transfer", 19.0), ("CloudFront transfer", 19.0)];
    assert_eq!(told, expected);
    close(items.iter().map(Item::usd).sum(), 1.2 + 19.0 * 0.114 + 19.0 * 0.085);
    assert!(items.iter().all(|item| item.price.source.starts_with("https://aws.amazon.com/")));
}

#[test]
fn a_balancer_is_measured_by_what_it_has_most_of() {
    close(capacity_units(2_500.0, 3_000.0, 0.0), 100.0);
    close(capacity_units(25.0, 600_000.0, 0.0), 200.0);
    // 1 Gbit/s are 450 GB an hour.
    close(capacity_units(25.0, 3_000.0, 1e9), 450.0);
    let looks = |target: &str| looks_like_balancer(&target.parse().unwrap());
    assert!(looks("http://shop-1.eu-west-2.elb.amazonaws.com/") && !looks("https://shop.example.com"));
}
