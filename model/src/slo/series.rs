//! What was counted of an objective in one scope: buckets, and the sums over the windows that rules look through.
//!
//! Buckets of 10 s for 3 days and 6 hours, so that the windows of rules are exact; of 5 min before that, up to the
//! objective's own window, so that 5 min quantise the far edge of its budget and nothing else. Sums run along: a step of
//! the time adds the bucket that comes in and takes away the one that goes.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::cells::Cells;
use super::count::Count;
use super::history::History;
use super::page::Page;

/// The length of a bucket, and of the time from one evaluation to the next.
pub const BUCKET_S: i64 = 10;
/// For how long buckets of 10 s are kept: 3 days and 6 hours.
pub const FINE_S: i64 = (3 * 24 + 6) * 3_600;
/// The length of the buckets before that, and of a page of buckets of 10 s.
pub(super) const COARSE_BUCKET_S: i64 = 300;
/// No time lies farther from 1970 than some 34,000 years, so that sums of times stay far from their limits.
pub(super) const TIME_MAX_S: i64 = 1 << 40;
pub(super) const FINE_ROWS: usize = 30;
pub(super) const COARSE_ROWS: usize = 288;
pub(super) const FINE_PAGE_S: u32 = 300;
pub(super) const COARSE_PAGE_S: u32 = 86_400;

/// A page that changed, by its length and start.
type PageId = (u32, i64);

/// The counts of an objective in one scope.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// The objective's window.
    window_s: i64,
    fine: History<FINE_ROWS>,
    coarse: History<COARSE_ROWS>,
    /// By window of the rules.
    sums: Vec<Count>,
    /// Of the objective's window.
    budget: Count,
    changed: BTreeSet<PageId>,
    dropped: BTreeSet<PageId>,
}

impl Series {
    /// Nothing counted yet, for rules that look through so many windows.
    pub(super) fn new(window_s: i64, windows: usize) -> Self {
        Self {
            window_s,
            fine: History::new(BUCKET_S),
            coarse: History::new(COARSE_BUCKET_S),
            sums: vec![Count::default(); windows],
            budget: Count::default(),
            changed: BTreeSet::new(),
            dropped: BTreeSet::new(),
        }
    }

    /// The sums over the windows of the rules.
    pub(super) fn sums(&self) -> &[Count] {
        &self.sums
    }

    /// The sum over the objective's window.
    pub(super) fn budget(&self) -> Count {
        self.budget
    }

    /// When the first bucket with anything in it begins.
    pub(super) fn first_s(&self) -> Option<i64> {
        match (self.coarse.first_s(), self.fine.first_s()) {
            (Some(coarse_s), Some(fine_s)) => Some(coarse_s.min(fine_s)),
            (coarse_s, fine_s) => coarse_s.or(fine_s),
        }
    }

    /// Whether the objective's window is made of buckets of 10 s alone.
    fn is_exact(&self) -> bool {
        self.window_s <= FINE_S
    }

    /// Changes the bucket of a time; the sums are those at `now_s`. False where no bucket of that time is kept.
    pub(super) fn apply(
        &mut self,
        at_s: i64,
        now_s: i64,
        windows: &[i64],
        change: impl FnOnce(Count) -> Count,
    ) -> bool {
        let bucket = self.fine.bucket_of(at_s);
        let page = self.fine.page_of(bucket);
        let changed = |row| change(Count::of_row(row)).row();
        if page + self.fine.page_s() > now_s - FINE_S {
            let (before, after) = self.fine.change(bucket, changed);
            self.mark(FINE_PAGE_S, page);
            if bucket > now_s {
                return true;
            }
            for (sum, window_s) in self.sums.iter_mut().zip(windows) {
                if bucket > now_s - window_s {
                    sum.exclude(Count::of_row(before));
                    sum.include(Count::of_row(after));
                }
            }
            if !self.is_exact() || bucket > now_s - self.window_s {
                self.budget.exclude(Count::of_row(before));
                self.budget.include(Count::of_row(after));
            }
            return true;
        }
        let bucket = self.coarse.bucket_of(at_s);
        if self.is_exact() || bucket <= now_s - self.window_s {
            return false;
        }
        let (before, after) = self.coarse.change(bucket, changed);
        self.mark(COARSE_PAGE_S, self.coarse.page_of(bucket));
        self.budget.exclude(Count::of_row(before));
        self.budget.include(Count::of_row(after));
        true
    }

    /// Moves the windows on by one bucket, to `to_s`.
    pub(super) fn advance(&mut self, to_s: i64, windows: &[i64]) {
        let entering = Count::of_row(self.fine.get(to_s));
        for (sum, window_s) in self.sums.iter_mut().zip(windows) {
            sum.include(entering);
            sum.exclude(Count::of_row(self.fine.get(to_s - window_s)));
        }
        self.budget.include(entering);
        let edge_s = to_s - self.window_s;
        if self.is_exact() {
            self.budget.exclude(Count::of_row(self.fine.get(edge_s)));
        } else if edge_s.rem_euclid(COARSE_BUCKET_S) == 0 {
            self.budget.exclude(Count::of_row(self.coarse.get(edge_s)));
        }
        self.trim(to_s);
    }

    /// Moves the windows anywhere, and sums anew.
    pub(super) fn jump(&mut self, to_s: i64, windows: &[i64]) {
        self.trim(to_s);
        let pages: Vec<(i64, Count)> =
            self.fine.pages().map(|(page, cells)| (page, Count::of_row(cells.sum()))).collect();
        self.sums = windows.iter().map(|window_s| self.sum(&pages, to_s - window_s, to_s)).collect();
        let after_s = if self.is_exact() { to_s - self.window_s } else { i64::MIN };
        self.budget = self.sum(&pages, after_s, to_s);
        for (page, cells) in self.coarse.pages() {
            for (bucket, row) in self.coarse.buckets(page, cells) {
                if bucket > to_s - self.window_s {
                    self.budget.include(Count::of_row(row));
                }
            }
        }
    }

    /// The sum of the buckets of 10 s from `after_s` to `until_s`; of pages that lie between them it is known already.
    fn sum(&self, pages: &[(i64, Count)], after_s: i64, until_s: i64) -> Count {
        let mut sum = Count::default();
        for (page, whole) in pages {
            let end_s = page + self.fine.page_s();
            if *page >= after_s && end_s <= until_s {
                sum.include(*whole);
            } else if end_s > after_s && *page < until_s {
                let Some(cells) = self.fine.page(*page) else { continue };
                let between = |bucket: i64| bucket > after_s && bucket <= until_s;
                let buckets = self.fine.buckets(*page, cells).filter(|(bucket, _)| between(*bucket));
                buckets.for_each(|(_, row)| sum.include(Count::of_row(row)));
            }
        }
        sum
    }

    /// Folds pages of buckets of 10 s that are no longer needed so finely, and drops what is too old.
    fn trim(&mut self, now_s: i64) {
        while let Some((page, cells)) = self.fine.take_first(now_s - FINE_S) {
            self.forget(FINE_PAGE_S, page);
            let bucket = page + self.fine.page_s();
            if !self.is_exact() && bucket > now_s - self.window_s {
                self.fold(bucket, &cells);
            }
        }
        while let Some((page, _)) = self.coarse.take_first(now_s - self.window_s) {
            self.forget(COARSE_PAGE_S, page);
        }
    }

    fn fold(&mut self, bucket: i64, cells: &Cells<FINE_ROWS>) {
        let folded = Count::of_row(cells.sum());
        self.coarse.change(bucket, |row| {
            let mut count = Count::of_row(row);
            count.include(folded);
            count.row()
        });
        self.mark(COARSE_PAGE_S, self.coarse.page_of(bucket));
    }

    fn mark(&mut self, length_s: u32, page: i64) {
        self.dropped.remove(&(length_s, page));
        self.changed.insert((length_s, page));
    }

    fn forget(&mut self, length_s: u32, page: i64) {
        self.changed.remove(&(length_s, page));
        self.dropped.insert((length_s, page));
    }

    /// The pages that changed, and those that were dropped, since it was last asked.
    pub(super) fn take_changed(&mut self) -> (Vec<Page>, Vec<PageId>) {
        let changed = std::mem::take(&mut self.changed);
        let dropped = std::mem::take(&mut self.dropped);
        let page = |(length_s, start_s): PageId| {
            let bytes = if length_s == FINE_PAGE_S {
                self.fine.page(start_s).map(|cells| cells.as_bytes().to_vec())
            } else {
                self.coarse.page(start_s).map(|cells| cells.as_bytes().to_vec())
            };
            bytes.map(|bytes| Page { start_s, length_s, bytes })
        };
        (changed.into_iter().filter_map(page).collect(), dropped.into_iter().collect())
    }

    /// Puts a page back that was kept. False where it cannot be read. The sums need a [`jump`](Self::jump) afterwards.
    pub(super) fn restore(&mut self, page: &Page) -> bool {
        let is_at_its_place = (-TIME_MAX_S..=TIME_MAX_S).contains(&page.start_s)
            && page.start_s.rem_euclid(i64::from(page.length_s.max(1))) == 0;
        match page.length_s {
            FINE_PAGE_S if is_at_its_place => {
                Cells::of_bytes(&page.bytes).map(|cells| self.fine.insert(page.start_s, cells)).is_some()
            }
            COARSE_PAGE_S if is_at_its_place => {
                Cells::of_bytes(&page.bytes).map(|cells| self.coarse.insert(page.start_s, cells)).is_some()
            }
            _ => false,
        }
    }

    /// About how much memory this takes.
    pub(super) fn memory_bytes(&self) -> usize {
        let changes = (self.changed.len() + self.dropped.len()) * 2 * size_of::<PageId>();
        size_of::<Self>()
            + self.fine.memory_bytes()
            + self.coarse.memory_bytes()
            + self.sums.capacity() * size_of::<Count>()
            + changes
    }
}
