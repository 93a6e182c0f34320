//! What each receiver gets, to the letter, and what becomes of its answers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use super::receiver::{Answer, Received, Receiver};
use super::*;
use crate::notify::NotDelivered;
use crate::notify::document::Document;
use crate::notify::secret::Secret;
use crate::notify::slack::Slack;
use crate::notify::sns::Sns;
use crate::notify::{Kind, alertmanager};

const TAKES: &[Answer] = &[Answer::Says(200, "", "ok")];
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:pages";

/// Sends a notice of this status; what came.
async fn sent(receiver: &Receiver, notifier: &Notifier, status: AlertStatus) -> Received {
    let notice = notice(status);
    assert_eq!(notifier.send(&client(), &message(&notice)).await, Ok(200));
    receiver.received().pop().unwrap()
}

/// The headers of a request, which are these and those that every request has.
fn assert_headers(request: &Received, address: SocketAddr, own: &[(&str, &str)]) {
    let mut expected = BTreeMap::from([
        ("accept".to_owned(), "*/*".to_owned()),
        ("content-length".to_owned(), request.body.len().to_string()),
        ("host".to_owned(), address.to_string()),
        ("user-agent".to_owned(), concat!("Doorbuster/", env!("CARGO_PKG_VERSION")).to_owned()),
    ]);
    expected.extend(own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    assert_eq!(request.headers, expected);
}

fn body(request: &Received) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

/// HMAC as RFC 2104 writes it, over another SHA-256 than the one that signs.
fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let key = if key.len() > 64 { Sha256::digest(key).to_vec() } else { key.to_vec() };
    let padded = |pad: u8| (0..64).map(|at| key.get(at).unwrap_or(&0) ^ pad).collect::<Vec<u8>>();
    let inner = Sha256::digest([padded(0x36), data.to_vec()].concat());
    Sha256::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

#[tokio::test]
async fn alertmanager_gets_labels_and_a_time_that_it_lasts() {
    let receiver = Receiver::start(TAKES).await;
    let notifier = notifier(NotifierKind::Alertmanager { url: receiver.url("/am/") });
    let firing = sent(&receiver, &notifier, AlertStatus::Firing).await;
    assert_eq!((firing.method.as_str(), firing.path.as_str()), ("POST", "/am/api/v2/alerts"));
    assert_headers(&firing, receiver.address, &[("content-type", "application/json")]);
    let labels = json!({
        "alertname": "DoorbusterErrorBudgetBurn",
        "severity": "page",
        "objective": "checkout availability 99.99% over 30d",
        "scope": "tokyo",
        "region": "tokyo",
        "plan": "shop",
        "incident": INCIDENT,
    });
    let expected = json!([{
        "labels": labels,
        "annotations": {
            "summary": "checkout <availability> & more burns its budget 20 times too fast in tokyo",
            "description": "plan: shop\nobjective: checkout availability 99.99% over 30d\nscope: tokyo\n\
                            rule: page-14.4\nbegan: 2026-11-27T00:00:00Z\nburn_long: 20\nfailed: 12",
        },
        "startsAt": "2026-11-27T00:00:00Z",
        "endsAt": "2026-11-27T00:06:00Z",
        "generatorURL": "https://shop.example.com/",
    }]);
    assert_eq!(body(&firing), expected);
    let resolved = body(&sent(&receiver, &notifier, AlertStatus::Resolved).await);
    assert_eq!(resolved[0]["labels"], labels, "the same alert to Alertmanager");
    assert_eq!(resolved[0]["startsAt"], "2026-11-27T00:00:00Z");
    assert_eq!(resolved[0]["endsAt"], "2026-11-27T00:00:30Z");
}

#[test]
fn what_an_alert_does_not_have_is_no_label_of_it() {
    let base = url::Url::parse("http://127.0.0.1/").unwrap();
    let alertmanager = alertmanager::Alertmanager::new(&base).unwrap();
    let (objective, scope, kind) = (None, Scope::Global, NoticeKind::NoData);
    let notice = Notice { objective, scope, kind, severity: Severity::Ticket, ..notice(AlertStatus::Firing) };
    let request = alertmanager.request(&Message { link: None, is_test: true, ..message(&notice) });
    let alerts: Value = serde_json::from_str(&request.unwrap().body).unwrap();
    let labels = json!({
        "alertname": "DoorbusterNoData",
        "severity": "ticket",
        "scope": "global",
        "plan": "shop",
        "incident": notice.incident,
        "test": "true",
    });
    assert_eq!(alerts[0]["labels"], labels);
    assert_eq!(alerts[0].get("generatorURL"), None);
    // A clock that was set back makes no alert that ends before it begins.
    let early = Notice { began_s: NOW_S + 900, status: AlertStatus::Resolved, ..notice.clone() };
    let alert = alertmanager.request(&message(&early)).unwrap().body;
    let alert: Value = serde_json::from_str(&alert).unwrap();
    assert_eq!(alert[0]["startsAt"], alert[0]["endsAt"]);
}

#[tokio::test]
async fn a_webhook_gets_the_document_signed() {
    let receiver = Receiver::start(TAKES).await;
    let url = receiver.url("/hook?team=shop");
    let notifier = notifier(NotifierKind::Webhook { url, secret_env: "HOOK_SECRET".to_owned() });
    let firing = sent(&receiver, &notifier, AlertStatus::Firing).await;
    assert_eq!((firing.method.as_str(), firing.path.as_str()), ("POST", "/hook?team=shop"));
    let signed = [b"1795737660.", firing.body.as_bytes()].concat();
    let key = sha256(&format!("shop|{INCIDENT}/0"));
    let signature = format!("t=1795737660,v1={}", hex(&hmac(b"hunter2-hook", &signed)));
    let own = [
        ("content-type", "application/json"),
        ("idempotency-key", key.as_str()),
        ("x-doorbuster-signature", signature.as_str()),
    ];
    assert_headers(&firing, receiver.address, &own);
    assert_eq!(body(&firing), documented());
    let resolved = sent(&receiver, &notifier, AlertStatus::Resolved).await;
    assert_eq!(resolved.headers["idempotency-key"], sha256(&format!("shop|{INCIDENT}/1")));
    assert_eq!(body(&resolved)["status"], "resolved");
    let again = sent(&receiver, &notifier, AlertStatus::Firing).await;
    assert_eq!(again.headers["idempotency-key"], firing.headers["idempotency-key"]);
}

#[test]
fn plans_that_promise_the_same_share_no_key() {
    let notice = notice(AlertStatus::Firing);
    let (shop, other) = (message(&notice), Message { plan: "other", ..message(&notice) });
    assert_eq!(shop.thread(), format!("shop|{INCIDENT}"));
    assert_ne!(shop.thread(), other.thread());
    assert_ne!(shop.key(), other.key());
}

/// The document that `docs/alerts.md` shows.
fn documented() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/alerts.md");
    let text = std::fs::read_to_string(path).unwrap();
    let example = text.split_once("```json\n").unwrap().1.split_once("```").unwrap().0;
    let mut document: Value = serde_json::from_str(example).unwrap();
    document["doorbuster"] = env!("CARGO_PKG_VERSION").into();
    document
}

#[test]
fn the_document_says_what_there_is_not() {
    let (objective, scope, kind) = (None, Scope::Global, NoticeKind::NoData);
    let notice = Notice { objective, scope, kind, ..notice(AlertStatus::Firing) };
    let message = Message { link: None, is_test: true, ..message(&notice) };
    let document = serde_json::to_value(Document::of(&message)).unwrap();
    for key in ["objective", "region", "rule", "target"] {
        assert_eq!(document[key], Value::Null, "{key}");
    }
    assert_eq!(
        (&document["kind"], &document["scope"], &document["test"]),
        (&json!("no_data"), &json!("global"), &json!(true))
    );
    // Each key is documented.
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&document), keys(&documented()));
}

#[tokio::test]
async fn slack_gets_blocks_of_plain_text() {
    let receiver = Receiver::start(TAKES).await;
    let address = receiver.url("/services/T0/B0/hunter2").to_string();
    let kind = Kind::Slack(Slack::new(&Secret::new(address)).unwrap());
    let notifier = Notifier { name: "slack".to_owned(), kind };
    let firing = sent(&receiver, &notifier, AlertStatus::Firing).await;
    assert_eq!((firing.method.as_str(), firing.path.as_str()), ("POST", "/services/T0/B0/hunter2"));
    assert_headers(&firing, receiver.address, &[("content-type", "application/json")]);
    let title =
        "FIRING (page): checkout &lt;availability&gt; &amp; more burns its budget 20 times too fast in tokyo";
    let text = |text: &str| json!({ "type": "mrkdwn", "text": text });
    let expected = json!({
        "text": title,
        "unfurl_links": false,
        "blocks": [
            { "type": "section", "text": text(&format!(":red_circle: *{title}*")) },
            { "type": "section", "fields": [
                text("*plan*\nshop"),
                text("*objective*\ncheckout availability 99.99% over 30d"),
                text("*scope*\ntokyo"),
                text("*rule*\npage-14.4"),
                text("*began*\n2026-11-27T00:00:00Z"),
                text("*burn_long*\n20"),
                text("*failed*\n12"),
            ] },
            { "type": "context", "elements": [text(&format!("incident {INCIDENT}"))] },
        ],
    });
    assert_eq!(body(&firing), expected);
    let resolved = body(&sent(&receiver, &notifier, AlertStatus::Resolved).await);
    let light = resolved["blocks"][0]["text"]["text"].as_str().unwrap();
    assert!(light.starts_with(":large_green_circle: *RESOLVED (page): "), "{light}");
}

#[test]
fn nothing_that_slack_gets_is_too_long_for_it() {
    let mut notice = notice(AlertStatus::Firing);
    notice.summary = "&".repeat(5_000);
    notice.details = (0..100).map(|number| (format!("<{number}>"), "&".repeat(5_000))).collect();
    let slack = Slack::new(&Secret::new("https://hooks.example.com/x")).unwrap();
    let document = slack.request(&message(&notice)).unwrap().body;
    let document: Value = serde_json::from_str(&document).unwrap();
    let blocks = document["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50);
    assert!(blocks[0]["text"]["text"].as_str().unwrap().chars().count() <= 3_000);
    for fields in blocks.iter().filter_map(|block| block["fields"].as_array()) {
        assert!(fields.len() <= 10);
        assert!(fields.iter().all(|field| field["text"].as_str().unwrap().chars().count() <= 2_000));
    }
    for broken in ["", "hooks.slack.com/x", "ftp://hooks.slack.com/x", "mailto:x"] {
        assert!(Slack::new(&Secret::new(broken)).is_err(), "{broken}");
    }
}

#[tokio::test]
async fn pagerduty_gets_events_of_one_incident() {
    let receiver = Receiver::start(&[Answer::Says(200, "", "")]).await;
    let url = Some(receiver.url("/v2/enqueue"));
    let notifier = notifier(NotifierKind::PagerDuty { routing_key_env: "PD_KEY".to_owned(), url });
    let firing = sent(&receiver, &notifier, AlertStatus::Firing).await;
    assert_eq!((firing.method.as_str(), firing.path.as_str()), ("POST", "/v2/enqueue"));
    assert_headers(&firing, receiver.address, &[("content-type", "application/json")]);
    let expected = json!({
        "routing_key": "hunter2-pagerduty",
        "event_action": "trigger",
        "dedup_key": sha256(&format!("shop|{INCIDENT}")),
        "client": "Doorbuster",
        "client_url": "https://shop.example.com/",
        "payload": {
            "summary": "checkout <availability> & more burns its budget 20 times too fast in tokyo",
            "source": "shop",
            "severity": "critical",
            "timestamp": "2026-11-27T00:00:30Z",
            "component": "checkout availability 99.99% over 30d",
            "group": "tokyo",
            "class": "burn",
            "custom_details": {
                "plan": "shop",
                "objective": "checkout availability 99.99% over 30d",
                "scope": "tokyo",
                "rule": "page-14.4",
                "began": "2026-11-27T00:00:00Z",
                "burn_long": "20",
                "failed": "12",
            },
        },
    });
    assert_eq!(body(&firing), expected);
    let resolved = body(&sent(&receiver, &notifier, AlertStatus::Resolved).await);
    assert_eq!(resolved["event_action"], "resolve");
    assert_eq!(resolved["dedup_key"], expected["dedup_key"]);
}

/// The signature of a request, computed from what came.
fn signature(request: &Received) -> String {
    let authorization = &request.headers["authorization"];
    let part = |name: &str| {
        let (_, rest) = authorization.split_once(name).unwrap();
        rest.split(',').next().unwrap().to_owned()
    };
    let (scope, names) = (part("Credential=AKIDEXAMPLE/"), part("SignedHeaders="));
    let lines: String = names.split(';').map(|name| format!("{name}:{}\n", request.headers[name])).collect();
    let payload = hex(&Sha256::digest(request.body.as_bytes()));
    let canonical = format!("{}\n{}\n\n{lines}\n{names}\n{payload}", request.method, request.path);
    let digest = hex(&Sha256::digest(canonical.as_bytes()));
    let at = &request.headers["x-amz-date"];
    let to_sign = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{digest}");
    let key = scope.split('/').fold(b"AWS4hunter2-aws".to_vec(), |key, part| hmac(&key, part.as_bytes()));
    let signature = hex(&hmac(&key, to_sign.as_bytes()));
    format!("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={names}, Signature={signature}")
}

fn topic(receiver: &Receiver, arn: &str) -> Notifier {
    let spec = notifier(NotifierKind::Sns { topic_arn: arn.to_owned(), region: "eu-west-1".to_owned() });
    let Kind::Sns(_, environment) = spec.kind else { panic!("another kind") };
    let sns = Sns::new(arn, "eu-west-1", Some(&receiver.url("/"))).unwrap();
    Notifier { name: "sns".to_owned(), kind: Kind::Sns(sns, environment) }
}

fn form(request: &Received) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(request.body.as_bytes()).into_owned().collect()
}

#[tokio::test]
async fn sns_gets_a_signed_form() {
    let receiver = Receiver::start(TAKES).await;
    let request = sent(&receiver, &topic(&receiver, TOPIC), AlertStatus::Firing).await;
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/"));
    let authorization = signature(&request);
    assert!(
        authorization.contains(
            "/20261127/eu-west-1/sns/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token"
        ),
        "{authorization}"
    );
    let own = [
        ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
        ("x-amz-date", "20261127T000100Z"),
        ("x-amz-security-token", "hunter2-session"),
        ("authorization", authorization.as_str()),
    ];
    assert_headers(&request, receiver.address, &own);
    let form = form(&request);
    let keys: Vec<&str> = form.keys().map(String::as_str).collect();
    assert_eq!(keys, ["Action", "Message", "MessageStructure", "Subject", "TopicArn", "Version"]);
    assert_eq!((form["Action"].as_str(), form["Version"].as_str()), ("Publish", "2010-03-31"));
    assert_eq!((form["TopicArn"].as_str(), form["MessageStructure"].as_str()), (TOPIC, "json"));
    let subject = "FIRING (page): checkout <availability> & more burns its budget 20 times too fast in tokyo";
    assert_eq!(form["Subject"], subject);
    let texts: Value = serde_json::from_str(&form["Message"]).unwrap();
    let text = texts["default"].as_str().unwrap();
    assert!(text.starts_with(&format!("{subject}\n\nplan: shop\n")), "{text}");
    assert!(text.ends_with(&format!("failed: 12\nincident: {INCIDENT}\n")), "{text}");
    for protocol in ["http", "https", "lambda", "sqs", "firehose"] {
        let document: Value = serde_json::from_str(texts[protocol].as_str().unwrap()).unwrap();
        assert_eq!(document, documented(), "{protocol}");
    }
}

#[tokio::test]
async fn a_fifo_topic_gets_groups_and_drops_duplicates() {
    let receiver = Receiver::start(TAKES).await;
    let notifier = topic(&receiver, &format!("{TOPIC}.fifo"));
    let of = |form: BTreeMap<String, String>| {
        (form["MessageGroupId"].clone(), form["MessageDeduplicationId"].clone())
    };
    let firing = of(form(&sent(&receiver, &notifier, AlertStatus::Firing).await));
    let group = sha256(&format!("shop|{INCIDENT}"));
    assert_eq!(firing, (group.clone(), sha256(&format!("shop|{INCIDENT}/0"))));
    assert_eq!(of(form(&sent(&receiver, &notifier, AlertStatus::Firing).await)), firing);
    let resolved = of(form(&sent(&receiver, &notifier, AlertStatus::Resolved).await));
    assert_eq!(resolved, (group, sha256(&format!("shop|{INCIDENT}/1"))));
}

#[tokio::test]
async fn a_subject_is_short_and_plain() {
    let receiver = Receiver::start(TAKES).await;
    let notice = Notice { summary: format!("東京\n{}", "x".repeat(200)), ..notice(AlertStatus::Firing) };
    let message = Message { is_test: true, ..message(&notice) };
    assert_eq!(topic(&receiver, TOPIC).send(&client(), &message).await, Ok(200));
    let subject = form(&receiver.only())["Subject"].clone();
    assert!(subject.starts_with("TEST FIRING (page): ?? xxx") && subject.len() == 100, "{subject}");
}

#[tokio::test]
async fn aws_tells_of_passing_failures_with_400() {
    let receiver = Receiver::start(&[
        Answer::Says(
            400,
            "",
            "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code></Error></ErrorResponse>",
        ),
        Answer::Says(403, "", "<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>"),
        Answer::Says(400, "", "<ErrorResponse><Error><Code>InvalidParameter</Code></Error></ErrorResponse>"),
        Answer::Says(
            403,
            "",
            "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>",
        ),
    ])
    .await;
    let (notifier, notice) = (topic(&receiver, TOPIC), notice(AlertStatus::Firing));
    let mut are_passing = Vec::new();
    for _ in 0..4 {
        let answer = notifier.send(&client(), &message(&notice)).await.unwrap_err();
        are_passing.push(matches!(answer, NotDelivered::Retry { .. }));
    }
    assert_eq!(are_passing, [true, true, false, true], "whoever mends the credentials gets the page");
}

#[tokio::test]
async fn without_credentials_nothing_is_sent_to_aws() {
    let sns = Sns::new(TOPIC, "eu-west-1", None).unwrap();
    let kind = Kind::Sns(sns, Environment::of(&[("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")]));
    let notifier = Notifier { name: "sns".to_owned(), kind };
    let notice = notice(AlertStatus::Firing);
    let NotDelivered::Retry { why, .. } = notifier.send(&client(), &message(&notice)).await.unwrap_err()
    else {
        panic!("refused");
    };
    assert!(why.contains("AWS_SECRET_ACCESS_KEY is not set"), "{why}");
}

fn webhook(url: url::Url) -> Notifier {
    notifier(NotifierKind::Webhook { url, secret_env: "HOOK_SECRET".to_owned() })
}

#[tokio::test]
async fn each_answer_means_what_it_means() {
    let receiver = Receiver::start(&[
        Answer::Says(500, "", "oops"),
        Answer::Says(429, "Retry-After: 7\r\n", "slow down, hunter2-hook"),
        Answer::Resets,
        Answer::Hangs,
        Answer::Says(400, "", "hunter2-hook is not\nwhat I expect"),
        Answer::Says(301, "Location: /elsewhere\r\n", ""),
        Answer::Says(204, "", ""),
    ])
    .await;
    let (notifier, notice) = (webhook(receiver.url("/hook")), notice(AlertStatus::Firing));
    let mut answers = Vec::new();
    for _ in 0..7 {
        answers.push(notifier.send(&client(), &message(&notice)).await);
    }
    assert_eq!(answers[0], Err(NotDelivered::passing("answered 500: oops")));
    let slow = NotDelivered::Retry { why: "answered 429: slow down, …".to_owned(), after_s: Some(7) };
    assert_eq!(answers[1], Err(slow));
    assert!(matches!(answers[2], Err(NotDelivered::Retry { after_s: None, .. })), "{:?}", answers[2]);
    let late = NotDelivered::passing("sending and its answer took over 500ms");
    assert_eq!(answers[3], Err(late));
    let refused = NotDelivered::Refused("answered 400: … is not what I expect".to_owned());
    assert_eq!(answers[4], Err(refused));
    assert!(
        matches!(&answers[5], Err(NotDelivered::Retry { why, .. }) if why.contains("redirects are not followed"))
    );
    assert_eq!(answers[6], Ok(204));
    let keys: Vec<String> =
        receiver.received().iter().map(|request| request.headers["idempotency-key"].clone()).collect();
    assert_eq!(keys, vec![keys[0].clone(); 7], "nothing was sent twice, and nothing elsewhere");
}

#[tokio::test]
async fn an_endless_answer_is_not_waited_for() {
    let receiver = Receiver::start(&[Answer::Floods(400), Answer::Floods(200)]).await;
    let (notifier, notice) = (webhook(receiver.url("/hook")), notice(AlertStatus::Firing));
    let client = client();
    let began = Instant::now();
    let NotDelivered::Refused(why) = notifier.send(&client, &message(&notice)).await.unwrap_err() else {
        panic!("not refused");
    };
    assert!(why.starts_with("answered 400: xxx") && why.chars().count() < 230, "{why}");
    assert_eq!(notifier.send(&client, &message(&notice)).await, Ok(200));
    assert!(began.elapsed() < Duration::from_millis(450), "{:?}", began.elapsed());
}

#[tokio::test]
async fn nobody_there_is_a_failure_that_names_no_address() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let slack = Slack::new(&Secret::new(format!("http://{free}/services/hunter2"))).unwrap();
    let notifier = Notifier { name: "slack".to_owned(), kind: Kind::Slack(slack) };
    let notice = notice(AlertStatus::Firing);
    let answer = notifier.send(&client(), &message(&notice)).await.unwrap_err();
    let NotDelivered::Retry { why, after_s: None } = &answer else { panic!("{answer:?}") };
    assert!(why.contains("refused") && !why.contains("hunter2"), "{why}");
}

#[tokio::test]
async fn a_letter_to_nobody_is_refused() {
    let notifiers = notifiers(webhook(url::Url::parse("http://127.0.0.1:1/").unwrap()));
    let answer = notifiers.send("gone", &notice(AlertStatus::Firing), false).await;
    assert_eq!(answer, Err(NotDelivered::Refused("the plan has no notifier \"gone\" any more".to_owned())));
}

#[test]
fn all_missing_variables_are_told_with_their_places() {
    let plan = "name: shop\njourneys: [browse]\nload: { arrivals: [{ hold: 1/s, for: 1s }] }\nalerts:\n  notify:\n  \
                - { slack: { url_env: SLACK_URL } }\n  - { webhook: \"http://127.0.0.1/\", secret_env: HOOK }\n  \
                - { slack: { url_env: NO_URL } }\n";
    let plan = doorbuster_model::Plan::read("plan.yaml", plan).unwrap();
    let environment = Environment::of(&[("NO_URL", "hunter2")]);
    let told = Notifiers::new("plan.yaml", &plan, &environment, None, client()).err().unwrap();
    let expected = "plan.yaml:6:5: the notifier \"slack\": the variable SLACK_URL is not set in this environment, or empty\n\
                    plan.yaml:7:5: the notifier \"webhook\": the variable HOOK is not set in this environment, or empty\n\
                    plan.yaml:8:5: the notifier \"slack-2\": the variable NO_URL: it holds no http:// or https:// address";
    assert_eq!((told.to_string().as_str(), told.exit_code()), (expected, 2));
}
