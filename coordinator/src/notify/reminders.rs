//! Which receivers are told anew of what still fires: those that forget it otherwise.
//!
//! A reminder is no letter. It is sent once, whatever becomes of it, because the next one comes soon.

use std::collections::BTreeMap;
use std::time::Duration;

use doorbuster_model::slo::Notice;
use tokio::time::Instant;

/// To whom, and about which incident.
pub(super) type Pair = (String, String);

/// How often a receiver is reminded: five times in the time that Alertmanager takes to forget.
pub(super) const EVERY: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Reminders {
    /// The notifiers that forget.
    forgetful: Vec<String>,
    firing: BTreeMap<Pair, Reminder>,
    every: Duration,
}

#[derive(Debug)]
struct Reminder {
    notice: Notice,
    next: Instant,
}

impl Reminders {
    /// Reminders of what fires already, which all are due.
    pub(super) fn new(forgetful: Vec<String>, firing: &[Notice]) -> Self {
        let next = Instant::now();
        let mut due = BTreeMap::new();
        for notifier in &forgetful {
            for notice in firing {
                let pair = (notifier.clone(), notice.incident.clone());
                due.insert(pair, Reminder { notice: notice.clone(), next });
            }
        }
        Self { forgetful, firing: due, every: EVERY }
    }

    /// The same at other intervals.
    #[cfg(test)]
    pub(super) fn every(self, every: Duration) -> Self {
        Self { every, ..self }
    }

    /// Begins to remind, unless the receiver remembers by itself. It was told just now.
    pub(super) fn begin(&mut self, pair: Pair, notice: Notice) {
        if self.forgetful.contains(&pair.0) {
            self.firing.insert(pair, Reminder { notice, next: Instant::now() + self.every });
        }
    }

    /// Reminds no more.
    pub(super) fn end(&mut self, pair: &Pair) {
        self.firing.remove(pair);
    }

    /// Who is to be reminded now. Each stays due until [`reminded`](Self::reminded).
    pub(super) fn due(&self) -> Vec<(Pair, Notice)> {
        let now = Instant::now();
        let due = self.firing.iter().filter(|(_, reminder)| reminder.next <= now);
        due.map(|(pair, reminder)| (pair.clone(), reminder.notice.clone())).collect()
    }

    /// Notes that a reminder is on its way.
    pub(super) fn reminded(&mut self, pair: &Pair) {
        if let Some(reminder) = self.firing.get_mut(pair) {
            reminder.next = Instant::now() + self.every;
        }
    }
}
