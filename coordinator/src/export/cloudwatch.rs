//! Amazon CloudWatch: a minute's figures as custom metrics.
//!
//! Exchanges as counts, and as values with counts, so that percentiles come out as they should; objectives as good, total
//! and failed events, the budget that is left, and the burn rate of every window: an alarm on them is a plain threshold.
//! What is published follows from the plan (`catalogue`), and so does what it costs (`cost`). Datums are made once a
//! minute (`minute`), packed into requests within AWS's limits (`batch`, `datum`), and wait for at most an hour (`queue`)
//! for who sends them (`send`). Who counts never waits.

mod batch;
pub(crate) mod catalogue;
pub(crate) mod cost;
mod datum;
pub(crate) mod metric;
mod minute;
mod queue;
mod send;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use aws_sdk_cloudwatch::Client;
use doorbuster_model::Tally;
use doorbuster_model::slo::Standing;
use doorbuster_model::threshold::Names;

use super::counters::Counters;
use catalogue::Catalogue;
use minute::Minute;

pub(crate) use datum::MetricId;
pub(crate) use queue::{Queue, Sent};

/// How often figures are published.
pub(crate) const EVERY_S: i64 = 60;

/// Gathers minutes, and hands them to the queue.
#[derive(Debug)]
pub(crate) struct Publisher {
    catalogue: Catalogue,
    min_failures: u64,
    queue: Queue,
    minute: Minute,
    /// The minute that is gathered, in seconds since 1970; `None` before the first one.
    began_s: Option<i64>,
    /// The counters when it began.
    before: Counters,
    /// Whether it says that this process lives.
    is_live: bool,
}

impl Publisher {
    /// Nothing gathered yet.
    pub(crate) fn new(catalogue: Catalogue, min_failures: u64, queue: Queue) -> Self {
        Self {
            catalogue,
            min_failures,
            queue,
            minute: Minute::default(),
            began_s: None,
            before: Counters::default(),
            is_live: true,
        }
    }

    /// Takes what an agent counted in a region.
    pub(crate) fn count(&mut self, region: usize, tally: &Tally) {
        self.minute.count(region, tally);
    }

    /// Whether this process does what it is there for; its heartbeat is left out while it does not.
    pub(crate) fn live(&mut self, is_live: bool) {
        self.is_live = is_live;
    }

    /// What became of what was handed over.
    pub(crate) fn sent(&self) -> Sent {
        self.queue.sent()
    }

    /// Once a second or so: hands the minute over that is past.
    pub(crate) fn tick(&mut self, now_s: i64, names: &Names, standing: &Standing, counters: &Counters) {
        let minute_s = now_s.div_euclid(EVERY_S) * EVERY_S;
        let Some(began_s) = self.began_s else {
            self.began_s = Some(minute_s);
            return;
        };
        if minute_s <= began_s {
            // The minute goes on, or the clock went back: what was gathered waits for the next one.
            return;
        }
        let mut datums =
            minute::standing(began_s, &self.catalogue, standing, [&self.before, counters], self.min_failures);
        if !self.is_live {
            datums.retain(|datum| datum.metric != metric::of_life());
        }
        datums.extend(std::mem::take(&mut self.minute).datums(began_s, &self.catalogue, names));
        let batches = batch::batches(datums, now_s);
        self.queue.refuse(batches.refused.len() as u64);
        self.queue.push(began_s, batches.requests);
        self.before = counters.clone();
        self.began_s = Some(minute_s);
    }
}

/// Sends what the queue holds, for ever.
pub(crate) async fn send(queue: Queue, client: Client, namespace: String) {
    let now_s = || jiff::Timestamp::now().as_second();
    send::deliver(queue, now_s, |datums: Arc<Vec<datum::Datum>>| {
        send::put(client.clone(), namespace.clone(), datums)
    })
    .await;
}
