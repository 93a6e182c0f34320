use super::*;
use crate::Plan;

const PLAN: &str = "name: shop\njourneys: [browse]\nload: { arrivals: [{ hold: 1/s, for: 1s }] }\nalerts:\n";

fn read(section: &str) -> Result<Alerts, String> {
    Plan::read("plan.yaml", &format!("{PLAN}{section}"))
        .map(|plan| plan.alerts)
        .map_err(|faults| faults.to_string())
}

#[test]
fn everybody_who_can_be_told_is_read() {
    let alerts = read(
        r#"  notify:
    - { alertmanager: "http://127.0.0.1:9093" }
    - { webhook: "https://example.com/hook?team=shop", secret_env: HOOK_SECRET }
    - { slack: { url_env: SLACK_URL } }
    - { pagerduty: { routing_key_env: PD_KEY } }
    - { sns: { topic_arn: "arn:aws:sns:eu-west-1:123456789012:pages.fifo", region: eu-west-1 } }
    - { slack: { url_env: OTHER }, name: managers }
    - { slack: { url_env: THIRD } }
    - { alertmanager: "https://example.com/am" }
    - { pagerduty: { routing_key_env: PD_KEY, url: "https://events.eu.pagerduty.com/v2/enqueue" } }
  maintenance: [{ from: 2026-11-27T00:00:00Z, to: 2026-11-27T02:00:00Z, reason: "deploy" }]
"#,
    )
    .unwrap();
    let url = |text: &str| Url::parse(text).unwrap();
    let kinds: Vec<NotifierKind> = alerts.notify.iter().map(|spec| spec.kind.clone()).collect();
    let slack = |variable: &str| NotifierKind::Slack { url_env: variable.to_owned() };
    let pagerduty = |url| NotifierKind::PagerDuty { routing_key_env: "PD_KEY".to_owned(), url };
    assert_eq!(
        kinds,
        [
            NotifierKind::Alertmanager { url: url("http://127.0.0.1:9093/") },
            NotifierKind::Webhook {
                url: url("https://example.com/hook?team=shop"),
                secret_env: "HOOK_SECRET".to_owned()
            },
            slack("SLACK_URL"),
            pagerduty(None),
            NotifierKind::Sns {
                topic_arn: "arn:aws:sns:eu-west-1:123456789012:pages.fifo".to_owned(),
                region: "eu-west-1".to_owned()
            },
            slack("OTHER"),
            slack("THIRD"),
            NotifierKind::Alertmanager { url: url("https://example.com/am/") },
            pagerduty(Some(url("https://events.eu.pagerduty.com/v2/enqueue"))),
        ]
    );
    let names: Vec<&str> = alerts.notify.iter().map(|spec| spec.name.as_str()).collect();
    let expected = [
        "alertmanager",
        "webhook",
        "slack",
        "pagerduty",
        "sns",
        "managers",
        "slack-3",
        "alertmanager-2",
        "pagerduty-2",
    ];
    assert_eq!(names, expected);
    assert_eq!((alerts.notify[1].place.line, alerts.notify[1].place.column), (7, 7));
    let deploy = Maintenance { from_s: 1_795_737_600, to_s: 1_795_744_800, reason: "deploy".to_owned() };
    assert_eq!(alerts.maintenance, [deploy]);
}

#[test]
fn a_plan_without_alerts_tells_nobody() {
    let plan = Plan::read("plan.yaml", PLAN.strip_suffix("alerts:\n").unwrap()).unwrap();
    assert_eq!(plan.alerts, Alerts::default());
    assert_eq!(read("  notify: []\n"), Ok(Alerts::default()));
}

#[test]
fn faults_name_place_and_remedy() {
    for (notifier, expected) in [
        (
            "{ slcak: { url_env: X } }",
            "plan.yaml:5:14: unknown key \"slcak\" in a notifier; did you mean \"slack\"?",
        ),
        (
            "{ slcak: { url_env: X } }",
            "a notifier is exactly one of alertmanager, webhook, slack, pagerduty, sns",
        ),
        ("{ slack: { url_evn: X } }", "unknown key \"url_evn\" in slack; did you mean \"url_env\"?"),
        ("{ slack: {} }", "plan.yaml:5:21: slack needs the key \"url_env\""),
        (
            "{ slack: { url_env: X }, sns: { topic_arn: \"arn:aws:sns:eu-west-1:123456789012:p\" } }",
            "exactly one of",
        ),
        ("{ slack: { url_env: X }, secret_env: Y }", "secret_env is what a webhook is signed with"),
        ("{ webhook: \"https://example.com/\" }", "a webhook needs secret_env"),
        ("{ webhook: \"example.com\", secret_env: X }", "this is not a URL (relative URL without a base)"),
        ("{ webhook: \"ftp://example.com/\", secret_env: X }", "begins with http:// or https://"),
        ("{ webhook: \"https://example.com/#x\", secret_env: X }", "holds a fragment"),
        ("{ webhook: \"https://example.com/\", secret_env: 1X }", "expected the name of a variable"),
        ("{ alertmanager: \"http://127.0.0.1:9093/api/v2/alerts\" }", "without /api/v2/alerts"),
        ("{ alertmanager: \"http://127.0.0.1:9093/?a=b\" }", "has no query"),
        ("{ sns: { topic_arn: \"arn:aws:sqs:eu-west-1:123456789012:p\" } }", "expected a topic's ARN"),
        ("{ sns: { topic_arn: \"arn:aws:sns:eu-west-1:12345678901:p\" } }", "expected a topic's ARN"),
        ("{ sns: { topic_arn: \"arn:aws:sns:eu-west-1:123456789012:a b\" } }", "expected a topic's ARN"),
        ("{ sns: { topic_arn: \"arn:aws:sns:evil.com/:123456789012:p\" } }", "expected a topic's ARN"),
        (
            "{ sns: { topic_arn: \"arn:aws:sns:eu-west-1:123456789012:p\", region: eu-west-2 } }",
            "the topic is in eu-west-1, by its ARN, and not in \"eu-west-2\"",
        ),
        ("{ slack: { url_env: X }, name: \"../x\" }", "expected a name of letters"),
    ] {
        let told = read(&format!("  notify: [{notifier}]\n")).unwrap_err();
        assert!(told.contains(expected), "{notifier}:\n{told}\nexpected: {expected}");
    }
    assert!(read("  notfiy: []\n").unwrap_err().contains("unknown key \"notfiy\" in alerts"));
}

#[test]
fn what_may_be_a_secret_is_never_shown() {
    for notifier in [
        "https://hooks.slack.com/services/hunter2",
        "{ slack: \"https://hooks.slack.com/services/hunter2\" }",
        "{ slack: { url_env: \"https://hooks.slack.com/services/hunter2\" } }",
        "{ slack: [\"https://hooks.slack.com/services/hunter2\"] }",
        "{ pagerduty: hunter2-key }",
        "{ pagerduty: { routing_key_env: hunter2-key } }",
        "{ webhook: \"https://me:hunter2@example.com/\", secret_env: X }",
        "{ webhook: \"https://example.com:99999/hunter2\", secret_env: X }",
        "{ webhook: \"https://example.com/\", secret_env: hunter2-secret }",
        "{ alertmanager: \"https://hunter2@example.com/\" }",
    ] {
        let told = read(&format!("  notify: [{notifier}]\n")).unwrap_err();
        assert!(!told.contains("hunter2"), "{notifier}: {told}");
    }
    let credentials = read("  notify: [{ alertmanager: \"https://a:b@example.com/\" }]\n").unwrap_err();
    assert!(credentials.contains("the address holds credentials"), "{credentials}");
}

#[test]
fn nobody_is_told_twice() {
    let twice = "{ slack: { url_env: X } }, { slack: { url_env: X }, name: other }";
    assert!(read(&format!("  notify: [{twice}]\n")).unwrap_err().contains("named twice"));
    let same = "{ slack: { url_env: X } }, { slack: { url_env: Y }, name: slack }";
    let told = read(&format!("  notify: [{same}]\n")).unwrap_err();
    assert!(told.contains("plan.yaml:5:39: a second notifier is called \"slack\""), "{told}");
}

#[test]
fn there_are_limits() {
    let notifiers = |count: usize| {
        let item = |number| format!("{{ slack: {{ url_env: SLACK_{number} }} }}");
        format!("  notify: [{}]\n", (0..count).map(item).collect::<Vec<_>>().join(", "))
    };
    assert_eq!(read(&notifiers(20)).unwrap().notify.len(), 20);
    assert!(read(&notifiers(21)).unwrap_err().contains("at most 20 notifiers"));
    let window = "{ from: 2026-11-27T00:00:00Z, to: 2026-11-27T02:00:00Z, reason: x }, ";
    let windows = |count| format!("  maintenance: [{}]\n", window.repeat(count));
    assert_eq!(read(&windows(100)).unwrap().maintenance.len(), 100);
    assert!(read(&windows(101)).unwrap_err().contains("at most 100 maintenance windows"));
}

#[test]
fn a_window_that_cannot_be_is_refused() {
    let long = format!("from: 2026-11-27T00:00:00Z, to: 2026-11-27T02:00:00Z, reason: {}", "x".repeat(201));
    for (window, expected) in [
        ("from: 2026-11-27T02:00:00Z, to: 2026-11-27T00:00:00Z, reason: x", "ends before it begins"),
        ("from: 2026-11-27T00:00:00Z, to: 2026-11-27T00:00:00Z, reason: x", "ends before it begins"),
        ("from: 2026-11-27T00:00:00Z, to: 2027-11-27T00:00:00Z, reason: x", "at most 31 days"),
        ("from: 2026-11-27T00:00:00, to: 2026-11-27T02:00:00Z, reason: x", "its zone is missing"),
        ("from: yesterday, to: 2026-11-27T02:00:00Z, reason: x", "\"yesterday\" is not a moment"),
        ("from: 2026-11-27T00:00:00Z, reason: x", "needs the key \"to\""),
        ("from: 2026-11-27T00:00:00Z, to: 2026-11-27T02:00:00Z", "needs the key \"reason\""),
        ("from: 2026-11-27T00:00:00Z, to: 2026-11-27T02:00:00Z, reason: \" \"", "1 to 200 characters"),
        (long.as_str(), "1 to 200 characters"),
        ("form: 2026-11-27T00:00:00Z, to: 2026-11-27T02:00:00Z, reason: x", "did you mean \"from\"?"),
    ] {
        let told = read(&format!("  maintenance: [{{ {window} }}]\n")).unwrap_err();
        assert!(told.contains(expected), "{window}: {told}");
    }
}
