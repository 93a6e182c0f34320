//! What is kept of a ledger through a crash.

use serde::{Deserialize, Serialize};

use super::backtest::Event;
use super::cells::Cells;
use super::count::Count;
use super::scope::SeriesKey;
use super::series::{
    BUCKET_S, COARSE_BUCKET_S, COARSE_PAGE_S, COARSE_ROWS, FINE_PAGE_S, FINE_ROWS, TIME_MAX_S,
};

/// Some buckets of a series: those that end after `start_s`, up to and including `start_s` + `length_s`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// A multiple of the length, in unix seconds.
    pub start_s: i64,
    /// 300: 30 buckets of 10 s. 86,400: 288 buckets of 5 min.
    pub length_s: u32,
    /// The counts; the first byte is the version of how they are written.
    pub bytes: Vec<u8>,
}

impl Page {
    /// Whether its buckets are of 5 min.
    pub fn is_coarse(&self) -> bool {
        self.length_s == COARSE_PAGE_S
    }

    /// What it holds as events at the ends of their buckets, in order; those that are suspected count as good. `None` where
    /// it cannot be read.
    pub fn events(&self) -> Option<Vec<Event>> {
        if !(-TIME_MAX_S..=TIME_MAX_S).contains(&self.start_s) {
            return None;
        }
        let (bucket_s, counts): (i64, Vec<Count>) = match self.length_s {
            FINE_PAGE_S => {
                let cells = Cells::<FINE_ROWS>::of_bytes(&self.bytes)?;
                (BUCKET_S, cells.rows().map(Count::of_row).collect())
            }
            COARSE_PAGE_S => {
                let cells = Cells::<COARSE_ROWS>::of_bytes(&self.bytes)?;
                (COARSE_BUCKET_S, cells.rows().map(Count::of_row).collect())
            }
            _ => return None,
        };
        let ends_s = (1..).map(|bucket| self.start_s + bucket * bucket_s);
        let event = |(at_s, count): (i64, Count)| Event { at_s, good: count.good(), total: count.total };
        Some(ends_s.zip(counts).filter(|(_, count)| count.total > 0).map(event).collect())
    }
}

/// What changed since it was last asked for. It belongs together: to be kept as a whole or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsaved {
    /// Pages to be put in the place of those with the same key, length and start.
    pub pages: Vec<(SeriesKey, Page)>,
    /// Pages that are no longer needed: key, length and start.
    pub dropped: Vec<(SeriesKey, u32, i64)>,
    /// What else must survive, in place of the last; none where nothing changed.
    pub memo: Option<Vec<u8>>,
}

/// What was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// All pages.
    pub pages: Vec<(SeriesKey, Page)>,
    /// The last memo; empty where there is none.
    pub memo: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_s_events_are_at_the_ends_of_their_buckets() {
        let mut fine = Cells::<FINE_ROWS>::new();
        fine.set(0, [100, 3, 2]);
        fine.set(29, [1, 1, 0]);
        let page = Page { start_s: 600, length_s: FINE_PAGE_S, bytes: fine.as_bytes().to_vec() };
        let expected = [Event { at_s: 610, good: 97, total: 100 }, Event { at_s: 900, good: 0, total: 1 }];
        assert_eq!((page.is_coarse(), page.events().as_deref()), (false, Some(&expected[..])));
        let mut coarse = Cells::<COARSE_ROWS>::new();
        coarse.set(1, [7, 0, 0]);
        let page = Page { start_s: 86_400, length_s: COARSE_PAGE_S, bytes: coarse.as_bytes().to_vec() };
        let expected = [Event { at_s: 87_000, good: 7, total: 7 }];
        assert_eq!((page.is_coarse(), page.events().as_deref()), (true, Some(&expected[..])));
        for broken in [
            Page { length_s: 60, ..page.clone() },
            Page { length_s: FINE_PAGE_S, ..page.clone() },
            Page { bytes: Vec::new(), ..page },
        ] {
            assert_eq!(broken.events(), None, "{broken:?}");
        }
    }
}
