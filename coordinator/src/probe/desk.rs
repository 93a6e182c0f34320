//! Where everything that a probe hears comes together: in the ledger, and in lines about what changed. Without I/O, and
//! time is an argument.

use std::collections::BTreeSet;

use doorbuster_model::slo::{Notice, Silence, Standing, Unsaved};
use doorbuster_model::threshold::Names;
use doorbuster_model::{Tick, report};

use super::book::{self, Book, Counted};
use super::changes::{Changes, region_name};
use super::fleet::{Happened, News};
use super::losses::{Loss, Losses};
use crate::export::Counter;

/// The counter by which an agent says that it left walks out.
const SKIPPED: &str = "probes_skipped";

/// The fold over what regions tell.
pub(crate) struct Desk {
    names: Names,
    book: Book,
    changes: Changes,
    /// Regions whose agents were lost.
    down: BTreeSet<usize>,
    /// How many walks each region left out since the last beat.
    skipped: Vec<u64>,
    losses: Losses,
    /// Whether there is anything that was not saved.
    is_dirty: bool,
}

impl Desk {
    /// A desk with this ledger; names are those of the plan.
    pub(crate) fn new(names: Names, book: Book) -> Self {
        let skipped = vec![0; names.regions.len()];
        let (changes, down, losses) = (Changes::default(), BTreeSet::new(), Losses::default());
        Self { names, book, changes, down, skipped, losses, is_dirty: false }
    }

    /// Takes what happened in a region. What is to be said about it, line by line.
    pub(crate) fn take(&mut self, news: &News) -> Vec<String> {
        let region = news.region;
        match &news.what {
            Happened::Up => self.up(region).into_iter().collect(),
            Happened::Down { why, again_in } => {
                self.down.insert(region);
                let name = region_name(&self.names, region);
                vec![format!("{name}: its agent is lost ({why}); another is started in {again_in:?}")]
            }
            Happened::Walked { start_unix_ns, walks } => self.walked(region, *start_unix_ns, walks),
            Happened::Second { at_s, tick } => {
                self.second(region, *at_s, tick);
                Vec::new()
            }
        }
    }

    fn up(&mut self, region: usize) -> Option<String> {
        self.changes.begun(region);
        let was_down = self.down.remove(&region);
        was_down.then(|| format!("{}: probes again", region_name(&self.names, region)))
    }

    fn walked(&mut self, region: usize, start_unix_ns: u64, walks: &[report::Probed]) -> Vec<String> {
        self.is_dirty |= !walks.is_empty();
        let mut lines = Vec::new();
        for walk in walks {
            self.book.walked(&self.names, region, start_unix_ns, walk);
            lines.extend(self.changes.walked(&self.names, region, walk));
        }
        lines
    }

    fn second(&mut self, region: usize, at_s: i64, tick: &Tick) {
        if let Some(skipped) = self.skipped.get_mut(region) {
            *skipped += tick.tally.counters.get(SKIPPED).copied().unwrap_or(0);
        }
        self.losses.second(tick);
        // Somebody who waits for an answer is at work; one who has nothing to do is not, however alive.
        if tick.health.shoppers > 0 {
            self.book.heard(&self.names, region, at_s);
            self.is_dirty = true;
        }
    }

    /// Takes what somebody counted of real traffic.
    pub(crate) fn counted(&mut self, counted: &Counted) {
        self.book.counted(counted);
        self.is_dirty = true;
    }

    /// What people are to be told at `at_s`, a multiple of ten seconds, and what is to be said.
    pub(crate) fn evaluate(&mut self, at_s: i64) -> (Vec<Notice>, Vec<String>) {
        let notices = self.book.evaluate(at_s);
        self.is_dirty = true;
        let mut lines: Vec<String> = notices.iter().map(book::line).collect();
        for (region, skipped) in self.skipped.iter_mut().enumerate() {
            lines.extend(self.changes.skipped(&self.names, region, std::mem::take(skipped)));
        }
        lines.extend(self.losses.say(&self.book.oddities()));
        (notices, lines)
    }

    /// Whether anything has changed since [`unsaved`](Self::unsaved) was called last.
    pub(crate) fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    /// What has changed since the last call.
    pub(crate) fn unsaved(&mut self) -> Unsaved {
        self.is_dirty = false;
        self.book.unsaved()
    }

    /// These and no others are what nobody wants to hear of.
    pub(crate) fn silence(&mut self, wanted: Vec<Silence>) {
        self.book.silence(wanted);
    }

    /// How everything stands, with what was counted up to the last evaluation.
    pub(crate) fn standing(&self, now_s: i64) -> Standing {
        self.book.standing(now_s)
    }

    /// What was counted since this process began, for whoever reads counters.
    pub(crate) fn counters(&self) -> Vec<Counter> {
        self.book.counters()
    }

    /// What could not be taken as it came.
    pub(crate) fn losses(&self) -> Vec<Loss> {
        self.losses.all(&self.book.oddities())
    }

    /// The same with everything that was counted.
    pub(crate) fn complete(&self, now_s: i64) -> Standing {
        self.book.complete(now_s)
    }
}

#[cfg(test)]
#[path = "desk/tests.rs"]
mod tests;
