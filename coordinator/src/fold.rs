//! The fold: what agents report, merged per region and second as it comes. [`timeline`] tells the seconds.

mod timeline;

use std::collections::BTreeMap;
use std::time::Duration;

use doorbuster_model::cdn::{ClassId, Finding, FindingKey, Findings};
use doorbuster_model::plan::Model;
use doorbuster_model::threshold::Judgement;
use doorbuster_model::{Generation, Health, Pace, Segment, Tally, Tick};

use self::timeline::Timeline;
use crate::outcome::TimelineRow;
use crate::windows::Window;

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
    /// By how many milliseconds at least its clock is ahead of ours, or behind it (negative); 0 where it may be right.
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
    /// Whole tallies of seconds that are not complete yet, for windows and for whoever keeps them.
    seconds: BTreeMap<u32, Vec<Tally>>,
    /// Whether somebody keeps the tallies of complete seconds.
    keeps_seconds: bool,
    /// The tallies of complete seconds that nobody has taken yet, per region.
    completed: Vec<(u32, Vec<Tally>)>,
    /// The rows, per second and region.
    timeline: Timeline,
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
            seconds: BTreeMap::new(),
            keeps_seconds: false,
            completed: Vec::new(),
            timeline: Timeline::new(regions, pace, model, private),
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
        self.timeline.add(region, tick.second, &tick.tally);
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
        while let Some(second) = self.timeline.next_before(done) {
            for silent in self.timeline.silent_before(second, &self.agents) {
                self.timeline.tell(silent, &self.agents);
                aborts.extend(self.judge(silent, &vec![Tally::default(); self.regions.len()]));
            }
            self.timeline.tell(second, &self.agents);
            if let Some(tallies) = self.seconds.remove(&second) {
                aborts.extend(self.judge(second, &tallies));
                if self.keeps_seconds {
                    self.completed.push((second, tallies));
                }
            }
        }
        aborts
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

    /// Takes the tallies of the seconds that were completed since the last time, per region.
    pub(crate) fn take_seconds(&mut self) -> Vec<(u32, Vec<Tally>)> {
        std::mem::take(&mut self.completed)
    }

    /// The complete rows so far, per second and region.
    pub(crate) fn timeline(&self) -> &[TimelineRow] {
        self.timeline.rows()
    }

    /// Whether every agent has ended.
    pub(crate) fn over(&self) -> bool {
        self.agents.iter().all(|agent| agent.ended != Ended::Not)
    }
}

#[cfg(test)]
mod tests;
