//! What is kept of a ledger through a crash.

use serde::{Deserialize, Serialize};

use super::scope::SeriesKey;

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

/// What changed since it was last asked for. It belongs together: to be kept as a whole or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsaved {
    /// Pages to be put in the place of those with the same key, length and start.
    pub pages: Vec<(SeriesKey, Page)>,
    /// Pages that are no longer needed: key, length and start. Their series may be one that the plan no longer has.
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
