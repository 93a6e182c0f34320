//! Notifiers against receivers on loopback, and the postman on paused time.

mod delivery;
mod office;
mod peers;
mod receiver;
mod requests;

use std::time::Duration;

use doorbuster_model::plan::alerts::{NotifierKind, NotifierSpec};
use doorbuster_model::slo::{AlertStatus, Notice, NoticeKind, Scope, Severity};
use doorbuster_notation::Place;

use super::client::{Client, Limits};
use super::message::Message;
use super::secret::Environment;
use super::{Notifier, Notifiers};

/// 2026-11-27T00:00:00Z.
const BEGAN_S: i64 = 1_795_737_600;
/// A minute later.
const NOW_S: i64 = BEGAN_S + 60;

/// The incident, as ledgers call one.
const INCIDENT: &str = "checkout availability 99.99% over 30d|tokyo|page|1795737600";

/// What people are told in these tests, with everything in it that needs care.
fn notice(status: AlertStatus) -> Notice {
    Notice {
        incident: INCIDENT.to_owned(),
        sequence: u32::from(status == AlertStatus::Resolved),
        status,
        severity: Severity::Page,
        kind: NoticeKind::Burn { rule: "page-14.4".to_owned() },
        objective: Some("checkout availability 99.99% over 30d".to_owned()),
        scope: Scope::Region("tokyo".to_owned()),
        at_s: BEGAN_S + 30,
        began_s: BEGAN_S,
        summary: "checkout <availability> & more burns its budget 20 times too fast in tokyo".to_owned(),
        details: vec![("burn_long".to_owned(), "20".to_owned()), ("failed".to_owned(), "12".to_owned())],
    }
}

fn message(notice: &Notice) -> Message<'_> {
    let link = Some("https://shop.example.com/");
    Message { notice, plan: "shop", link, is_test: false, now_s: NOW_S }
}

/// A notifier of this kind, with secrets that must never be shown.
fn notifier(kind: NotifierKind) -> Notifier {
    let environment = Environment::of(&[
        ("HOOK_SECRET", "hunter2-hook"),
        ("PD_KEY", "hunter2-pagerduty"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2-aws"),
        ("AWS_SESSION_TOKEN", "hunter2-session"),
    ]);
    let spec = NotifierSpec { name: kind.word().to_owned(), kind, place: Place::default() };
    Notifier::new(&spec, &environment, None).unwrap()
}

/// A client that waits a second for a connection and half a second for an answer.
fn client() -> Client {
    Client::direct(Limits { connect: Duration::from_secs(1), whole: Duration::from_millis(500) })
}

/// A plan's notifiers around one.
fn notifiers(notifier: Notifier) -> Notifiers {
    Notifiers { plan: "shop".to_owned(), link: None, notifiers: vec![notifier], client: client() }
}
