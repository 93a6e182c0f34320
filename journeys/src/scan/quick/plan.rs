//! What a pass looks for, by bits.

use crate::pattern::{COMPOUNDS_MAX, Compound, Pattern};
use crate::scan::{Query, Take};

/// As many queries as have room in a word.
pub(super) struct Plan<'q> {
    pub(super) queries: &'q [Query<'q>],
    /// By their bits.
    pub(super) compounds: Vec<&'q Compound>,
    /// Those before which there is none.
    pub(super) firsts: u64,
    /// Those that ask their parents, and those that ask all around them.
    pub(super) children: u64,
    pub(super) descendants: u64,
    /// For each query, what its matches match last; and all of these.
    pub(super) ends: Vec<u64>,
    pub(super) all_ends: u64,
    /// Before this place nothing has to be matched, and behind the other one nothing matches.
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) wants_text: bool,
    pub(super) counts_types: bool,
}

impl<'q> Plan<'q> {
    /// Of the first of these queries, at least of one.
    pub(super) fn of(html: &[u8], queries: &'q [Query<'q>], patterns: &[&'q Pattern]) -> Self {
        let mut plan = Self {
            queries,
            compounds: Vec::new(),
            firsts: 0,
            children: 0,
            descendants: 0,
            ends: Vec::new(),
            all_ends: 0,
            from: html.len(),
            to: 0,
            wants_text: false,
            counts_types: false,
        };
        for (query, pattern) in queries.iter().zip(patterns) {
            let count: usize = pattern.alternatives().map(<[Compound]>::len).sum();
            if plan.compounds.len() + count > COMPOUNDS_MAX {
                break;
            }
            plan.add(html, query, pattern);
        }
        plan.queries = &queries[..plan.ends.len()];
        plan
    }

    fn add(&mut self, html: &[u8], query: &Query<'_>, pattern: &'q Pattern) {
        let mut ends = 0;
        for compounds in pattern.alternatives() {
            let mut bit = 1_u64 << self.compounds.len();
            let places = if self.from == 0 && self.to == html.len() {
                Some((0, html.len()))
            } else {
                places(html, compounds, query.until.is_none())
            };
            // Where there is no place for it, nothing can match.
            let Some((from, to)) = places else { continue };
            self.from = self.from.min(from);
            self.to = self.to.max(to);
            for (position, compound) in compounds.iter().enumerate() {
                let asked = match (position, compound.is_child) {
                    (0, _) => &mut self.firsts,
                    (_, true) => &mut self.children,
                    (_, false) => &mut self.descendants,
                };
                *asked |= bit;
                self.counts_types |= compound.counts_types();
                self.compounds.push(compound);
                if position + 1 == compounds.len() {
                    ends |= bit;
                }
                bit <<= 1;
            }
        }
        self.ends.push(ends);
        self.all_ends |= ends;
        self.wants_text |= query.take == Take::Text;
    }
}

/// Between which places elements can be that match the first and the last of the compounds.
fn places(html: &[u8], compounds: &[Compound], wants_all: bool) -> Option<(usize, usize)> {
    let from = match compounds.first()?.needle.as_ref() {
        Some(needle) => needle.first(html)?,
        None => 0,
    };
    let to = match compounds.last()?.needle.as_ref() {
        Some(needle) if wants_all => needle.last(html)?,
        Some(needle) => {
            needle.first(html)?;
            html.len()
        }
        None => html.len(),
    };
    Some((from, to))
}
