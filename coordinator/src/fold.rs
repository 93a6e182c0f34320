//! The fold: what agents report, merged per region and second as it comes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use doorbuster_model::cdn::{ClassId, Finding, FindingKey, Findings};
use doorbuster_model::plan::Model;
use doorbuster_model::threshold::Judgement;
use doorbuster_model::{Generation, Health, Histogram, Pace, Segment, Tally, Tick};

use crate::outcome::TimelineRow;
use crate::windows::Window;

const SECOND_NS: u64 = 1_000_000_000;

/// What is known of one agent, or of one generation of it where several relieve one another.
#[derive(Debug)]
pub(crate) struct AgentState {
    /// The position of its region.
    pub region: usize,
    /// Which of the plan's agents: those who relieve one another share it.
    pub place: usize,
    /// Its share.
    pub segment: Segment,
    /// Its part of the time; `None` for all of it.
    pub generation: Option<Generation>,
    /// Arrivals that it was to start (open model).
    pub arrivals_planned: u64,
    /// Arrivals that it reported as started.
    pub arrivals_started: u64,
    /// The next second that it is to report.
    pub next_second: u32,
    /// Ticks that had not come 5 s after their second.
    pub ticks_missing: u64,
    /// How long after its time it was ready to relieve another, where that was too late.
    pub relief_late: Option<Duration>,
    /// How it ended.
    pub ended: Ended,
    /// The largest difference between its clock and ours.
    pub clock_offset_ms: f64,
    /// The highest CPU use, in percent of what its workers may use.
    pub cpu_percent_max: f64,
    /// The last health that it reported.
    pub health: Health,
}

/// How an agent ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It has not.
    Not,
    /// It reported everything.
    Finished,
    /// It was to relieve another, and the run was stopped before its time came.
    Unneeded,
    /// It said why it cannot go on.
    Failed(String),
    /// It is gone without a word.
    Lost(String),
}

impl AgentState {
    /// An agent that has said nothing yet, for all of the run.
    pub(crate) fn new(region: usize, segment: Segment, pace: &Pace, model: Model) -> Self {
        let arrivals_planned = match model {
            Model::Open(_) => segment.count_below(pace.arrivals()),
            Model::Closed => 0,
        };
        Self {
            region,
            place: region,
            segment,
            generation: None,
            arrivals_planned,
            arrivals_started: 0,
            next_second: 0,
            ticks_missing: 0,
            relief_late: None,
            ended: Ended::Not,
            clock_offset_ms: 0.0,
            cpu_percent_max: 0.0,
            health: Health::default(),
        }
    }

    /// The same for its part of the time alone.
    pub(crate) fn in_generation(self, generation: Generation, pace: &Pace) -> Self {
        let before = |ns| self.segment.count_below(pace.arrivals_before(ns));
        // Nobody plans how many iterations a closed model has: of none, no part is more.
        let arrivals_planned =
            self.arrivals_planned.min(before(generation.to_ns) - before(generation.from_ns));
        let next_second = generation.first_second();
        Self { arrivals_planned, next_second, generation: Some(generation), ..self }
    }

    /// The first second that it is to report.
    pub(crate) fn first_second(&self) -> u32 {
        self.generation.map_or(0, |generation| generation.first_second())
    }

    /// Whether it was lost, or failed.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.ended, Ended::Failed(_) | Ended::Lost(_))
    }

    /// It says that it sent so many ticks. Those that have not come will not.
    pub(crate) fn finish(&mut self, ticks: u32) {
        let end = self.first_second().saturating_add(ticks);
        self.ticks_missing += u64::from(end.saturating_sub(self.next_second));
        self.ended = Ended::Finished;
    }

    /// Whether arrivals that are due at `ns` are its to start, where they are of its share.
    fn covers(&self, ns: u64) -> bool {
        self.generation.is_none_or(|generation| (generation.from_ns..generation.to_ns).contains(&ns))
    }
}

/// Everything that was reported so far.
#[derive(Debug)]
pub(crate) struct Fold {
    /// The agents.
    pub agents: Vec<AgentState>,
    /// Per region, everything.
    pub regions: Vec<Tally>,
    /// Per region, where single answers broke what the edge has promised.
    pub findings: Vec<Findings>,
    /// Rules with windows, by their position among the plan's; the abort rule has none.
    pub windows: Vec<(Option<usize>, Window)>,
    /// The classes of content that are never cached.
    private: Vec<ClassId>,
    pace: Pace,
    open: bool,
    /// Rows whose seconds are not complete yet, with their latencies.
    pending: BTreeMap<u32, Vec<(TimelineRow, Histogram)>>,
    /// Whole tallies of seconds that are not complete yet, for windows and for whoever keeps them.
    seconds: BTreeMap<u32, Vec<Tally>>,
    /// Whether somebody keeps the tallies of complete seconds.
    keeps_seconds: bool,
    /// The tallies of complete seconds that nobody has taken yet, per region.
    completed: Vec<(u32, Vec<Tally>)>,
    /// The complete rows, per second and region.
    timeline: Vec<TimelineRow>,
}

impl Fold {
    /// Nothing reported yet.
    pub(crate) fn new(
        agents: Vec<AgentState>,
        regions: usize,
        pace: Pace,
        model: Model,
        windows: Vec<(Option<usize>, Window)>,
        private: Vec<ClassId>,
    ) -> Self {
        Self {
            agents,
            regions: vec![Tally::default(); regions],
            findings: vec![Findings::default(); regions],
            windows,
            private,
            pace,
            open: matches!(model, Model::Open(_)),
            pending: BTreeMap::new(),
            seconds: BTreeMap::new(),
            keeps_seconds: false,
            completed: Vec::new(),
            timeline: Vec::new(),
        }
    }

    /// The same, and the tallies of complete seconds are there to be taken.
    pub(crate) fn keeping_seconds(self) -> Self {
        Self { keeps_seconds: true, ..self }
    }

    /// Takes an agent's second. A second that was reported before is ignored; one that was skipped stays missing.
    pub(crate) fn tick(&mut self, number: usize, tick: &Tick) {
        let agent = &mut self.agents[number];
        if tick.second < agent.next_second {
            return;
        }
        agent.ticks_missing += u64::from(tick.second - agent.next_second);
        agent.next_second = tick.second + 1;
        agent.arrivals_started += tick.tally.arrivals.started;
        agent.health = tick.health;
        let limit = f64::from(tick.health.cpu_limit_milli.max(1));
        agent.cpu_percent_max = agent.cpu_percent_max.max(f64::from(tick.health.cpu_milli) / limit * 100.0);
        let region = agent.region;
        self.regions[region].merge(&tick.tally);
        let regions = self.regions.len();
        if self.keeps_seconds || !self.windows.is_empty() {
            let second = self.seconds.entry(tick.second).or_insert_with(|| vec![Tally::default(); regions]);
            second[region].merge(&tick.tally);
        }
        let rows = self.pending.entry(tick.second).or_insert_with(|| empty_rows(tick.second, regions));
        let (row, latency) = &mut rows[region];
        let exchanges = tick.tally.exchanges_where(|_| true);
        row.requests += exchanges.requests;
        row.errors += exchanges.errors_total();
        row.arrivals_started += tick.tally.arrivals.started;
        latency.merge(&exchanges.latency);
        for (place, counts) in &tick.tally.caching {
            row.hits += counts.hits;
            row.misses += counts.misses;
            let lookups = counts.lookups();
            if lookups == 0 {
                continue;
            }
            let class = row.classes.entry(place.class).or_default();
            class.0 += counts.hits;
            class.1 += lookups;
            if !self.private.contains(&place.class) {
                row.cacheable.0 += counts.hits;
                row.cacheable.1 += lookups;
            }
        }
    }

    /// Takes what an agent found; `not_kept` is how much more it found.
    pub(crate) fn found(&mut self, number: usize, findings: Vec<(FindingKey, Finding)>, not_kept: u64) {
        let region = &mut self.findings[self.agents[number].region];
        region.not_kept = region.not_kept.saturating_add(not_kept);
        for (key, finding) in findings {
            region.add(key, finding);
        }
    }

    /// Completes the seconds that every agent is past, or that cannot get any more. Returns the judgements of the
    /// abort rule's windows among them.
    pub(crate) fn complete(&mut self, everything: bool) -> Vec<Judgement> {
        let running = self.agents.iter().filter(|agent| agent.ended == Ended::Not);
        let done = if everything {
            u32::MAX
        } else {
            running.map(|agent| agent.next_second).min().unwrap_or(u32::MAX)
        };
        let mut aborts = Vec::new();
        while let Some(entry) = self.pending.first_entry()
            && *entry.key() < done
        {
            let (second, rows) = entry.remove_entry();
            for silent in self.silent_before(second) {
                let regions = self.regions.len();
                self.tell(silent, empty_rows(silent, regions));
                aborts.extend(self.judge(silent, &vec![Tally::default(); regions]));
            }
            self.tell(second, rows);
            if let Some(tallies) = self.seconds.remove(&second) {
                aborts.extend(self.judge(second, &tallies));
                if self.keeps_seconds {
                    self.completed.push((second, tallies));
                }
            }
        }
        aborts
    }

    /// The seconds before `second` of which nobody told anything: where whoever was to cover them was lost, what they lack is
    /// to be seen. Only in a relay somebody goes on after that.
    fn silent_before(&self, second: u32) -> Range<u32> {
        let next = self.timeline.last().map_or(0, |row| row.second.saturating_add(1));
        let ends = self.agents.iter().filter_map(|agent| agent.generation).map(|generation| generation.to_ns);
        let end = ends.max().unwrap_or(0).div_ceil(SECOND_NS);
        next..second.min(u32::try_from(end).unwrap_or(u32::MAX))
    }

    /// Shows a second to the rules with windows. Returns the judgements of the abort rule's.
    fn judge(&mut self, second: u32, tallies: &[Tally]) -> Vec<Judgement> {
        let mut aborts = Vec::new();
        for (position, window) in &mut self.windows {
            let judged = window.second(second, tallies);
            if position.is_none() {
                aborts.extend(judged);
            }
        }
        aborts
    }

    /// Adds a second to the timeline.
    fn tell(&mut self, second: u32, rows: Vec<(TimelineRow, Histogram)>) {
        for (mut row, latency) in rows {
            row.quantiles_us = [500_000, 950_000, 990_000].map(|quantile| latency.quantile_us(quantile));
            row.arrivals_planned =
                if self.open { self.planned(row.region, second) } else { row.arrivals_started };
            self.timeline.push(row);
        }
    }

    /// Arrivals that a region was to start in a second.
    fn planned(&self, region: usize, second: u32) -> u64 {
        let from_ns = u64::from(second) * SECOND_NS;
        let (from, to) = (self.pace.arrivals_before(from_ns), self.pace.arrivals_before(from_ns + SECOND_NS));
        // Generations are of whole seconds, so that a second is one's alone.
        let agents = self.agents.iter().filter(|agent| agent.region == region && agent.covers(from_ns));
        agents.map(|agent| agent.segment.count_below(to) - agent.segment.count_below(from)).sum()
    }

    /// Takes the tallies of the seconds that were completed since the last time, per region.
    pub(crate) fn take_seconds(&mut self) -> Vec<(u32, Vec<Tally>)> {
        std::mem::take(&mut self.completed)
    }

    /// The complete rows so far, per second and region.
    pub(crate) fn timeline(&self) -> &[TimelineRow] {
        &self.timeline
    }

    /// Whether every agent has ended.
    pub(crate) fn over(&self) -> bool {
        self.agents.iter().all(|agent| agent.ended != Ended::Not)
    }
}

fn empty_rows(second: u32, regions: usize) -> Vec<(TimelineRow, Histogram)> {
    (0..regions)
        .map(|region| (TimelineRow { second, region, ..TimelineRow::default() }, Histogram::new()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorbuster_model::cdn::{Counts, Evidence, Pop, Rule};
    use doorbuster_model::segment::split_weighted;
    use doorbuster_model::spacing::Spacing;
    use doorbuster_model::tally::Place;
    use doorbuster_model::{Phase, Shape};

    fn fold() -> Fold {
        let phase = Phase {
            name: "hold".into(),
            kind: doorbuster_model::pace::Kind::Hold,
            shape: Shape::Flat(100_000),
            length_ns: 2_000_000_000,
        };
        let pace = Pace::try_new(vec![phase]).unwrap();
        let model = Model::Open(Spacing::Even);
        let agents = split_weighted(&[1, 1])
            .into_iter()
            .enumerate()
            .map(|(region, segment)| AgentState::new(region, segment, &pace, model))
            .collect();
        Fold::new(agents, 2, pace, model, Vec::new(), vec![ClassId(0)])
    }

    fn tick(second: u32, started: u64) -> Tick {
        let mut tick = Tick { second, ..Tick::default() };
        tick.tally.arrivals.started = started;
        tick
    }

    #[test]
    fn seconds_are_complete_once_every_agent_is_past_them() {
        let mut fold = fold();
        fold.tick(0, &tick(0, 50));
        fold.complete(false);
        assert!(fold.timeline().is_empty());
        fold.tick(1, &tick(0, 50));
        fold.complete(false);
        let planned: Vec<u64> = fold.timeline().iter().map(|row| row.arrivals_planned).collect();
        assert_eq!(planned, [50, 50]);
        fold.tick(0, &tick(1, 50));
        fold.agents[1].ended = Ended::Lost("killed".into());
        fold.complete(false);
        assert_eq!(fold.timeline().len(), 4, "a lost agent holds nobody up");
        assert_eq!(fold.timeline()[3].arrivals_started, 0);
        assert_eq!(fold.timeline()[3].arrivals_planned, 50);
    }

    /// One region whose agent is relieved after three seconds of six, with ten arrivals a second.
    fn relay() -> Fold {
        let phase = Phase {
            name: "hold".into(),
            kind: doorbuster_model::pace::Kind::Hold,
            shape: Shape::Flat(10_000),
            length_ns: 6_000_000_000,
        };
        let pace = Pace::try_new(vec![phase]).unwrap();
        let model = Model::Open(Spacing::Even);
        let parts =
            doorbuster_model::generation::generations(6_000_000_000, Some(std::time::Duration::from_secs(3)));
        let of = |part| AgentState::new(0, Segment::whole(), &pace, model).in_generation(part, &pace);
        let agents = parts.into_iter().map(of).collect();
        Fold::new(agents, 1, pace.clone(), model, Vec::new(), Vec::new())
    }

    #[test]
    fn who_is_relieved_drains_while_the_next_has_begun() {
        let mut fold = relay();
        let planned: Vec<_> =
            fold.agents.iter().map(|agent| (agent.arrivals_planned, agent.next_second)).collect();
        assert_eq!(planned, [(30, 0), (30, 3)]);
        for second in 0..3 {
            fold.tick(0, &tick(second, 10));
        }
        fold.complete(false);
        assert_eq!(fold.timeline().len(), 3, "the next one's seconds are later: it holds up none of these");
        fold.tick(1, &tick(3, 10));
        fold.complete(false);
        assert_eq!(fold.timeline().len(), 3, "the first may still tell of that second");
        fold.tick(0, &tick(3, 0));
        fold.agents[0].finish(4);
        fold.complete(false);
        let last = fold.timeline().last().unwrap();
        assert_eq!((last.second, last.arrivals_planned, last.arrivals_started), (3, 10, 10));
        assert_eq!((fold.agents[0].ticks_missing, &fold.agents[0].ended), (0, &Ended::Finished));
        fold.tick(1, &tick(4, 10));
        fold.agents[1].finish(3);
        assert_eq!(fold.agents[1].ticks_missing, 1, "three of its own, of which two came");
        assert!(fold.over());
    }

    #[test]
    fn what_a_lost_generation_lacks_is_told_second_by_second() {
        let mut fold = relay();
        fold.tick(0, &tick(0, 10));
        fold.agents[0].ended = Ended::Lost("killed".into());
        fold.tick(1, &tick(3, 10));
        fold.complete(true);
        let told: Vec<_> = fold
            .timeline()
            .iter()
            .map(|row| (row.second, row.arrivals_planned, row.arrivals_started))
            .collect();
        assert_eq!(told, [(0, 10, 10), (1, 10, 0), (2, 10, 0), (3, 10, 10)]);
    }

    #[test]
    fn the_tallies_of_complete_seconds_can_be_taken_once() {
        let mut fold = fold().keeping_seconds();
        fold.tick(0, &tick(0, 50));
        fold.tick(0, &tick(1, 49));
        fold.tick(1, &tick(0, 48));
        fold.complete(false);
        let started = |seconds: Vec<(u32, Vec<Tally>)>| -> Vec<(u32, Vec<u64>)> {
            let of = |tallies: Vec<Tally>| tallies.iter().map(|tally| tally.arrivals.started).collect();
            seconds.into_iter().map(|(second, tallies)| (second, of(tallies))).collect()
        };
        assert_eq!(started(fold.take_seconds()), [(0, vec![50, 48])]);
        fold.complete(true);
        assert_eq!(started(fold.take_seconds()), [(1, vec![49, 0])]);
        assert!(fold.take_seconds().is_empty());
        let mut plain = self::fold();
        plain.tick(0, &tick(0, 50));
        plain.complete(true);
        assert!(plain.take_seconds().is_empty(), "where nobody wants them, none are kept");
    }

    #[test]
    fn hits_are_told_by_second_and_class() {
        let mut fold = fold();
        let mut first = tick(0, 0);
        let counts = |hits, refresh_hits, misses| Counts { hits, refresh_hits, misses, ..Counts::default() };
        let place =
            |class, pop: &str| Place { class: ClassId(class), section: 0, pop: Pop::parse(pop.as_bytes()) };
        first.tally.caching = BTreeMap::from([
            (place(0, "NRT57"), counts(1, 0, 4)),
            (place(1, "NRT57"), counts(9, 1, 0)),
            (place(1, "NRT12"), counts(5, 0, 5)),
            (place(2, "NRT12"), counts(0, 0, 0)),
        ]);
        fold.tick(0, &first);
        fold.complete(true);
        let row = &fold.timeline()[0];
        assert_eq!((row.hits, row.misses), (15, 9));
        assert_eq!(row.classes, BTreeMap::from([(ClassId(0), (1, 5)), (ClassId(1), (14, 20))]));
        assert_eq!(row.cacheable, (14, 20), "what is never cached has no part in it");
    }

    #[test]
    fn findings_are_merged_per_region_with_the_earliest_evidence() {
        let mut fold = fold();
        let found = |count, first_ns, url: &str| {
            let key = FindingKey { rule: Rule::PrivateHit, class: ClassId(0), pop: None };
            let evidence = Evidence { url: url.to_owned(), ..Evidence::default() };
            vec![(key, Finding { count, first_ns, last_ns: first_ns + 5, evidence })]
        };
        fold.found(0, found(2, 700, "/late"), 0);
        fold.found(0, found(3, 400, "/early"), 9);
        fold.found(1, found(1, 100, "/elsewhere"), 0);
        let told = |region: usize| {
            let (_, finding) = fold.findings[region].iter().next().unwrap();
            (finding.count, finding.first_ns, finding.last_ns, finding.evidence.url.as_str())
        };
        assert_eq!((told(0), told(1)), ((5, 400, 705, "/early"), (1, 100, 105, "/elsewhere")));
        assert_eq!((fold.findings[0].not_kept, fold.findings[1].not_kept), (9, 0));
    }

    #[test]
    fn a_repeated_second_counts_once_and_a_skipped_one_is_missing() {
        let mut fold = fold();
        fold.tick(0, &tick(0, 50));
        fold.tick(0, &tick(0, 50));
        fold.tick(0, &tick(3, 1));
        assert_eq!(fold.regions[0].arrivals.started, 51);
        assert_eq!((fold.agents[0].ticks_missing, fold.agents[0].arrivals_started), (2, 51));
    }
}
