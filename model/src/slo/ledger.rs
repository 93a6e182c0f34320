//! Everything that is counted and alerted, for one plan.
//!
//! What comes in is in `events`, what the time does in `time`, what people are told in `tell` and of missing data in
//! `silent`, how things stand in `stand`, what survives a crash in `memo`. There is no clock: whoever has one calls [`Ledger::evaluate`] every 10 s, and what was
//! missed is caught up with.

mod events;
mod forsaken;
mod memo;
mod silent;
mod stand;
mod tell;
#[cfg(test)]
mod tests;
mod time;

use std::collections::{BTreeMap, VecDeque};

use doorbuster_notation::Share;

use self::events::Early;
use self::forsaken::Forsaken;
use super::alert::{Alert, Begun, linger_s};
use super::confirm::Confirm;
use super::count::Count;
use super::notice::{AlertView, Notice};
use super::objective::Objective;
use super::page::Saved;
use super::rule::{Rule, Severity};
use super::scope::{Scope, SeriesKey};
use super::section::Slo;
use super::series::Series;
use super::silence::Silence;
use super::standing::Oddities;
use super::watch::Watch;

/// The most silences that are kept.
const SILENCES_MAX: usize = 1_000;

/// Everything that is counted and alerted, for one plan.
#[derive(Clone, Debug)]
pub struct Ledger {
    terms: Terms,
    objectives: Vec<Watched>,
    regions: Vec<String>,
    /// By region.
    watches: Vec<Watch>,
    entries: Vec<Entry>,
    /// None where every failure counts at once.
    confirm: Option<Confirm>,
    silences: Vec<Silence>,
    /// What ended while nobody wanted to be told, though the beginning had been told.
    owed: Vec<Notice>,
    /// The alerts that were resolved last, the latest first.
    resolved: VecDeque<AlertView>,
    /// What came from beyond the time that is known.
    early: Vec<Early>,
    /// The last evaluation.
    evaluated_s: Option<i64>,
    /// Since when this process counts: its first evaluation.
    counting_from_s: Option<i64>,
    /// When it was last asked for an evaluation.
    now_s: Option<i64>,
    /// Since when somebody listens to the regions without a break.
    listening_since_s: i64,
    /// Until when nothing is dropped for being old: the clock leapt, and may have been wrong.
    doubted_until_s: Option<i64>,
    oddities: Oddities,
    /// What was saved of series that the plan no longer has.
    forsaken: Forsaken,
    last_memo: Vec<u8>,
}

/// What the plan says of alerts.
#[derive(Clone, Debug)]
struct Terms {
    /// By name, in the order of its bytes.
    rules: Vec<Rule>,
    /// The lengths of the rules' windows, each once.
    windows: Vec<i64>,
    /// By rule: the positions of its long and of its short window.
    places: Vec<(usize, usize)>,
    failures_min: u64,
    keep_firing_for_s: Option<i64>,
    /// For how long a page speaks for tickets when it is over.
    linger_s: i64,
    no_data_after_s: i64,
}

/// An objective, and where its series are.
#[derive(Clone, Debug)]
struct Watched {
    objective: Objective,
    global: Option<usize>,
    by_region: Vec<Option<usize>>,
}

/// An objective in a scope.
#[derive(Clone, Debug)]
struct Entry {
    key: SeriesKey,
    /// The objective's position.
    objective: usize,
    share: Share,
    series: Series,
    /// A bit for each rule that fires.
    firing: u32,
    /// By severity.
    alerts: [Option<Alert>; 2],
    /// By severity.
    begun: [Begun; 2],
    /// When a page that people could hear of fired last.
    paged_s: Option<i64>,
    /// Whether anybody is told of it: the only region of a plan is told of as all regions.
    is_alerting: bool,
    /// When counts of real traffic came.
    counted: Watch,
    /// Everything that was counted since this process counts: suspected are those that ever were.
    risen: Count,
}

impl Terms {
    fn new(slo: &Slo, probe_every_s: u32) -> Self {
        let mut rules = slo.rules.clone();
        rules.sort_by(|a, b| a.name.cmp(&b.name));
        let (mut windows, mut places) = (Vec::new(), Vec::new());
        let mut place = |window_s: u32| {
            let window_s = i64::from(window_s);
            windows.iter().position(|known| *known == window_s).unwrap_or_else(|| {
                windows.push(window_s);
                windows.len() - 1
            })
        };
        for rule in &rules {
            places.push((place(rule.long_s), place(rule.short_s)));
        }
        Self {
            linger_s: linger_s(&rules),
            rules,
            windows,
            places,
            failures_min: slo.min_failures,
            keep_firing_for_s: slo.keep_firing_for_s.map(i64::from),
            // A region that probes on time is never silent.
            no_data_after_s: i64::from(slo.no_data_after_s.max(probe_every_s.saturating_mul(2))),
        }
    }

    /// For how long an alert of a rule goes on.
    fn keep_s(&self, rule: &Rule) -> i64 {
        self.keep_firing_for_s.unwrap_or(i64::from(rule.short_s))
    }
}

impl Entry {
    fn alert(&self, severity: Severity) -> Option<&Alert> {
        self.alerts[place_of(severity)].as_ref()
    }
}

/// The position of a severity in lists of both.
fn place_of(severity: Severity) -> usize {
    usize::from(severity == Severity::Ticket)
}

impl Ledger {
    /// Nothing counted yet. The objectives' names are resolved ([`Slo::resolve`]).
    pub fn new(slo: &Slo, regions: &[String], probe_every_s: u32) -> Self {
        let terms = Terms::new(slo, probe_every_s);
        let (mut objectives, mut entries) = (Vec::new(), Vec::new());
        for (position, objective) in slo.objectives.iter().enumerate() {
            let mut watched =
                Watched { objective: objective.clone(), global: None, by_region: vec![None; regions.len()] };
            for scope in objective.scopes(regions) {
                let place = Some(entries.len());
                let is_alerting = match &scope {
                    Scope::Global => {
                        watched.global = place;
                        true
                    }
                    Scope::Region(name) => {
                        let Some(region) = regions.iter().position(|region| region == name) else { continue };
                        watched.by_region[region] = place;
                        objective.region.is_some() || regions.len() > 1
                    }
                };
                entries.push(Entry {
                    key: SeriesKey { objective: objective.text.clone(), scope },
                    objective: position,
                    share: objective.share,
                    series: Series::new(i64::from(objective.window_s), terms.windows.len()),
                    firing: 0,
                    alerts: [None, None],
                    begun: [Begun::default(); 2],
                    paged_s: None,
                    is_alerting,
                    counted: Watch::default(),
                    risen: Count::default(),
                });
            }
            objectives.push(watched);
        }
        Self {
            terms,
            objectives,
            watches: vec![Watch::default(); regions.len()],
            confirm: slo.confirm_s.map(|within_s| Confirm::new(i64::from(within_s), regions.len())),
            regions: regions.to_vec(),
            entries,
            silences: Vec::new(),
            owed: Vec::new(),
            resolved: VecDeque::new(),
            early: Vec::new(),
            evaluated_s: None,
            counting_from_s: None,
            now_s: None,
            listening_since_s: 0,
            doubted_until_s: None,
            oddities: Oddities::default(),
            forsaken: Forsaken::default(),
            last_memo: Vec::new(),
        }
    }

    /// A ledger as it was when everything was saved last. What the plan no longer has is left out; what was told of it is
    /// told to be over, and its pages are dropped when their time is past.
    pub fn restore(slo: &Slo, regions: &[String], probe_every_s: u32, saved: Saved) -> Self {
        let mut ledger = Self::new(slo, regions, probe_every_s);
        let keys = ledger.entries.iter().map(|entry| entry.key.clone());
        let places: BTreeMap<SeriesKey, usize> = keys.zip(0..).collect();
        for (key, page) in &saved.pages {
            match places.get(key) {
                Some(place) if ledger.entries[*place].series.restore(page) => {}
                Some(_) => ledger.oddities.not_read += 1,
                None => ledger.forsaken.note(key, page),
            }
        }
        ledger.recall(saved.memo);
        ledger
    }

    /// Lets nobody be told for some time. One with the same id takes the other's place.
    pub fn silence(&mut self, silence: Silence) {
        self.unsilence(&silence.id);
        self.silences.push(silence);
        if self.silences.len() > SILENCES_MAX {
            self.silences.remove(0);
        }
    }

    /// Ends a silence.
    pub fn unsilence(&mut self, id: &str) {
        self.silences.retain(|silence| silence.id != id);
    }

    /// What nobody wants to be told of, now or later.
    pub fn silences(&self) -> &[Silence] {
        &self.silences
    }

    /// What could not be taken as it came.
    pub fn oddities(&self) -> Oddities {
        self.oddities
    }

    /// About how much memory is held, in bytes.
    pub fn memory_bytes(&self) -> usize {
        let entry = |entry: &Entry| {
            let names = entry.key.objective.capacity() + entry.key.scope.name().len();
            size_of::<Entry>() + names + entry.series.memory_bytes() + entry.counted.memory_bytes()
        };
        self.entries.iter().map(entry).sum::<usize>()
            + self.confirm.as_ref().map_or(0, Confirm::memory_bytes)
            + self.watches.iter().map(Watch::memory_bytes).sum::<usize>()
            + self.early.capacity() * size_of::<Early>()
            + self.forsaken.memory_bytes()
            + self.owed.capacity() * size_of::<Notice>()
            + self.resolved.capacity() * size_of::<AlertView>()
            + self.last_memo.capacity()
    }
}
