use std::path::PathBuf;
use std::time::Duration;

use doorbuster_model::Overrides;
use doorbuster_model::plan::Function;
use doorbuster_model::preflight::Rows;

use super::quota::{Deployed, Quota};
use super::*;
use crate::prepare::Source;

/// 9 s of thinking, and 4 answers of 0.25 s.
const SALE: &str = "journey: sale\nsteps:\n  - { step: home, get: / }\n  - { think: 5s..13s }\n  - { step: product, get: /p }\n  - { step: cart, get: /cart }\n  - { step: pay, get: /pay }\n";
/// The same with a second for the assets of a page.
const PAGES: &str = "journey: pages\nsteps:\n  - { step: home, get: /, assets: true }\n  - { think: 5s..13s }\n  - { step: product, get: /p }\n  - { step: cart, get: /cart }\n  - { step: pay, get: /pay }\n";
const MACHINE: Machine = Machine { descriptors_max: 20_000 };
const EDGE: &str = "d111111abcdef8.cloudfront.net";

/// A plan that is only looked at, of a target with these regions and this load.
fn prepared(target: &str, regions: &str, journey: &str, load: &str, allowed: &[&str]) -> Prepared {
    let text = format!(
        "name: friday\ntarget: {target}\nregions: {regions}\njourneys: [{journey}]\nload: {load}\nfleet: {{ architecture: arm64 }}\n"
    );
    let files = [("sale.yaml", SALE), ("pages.yaml", PAGES)];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let source =
        Source { name: "plan.yaml".to_owned(), folder: PathBuf::from("/nowhere"), text, files: files.into() };
    let allow_hosts = allowed.iter().map(|host| (*host).to_owned()).collect();
    let overrides = Overrides { allow_hosts, ..Overrides::default() };
    Prepared::to_look_at(source, overrides, Task::Load, &[]).unwrap()
}

/// What AWS said of the account, and of nothing else.
fn asked<const N: usize>(quotas: [(String, Result<Quota, String>); N]) -> Asked {
    Asked { quotas: quotas.into(), ..Asked::default() }
}

/// Half a million shoppers for an hour from functions: one region has too few, and of one the quota is not known.
pub(crate) fn a_sale_from_functions() -> Preflight {
    let regions = "{ tokyo: { aws: ap-northeast-1, launch: lambda, agents: 278 }, london: { aws: eu-west-2, launch: lambda, agents: 270 } }";
    let load = "{ shoppers: [{ hold: 500000, for: 1h }] }";
    let prepared = prepared(&format!("https://{EDGE}"), regions, "sale.yaml", load, &[EDGE]);
    let known = Quota { concurrent: 1_000, unreserved: Some(900) };
    let quotas = [
        ("ap-northeast-1".to_owned(), Ok(known)),
        ("eu-west-2".to_owned(), Err("no credentials for AWS were found".to_owned())),
    ];
    examine(&prepared, MACHINE, &asked(quotas), Some(100.0))
}

/// 500 journeys a second from this machine to itself.
pub(crate) fn a_sale_from_here() -> Preflight {
    let load = "{ arrivals: [{ hold: 500/s, for: 10m }] }";
    let mut prepared =
        prepared("http://127.0.0.1:8080", "{ tokyo: { agents: 2 }, london: {} }", "pages.yaml", load, &[]);
    prepared.walks[0].rows = vec![Rows { file: "users.csv".to_owned(), count: 300_000, stops: true }];
    examine(&prepared, MACHINE, &Asked::default(), None)
}

/// Of each line: what it is about and how it is.
fn statuses(preflight: &Preflight) -> Vec<(&str, &str, Status)> {
    let lines = preflight.checks.iter();
    lines.map(|check| (check.name, check.about.as_deref().unwrap_or(""), check.status)).collect()
}

/// The line about something.
fn line<'a>(preflight: &'a Preflight, name: &str) -> &'a Check {
    preflight.checks.iter().find(|check| check.name == name).unwrap()
}

/// One region's load on a host that was named, from this machine.
fn elsewhere(target: &str, load: &str) -> Preflight {
    let host = target.split('/').nth(2).unwrap();
    let prepared = prepared(target, "[tokyo]", "sale.yaml", load, &[host]);
    examine(&prepared, MACHINE, &Asked::default(), None)
}

#[test]
fn half_a_million_shoppers_from_functions() {
    let sale = a_sale_from_functions();
    assert_eq!(
        statuses(&sale),
        [
            ("host", EDGE, Status::Ok),
            ("shoppers", "", Status::Ok),
            ("connections", "tokyo", Status::Ok),
            ("connections", "london", Status::Refuse),
            ("generations", "tokyo", Status::Ok),
            ("generations", "london", Status::Ok),
            ("quota", "ap-northeast-1", Status::Ok),
            ("quota", "eu-west-2", Status::Warning),
            ("clock", "", Status::Ok),
            ("bandwidth", "", Status::Warning),
            ("cloudfront", EDGE, Status::Ok),
            ("cost", "", Status::Refuse),
        ]
    );
    let told = |number: usize| sale.checks[number].told();
    assert_eq!(told(2), "connections, tokyo: 900 an agent, of 900 that an environment of a function holds");
    assert_eq!(
        told(3),
        "connections, london: 926 an agent, of 900 that an environment of a function holds; set agents: 278 for london"
    );
    assert_eq!(told(6), "quota, ap-northeast-1: 556 of 1,000 concurrent executions");
    assert!(told(7).contains("unknown: no credentials"), "{}", told(7));
    assert!(told(8).starts_with("clock: not known before agents have started"), "{}", told(8));
    assert!(told(7).contains("eu-west-2 allows 540 concurrent executions"), "{}", told(7));
    // 50,000 walks a second of 4 answers of 38 kB each.
    assert!(told(9).contains("60.8 Gbit/s") && told(9).contains("https://aws.amazon.com/ec2/testing/"));
    assert!(
        told(10).contains("200,000/s of 250,000/s requests and 60.8 Gbit/s of 150 Gbit/s"),
        "{}",
        told(10)
    );
    assert!(told(11).contains("--max-cost is 100.00 USD"), "{}", told(11));
    assert!(matches!(sale.allows(), Err(Error::Refused { lines: 2 })));
    assert_eq!((sale.status(), sale.regions[0].part.generations), (Status::Refuse, 5));
}

#[test]
fn a_run_on_this_machine_that_fits_has_nothing_to_say() {
    let sale = a_sale_from_here();
    assert!(sale.checks.iter().all(|check| check.status == Status::Ok), "{:#?}", sale.checks);
    assert!(sale.allows().is_ok() && sale.items.is_empty());
    // 500/s × 11 s, of which the first of two regions has half, over two agents.
    assert_eq!((sale.crowd.shoppers_max, sale.regions[0].part.shoppers_per_agent), (5_500, 1_375));
    assert!(line(&sale, "shoppers").says.contains("500/s who stay 11.0 s each, 9.00 of them thinking"));
    assert_eq!(line(&sale, "host").says, "this machine");
    assert_eq!(line(&sale, "data").says, "300,000 rows for 300,000 shoppers");
    assert!(
        sale.checks.iter().all(|check| !matches!(check.name, "bandwidth" | "quota" | "clock" | "cloudfront"))
    );
}

#[test]
fn descriptors_of_this_machine_bound_what_its_agents_hold() {
    let of = |load: &str| {
        let prepared = prepared("http://127.0.0.1:1", "[tokyo]", "pages.yaml", load, &[]);
        examine(&prepared, MACHINE, &Asked::default(), None)
    };
    let told = |load: &str| {
        let preflight = of(load);
        let check = line(&preflight, "connections");
        (check.status, check.told())
    };
    let (status, few) = told("{ shoppers: [{ hold: 3328, for: 60s }] }");
    assert_eq!((status, few.contains("3,328 to 19,968 an agent, of 19,968")), (Status::Ok, true), "{few}");
    let (status, some) = told("{ shoppers: [{ hold: 3329, for: 60s }] }");
    assert!(
        status == Status::Warning && some.contains("set agents: 2 for tokyo, or raise the limit"),
        "{some}"
    );
    let (status, many) = told("{ shoppers: [{ hold: 19969, for: 60s }] }");
    assert!(status == Status::Refuse && many.contains("set agents: 2 for tokyo"), "{many}");
    // Where the number of shoppers is an estimate, nothing is refused for it.
    let (status, _) = told("{ arrivals: [{ hold: 5000/s, for: 60s }] }");
    assert_eq!(status, Status::Warning);
    let (status, bounded) =
        told("{ arrivals: [{ hold: 5000/s, for: 60s }], connections: shared, max_connections: 100 }");
    assert_eq!((status, bounded.contains(" 100 an agent")), (Status::Ok, true), "{bounded}");
}

#[test]
fn a_stranger_is_refused_in_the_words_of_every_run() {
    let load = "{ arrivals: [{ hold: 10/s, for: 10s }] }";
    let refused = prepared("https://shop.example.com", "[tokyo]", "sale.yaml", load, &[]);
    let preflight = examine(&refused, MACHINE, &Asked::default(), None);
    let host = line(&preflight, "host");
    let words = format!("{}: {}", host.says, host.change.as_deref().unwrap());
    assert_eq!(words, Error::NotAllowed { host: "shop.example.com".to_owned() }.to_string());
    assert!(preflight.allows().is_err());
    let few = prepared("https://shop.example.com", "[tokyo]", "sale.yaml", &load.replace("10/s", "2/s"), &[]);
    let few = examine(&few, MACHINE, &Asked::default(), None);
    assert_eq!(line(&few, "host").says, "gets at most 10 requests/s, which anybody may send");
    let named = elsewhere("https://shop.example.com", load);
    assert_eq!((line(&named, "host").says.as_str(), named.status()), ("named by --allow-host", Status::Ok));
    let mut nowhere = refused;
    nowhere.plan.target = None;
    let nowhere = examine(&nowhere, MACHINE, &Asked::default(), None);
    assert!(line(&nowhere, "host").told().contains("add --target URL"));
}

#[test]
fn what_aws_takes_for_a_stress_test_is_told_with_its_thresholds() {
    let of = |load: &str| {
        let preflight = elsewhere("https://shop.example.com", load);
        let check = line(&preflight, "bandwidth");
        (check.status, check.told())
    };
    // 822.4 walks/s of 4 answers of 38 kB are 1 Gbit/s.
    let (status, told) = of("{ arrivals: [{ hold: 822/s, for: 10m }] }");
    assert!(status == Status::Ok && told.contains("1.00 Gbit/s of answers"), "{told}");
    let (status, _) = of("{ arrivals: [{ spike: 2000/s, for: 60s }] }");
    assert_eq!(status, Status::Ok, "no longer than a minute");
    let (status, told) = of("{ arrivals: [{ hold: 823/s, for: 61s }] }");
    assert!(status == Status::Warning && told.contains("over that for 61.0 s"), "{told}");
    let (status, told) = of("{ arrivals: [{ spike: 20600/s, for: 1s }] }");
    assert!(
        status == Status::Warning && told.contains("25.0 Gbit/s") && told.contains("forbidden"),
        "{told}"
    );
}

#[test]
fn limits_before_the_target_are_those_of_what_it_is() {
    let of = |target: &str, load: &str, name: &str| {
        let preflight = elsewhere(target, load);
        let check = line(&preflight, name);
        (check.status, check.told())
    };
    let edge = format!("https://{EDGE}");
    let (status, told) = of(&edge, "{ arrivals: [{ spike: 62501/s, for: 1s }] }", "cloudfront");
    assert!(status == Status::Warning && told.contains("ask for higher quotas"), "{told}");
    let balancer = "http://shop-1.eu-west-2.elb.amazonaws.com";
    // 2,500 new connections a second; 25,000 open ones; 2,500 × 4 × 38 kB × 3,600 s an hour.
    let (status, told) = of(balancer, "{ arrivals: [{ spike: 2500/s, for: 60s }] }", "balancer");
    assert!(status == Status::Warning && told.contains("reserve 1,368 capacity units"), "{told}");
    let (status, _) = of(balancer, "{ arrivals: [{ hold: 100/s, for: 60s }] }", "balancer");
    assert_eq!(status, Status::Ok);
}

#[test]
fn a_quota_is_held_against_both_generations() {
    let quota_of = |quota: Result<Quota, String>| {
        let regions = "{ a: { aws: eu-west-2, launch: lambda, agents: 10 }, b: { aws: eu-west-2, launch: lambda, agents: 5 } }";
        let load = "{ arrivals: [{ hold: 10/s, for: 20m }] }";
        let prepared = prepared("http://127.0.0.1:1", regions, "sale.yaml", load, &[]);
        let quotas = [("eu-west-2".to_owned(), quota)];
        let preflight = examine(&prepared, MACHINE, &asked(quotas), None);
        let check = line(&preflight, "quota");
        (check.status, check.told())
    };
    let quota = |concurrent, unreserved| Ok(Quota { concurrent, unreserved });
    assert_eq!(quota_of(quota(30, None)).0, Status::Ok);
    let (status, told) = quota_of(quota(29, Some(29)));
    assert!(
        status == Status::Refuse && told.contains("30 concurrent executions are needed, and 29"),
        "{told}"
    );
    assert!(told.contains("L-B99A9384"), "{told}");
    let (status, told) = quota_of(quota(100, Some(20)));
    assert!(status == Status::Warning && told.contains("reserve 30 for the agents' function"), "{told}");
    let (status, told) = quota_of(Err("access denied".to_owned()));
    assert!(status == Status::Warning && told.contains("unknown: access denied"), "{told}");
}

#[test]
fn what_keeps_all_quotas_unknown_is_said_once() {
    let regions = "{ a: { aws: eu-west-2, launch: lambda, agents: 4 }, b: { aws: us-east-1, launch: lambda, agents: 5 }, c: { aws: ap-northeast-1, launch: lambda } }";
    let load = "{ arrivals: [{ hold: 10/s, for: 60s }] }";
    let prepared = prepared("http://127.0.0.1:1", regions, "sale.yaml", load, &[]);
    let unknown = |aws: &str| (aws.to_owned(), Err("no credentials".to_owned()));
    let known = ("ap-northeast-1".to_owned(), Ok(Quota { concurrent: 10, unreserved: None }));
    let quotas = [unknown("eu-west-2"), unknown("us-east-1"), known];
    let preflight = examine(&prepared, MACHINE, &asked(quotas), None);
    let told: Vec<String> =
        preflight.checks.iter().filter(|check| check.name == "quota").map(Check::told).collect();
    assert_eq!(
        told,
        [
            "quota, ap-northeast-1: 1 of 10 concurrent executions",
            "quota, eu-west-2, us-east-1: unknown: no credentials; let it read them (lambda:GetAccountSettings), or see that eu-west-2 allows 4, us-east-1 allows 5 concurrent executions",
        ]
    );
}

/// Functions of 20 minutes in eu-west-2, for a plan that says so of them, where this is deployed.
fn with_deployed(
    fleet: impl FnOnce(&mut doorbuster_model::plan::Fleet),
    told: Option<Deployed>,
) -> Preflight {
    let regions = "{ a: { aws: eu-west-2, launch: lambda, agents: 24 } }";
    let load = "{ arrivals: [{ hold: 10/s, for: 20m }] }";
    let mut prepared = prepared("http://127.0.0.1:1", regions, "sale.yaml", load, &[]);
    prepared.plan.fleet.arm64 = None;
    fleet(&mut prepared.plan.fleet);
    let known = Quota { concurrent: 1_000, unreserved: Some(900) };
    let functions = [("eu-west-2".to_owned(), Ok(told))].into();
    let asked = Asked { functions, ..asked([("eu-west-2".to_owned(), Ok(known))]) };
    examine(&prepared, MACHINE, &asked, None)
}

#[test]
fn what_is_deployed_is_held_against_the_plan() {
    let large = Function { memory_mb: 10_240, arm64: true };
    let deployed = Some(Deployed { function: large, reserved: None });
    let silent = with_deployed(|_| {}, deployed);
    assert_eq!(
        line(&silent, "function").told(),
        "function, eu-west-2: doorbuster-agent has 10,240 MB on arm64"
    );
    assert_eq!(line(&silent, "function").status, Status::Ok);
    // 24 × (1,200 s, two starts of 20 s, a drain of 90 s and an end of 10 s) × 10 GB, and pennies.
    let compute = silent.items.iter().find(|item| item.what == "Lambda compute").unwrap();
    assert!((compute.quantity - 24.0 * 1_340.0 * 10.0).abs() < 1e-6, "{}", compute.quantity);
    assert!((compute.price.usd - 1.333_34e-5).abs() < 1e-12);
    let says = |fleet: &mut doorbuster_model::plan::Fleet| {
        (fleet.memory_mb, fleet.arm64) = (Some(1_769), Some(false));
        fleet.stack = "second".to_owned();
    };
    let other = with_deployed(says, deployed);
    assert_eq!(line(&other, "function").status, Status::Warning);
    assert_eq!(
        line(&other, "function").told(),
        "function, eu-west-2: second-agent has 10,240 MB on arm64, and the plan says 1,769 MB on x86-64; `doorbuster fleet up --memory 1769 --region eu-west-2 --stack second` changes that, or say memory: 10240 in the plan; `doorbuster fleet update --zip FILE --region eu-west-2 --stack second` installs a zip for x86-64, or say architecture: arm64 in the plan"
    );
    let none = with_deployed(|_| {}, None);
    let told = line(&none, "function").told();
    assert_eq!(line(&none, "function").status, Status::Refuse);
    assert!(told.contains("`doorbuster fleet up --zip FILE --region eu-west-2` makes it"), "{told}");
}

#[test]
fn what_a_function_has_for_itself_is_all_that_it_gets() {
    let function = Function { memory_mb: 1_769, arm64: false };
    let of = |reserved| {
        let preflight = with_deployed(|_| {}, Some(Deployed { function, reserved }));
        (line(&preflight, "quota").status, line(&preflight, "quota").told())
    };
    // Two generations of 24.
    let (status, told) = of(Some(47));
    assert_eq!(
        (status, told.as_str()),
        (
            Status::Refuse,
            "quota, eu-west-2: 48 concurrent executions are needed, and 47 are reserved for it; lower `agents`, or reserve more: `doorbuster fleet up --concurrency 48 --region eu-west-2`"
        )
    );
    assert_eq!(of(Some(48)).0, Status::Ok);
    assert!(of(None).1.contains("48 of 1,000 concurrent executions"));
}

#[test]
fn credentials_that_end_before_the_run_are_told() {
    let regions = "{ a: { aws: eu-west-2, launch: lambda } }";
    let load = "{ arrivals: [{ hold: 10/s, for: 20m }] }";
    let mut prepared = prepared("http://127.0.0.1:1", regions, "sale.yaml", load, &[]);
    let told = |prepared: &Prepared, left_s: Option<u64>| {
        let asked = Asked { credentials_left: left_s.map(Duration::from_secs), ..Asked::default() };
        let preflight = examine(prepared, MACHINE, &asked, None);
        let check = preflight.checks.iter().find(|check| check.name == "credentials");
        check.map(|check| (check.status, check.told()))
    };
    // 30 s until agents are ready, and 10 s until the last have ended.
    let (status, words) = told(&prepared, Some(1_239)).unwrap();
    assert_eq!(status, Status::Warning);
    assert!(words.contains("end in 20m39s, and the run may take 20m40s"), "{words}");
    assert_eq!(told(&prepared, Some(1_240)), None);
    assert_eq!(told(&prepared, None), None, "they never end");
    prepared.task = Task::Probe { every_ms: 60_000 };
    assert_eq!(told(&prepared, Some(60)), None, "nobody knows when a probe ends");
}

#[test]
fn a_relay_says_how_many_are_there_at_once() {
    let told = |launch: &str, generation: Option<u64>| {
        let regions = format!("{{ a: {{ aws: eu-west-2, launch: {launch}, agents: 10 }} }}");
        let load = "{ arrivals: [{ hold: 10/s, for: 20m }] }";
        let mut prepared = prepared("http://127.0.0.1:1", &regions, "sale.yaml", load, &[]);
        prepared.plan.fleet.generation = generation.map(Duration::from_secs);
        let preflight = examine(&prepared, MACHINE, &Asked::default(), None);
        line(&preflight, "generations").told()
    };
    let two = "generations, a: 2 of at most 13m, up to two agents at once for each share";
    assert_eq!(told("lambda", None), two);
    let five = "generations, a: 40 of at most 30s, up to 5 agents at once for each share";
    assert_eq!(told("lambda", Some(30)), five);
    assert_eq!(told("join", Some(30)), format!("{five}, on 50 hosts"));
}

#[test]
fn more_functions_than_start_at_once_need_time() {
    let start_of = |agents: u32| {
        let region = |name: &str| format!("{name}: {{ aws: eu-west-2, launch: lambda, agents: {agents} }}");
        let regions = format!("{{ {} }}", ["a", "b", "c", "d"].map(region).join(", "));
        let load = "{ arrivals: [{ hold: 10/s, for: 60s }] }";
        let prepared = prepared("http://127.0.0.1:1", &regions, "sale.yaml", load, &[]);
        let preflight = examine(&prepared, MACHINE, &Asked::default(), None);
        preflight.checks.iter().find(|check| check.name == "start").map(|check| (check.status, check.told()))
    };
    assert_eq!(start_of(250), None);
    let (status, told) = start_of(251).unwrap();
    assert!(status == Status::Ok && told.contains("1,004 functions take 10s to start"), "{told}");
    let (status, told) = start_of(1_000).unwrap();
    assert!(status == Status::Warning && told.contains("within: 1m"), "{told}");
}

#[test]
fn rows_are_told_where_there_are_too_few() {
    let load = "{ shoppers: [{ hold: 100, for: 60s }] }";
    let mut prepared = prepared("http://127.0.0.1:1", "[tokyo]", "sale.yaml", load, &[]);
    let rows = |count, stops| Rows { file: "users.csv".to_owned(), count, stops };
    let told = |prepared: &Prepared| {
        let preflight = examine(prepared, MACHINE, &Asked::default(), None);
        let check = line(&preflight, "data");
        (check.status, check.told())
    };
    prepared.walks[0].rows = vec![rows(100, false)];
    assert_eq!(told(&prepared).0, Status::Ok);
    prepared.walks[0].rows = vec![rows(99, false)];
    let (status, words) = told(&prepared);
    assert!(status == Status::Warning && words.contains("99 rows for 100 shoppers: rows are used again"));
    prepared.walks[0].rows = vec![rows(99, true)];
    assert!(told(&prepared).1.contains("the others are sent away"));
    prepared.walks[0].weight = 0;
    let preflight = examine(&prepared, MACHINE, &Asked::default(), None);
    assert!(preflight.checks.iter().all(|check| check.name != "data"), "nobody walks it");
}

#[test]
fn a_cost_may_be_as_high_as_was_said() {
    let load = "{ arrivals: [{ hold: 100/s, for: 60s }] }";
    let prepared = prepared(&format!("https://{EDGE}"), "[tokyo]", "sale.yaml", load, &[EDGE]);
    let of = |usd_max| examine(&prepared, MACHINE, &Asked::default(), usd_max);
    let usd = of(None).usd();
    // 24,000 requests, and as many answers of 38 kB.
    let expected = 24_000.0 * 1.2e-6 + 0.912 * 0.114;
    assert!((usd - expected).abs() < 1e-9, "{usd} {expected}");
    assert_eq!((of(Some(usd)).status(), of(Some(usd / 2.0)).status()), (Status::Ok, Status::Refuse));
}

#[test]
fn what_is_not_counted_cannot_be_bounded() {
    let load = "{ arrivals: [{ hold: 100/s, for: 60s }] }";
    let of = |launch: &str, usd_max| {
        let regions = format!("{{ a: {{ aws: eu-west-2, launch: {launch} }} }}");
        let prepared = prepared("http://127.0.0.1:1", &regions, "sale.yaml", load, &[]);
        let preflight = examine(&prepared, MACHINE, &Asked::default(), usd_max);
        (line(&preflight, "cost").status, line(&preflight, "cost").told())
    };
    let (status, told) = of("ec2", Some(1.0));
    assert!(status == Status::Warning && told.contains("--max-cost cannot bound"), "{told}");
    assert!(told.contains("`doorbuster fleet up --agents-ec2 0`"), "{told}");
    assert_eq!((of("ec2", None).0, of("join", Some(1.0)).0), (Status::Ok, Status::Ok));
}
