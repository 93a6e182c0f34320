//! How the harness itself fares: agents, store, outbox, CloudWatch, this process.

use std::collections::BTreeMap;

use super::text::Page;
use crate::export::Snapshot;
use crate::export::cloudwatch::Sent;

/// Tells how the harness fares.
pub(super) fn tell(page: &mut Page, snapshot: &Snapshot) {
    let version = env!("CARGO_PKG_VERSION");
    page.gauge("doorbuster_build_info", "The version that runs.").count(&[("version", version)], 1);
    agents(page, snapshot);
    keeping(page, snapshot);
    if let Some(sent) = &snapshot.cloudwatch {
        cloudwatch(page, sent);
    }
    process(page, snapshot);
}

/// What the agents of a region come to.
#[derive(Clone, Copy, Default)]
struct Sum {
    agents: u64,
    cpu_milli: u64,
    cpu_limit_milli: u64,
    descriptors: u64,
    descriptors_max: u64,
    connections: u64,
}

fn agents(page: &mut Page, snapshot: &Snapshot) {
    let mut regions: BTreeMap<usize, Sum> =
        (0..snapshot.names.regions.len()).map(|region| (region, Sum::default())).collect();
    for (region, health) in snapshot.gathered.agents.values() {
        let sum = regions.entry(*region).or_default();
        sum.agents += 1;
        sum.cpu_milli += u64::from(health.cpu_milli);
        sum.cpu_limit_milli += u64::from(health.cpu_limit_milli);
        sum.descriptors += u64::from(health.descriptors);
        sum.descriptors_max += u64::from(health.descriptors_max);
        sum.connections += u64::from(health.connections);
    }
    let mut each = |name, help, value: fn(&Sum) -> f64| {
        let mut family = page.gauge(name, help);
        for (region, sum) in &regions {
            family.number(&[("region", snapshot.region(*region))], value(sum));
        }
    };
    each("doorbuster_agents", "Agents that report.", |sum| sum.agents as f64);
    each("doorbuster_agent_cpu_cores", "Cores that agents use.", |sum| sum.cpu_milli as f64 / 1e3);
    each("doorbuster_agent_cpu_limit_cores", "Cores that agents may use.", |sum| {
        sum.cpu_limit_milli as f64 / 1e3
    });
    each("doorbuster_agent_open_descriptors", "Descriptors that agents have open.", |sum| {
        sum.descriptors as f64
    });
    each("doorbuster_agent_descriptors_limit", "Descriptors that agents may have open.", |sum| {
        sum.descriptors_max as f64
    });
    each("doorbuster_agent_open_connections", "Connections to the target.", |sum| sum.connections as f64);
    let mut family =
        page.counter("doorbuster_agent_restarts_total", "Agents that were lost and started anew.");
    for (region, restarts) in snapshot.vitals.restarts.iter().enumerate() {
        family.count(&[("region", snapshot.region(region))], *restarts);
    }
}

fn keeping(page: &mut Page, snapshot: &Snapshot) {
    let vitals = &snapshot.vitals;
    let is_failing = vitals.store_failing_since_s.is_some();
    page.gauge("doorbuster_store_failing", "Whether the store cannot be written.").flag(&[], is_failing);
    if let Some(since_s) = vitals.store_failing_since_s {
        let name = "doorbuster_store_failing_since_timestamp_seconds";
        page.gauge(name, "Since when the store cannot be written.").moment(&[], since_s);
    }
    page.gauge("doorbuster_store_waiting_bytes", "What waits to be written to the store.")
        .count(&[], vitals.store_waiting_bytes);
    page.counter("doorbuster_store_lost_total", "Letters and pages of counts that there was no room for.")
        .count(&[], vitals.store_lost);
    page.gauge("doorbuster_outbox_waiting_notices", "Notices that were not delivered yet.")
        .count(&[], vitals.outbox_waiting);
    if let Some(since_s) = vitals.outbox_oldest_s {
        let name = "doorbuster_outbox_oldest_notice_timestamp_seconds";
        page.gauge(name, "When the oldest notice was made that waits.").moment(&[], since_s);
    }
    page.gauge("doorbuster_outbox_refused_notices", "Notices that a receiver refused for good.")
        .count(&[], vitals.outbox_refused);
}

fn cloudwatch(page: &mut Page, sent: &Sent) {
    page.counter("doorbuster_cloudwatch_datums_sent_total", "Datums that CloudWatch took.")
        .count(&[], sent.sent);
    page.counter(
        "doorbuster_cloudwatch_datums_dropped_total",
        "Datums that waited too long, and were dropped.",
    )
    .count(&[], sent.dropped);
    page.counter(
        "doorbuster_cloudwatch_datums_refused_total",
        "Datums that CloudWatch refused, or that break its limits and were not sent.",
    )
    .count(&[], sent.refused);
    page.counter("doorbuster_cloudwatch_failures_total", "Requests that failed and were sent again.")
        .count(&[], sent.failures);
    page.gauge("doorbuster_cloudwatch_waiting_datums", "Datums that wait to be sent.")
        .count(&[], sent.waiting);
    if let Some(at_s) = sent.last_sent_s {
        let name = "doorbuster_cloudwatch_last_sent_timestamp_seconds";
        page.gauge(name, "When CloudWatch last took something.").moment(&[], at_s);
    }
}

/// The figures that Prometheus's own clients tell of their process, under the names that they have there.
fn process(page: &mut Page, snapshot: &Snapshot) {
    page.gauge("process_start_time_seconds", "When this process began.")
        .moment(&[], snapshot.vitals.started_at_s);
    let Some(process) = &snapshot.process else { return };
    page.counter("process_cpu_seconds_total", "CPU time of this process.").number(&[], process.cpu_s);
    page.gauge("process_resident_memory_bytes", "Memory of this process.").count(&[], process.resident_bytes);
    page.gauge("process_open_fds", "Descriptors that this process has open.").count(&[], process.descriptors);
}
