//! What comes in, as far as something is wrong with it: events that were not taken as they came, real traffic that cannot be
//! read.

use super::text::Page;
use crate::export::Snapshot;

/// Tells what could not be taken.
pub(super) fn tell(page: &mut Page, snapshot: &Snapshot) {
    let mut family = page.counter("doorbuster_oddities_total", "What could not be taken as it came.");
    for (kind, times) in &snapshot.vitals.losses {
        family.count(&[("kind", kind)], *times);
    }
    if let Some(reading) = &snapshot.vitals.traffic {
        page.gauge("doorbuster_traffic_failing", "Whether real traffic cannot be read.")
            .flag(&[], reading.is_failing);
        page.counter("doorbuster_traffic_failures_total", "Reads of real traffic that failed.")
            .count(&[], reading.failures);
    }
}
