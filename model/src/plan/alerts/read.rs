//! Reading a plan's `alerts`. No message shows what was found where it may be a secret that was pasted.

use doorbuster_notation::{Fault, Faults, Fields, Kind, Node, parse_time};
use url::Url;

use super::{
    Alerts, MAINTENANCE_LENGTH_MAX_S, MAINTENANCE_MAX, Maintenance, NOTIFIER_KINDS, NOTIFIERS_MAX,
    NotifierKind, NotifierSpec,
};
use crate::plan::name_of;

/// The longest name of a variable.
const VARIABLE_BYTES_MAX: usize = 128;
/// The longest reason of a maintenance window.
const REASON_CHARS_MAX: usize = 200;
/// The longest name of a topic, without `.fifo`.
const TOPIC_BYTES_MAX: usize = 256;

pub(super) fn section(node: &Node, faults: &mut Faults) -> Alerts {
    let Some(mut fields) = faults.keep(Fields::of(node, "alerts")) else { return Alerts::default() };
    let notify = fields.optional("notify").map(|node| notifiers(node, faults)).unwrap_or_default();
    let maintenance = fields.optional("maintenance").map(|node| windows(node, faults)).unwrap_or_default();
    fields.finish(faults);
    Alerts { notify, maintenance }
}

fn notifiers(node: &Node, faults: &mut Faults) -> Vec<NotifierSpec> {
    let Some(items) = faults.keep(node.list("a list of notifiers such as { slack: { url_env: SLACK_URL } }"))
    else {
        return Vec::new();
    };
    if items.len() > NOTIFIERS_MAX {
        faults.add(node.place, format!("a plan has at most {NOTIFIERS_MAX} notifiers"));
    }
    let mut notifiers: Vec<NotifierSpec> = Vec::new();
    for item in items {
        let Some((name, kind)) = notifier(item, faults) else { continue };
        let of_its_kind = notifiers.iter().filter(|earlier| earlier.kind.word() == kind.word()).count();
        let name = name.unwrap_or_else(|| match of_its_kind {
            0 => kind.word().to_owned(),
            earlier => format!("{}-{}", kind.word(), earlier + 1),
        });
        if notifiers.iter().any(|earlier| earlier.name == name) {
            faults.add(item.place, format!("a second notifier is called \"{name}\"; give it another `name`"));
        }
        if notifiers.iter().any(|earlier| earlier.kind == kind) {
            faults.add(item.place, "this notifier is named twice, so it would be told everything twice");
        }
        notifiers.push(NotifierSpec { name, kind, place: item.place });
    }
    notifiers
}

/// A notifier and, where it has one, its name. `None` goes with at least one noted fault.
fn notifier(node: &Node, faults: &mut Faults) -> Option<(Option<String>, NotifierKind)> {
    let mut fields = faults.keep(mapping(node, "a notifier", "{ slack: { url_env: SLACK_URL } }"))?;
    let found: Vec<(&str, &Node)> = NOTIFIER_KINDS
        .into_iter()
        .filter_map(|word| fields.optional(word).map(|value| (word, value)))
        .collect();
    let secret = fields.optional("secret_env");
    let name = fields.optional("name").and_then(|node| faults.keep(name_of(node)));
    fields.finish(faults);
    let [(word, value)] = found[..] else {
        let words = NOTIFIER_KINDS.join(", ");
        faults.add(node.place, format!("a notifier is exactly one of {words}"));
        return None;
    };
    if let Some(secret) = secret.filter(|_| word != "webhook") {
        faults.add(secret.place, "secret_env is what a webhook is signed with; leave it out here");
    }
    let kind = match word {
        "alertmanager" => faults.keep(address(value).and_then(|url| alertmanager(value, url))),
        "webhook" => webhook(value, secret, faults),
        "slack" => slack(value, faults),
        "pagerduty" => pagerduty(value, faults),
        _ => sns(value, faults),
    };
    Some((name, kind?))
}

/// Alertmanager's own address, ending with `/`.
fn alertmanager(node: &Node, mut url: Url) -> Result<NotifierKind, Fault> {
    if url.query().is_some() {
        return Err(Fault::new(node.place, "the address of an Alertmanager has no query; leave it out"));
    }
    if url.path().contains("/api/v") {
        let why = "name Alertmanager itself, without /api/v2/alerts: for example http://127.0.0.1:9093";
        return Err(Fault::new(node.place, why));
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(NotifierKind::Alertmanager { url })
}

fn webhook(node: &Node, secret: Option<&Node>, faults: &mut Faults) -> Option<NotifierKind> {
    let url = faults.keep(address(node));
    let secret_env = match secret {
        Some(secret) => faults.keep(variable(secret)),
        None => {
            let why =
                "a webhook needs secret_env, the name of the variable with the secret that it is signed with";
            faults.add(node.place, why);
            None
        }
    };
    Some(NotifierKind::Webhook { url: url?, secret_env: secret_env? })
}

fn slack(node: &Node, faults: &mut Faults) -> Option<NotifierKind> {
    let mut fields = faults.keep(mapping(node, "slack", "{ url_env: SLACK_URL }"))?;
    let url_env = faults.keep(fields.required("url_env").and_then(variable));
    fields.finish(faults);
    Some(NotifierKind::Slack { url_env: url_env? })
}

fn pagerduty(node: &Node, faults: &mut Faults) -> Option<NotifierKind> {
    let mut fields = faults.keep(mapping(node, "pagerduty", "{ routing_key_env: PAGERDUTY_KEY }"))?;
    let routing_key_env = faults.keep(fields.required("routing_key_env").and_then(variable));
    let url = fields.optional("url").and_then(|node| faults.keep(address(node)));
    fields.finish(faults);
    Some(NotifierKind::PagerDuty { routing_key_env: routing_key_env?, url })
}

fn sns(node: &Node, faults: &mut Faults) -> Option<NotifierKind> {
    let mut fields = faults.keep(Fields::of(node, "sns"))?;
    let topic = faults.keep(fields.required("topic_arn").and_then(topic));
    let region = fields.optional("region");
    fields.finish(faults);
    let (topic_arn, of_topic) = topic?;
    if let Some(node) = region {
        let same = |text: &str| {
            let why = || format!("the topic is in {of_topic}, by its ARN, and not in \"{text}\"");
            if text == of_topic { Ok(()) } else { Err(why()) }
        };
        faults.keep(node.parse_with("an AWS region such as eu-west-1", same))?;
    }
    Some(NotifierKind::Sns { topic_arn, region: of_topic })
}

/// A topic's ARN, and the region in it.
fn topic(node: &Node) -> Result<(String, String), Fault> {
    let fail = || node.expected("a topic's ARN such as arn:aws:sns:eu-west-1:123456789012:pages");
    let text = node.scalar("a topic's ARN")?;
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", partition, "sns", region, account, name] = parts[..] else { return Err(fail()) };
    let plain = name.strip_suffix(".fifo").unwrap_or(name);
    let is_word = |text: &str| {
        let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !text.is_empty() && text.len() <= 30 && text.bytes().all(lower)
    };
    let is_named = !plain.is_empty()
        && plain.len() <= TOPIC_BYTES_MAX
        && plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if !is_named || !is_account || !is_word(region) || !is_word(partition) {
        return Err(fail());
    }
    let region = region.to_owned();
    Ok((text, region))
}

/// The fields of a mapping. What else was found is not shown: the address of a Slack channel, say, is a secret.
fn mapping<'a>(node: &'a Node, what: &'static str, example: &str) -> Result<Fields<'a>, Fault> {
    match node.kind {
        Kind::Map(_) => Fields::of(node, what),
        _ => Err(Fault::new(node.place, format!("expected {what} as a mapping such as {example}"))),
    }
}

/// An address that letters go to. Its text is never shown: it may hold credentials.
fn address(node: &Node) -> Result<Url, Fault> {
    let example = "write for example https://alerts.example.com/hook";
    let read = |text: &str| {
        let url = Url::parse(text).map_err(|error| format!("this is not a URL ({error}); {example}"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(format!("an address begins with http:// or https://; {example}"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let why = "the address holds credentials, which would be kept and sent about with the plan";
            return Err(format!("{why}; leave them out"));
        }
        if url.fragment().is_some() {
            return Err("the address holds a fragment (#…), which is never sent; leave it out".to_owned());
        }
        Ok(url)
    };
    node.parse_with("an address such as https://alerts.example.com/hook", read)
}

/// The name of a variable of the environment. What was found is not shown: it may be the secret itself.
fn variable(node: &Node) -> Result<String, Fault> {
    let expected = "the name of a variable of the coordinator's environment, such as HOOK_SECRET";
    let text = node.scalar(expected)?;
    let is_name = !text.is_empty()
        && text.len() <= VARIABLE_BYTES_MAX
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name {
        return Ok(text);
    }
    let why = "secrets stay out of plans, which are kept and sent about";
    Err(Fault::new(node.place, format!("expected {expected} (letters, digits, _): {why}")))
}

fn windows(node: &Node, faults: &mut Faults) -> Vec<Maintenance> {
    let expected = "a list of windows such as { from: 2026-11-27T00:00:00Z, to: …, reason: deploy }";
    let Some(items) = faults.keep(node.list(expected)) else { return Vec::new() };
    if items.len() > MAINTENANCE_MAX {
        faults.add(node.place, format!("a plan has at most {MAINTENANCE_MAX} maintenance windows"));
    }
    items.iter().filter_map(|item| window(item, faults)).collect()
}

fn window(node: &Node, faults: &mut Faults) -> Option<Maintenance> {
    let mut fields = faults.keep(Fields::of(node, "a maintenance window"))?;
    let mut moment = |name: &'static str| {
        let read = fields.required(name).and_then(|node| node.parse_with("a moment", parse_time));
        faults.keep(read)
    };
    let (from_s, to_s) = (moment("from"), moment("to"));
    let reason = faults.keep(fields.required("reason").and_then(reason));
    fields.finish(faults);
    let (from_s, to_s, reason) = (from_s?, to_s?, reason?);
    if to_s <= from_s {
        faults.add(node.place, "the window ends before it begins; look at `from` and `to`");
    } else if to_s - from_s > MAINTENANCE_LENGTH_MAX_S {
        let most = MAINTENANCE_LENGTH_MAX_S / 86_400;
        faults.add(node.place, format!("a maintenance window is at most {most} days long; write several"));
    }
    Some(Maintenance { from_s, to_s, reason })
}

fn reason(node: &Node) -> Result<String, Fault> {
    let expected = "a reason of 1 to 200 characters on one line";
    let text = node.scalar(expected)?.trim().to_owned();
    let fits =
        !text.is_empty() && text.chars().count() <= REASON_CHARS_MAX && !text.contains(char::is_control);
    if fits { Ok(text) } else { Err(node.expected(expected)) }
}
