//! A trial: a notice that says it is a test, sent to every notifier at once, firing and then resolved.

use std::time::Duration;

use doorbuster_model::slo::{AlertStatus, Notice, NoticeKind, Scope, Severity};
use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::answer::NotDelivered;
use super::reminders::EVERY;
use super::{Notifier, Notifiers};

/// What became of one notice to one notifier.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// The notifier's name in the plan.
    pub(crate) notifier: String,
    /// `firing` or `resolved`.
    pub(crate) sent: &'static str,
    /// The status of the answer, when it was taken.
    pub(crate) answer: Result<u16, NotDelivered>,
    /// How long that took.
    pub(crate) took: Duration,
}

/// Sends the test `id`, waits until `fires_for` or `interrupted` is over, and resolves it, also where it was not taken: it
/// may have arrived all the same. In the plan's order, both notices of a notifier one after the other.
pub(crate) async fn try_out(
    notifiers: &Notifiers,
    id: &str,
    severity: Severity,
    fires_for: Duration,
    interrupted: impl Future<Output = ()>,
) -> Vec<Delivery> {
    let began_s = Timestamp::now().as_second();
    let mut notice = Notice {
        incident: format!("test-{id}"),
        sequence: 0,
        status: AlertStatus::Firing,
        severity,
        kind: NoticeKind::Burn { rule: "test".to_owned() },
        objective: None,
        scope: Scope::Global,
        at_s: began_s,
        began_s,
        summary: "a test by `doorbuster alert test`: nothing is wrong".to_owned(),
        details: Vec::new(),
    };
    let fired = send_to_all(notifiers, &notice).await;
    tokio::select! {
        () = interrupted => {}
        () = hold(notifiers, &notice, fires_for) => {}
    }
    (notice.sequence, notice.status, notice.at_s) = (1, AlertStatus::Resolved, Timestamp::now().as_second());
    let resolved = send_to_all(notifiers, &notice).await;
    fired.into_iter().zip(resolved).flat_map(|(fired, resolved)| [fired, resolved]).collect()
}

/// Sends a notice to all at once.
async fn send_to_all(notifiers: &Notifiers, notice: &Notice) -> Vec<Delivery> {
    let mut tasks = JoinSet::new();
    let sent = if notice.status == AlertStatus::Firing { "firing" } else { "resolved" };
    for (position, notifier) in notifiers.iter().map(Notifier::name).map(str::to_owned).enumerate() {
        let (notifiers, notice) = (notifiers.clone(), notice.clone());
        tasks.spawn(async move {
            let began = Instant::now();
            let answer = notifiers.send(&notifier, &notice, true).await;
            (position, Delivery { notifier, sent, answer, took: began.elapsed() })
        });
    }
    let mut deliveries = tasks.join_all().await;
    deliveries.sort_by_key(|(position, _)| *position);
    deliveries.into_iter().map(|(_, delivery)| delivery).collect()
}

/// Lets a notice fire, and tells those anew who forget it.
async fn hold(notifiers: &Notifiers, notice: &Notice, fires_for: Duration) {
    let end = Instant::now() + fires_for;
    while Instant::now() < end {
        sleep_until(end.min(Instant::now() + EVERY)).await;
        let is_over = Instant::now() >= end;
        for notifier in notifiers.iter().filter(|notifier| notifier.forgets() && !is_over) {
            // How it went at first is what is shown.
            let _ = notifiers.send(notifier.name(), notice, true).await;
        }
    }
}
