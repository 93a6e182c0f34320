//! The timeline: a row for each second and region, told once the second is complete.

use std::collections::BTreeMap;
use std::ops::Range;

use doorbuster_model::cdn::ClassId;
use doorbuster_model::plan::Model;
use doorbuster_model::{Histogram, Pace, Tally};

use super::AgentState;
use crate::outcome::TimelineRow;

const SECOND_NS: u64 = 1_000_000_000;

/// The rows so far.
#[derive(Debug)]
pub(super) struct Timeline {
    regions: usize,
    pace: Pace,
    open: bool,
    /// The classes of content that are never cached.
    private: Vec<ClassId>,
    /// Rows whose seconds are not complete yet, with their latencies.
    pending: BTreeMap<u32, Vec<(TimelineRow, Histogram)>>,
    /// The complete rows, per second and region.
    rows: Vec<TimelineRow>,
}

impl Timeline {
    /// Nothing reported yet.
    pub(super) fn new(regions: usize, pace: Pace, model: Model, private: Vec<ClassId>) -> Self {
        let open = matches!(model, Model::Open(_));
        Self { regions, pace, open, private, pending: BTreeMap::new(), rows: Vec::new() }
    }

    /// Adds what an agent of a region had in a second that is not complete yet.
    pub(super) fn add(&mut self, region: usize, second: u32, tally: &Tally) {
        let regions = self.regions;
        let rows = self.pending.entry(second).or_insert_with(|| empty(second, regions));
        let (row, latency) = &mut rows[region];
        let exchanges = tally.exchanges_where(|_| true);
        row.requests += exchanges.requests;
        row.errors += exchanges.errors_total();
        row.arrivals_started += tally.arrivals.started;
        latency.merge(&exchanges.latency);
        for (place, counts) in &tally.caching {
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

    /// The next second before `done` of which something is known.
    pub(super) fn next_before(&self, done: u32) -> Option<u32> {
        self.pending.keys().next().copied().filter(|second| *second < done)
    }

    /// The seconds before `second` of which nobody told anything: where whoever was to cover them was lost, what they lack is
    /// to be seen. Only in a relay somebody goes on after that.
    pub(super) fn silent_before(&self, second: u32, agents: &[AgentState]) -> Range<u32> {
        let next = self.rows.last().map_or(0, |row| row.second.saturating_add(1));
        let ends = agents.iter().filter_map(|agent| agent.generation).map(|generation| generation.to_ns);
        let end = ends.max().unwrap_or(0).div_ceil(SECOND_NS);
        next..second.min(u32::try_from(end).unwrap_or(u32::MAX))
    }

    /// Tells a second, which is complete.
    pub(super) fn tell(&mut self, second: u32, agents: &[AgentState]) {
        let rows = self.pending.remove(&second).unwrap_or_else(|| empty(second, self.regions));
        for (mut row, latency) in rows {
            row.quantiles_us = [500_000, 950_000, 990_000].map(|quantile| latency.quantile_us(quantile));
            row.arrivals_planned =
                if self.open { self.planned(row.region, second, agents) } else { row.arrivals_started };
            self.rows.push(row);
        }
    }

    /// The complete rows so far.
    pub(super) fn rows(&self) -> &[TimelineRow] {
        &self.rows
    }

    /// Arrivals that a region was to start in a second.
    fn planned(&self, region: usize, second: u32, agents: &[AgentState]) -> u64 {
        let from_ns = u64::from(second) * SECOND_NS;
        let (from, to) = (self.pace.arrivals_before(from_ns), self.pace.arrivals_before(from_ns + SECOND_NS));
        // Generations are of whole seconds, so that a second is one's alone.
        let agents = agents.iter().filter(|agent| agent.region == region && agent.covers(from_ns));
        agents.map(|agent| agent.segment.count_below(to) - agent.segment.count_below(from)).sum()
    }
}

fn empty(second: u32, regions: usize) -> Vec<(TimelineRow, Histogram)> {
    (0..regions)
        .map(|region| (TimelineRow { second, region, ..TimelineRow::default() }, Histogram::new()))
        .collect()
}
