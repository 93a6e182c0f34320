//! A worker's running tally, handed over second by second.

use doorbuster_model::cdn::audit::Proof;
use doorbuster_model::cdn::{Evidence, FINDINGS_PER_SECOND_MAX, FindingKey, Findings};
use doorbuster_model::report::{Exchange, Marker, Probed};
use doorbuster_model::{Sample, Tally};
use tokio::sync::mpsc::UnboundedSender;

const SECOND_NS: u64 = 1_000_000_000;

/// One second of one worker.
#[derive(Debug)]
pub(crate) struct WorkerTick {
    /// Which worker.
    pub worker: usize,
    /// Which second.
    pub second: u32,
    /// What ended in it.
    pub tally: Tally,
    /// Shoppers inside a journey when it ended.
    pub shoppers: u32,
    /// Open connections when it ended.
    pub connections: u32,
    /// What journeys left for audits in it.
    pub markers: Vec<Marker>,
    /// Which rules answers broke in it.
    pub findings: Findings,
    /// The exchanges of a trace that ended in it.
    pub exchanges: Vec<Exchange>,
    /// What an audit found out in it.
    pub proofs: Vec<Proof>,
    /// How walks of a probe went that ended in it.
    pub probed: Vec<Probed>,
    /// No more will come from this worker.
    pub last: bool,
}

/// The most markers, exchanges of a trace, proofs of an audit, and walks of a probe, that one second keeps of each.
const KEPT_MAX: usize = 1_000;

/// The tally of the current second. What ended in a second counts in that second, whenever it is written down.
#[derive(Debug)]
pub struct Tallies {
    worker: usize,
    second: u32,
    current: Tally,
    markers: Vec<Marker>,
    findings: Findings,
    exchanges: Vec<Exchange>,
    proofs: Vec<Proof>,
    probed: Vec<Probed>,
    ticks: UnboundedSender<WorkerTick>,
    /// Shoppers inside a journey.
    pub shoppers: u32,
    /// Open connections.
    pub connections: u32,
}

impl Tallies {
    /// Starts at `first_second`, where everything counts that ends before it. The channel holds one small message a second and
    /// worker, and its reader is this process's own session: so it needs no bound of its own.
    pub(crate) fn new(worker: usize, first_second: u32, ticks: UnboundedSender<WorkerTick>) -> Self {
        Self {
            worker,
            second: first_second,
            current: Tally::default(),
            markers: Vec::new(),
            findings: Findings::new(FINDINGS_PER_SECOND_MAX),
            exchanges: Vec::new(),
            proofs: Vec::new(),
            probed: Vec::new(),
            ticks,
            shoppers: 0,
            connections: 0,
        }
    }

    /// The tally of the second that `now_ns` lies in; earlier seconds are handed over.
    pub fn at(&mut self, now_ns: u64) -> &mut Tally {
        let second = u32::try_from(now_ns / SECOND_NS).unwrap_or(u32::MAX);
        while self.second < second {
            self.hand_over(false);
        }
        &mut self.current
    }

    /// Counts an exchange in the second in which it ended.
    pub fn record(&mut self, sample: &Sample) {
        self.at(sample.times.ended_ns).record(sample);
    }

    /// The current second as it is, without looking at the clock: for counters that belong to no moment.
    pub fn current(&mut self) -> &mut Tally {
        &mut self.current
    }

    /// Keeps a marker of an answer that ended at `ended_ns`.
    pub(crate) fn mark(&mut self, marker: Marker, ended_ns: u64) {
        self.at(ended_ns);
        if self.markers.len() < KEPT_MAX {
            self.markers.push(marker);
            self.current.count("markers", 1);
        } else {
            self.current.count("markers_not_kept", 1);
        }
    }

    /// Notes that an answer broke a rule at `at_ns`. Evidence is asked for only where this second has none of it yet.
    pub(crate) fn find(&mut self, key: FindingKey, at_ns: u64, evidence: impl FnOnce() -> Evidence) {
        self.at(at_ns);
        self.findings.note(key, at_ns, evidence);
    }

    /// Keeps an exchange of a trace.
    pub(crate) fn trace(&mut self, exchange: Exchange) {
        if self.exchanges.len() < KEPT_MAX {
            self.exchanges.push(exchange);
        } else {
            self.current.count("exchanges_not_shown", 1);
        }
    }

    /// Keeps what an audit says of a promise.
    pub(crate) fn prove(&mut self, proof: Proof) {
        if self.proofs.len() < KEPT_MAX {
            self.proofs.push(proof);
        } else {
            self.current.count("proofs_not_kept", 1);
        }
    }

    /// Keeps how a walk of a probe went that ended at `ended_ns`.
    pub(crate) fn probe(&mut self, probed: Probed, ended_ns: u64) {
        self.at(ended_ns);
        if self.probed.len() < KEPT_MAX {
            self.probed.push(probed);
        } else {
            self.current.count("probes_not_kept", 1);
        }
    }

    /// Hands the last, unfinished second over.
    pub fn finish(&mut self) {
        self.hand_over(true);
    }

    fn hand_over(&mut self, last: bool) {
        let tick = WorkerTick {
            worker: self.worker,
            second: self.second,
            tally: std::mem::take(&mut self.current),
            shoppers: self.shoppers,
            connections: self.connections,
            markers: std::mem::take(&mut self.markers),
            findings: std::mem::replace(&mut self.findings, Findings::new(FINDINGS_PER_SECOND_MAX)),
            exchanges: std::mem::take(&mut self.exchanges),
            proofs: std::mem::take(&mut self.proofs),
            probed: std::mem::take(&mut self.probed),
            last,
        };
        self.second += 1;
        // The session ends before its workers only when the whole agent is ending.
        let _ = self.ticks.send(tick);
    }
}

#[cfg(test)]
mod tests {
    use doorbuster_model::cdn::{ClassId, Evidence, FINDINGS_PER_SECOND_MAX, FindingKey, Rule};
    use doorbuster_model::report::{Marker, Probed};
    use tokio::sync::mpsc::unbounded_channel;

    use super::Tallies;

    #[test]
    fn every_second_is_handed_over_once_also_the_empty_ones() {
        let (sender, mut receiver) = unbounded_channel();
        let mut tallies = Tallies::new(3, 0, sender);
        tallies.at(999_999_999).count("a", 1);
        tallies.at(1_000_000_000).count("b", 1);
        tallies.at(3_500_000_000).count("c", 1);
        tallies.finish();
        let mut seen = Vec::new();
        while let Ok(tick) = receiver.try_recv() {
            seen.push((tick.second, tick.tally.counters.keys().cloned().collect::<String>(), tick.last));
        }
        let expected = [(0, "a", false), (1, "b", false), (2, "", false), (3, "c", true)];
        assert_eq!(seen, expected.map(|(second, names, last)| (second, names.to_owned(), last)));
    }

    #[test]
    fn a_later_part_of_a_run_begins_with_its_own_second() {
        let (sender, mut receiver) = unbounded_channel();
        let mut tallies = Tallies::new(0, 3_600, sender);
        tallies.at(3_599_000_000_000).count("early", 1);
        tallies.at(3_601_000_000_000).count("a", 1);
        tallies.finish();
        let mut seen = Vec::new();
        while let Ok(tick) = receiver.try_recv() {
            seen.push((tick.second, tick.tally.counters.keys().cloned().collect::<String>()));
        }
        assert_eq!(seen, [(3_600, "early".to_owned()), (3_601, "a".to_owned())]);
    }

    #[test]
    fn findings_are_those_of_their_second_with_evidence_of_each() {
        let (sender, mut receiver) = unbounded_channel();
        let mut tallies = Tallies::new(0, 0, sender);
        let key = |rule, class| FindingKey { rule, class: ClassId(class), pop: None };
        let mut made = 0;
        for at_ns in [100, 200, 1_000_000_100, 1_000_000_200] {
            tallies.find(key(Rule::PrivateHit, 0), at_ns, || {
                made += 1;
                Evidence::default()
            });
        }
        for class in 1..=60 {
            tallies.find(key(Rule::LifetimeUnsaid, class), 2_000_000_000, Evidence::default);
        }
        tallies.finish();
        let mut seen = Vec::new();
        while let Ok(tick) = receiver.try_recv() {
            let counts: Vec<u64> = tick.findings.iter().map(|(_, finding)| finding.count).collect();
            seen.push((tick.second, counts.len(), counts.iter().sum::<u64>(), tick.findings.not_kept));
        }
        let most = FINDINGS_PER_SECOND_MAX;
        assert_eq!(seen, [(0, 1, 2, 0), (1, 1, 2, 0), (2, most, most as u64, 60 - most as u64)]);
        assert_eq!(made, 2, "evidence is made once a second");
    }

    #[test]
    fn a_walk_of_a_probe_is_told_in_the_second_in_which_it_ended() {
        let (sender, mut receiver) = unbounded_channel();
        let mut tallies = Tallies::new(0, 0, sender);
        for number in 0..1_010 {
            let probed = Probed { journey: 0, began_ns: number, is_good: true, steps: Vec::new() };
            tallies.probe(probed, 1_200_000_000);
        }
        tallies.finish();
        let mut seen = Vec::new();
        while let Ok(tick) = receiver.try_recv() {
            let not_kept = tick.tally.counters.get("probes_not_kept").copied();
            seen.push((tick.second, tick.probed.len(), not_kept));
        }
        assert_eq!(seen, [(0, 0, None), (1, 1_000, Some(10))]);
    }

    #[test]
    fn a_marker_is_left_in_the_second_in_which_its_answer_ended() {
        let (sender, mut receiver) = unbounded_channel();
        let mut tallies = Tallies::new(0, 0, sender);
        let marker = || Marker { journey: 0, name: "order".to_owned(), value: "7".to_owned() };
        tallies.mark(marker(), 1_200_000_000);
        // One that is written down late counts in the second that is not handed over yet.
        tallies.mark(marker(), 900_000_000);
        tallies.finish();
        let mut seen = Vec::new();
        while let Ok(tick) = receiver.try_recv() {
            seen.push((tick.second, tick.markers.len(), tick.tally.counters.get("markers").copied()));
        }
        assert_eq!(seen, [(0, 0, None), (1, 2, Some(2))]);
    }
}
