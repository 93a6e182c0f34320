//! Figures for other systems, while probes go on: a page for Prometheus, metrics for CloudWatch, rules and alarms for both,
//! and counts of real traffic from a balancer.
//!
//! The [`Exporter`] is told what agents count and what objectives stand at. It makes a snapshot of it each second, which
//! the server (`serve`) shows to whoever scrapes, and a minute's datums, which wait for their sender (`cloudwatch`). It
//! waits for neither.

pub(crate) mod aws;
pub(crate) mod cloudwatch;
mod counters;
mod gathered;
pub(crate) mod process;
mod prometheus;
pub(crate) mod rules;
pub(crate) mod serve;
pub(crate) mod traffic;

#[cfg(test)]
mod samples;
#[cfg(test)]
pub(crate) mod testing;

use std::sync::Arc;

use doorbuster_model::Tick;
use doorbuster_model::slo::{Severity, Sli, Slo, Standing};
use doorbuster_model::threshold::Names;

use cloudwatch::{Publisher, Sent};
use counters::Counters;
use gathered::Gathered;
use process::Process;
use serve::Board;

pub(crate) use counters::Counter;

/// How the harness fares, as far as agents do not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Vitals {
    /// When this process began, in seconds since 1970.
    pub started_at_s: i64,
    /// How many agents of each region were lost and started anew.
    pub restarts: Vec<u64>,
    /// Since when the store cannot be written; `None` while it can.
    pub store_failing_since_s: Option<i64>,
    /// For how long that has been so, in seconds.
    pub store_failing_s: u64,
    /// What waits to be written to the store, in bytes.
    pub store_waiting_bytes: u64,
    /// Letters and pages of counts that there was no room for while the store was away.
    pub store_lost: u64,
    /// Notices that were not delivered yet.
    pub outbox_waiting: u64,
    /// When the oldest of them was made.
    pub outbox_oldest_s: Option<i64>,
    /// Notices that a receiver refused for good.
    pub outbox_refused: u64,
    /// How reading real traffic goes; `None` where nobody reads it.
    pub traffic: Option<Reading>,
    /// What could not be taken as it came: of which kind, and how often.
    pub losses: Vec<(&'static str, u64)>,
}

/// How reading real traffic goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Reads that failed.
    pub failures: u64,
    /// Whether the last one did.
    pub is_failing: bool,
}

/// For how long the store may take nothing before whoever watches over this process is to hear of it, in seconds.
const WITHOUT_STORE_MAX_S: u64 = 60;

impl Vitals {
    /// Whether what is counted has no longer been kept for too long.
    fn lacks_store(&self) -> bool {
        self.store_failing_s > WITHOUT_STORE_MAX_S
    }
}

/// Everything that is shown, at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// The plan's name.
    pub plan: String,
    /// What positions are called.
    pub names: Arc<Names>,
    /// What objectives stand at.
    pub standing: Arc<Standing>,
    /// What their events came to.
    pub counters: Counters,
    /// What agents counted.
    pub gathered: Gathered,
    /// How the harness fares.
    pub vitals: Vitals,
    /// What became of what was sent to CloudWatch.
    pub cloudwatch: Option<Sent>,
    /// What this process uses.
    pub process: Option<Process>,
}

/// What stands for a position without a name.
const UNNAMED: &str = "unnamed";

impl Snapshot {
    /// A region's name.
    fn region(&self, region: usize) -> &str {
        self.names.regions.get(region).map_or(UNNAMED, String::as_str)
    }

    /// A journey's name.
    fn journey(&self, journey: u16) -> &str {
        self.names.journeys.get(usize::from(journey)).map_or(UNNAMED, |(name, _)| name)
    }

    /// A step's name.
    fn step(&self, journey: u16, step: u16) -> &str {
        let steps = self.names.journeys.get(usize::from(journey)).map(|(_, steps)| steps);
        steps.and_then(|steps| steps.get(usize::from(step))).map_or(UNNAMED, String::as_str)
    }
}

/// Tells other systems what it is told.
#[derive(Debug)]
pub(crate) struct Exporter {
    snapshot: Snapshot,
    board: Option<Board>,
    publisher: Option<Publisher>,
}

impl Exporter {
    /// Nothing told yet. `slo` are the plan's objectives; the limits of those about latency become bounds of histograms.
    pub(crate) fn new(plan: &str, names: Names, slo: Option<&Slo>) -> Self {
        let objectives = slo.iter().flat_map(|slo| &slo.objectives);
        let limits_ns = objectives.filter_map(|objective| match objective.sli {
            Sli::Latency { below_ns } => Some(below_ns),
            Sli::Availability => None,
        });
        let snapshot = Snapshot {
            plan: plan.to_owned(),
            names: Arc::new(names),
            standing: Arc::default(),
            counters: Counters::default(),
            gathered: Gathered::new(limits_ns),
            vitals: Vitals::default(),
            cloudwatch: None,
            process: None,
        };
        Self { snapshot, board: None, publisher: None }
    }

    /// The board on which snapshots are shown from now on; a server serves it.
    pub(crate) fn board(&mut self) -> Board {
        self.board.get_or_insert_with(|| Board::new(self.snapshot.clone())).clone()
    }

    /// Publishes to CloudWatch from now on.
    pub(crate) fn publish(&mut self, publisher: Publisher) {
        self.publisher = Some(publisher);
    }

    /// Takes a second of an agent in a region, both by their positions.
    pub(crate) fn second(&mut self, region: usize, agent: usize, tick: &Tick) {
        self.snapshot.gathered.tick(region, agent, tick);
        if let Some(publisher) = &mut self.publisher {
            publisher.count(region, &tick.tally);
        }
    }

    /// Forgets how an agent fares that is gone.
    pub(crate) fn gone(&mut self, agent: usize) {
        self.snapshot.gathered.gone(agent);
    }

    /// Once a second: takes what objectives stand at, what their events came to since this process began, and how the
    /// harness fares, and shows everything.
    pub(crate) fn tick(&mut self, now_s: i64, standing: &Arc<Standing>, counted: &[Counter], vitals: Vitals) {
        let Self { snapshot, board, publisher } = self;
        snapshot.standing = Arc::clone(standing);
        snapshot.counters.raise(counted);
        snapshot.vitals = vitals;
        if let Some(publisher) = publisher {
            publisher.live(!snapshot.vitals.lacks_store());
            publisher.tick(now_s, &snapshot.names, standing, &snapshot.counters);
            snapshot.cloudwatch = Some(publisher.sent());
        }
        if let Some(board) = board {
            board.show(Snapshot { process: Process::read(), ..snapshot.clone() });
        }
    }
}

/// The word of a severity.
pub(crate) const fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Page => "page",
        Severity::Ticket => "ticket",
    }
}

#[cfg(test)]
mod tests {
    use super::prometheus::{Format, page};
    use super::*;

    #[test]
    fn what_it_is_told_is_shown_at_once_and_published_by_the_minute() {
        let slo = samples::slo();
        let (names, series) = (samples::names(), samples::series());
        let catalogue =
            cloudwatch::catalogue::Catalogue::new(&names, &series, &slo.rules, slo.min_failures, 500)
                .unwrap();
        let queue = cloudwatch::Queue::default();
        let mut exporter = Exporter::new("shop", names, Some(&slo));
        exporter.publish(Publisher::new(catalogue, slo.min_failures, queue.clone()));
        let board = exporter.board();
        let shown = || page(&board.look().1, Format::Text);
        assert!(!shown().contains("doorbuster_requests_total{"), "{}", shown());

        let standing = Arc::new(samples::standing());
        let now_s = jiff::Timestamp::now().as_second().div_euclid(60) * 60;
        for (after_s, requests) in [(0, 5), (1, 10), (60, 15)] {
            exporter.second(0, 0, &samples::tick());
            exporter.tick(now_s + after_s, &standing, &samples::counted(), Vitals::default());
            let told: u64 = shown()
                .lines()
                .filter(|line| line.starts_with("doorbuster_requests_total{"))
                .filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok())
                .sum();
            assert_eq!(told, requests, "after {after_s} s");
        }
        assert!(shown().contains("le=\"0.2\"}"), "the limit of the objective is a bound: {}", shown());
        assert!(shown().contains("doorbuster_cloudwatch_waiting_datums{plan=\"shop\"} 90\n"), "{}", shown());
        exporter.gone(0);
        exporter.tick(now_s + 61, &standing, &samples::counted(), Vitals::default());
        assert!(shown().contains("doorbuster_agents{plan=\"shop\",region=\"tokyo\"} 0\n"), "{}", shown());
        assert_eq!(queue.sent().refused, 0);
    }
}
