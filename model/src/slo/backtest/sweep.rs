//! Windows that move over a history: what comes in is added, what goes is taken away.

use super::ROWS;
use crate::slo::cells::{Cells, Row};
use crate::slo::count::Sum;
use crate::slo::history::History;
use crate::slo::rule::Rule;

/// Reads a history's buckets in order, each once.
struct Reader<'a> {
    history: &'a History<ROWS>,
    /// The end of the last bucket that was read.
    read_s: i64,
    page: Option<i64>,
    cells: Option<&'a Cells<ROWS>>,
}

impl<'a> Reader<'a> {
    /// Before everything.
    fn new(history: &'a History<ROWS>) -> Self {
        let read_s = history.pages().next().map_or(0, |(page, _)| page);
        Self { history, read_s, page: None, cells: None }
    }

    /// Hands over the buckets up to `until_s` that have events.
    fn read(&mut self, until_s: i64, mut take: impl FnMut(i64, Row)) {
        let bucket_s = self.history.bucket_s();
        let mut bucket = self.read_s + bucket_s;
        while bucket <= until_s {
            let page = self.history.page_of(bucket);
            if self.page != Some(page) {
                self.page = Some(page);
                self.cells = self.history.page(page);
            }
            if let Some(cells) = self.cells {
                let row = cells.get(self.history.row_of(bucket, page));
                if row[0] > 0 {
                    take(bucket, row);
                }
                bucket += bucket_s;
            } else if let Some((next, _)) = self.history.next_page(page + 1) {
                bucket = next + bucket_s;
            } else {
                break;
            }
        }
        self.read_s = self.read_s.max(until_s);
    }
}

/// When failures began that came one after the other.
#[derive(Clone, Copy, Default)]
struct Chain {
    first_s: Option<i64>,
    last_s: i64,
}

/// All windows, at one time.
pub(super) struct Sweep<'a> {
    rules: &'a [Rule],
    entering: Reader<'a>,
    /// By rule: the long and the short window, with what leaves each.
    windows: Vec<[(Reader<'a>, Sum); 2]>,
    budget: (Reader<'a>, Sum),
    budget_s: i64,
    chains: Vec<Chain>,
}

impl<'a> Sweep<'a> {
    /// Before everything, with a window for the budget.
    pub(super) fn new(history: &'a History<ROWS>, rules: &'a [Rule], budget_s: i64) -> Self {
        let window = || (Reader::new(history), Sum::default());
        Self {
            rules,
            entering: Reader::new(history),
            windows: rules.iter().map(|_| [window(), window()]).collect(),
            budget: window(),
            budget_s,
            chains: vec![Chain::default(); rules.len()],
        }
    }

    /// Moves all windows on, to end at `to_s`.
    pub(super) fn advance(&mut self, to_s: i64) {
        let mut entered = Sum::default();
        let bucket_s = self.entering.history.bucket_s();
        let (rules, chains) = (self.rules, &mut self.chains);
        self.entering.read(to_s, |bucket, [total, failed, second]| {
            entered.total += u128::from(total);
            entered.failed += u128::from(failed);
            if failed > 0 {
                let first_s = bucket - bucket_s + i64::try_from(second).unwrap_or(bucket_s);
                for (chain, rule) in chains.iter_mut().zip(rules) {
                    if chain.first_s.is_none() || first_s - chain.last_s > i64::from(rule.short_s) {
                        chain.first_s = Some(first_s);
                    }
                    chain.last_s = bucket;
                }
            }
        });
        for ([long, short], rule) in self.windows.iter_mut().zip(rules) {
            turn_over(long, to_s - i64::from(rule.long_s), entered);
            turn_over(short, to_s - i64::from(rule.short_s), entered);
        }
        turn_over(&mut self.budget, to_s - self.budget_s, entered);
    }

    /// What a rule's long and short window hold.
    pub(super) fn sums(&self, nth: usize) -> (Sum, Sum) {
        let [long, short] = &self.windows[nth];
        (long.1, short.1)
    }

    /// What the budget's window holds.
    pub(super) fn budget(&self) -> Sum {
        self.budget.1
    }

    /// When the failures began that led to a rule's state.
    pub(super) fn first_failure_s(&self, nth: usize) -> Option<i64> {
        self.chains.get(nth).and_then(|chain| chain.first_s)
    }

    /// Whether no rule's window holds anything.
    pub(super) fn is_idle(&self) -> bool {
        self.windows.iter().flatten().all(|(_, sum)| sum.total == 0)
    }

    /// The first bucket with events that no window has seen yet.
    pub(super) fn next_filled(&self) -> Option<i64> {
        let (history, read_s) = (self.entering.history, self.entering.read_s);
        let mut from_s = history.page_of(read_s + history.bucket_s());
        loop {
            let (page, cells) = history.next_page(from_s)?;
            let mut filled =
                history.buckets(page, cells).filter(|(bucket, row)| *bucket > read_s && row[0] > 0);
            match filled.next() {
                Some((bucket, _)) => return Some(bucket),
                None => from_s = page + 1,
            }
        }
    }
}

/// Adds to a window what entered it, and takes away what lies before `after_s` now.
fn turn_over((reader, sum): &mut (Reader<'_>, Sum), after_s: i64, entered: Sum) {
    sum.total += entered.total;
    sum.failed += entered.failed;
    reader.read(after_s, |_, [total, failed, _]| {
        sum.total -= u128::from(total);
        sum.failed -= u128::from(failed);
    });
}
