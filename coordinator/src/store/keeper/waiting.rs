//! What waits to be written, as one step: later steps are merged into it, and nothing that is needed is lost by that.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use doorbuster_model::slo::{AlertView, Page, Scope, SeriesKey};

use crate::store::{NewLetter, Step};

/// The most bytes of pages that wait: several times what the largest plan's pages come to.
const PAGE_BYTES_MAX: usize = 256 << 20;
/// The most letters that wait.
const LETTERS_MAX: usize = 10_000;

/// Which page: of an objective and a scope, by its length and when it begins.
type PageKey = (String, Scope, u32, i64);

/// What waits to be written.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pages: BTreeMap<PageKey, Page>,
    /// Bytes of the pages.
    page_bytes: usize,
    dropped: BTreeSet<PageKey>,
    memo: Option<Vec<u8>>,
    letters: Vec<NewLetter>,
    alerts: Vec<AlertView>,
    /// How many steps are merged in it.
    steps: u64,
}

/// What there was no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Excess {
    /// Letters between the first and the last about one incident to one notifier, which these two speak for.
    pub(crate) letters_merged: u64,
    /// Letters that are lost.
    pub(crate) letters_not_kept: u64,
    /// Pages that are lost.
    pub(crate) pages_not_kept: u64,
}

impl fmt::Display for Excess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { letters_merged, letters_not_kept, pages_not_kept } = self;
        write!(
            formatter,
            "too much waits to be saved: {letters_not_kept} letters and {pages_not_kept} pages of counts are lost so far, \
             {letters_merged} letters were left out between the first and the last of their incidents"
        )
    }
}

impl Waiting {
    /// Merges the next step. Of a page, the memo and the alerts the last is what counts; letters are all kept.
    pub(super) fn add(&mut self, step: Step, excess: &mut Excess) {
        for (key, page) in step.pages {
            let key = (key.objective, key.scope, page.length_s, page.start_s);
            self.dropped.remove(&key);
            if self.page_bytes >= PAGE_BYTES_MAX && !self.pages.contains_key(&key) {
                excess.pages_not_kept += 1;
                continue;
            }
            self.page_bytes += page.bytes.len();
            let before = self.pages.insert(key, page);
            self.page_bytes -= before.map_or(0, |page| page.bytes.len());
        }
        for (key, length_s, start_s) in step.dropped {
            let key = (key.objective, key.scope, length_s, start_s);
            let before = self.pages.remove(&key);
            self.page_bytes -= before.map_or(0, |page| page.bytes.len());
            self.dropped.insert(key);
        }
        if step.memo.is_some() {
            self.memo = step.memo;
        }
        self.letters.extend(step.letters);
        self.limit_letters(excess);
        self.alerts = step.alerts;
        self.steps += 1;
    }

    /// Puts what could not be written back before what came since.
    pub(super) fn put_back(&mut self, step: Step, steps: u64, excess: &mut Excess) {
        let since = std::mem::take(self);
        self.add(step, excess);
        let came_since = since.steps;
        if came_since > 0 {
            self.add(since.into_step(), excess);
        }
        self.steps = steps + came_since;
    }

    /// Takes all of it: a step, and how many are merged in it. `None` when nothing waits.
    pub(super) fn take(&mut self) -> Option<(Step, u64)> {
        if self.steps == 0 {
            return None;
        }
        let steps = self.steps;
        Some((std::mem::take(self).into_step(), steps))
    }

    /// The letters that wait, the oldest first.
    pub(super) fn letters(&self) -> &[NewLetter] {
        &self.letters
    }

    /// About how many bytes wait.
    pub(super) fn bytes(&self) -> usize {
        let letters: usize = self.letters.iter().map(letter_bytes).sum();
        self.page_bytes + self.memo.as_ref().map_or(0, Vec::len) + letters
    }

    fn into_step(self) -> Step {
        let key = |objective, scope| SeriesKey { objective, scope };
        let pages = self.pages.into_iter();
        let dropped = self.dropped.into_iter();
        Step {
            pages: pages.map(|((objective, scope, _, _), page)| (key(objective, scope), page)).collect(),
            dropped: dropped
                .map(|(objective, scope, length_s, start_s)| (key(objective, scope), length_s, start_s))
                .collect(),
            memo: self.memo,
            letters: self.letters,
            alerts: self.alerts,
        }
    }

    /// Where there are too many letters, those between the first and the last of an alert go; and only where there are
    /// still too many, the newest: resolutions and tickets, and pages at last.
    fn limit_letters(&mut self, excess: &mut Excess) {
        if self.letters.len() <= LETTERS_MAX {
            return;
        }
        let mut ends: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
        for (position, letter) in self.letters.iter().enumerate() {
            let alert = (letter.notifier.as_str(), letter.incident.as_str());
            ends.entry(alert).and_modify(|ends| ends.1 = position).or_insert((position, position));
        }
        let needed: BTreeSet<usize> = ends.into_values().flat_map(|(first, last)| [first, last]).collect();
        excess.letters_merged += (self.letters.len() - needed.len()) as u64;
        let mut position = 0;
        self.letters.retain(|_| {
            position += 1;
            needed.contains(&(position - 1))
        });
        let mut lost = self.letters.len().saturating_sub(LETTERS_MAX);
        excess.letters_not_kept += lost as u64;
        for is_urgent in [false, true] {
            lost = self.lose_newest(is_urgent, lost);
        }
    }

    /// Loses at most so many of the letters that are urgent, or are not, the newest first. How many are still too many.
    fn lose_newest(&mut self, is_urgent: bool, too_many: usize) -> usize {
        let such = self.letters.iter().filter(|letter| letter.is_urgent == is_urgent).count();
        let lost = too_many.min(such);
        let mut left = such - lost;
        self.letters.retain(|letter| {
            if letter.is_urgent != is_urgent {
                return true;
            }
            let is_kept = left > 0;
            left = left.saturating_sub(1);
            is_kept
        });
        too_many - lost
    }
}

/// About how many bytes a step comes to.
pub(super) fn step_bytes(step: &Step) -> usize {
    let pages: usize = step.pages.iter().map(|(_, page)| page.bytes.len()).sum();
    let letters: usize = step.letters.iter().map(letter_bytes).sum();
    pages + step.memo.as_ref().map_or(0, Vec::len) + letters
}

fn letter_bytes(letter: &NewLetter) -> usize {
    letter.payload.len() + letter.notifier.len() + letter.incident.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(objective: &str) -> SeriesKey {
        SeriesKey { objective: objective.to_owned(), scope: Scope::Global }
    }

    fn page(start_s: i64, bytes: &[u8]) -> Page {
        Page { start_s, length_s: 300, bytes: bytes.to_vec() }
    }

    fn letter(incident: &str, sequence: u32) -> NewLetter {
        NewLetter {
            notifier: "hook".to_owned(),
            incident: incident.to_owned(),
            sequence,
            payload: "{}".to_owned(),
            made_at_s: i64::from(sequence),
            is_urgent: false,
        }
    }

    fn merged(steps: Vec<Step>) -> (Step, u64, Excess) {
        let (mut waiting, mut excess) = (Waiting::default(), Excess::default());
        for step in steps {
            waiting.add(step, &mut excess);
        }
        let bytes = waiting.bytes();
        let (step, steps) = waiting.take().unwrap();
        assert_eq!(bytes, step_bytes(&step), "bytes are kept count of");
        assert!(waiting.take().is_none());
        (step, steps, excess)
    }

    #[test]
    fn the_last_of_a_page_counts_and_every_letter() {
        let first = Step {
            pages: vec![(key("a"), page(0, b"old")), (key("b"), page(0, b"b"))],
            memo: Some(b"old".to_vec()),
            letters: vec![letter("x", 0)],
            ..Step::default()
        };
        let second = Step {
            pages: vec![(key("a"), page(0, b"new")), (key("a"), page(300, b"next"))],
            letters: vec![letter("x", 1)],
            ..Step::default()
        };
        let (step, steps, excess) = merged(vec![first, second]);
        let pages: Vec<(&str, i64, &[u8])> = step
            .pages
            .iter()
            .map(|(key, page)| (key.objective.as_str(), page.start_s, page.bytes.as_slice()))
            .collect();
        assert_eq!(pages, [("a", 0, &b"new"[..]), ("a", 300, &b"next"[..]), ("b", 0, &b"b"[..])]);
        assert_eq!(step.memo.as_deref(), Some(&b"old"[..]), "one that did not change stays");
        assert_eq!(step.letters, [letter("x", 0), letter("x", 1)]);
        assert_eq!((steps, excess), (2, Excess::default()));
    }

    #[test]
    fn a_page_that_is_dropped_is_not_written_and_one_that_comes_again_is() {
        let put = |bytes: &[u8]| Step { pages: vec![(key("a"), page(0, bytes))], ..Step::default() };
        let drop = Step { dropped: vec![(key("a"), 300, 0)], ..Step::default() };
        let (gone, ..) = merged(vec![put(b"1"), drop.clone()]);
        assert!(gone.pages.is_empty());
        assert_eq!(gone.dropped, [(key("a"), 300, 0)], "an older one may have been written");
        let (again, ..) = merged(vec![drop, put(b"2")]);
        assert_eq!((again.pages.len(), again.dropped.len()), (1, 0));
    }

    #[test]
    fn what_is_put_back_stands_before_what_came_since() {
        let (mut waiting, mut excess) = (Waiting::default(), Excess::default());
        let step = |bytes: &[u8], sequence| Step {
            pages: vec![(key("a"), page(0, bytes))],
            letters: vec![letter("x", sequence)],
            memo: Some(bytes.to_vec()),
            ..Step::default()
        };
        waiting.add(step(b"1", 0), &mut excess);
        let (failed, steps) = waiting.take().unwrap();
        waiting.add(step(b"2", 1), &mut excess);
        waiting.put_back(failed, steps, &mut excess);
        let (step, steps) = waiting.take().unwrap();
        assert_eq!((steps, step.memo.as_deref()), (2, Some(&b"2"[..])));
        assert_eq!(step.letters, [letter("x", 0), letter("x", 1)], "in order");
        waiting.put_back(step, steps, &mut excess);
        assert_eq!(waiting.take().unwrap().1, 2, "and alone when nothing came");
    }

    #[test]
    fn too_many_letters_are_merged_first_and_what_is_lost_is_counted() {
        let flapping = |letters: u32| (0..letters).map(|sequence| letter("x", sequence)).collect();
        let most = u32::try_from(LETTERS_MAX).unwrap();
        let (step, _, excess) = merged(vec![Step { letters: flapping(most + 1), ..Step::default() }]);
        assert_eq!(step.letters, [letter("x", 0), letter("x", most)], "the first and the last speak for it");
        assert_eq!((excess.letters_merged, excess.letters_not_kept), (u64::from(most) - 1, 0));
        let all = (0..most + 5).map(|number| letter(&number.to_string(), 0)).collect();
        let (step, _, excess) = merged(vec![Step { letters: all, ..Step::default() }]);
        assert_eq!(step.letters.len(), LETTERS_MAX);
        assert_eq!((excess.letters_merged, excess.letters_not_kept), (0, 5));
    }

    #[test]
    fn what_is_lost_is_said() {
        let excess = Excess { letters_merged: 3, letters_not_kept: 1, pages_not_kept: 2 };
        let said = "too much waits to be saved: 1 letters and 2 pages of counts are lost so far, 3 letters were left out \
                    between the first and the last of their incidents";
        assert_eq!(excess.to_string(), said);
    }

    #[test]
    fn pages_are_lost_last() {
        let most = u32::try_from(LETTERS_MAX).unwrap();
        let page = |number: u32| NewLetter { is_urgent: true, ..letter(&format!("page-{number}"), 0) };
        let mut all: Vec<NewLetter> = (0..most).map(|number| letter(&number.to_string(), 0)).collect();
        all.extend((0..5).map(page));
        let (step, _, excess) = merged(vec![Step { letters: all, ..Step::default() }]);
        assert_eq!((step.letters.len(), excess.letters_not_kept), (LETTERS_MAX, 5));
        assert_eq!(step.letters.iter().filter(|letter| letter.is_urgent).count(), 5);
        assert_eq!(
            step.letters[LETTERS_MAX - 6].incident,
            (most - 6).to_string(),
            "the newest others are lost"
        );
        let pages = (0..most + 3).map(page).collect();
        let (step, _, excess) = merged(vec![Step { letters: pages, ..Step::default() }]);
        assert_eq!((step.letters.len(), excess.letters_not_kept), (LETTERS_MAX, 3));
        assert_eq!(step.letters[LETTERS_MAX - 1], page(most - 1));
    }
}
