//! Everything as text for Prometheus and its kin: a pure function of a snapshot.
//!
//! Names are Prometheus's: base units, `_total` for what only grows. Every sample has the label `plan`; others are names
//! of the plan's regions, journeys, steps, objectives and rules, so that their number is the plan's and not time's, and at
//! most [`STEPS_MAX`](super::gathered::STEPS_MAX) steps are told apart. Counters fall at a restart of this process and at
//! no other time.
//!
//! Histograms are *native-friendly*. Native histograms travel neither in the text format nor in OpenMetrics 1.0, so these
//! are classic ones; but such that Prometheus can keep them as native ones with custom buckets
//! (`convert_classic_histograms_to_nhcb`): durations in seconds, the same bounds in every series of a family and for as long
//! as the process lives, a bucket `+Inf` that equals `_count`, and a `_sum`. There are no quantiles: those of several
//! regions cannot be put together, and their histograms can.

mod harness;
mod incoming;
mod load;
mod slo;
mod text;

#[cfg(test)]
mod tests;

use super::Snapshot;

pub(crate) use text::Format;
use text::Page;

/// The page that a scrape gets.
pub(crate) fn page(snapshot: &Snapshot, format: Format) -> String {
    let mut page = Page::new(format, &[("plan", &snapshot.plan)]);
    slo::tell(&mut page, snapshot);
    load::tell(&mut page, snapshot);
    incoming::tell(&mut page, snapshot);
    harness::tell(&mut page, snapshot);
    page.finish()
}
