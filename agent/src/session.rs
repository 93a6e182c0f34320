//! One assignment, from hello to the last report, over whatever carries the messages.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use doorbuster_model::{Assignment, Report, Tally, Tick};
use doorbuster_wire::{Error as WireError, FromAgent, PROTOCOL, ToAgent};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::Error;
use crate::engine::{Engine, Order, Start};
use crate::epoch::Epoch;
use crate::health::{Watch, note_limits, raise_descriptors};
use crate::job::Job;
use crate::lease::Lease;
use crate::tallies::WorkerTick;

/// The most walks of a probe in one message, so that it fits a frame however much there is to say of each.
const PROBED_AT_ONCE_MAX: usize = 100;

/// This build's version.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Both directions of a conversation with a coordinator.
pub(crate) struct Session<S> {
    /// What the coordinator says; it ends when the coordinator has gone.
    pub from: mpsc::Receiver<Result<ToAgent, WireError>>,
    /// Takes what the agent says.
    pub to: S,
    /// The lease, which begins with the session.
    pub lease: Lease,
}

impl<S: FnMut(FromAgent) -> Result<(), Error>> Session<S> {
    /// Serves one assignment to its end; `engine` generates the load.
    pub(crate) async fn serve(mut self, engine: &mut impl Engine) -> Result<(), Error> {
        (self.to)(FromAgent::Hello { protocol: PROTOCOL, version: VERSION.to_owned() })?;
        self.greet().await?;
        let assignment = self.assignment().await?;
        if let Err(error) = in_time(assignment.not_after_unix_ms, unix_ns() / 1_000_000) {
            return self.fail(error);
        }
        let job = match Job::read(&assignment) {
            Ok(job) => Arc::new(job),
            Err(error) => return self.fail(error),
        };
        let descriptors_max = raise_descriptors();
        if let Err(error) = engine.prepare(&job, descriptors_max) {
            return self.fail(error);
        }
        let started = Report::Started {
            clock_unix_ns: unix_ns(),
            version: VERSION.to_owned(),
            workers: u32::try_from(job.workers()).unwrap_or(u32::MAX),
            descriptors_max,
        };
        (self.to)(FromAgent::Report(started))?;
        let Some((epoch, at_unix_ns)) = self.start(job.is_a_part()).await? else {
            return (self.to)(FromAgent::Report(Report::Finished { ticks: 0 }));
        };
        // What was due in it would all be sent at once.
        if job.is_a_part() && epoch.is_past(job.ends_ns()) {
            let late_ms = epoch.now_ns().saturating_sub(job.ends_ns()) / 1_000_000;
            return self.fail(Error::TooLate { late_ms });
        }
        let load = self.load(&job, engine, descriptors_max, (epoch, at_unix_ns)).await;
        match load {
            Ok(ticks) => (self.to)(FromAgent::Report(Report::Finished { ticks })),
            Err(error) => self.fail(error),
        }
    }

    /// Tells the coordinator why the agent ends, as far as it still listens.
    fn fail(&mut self, error: Error) -> Result<(), Error> {
        let _ = (self.to)(FromAgent::Report(Report::Failed { message: error.to_string() }));
        Err(error)
    }

    /// The next message, within the lease.
    async fn next(&mut self) -> Result<ToAgent, Error> {
        loop {
            let message = tokio::select! {
                message = self.from.recv() => message,
                () = sleep_until(Instant::from_std(self.lease.ends())) => {
                    return Err(Error::CoordinatorGone { why: "the coordinator did not renew the lease for 15 s" });
                }
            };
            match message.ok_or(Error::CoordinatorGone { why: "the coordinator closed the connection" })?? {
                ToAgent::Lease { counter } => self.lease.renew(counter, std::time::Instant::now()),
                other => return Ok(other),
            }
        }
    }

    async fn greet(&mut self) -> Result<(), Error> {
        match self.next().await? {
            ToAgent::Hello { protocol, .. } if protocol == PROTOCOL => Ok(()),
            ToAgent::Hello { protocol, version } => self.fail(Error::Wire(WireError::Protocol {
                coordinator: version,
                coordinator_protocol: protocol,
                agent: VERSION.to_owned(),
                agent_protocol: PROTOCOL,
            })),
            _ => self.fail(Error::Wire(WireError::Impossible { part: "first message" })),
        }
    }

    async fn assignment(&mut self) -> Result<Assignment, Error> {
        match self.next().await? {
            ToAgent::Assign(assignment) => Ok(*assignment),
            _ => Err(Error::Wire(WireError::Impossible { part: "second message" })),
        }
    }

    /// When second 0 begins, on both clocks; `None` when a stop came first.
    ///
    /// The parts of a run have one second 0, which is past for most of them. Whoever carries a whole run, and hears of the
    /// start too late, begins then: nobody else counts by his clock.
    async fn start(&mut self, is_a_part: bool) -> Result<Option<(Epoch, u64)>, Error> {
        match self.next().await? {
            ToAgent::Start { at_unix_ns } => {
                let (now, now_unix_ns) = (Instant::now(), unix_ns());
                let at_unix_ns = if is_a_part { at_unix_ns } else { at_unix_ns.max(now_unix_ns) };
                Ok(Some((Epoch::agreed(at_unix_ns, now_unix_ns, now), at_unix_ns)))
            }
            _ => Ok(None),
        }
    }

    /// Has the engine generate the load, and reports its seconds. Returns how many ticks were sent.
    async fn load(
        &mut self,
        job: &Arc<Job>,
        engine: &mut impl Engine,
        descriptors_max: u32,
        (epoch, at_unix_ns): (Epoch, u64),
    ) -> Result<u32, Error> {
        let (ticks, mut from_workers) = mpsc::unbounded_channel();
        let (failures, mut failed) = mpsc::unbounded_channel();
        let (orders, stop) = watch::channel(Order::Go);
        let first_second = job.first_second();
        let start = Start { epoch, at_unix_ns, first_second, descriptors_max, ticks, orders: stop, failures };
        let workers = engine.start(job, &start)?;
        // What it holds is the workers' alone from here on: when the last of them has gone, that is known.
        drop(start);
        let cpus = u32::try_from(job.workers()).unwrap_or(1);
        let mut seconds = Seconds::new(workers, first_second, Watch::new(cpus, descriptors_max));
        loop {
            tokio::select! {
                tick = from_workers.recv() => {
                    let Some(mut tick) = tick else {
                        // Its threads say why before they end.
                        let unknown = || Error::Assignment("a worker ended before its load was over".to_owned());
                        return Err(failed.recv().await.unwrap_or_else(unknown));
                    };
                    for exchange in std::mem::take(&mut tick.exchanges) {
                        (self.to)(FromAgent::Report(Report::Exchange(Box::new(exchange))))?;
                    }
                    for proof in std::mem::take(&mut tick.proofs) {
                        (self.to)(FromAgent::Report(Report::Proof(Box::new(proof))))?;
                    }
                    for walks in std::mem::take(&mut tick.probed).chunks(PROBED_AT_ONCE_MAX) {
                        (self.to)(FromAgent::Report(Report::Probed(walks.to_vec())))?;
                    }
                    if !tick.markers.is_empty() {
                        let markers = std::mem::take(&mut tick.markers);
                        (self.to)(FromAgent::Report(Report::Markers { second: tick.second, markers }))?;
                    }
                    if !tick.findings.is_empty() {
                        let (findings, not_kept) = std::mem::take(&mut tick.findings).into_parts();
                        let second = tick.second;
                        (self.to)(FromAgent::Report(Report::Findings { second, findings, not_kept }))?;
                    }
                    for tick in seconds.take(&tick) {
                        (self.to)(FromAgent::Report(Report::Tick(Box::new(tick))))?;
                    }
                    if seconds.over() {
                        return Ok(seconds.sent);
                    }
                }
                Some(error) = failed.recv() => return Err(error),
                message = self.next() => {
                    if message? == ToAgent::Stop {
                        let _ = orders.send(Order::Stop);
                    }
                }
            }
        }
    }
}

/// Whether an assignment that is to be handed over by then came in time; 0 where it is never too late.
pub(crate) fn in_time(not_after_unix_ms: u64, now_unix_ms: u64) -> Result<(), Error> {
    match now_unix_ms.checked_sub(not_after_unix_ms) {
        Some(late_ms @ 1..) if not_after_unix_ms > 0 => Err(Error::TooLate { late_ms }),
        _ => Ok(()),
    }
}

/// Nanoseconds since 1970, on this machine's wall clock.
pub(crate) fn unix_ns() -> u64 {
    // 2^64 ns after 1970 is the year 2554.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// The workers' seconds, put together: a second is complete once every worker is past it.
struct Seconds {
    /// The next second that each worker will hand over; `None` after its last.
    next: Vec<Option<u32>>,
    gauges: Vec<(u32, u32)>,
    tallies: BTreeMap<u32, Tally>,
    watch: Watch,
    sent: u32,
}

impl Seconds {
    fn new(workers: usize, first_second: u32, watch: Watch) -> Self {
        Self {
            next: vec![Some(first_second); workers],
            gauges: vec![(0, 0); workers],
            tallies: BTreeMap::new(),
            watch,
            sent: 0,
        }
    }

    /// Takes a worker's second; returns the seconds that are complete by it.
    fn take(&mut self, tick: &WorkerTick) -> Vec<Tick> {
        self.tallies.entry(tick.second).or_default().merge(&tick.tally);
        self.gauges[tick.worker] = (tick.shoppers, tick.connections);
        self.next[tick.worker] = (!tick.last).then_some(tick.second + 1);
        let complete = self.next.iter().flatten().min().copied().unwrap_or(u32::MAX);
        let mut ready = Vec::new();
        while let Some(entry) = self.tallies.first_entry()
            && *entry.key() < complete
        {
            let (second, mut tally) = entry.remove_entry();
            let shoppers = self.gauges.iter().map(|gauge| gauge.0).sum();
            let connections = self.gauges.iter().map(|gauge| gauge.1).sum();
            let health = self.watch.read(shoppers, connections);
            note_limits(&health, &mut tally);
            ready.push(Tick { second, tally, health });
            self.sent += 1;
        }
        ready
    }

    fn over(&self) -> bool {
        self.next.iter().all(Option::is_none)
    }
}

#[cfg(test)]
mod tests {
    use doorbuster_model::cdn::Findings;

    use super::*;

    fn tick(worker: usize, second: u32, last: bool) -> WorkerTick {
        let mut tally = Tally::default();
        tally.arrivals.started = 1;
        WorkerTick {
            worker,
            second,
            tally,
            shoppers: 0,
            connections: 0,
            markers: Vec::new(),
            findings: Findings::new(1),
            exchanges: Vec::new(),
            proofs: Vec::new(),
            probed: Vec::new(),
            last,
        }
    }

    #[test]
    fn seconds_of_a_later_part_are_complete_from_its_first_on() {
        let mut seconds = Seconds::new(2, 780, Watch::new(1, 1_000));
        let mut take = |worker, second, last| -> Vec<(u32, u64)> {
            let ready = seconds.take(&tick(worker, second, last));
            ready.iter().map(|tick| (tick.second, tick.tally.arrivals.started)).collect()
        };
        assert!(take(0, 780, false).is_empty() && take(0, 781, true).is_empty());
        assert_eq!(take(1, 780, false), [(780, 2)]);
        assert_eq!(take(1, 781, false), [(781, 2)]);
        assert_eq!(take(1, 782, true), [(782, 1)]);
        assert!(seconds.over() && seconds.sent == 3);
    }

    #[test]
    fn who_is_handed_an_assignment_too_late_refuses_it() {
        assert!(in_time(0, u64::MAX).is_ok() && in_time(5, 4).is_ok() && in_time(5, 5).is_ok());
        assert!(matches!(in_time(5, 1_500), Err(Error::TooLate { late_ms: 1_495 })));
    }
}
