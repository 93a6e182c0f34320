//! Requests, journeys and arrivals, as agents counted them.

use doorbuster_model::ErrorClass;

use super::text::{Label, Page};
use crate::export::Snapshot;
use crate::export::gathered::StepKey;

/// The journey and step of what is not told apart.
const OTHER: &str = "other";

/// Tells what was sent and what came back.
pub(super) fn tell(page: &mut Page, snapshot: &Snapshot) {
    steps(page, snapshot);
    journeys(page, snapshot);
    arrivals(page, snapshot);
}

/// The labels of a step in a region.
fn labels_of(snapshot: &Snapshot, key: StepKey) -> [Label<'_>; 3] {
    let (region, step) = key;
    let (journey, step) = match step {
        Some((journey, step)) => (snapshot.journey(journey), snapshot.step(journey, step)),
        None => (OTHER, OTHER),
    };
    [("region", snapshot.region(region)), ("journey", journey), ("step", step)]
}

fn steps(page: &mut Page, snapshot: &Snapshot) {
    let steps = &snapshot.gathered.steps;
    let mut family =
        page.counter("doorbuster_requests_total", "Exchanges attempted, assets and redirects included.");
    for (key, figures) in steps {
        family.count(&labels_of(snapshot, *key), figures.requests);
    }
    let mut family = page.counter("doorbuster_request_errors_total", "Failed exchanges, by what went wrong.");
    for (key, figures) in steps {
        let [region, journey, step] = labels_of(snapshot, *key);
        for class in ErrorClass::ALL {
            family.count(&[region, journey, step, ("class", class.word())], figures.errors[class as usize]);
        }
    }
    let mut family = page.histogram(
        "doorbuster_request_latency_seconds",
        "From the intended start of a step's own request: complete good answers, and timeouts at the time waited.",
    );
    for (key, figures) in steps.iter().filter(|(_, figures)| figures.latency.total > 0) {
        family.buckets(&labels_of(snapshot, *key), &figures.latency, &snapshot.gathered.bounds);
    }
}

fn journeys(page: &mut Page, snapshot: &Snapshot) {
    let journeys = &snapshot.gathered.journeys;
    let mut family = page.counter("doorbuster_journeys_started_total", "Journeys begun.");
    for ((region, journey), counts) in journeys {
        let labels: [Label<'_>; 2] =
            [("region", snapshot.region(*region)), ("journey", snapshot.journey(*journey))];
        family.count(&labels, counts.started);
    }
    let mut family = page.counter("doorbuster_journeys_ended_total", "Journeys that ended, by how.");
    for ((region, journey), counts) in journeys {
        for (outcome, count) in [
            ("completed", counts.completed),
            ("failed", counts.failed),
            ("abandoned", counts.abandoned),
            ("cut", counts.cut),
        ] {
            let labels: [Label<'_>; 3] = [
                ("region", snapshot.region(*region)),
                ("journey", snapshot.journey(*journey)),
                ("outcome", outcome),
            ];
            family.count(&labels, count);
        }
    }
}

fn arrivals(page: &mut Page, snapshot: &Snapshot) {
    let regions = &snapshot.gathered.regions;
    let mut family = page.counter("doorbuster_arrivals_started_total", "Arrivals that were started.");
    for (region, figures) in regions {
        family.count(&[("region", snapshot.region(*region))], figures.started);
    }
    let mut family =
        page.counter("doorbuster_arrivals_late_total", "Arrivals that started over 10 ms after their time.");
    for (region, figures) in regions {
        family.count(&[("region", snapshot.region(*region))], figures.late);
    }
    let mut family = page.histogram(
        "doorbuster_schedule_lag_seconds",
        "From the intended start to the moment when the generator handles it: its own lateness, never the target's.",
    );
    for (region, figures) in regions {
        family.buckets(&[("region", snapshot.region(*region))], &figures.lag, &snapshot.gathered.lag_bounds);
    }
}
