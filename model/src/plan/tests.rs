use proptest::prelude::*;

use super::*;

const FRIDAY: &str = r#"
name: friday
target: https://shop.example.com
regions: [tokyo, london, new-york]
journeys:
  - { journey: browse, weight: 70 }
  - { journey: cart, weight: 20 }
  - { journey: checkout, weight: 10 }
load:
  arrivals:
    - { ramp: [10/s, 500/s], over: 2m }
    - { hold: 500/s, for: 10m }
    - { spike: 5000/s, for: 30s, name: doors-open }
warmup: 30s
graceful: 10s
thresholds: ["errors < 0.01%", "home p95 < 200ms", "tokyo checkout p99 < 800ms", "static hit_ratio > 95% during doors-open"]
abort_when: "errors > 20% over 10s"
"#;

#[test]
fn the_contract_s_plan_is_read() {
    let plan = Plan::read("plan.yaml", FRIDAY).unwrap();
    assert_eq!(plan.name, "friday");
    assert_eq!(
        plan.regions.iter().map(|region| region.name.as_str()).collect::<Vec<_>>(),
        ["tokyo", "london", "new-york"]
    );
    assert_eq!(plan.load.pace.arrivals(), 255 * 120 + 500 * 600 + 5_000 * 30);
    assert_eq!(plan.load.pace.phases()[2].name, "doors-open");
    assert_eq!(plan.thresholds.len(), 4);
    assert!(plan.abort_when.is_some());
    assert_eq!((plan.warmup, plan.graceful), (Duration::from_secs(30), Duration::from_secs(10)));
}

fn with(from: &str, to: &str) -> String {
    assert!(FRIDAY.contains(from), "{from}");
    Plan::read("plan.yaml", &FRIDAY.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn faults_name_place_finding_and_remedy() {
    for (from, to, expected) in [
        (
            "warmup:",
            "warmpu:",
            "plan.yaml:14:1: unknown key \"warmpu\" in the plan; did you mean \"warmup\"?",
        ),
        (
            "hold: 500/s",
            "hold: 0/s",
            "plan.yaml:12:15: a rate of 0 sends nothing; give a rate above 0/s, or leave the phase out",
        ),
        (
            "hold: 500/s",
            "hold: 500",
            "plan.yaml:12:15: \"500\" is not a rate (the unit is missing); write for example 500/s, 30/m or 0.5/s",
        ),
        ("for: 10m", "for: 0s", "expected a duration above 0 and at most 24h"),
        ("https://shop.example.com", "shop.example.com", "plan.yaml:3:9: \"shop.example.com\" is not a URL"),
        (
            "weight: 70",
            "wieght: 70",
            "plan.yaml:6:24: unknown key \"wieght\" in a journey of the plan; did you mean \"weight\"?",
        ),
        ("p95 < 200ms", "p95 200ms", "is not a threshold: there is no <"),
        ("[tokyo, london, new-york]", "[tokyo, tokyo]", "the region \"tokyo\" is named twice"),
        ("warmup: 30s", "warmup: 1h", "the warm-up is as long as the whole load"),
        ("name: friday", "name: ../etc", "expected a name of letters"),
        ("arrivals:", "shoppers:", "expected a whole number"),
    ] {
        let message = with(from, to);
        assert!(message.contains(expected), "{to}:\n{message}\nexpected: {expected}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let message =
        Plan::read("p.yaml", "nmae: x\njourneys: []\nload: { arrivals: [], spacing: odd }\n").unwrap_err();
    assert!(message.faults.len() >= 4, "{message}");
}

#[test]
fn the_command_line_stands_over_the_plan() {
    let mut plan = Plan::read("plan.yaml", FRIDAY).unwrap();
    let overrides = Overrides {
        target: Some("http://127.0.0.1:8080".to_owned()),
        seed: Some(7),
        resolve: vec!["shop.example.com:443:127.0.0.1".to_owned()],
        headers: vec![("X-Test".to_owned(), "1".to_owned())],
        allow_hosts: vec!["staging.example.com".to_owned()],
        ..Overrides::default()
    };
    plan.apply(&overrides).unwrap();
    assert_eq!((plan.seed, plan.http.headers.len()), (7, 1));
    let may = |url: &str| plan.may_load(&Url::parse(url).unwrap());
    assert!(
        may("http://127.0.0.1:1") && may("https://shop.example.com") && may("https://staging.example.com")
    );
    assert!(!may("https://shop.example.com:8443") && !may("https://www.example.com"));
    let refused = plan.apply(&Overrides { resolve: vec!["nonsense".to_owned()], ..Overrides::default() });
    assert!(refused.unwrap_err().starts_with("--resolve: \"nonsense\" is not HOST:PORT:ADDRESS"));
}

#[test]
fn http_and_shoppers_are_read() {
    let text = r#"
name: staging
journeys: [browse]
regions: { tokyo: { share: 2, agents: 3 }, london: { target: "http://127.0.0.1:81" } }
http:
  headers: { X-Api-Key: abc }
  basic_auth: { user: shop, password: "p:w" }
  resolve: { "shop.example.com:443": "::1" }
  version: 2
  timeouts: { total: 5s }
  max_body: 8MiB
load: { shoppers: [{ ramp: [1, 100], over: 10s }, { step: [100, 200], for: 5s }], connections: per-page, cookies: keep }
agent_binary: target/release/our-agent
"#;
    let plan = Plan::read("plan.yaml", text).unwrap();
    let agent = plan.agent_binary.as_ref().map(|(place, path)| (place.line, place.column, path.as_str()));
    assert_eq!(agent, Some((13, 15, "target/release/our-agent")));
    assert_eq!(plan.load.model, Model::Closed);
    assert_eq!(plan.load.pace.phases().len(), 3);
    assert_eq!((plan.load.connections, plan.load.cookies), (Connections::PerPage, Cookies::Keep));
    assert_eq!(plan.http.version, HttpVersion::Http2);
    assert_eq!((plan.http.max_body, plan.http.timeouts.total), (8 << 20, Duration::from_secs(5)));
    assert_eq!((plan.regions[0].share, plan.regions[0].agents), (2, 3));
    assert_eq!(plan.target_of(&plan.regions[1]).map(Url::as_str), Some("http://127.0.0.1:81/"));
}

#[test]
fn the_edge_s_promises_are_a_section_of_the_plan() {
    let plain = Plan::read("plan.yaml", FRIDAY).unwrap();
    assert!(!plain.cdn.is_declared && plain.cdn.classes().len() == 3);
    let section = "cdn:\n  classes:\n    - { class: pages, match: [text/html], cached_for: 1m }\n";
    let plan = Plan::read("plan.yaml", &format!("{FRIDAY}{section}")).unwrap();
    assert!(plan.cdn.is_declared);
    assert_eq!(plan.cdn.name_of(plan.cdn.classify("/p/1", b"text/html")), "pages");
    let broken = Plan::read("plan.yaml", &format!("{FRIDAY}{}", section.replace("1m", "soon"))).unwrap_err();
    let expected = "plan.yaml:20:55: \"soon\" is not a duration";
    assert!(broken.to_string().starts_with(expected), "{broken}");
}

proptest! {
    #[test]
    fn no_text_panics(text in "(name|load|arrivals|hold|shoppers|journeys|[:{}\\[\\], \\n-]|[0-9]{1,20}|/s|s){0,40}") {
        let _ = Plan::read("p.yaml", &text);
    }
}
