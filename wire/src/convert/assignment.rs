//! Assignments.

use std::collections::BTreeMap;
use std::sync::Arc;

use doorbuster_model::assignment::{Audit, Secrets};
use doorbuster_model::{Assignment, Generation, Overrides, Segment, Task};

use crate::{Error, proto};

pub(super) fn to_proto(assignment: &Assignment) -> proto::Assignment {
    let overrides = &assignment.overrides;
    proto::Assignment {
        id: assignment.id.clone(),
        run: assignment.run.clone(),
        region: assignment.region.clone(),
        segment: Some(proto::Segment {
            cycle: assignment.segment.cycle(),
            slots: assignment.segment.slots().to_vec(),
        }),
        agents_here: assignment.agents_here,
        plan: assignment.plan.clone(),
        overrides: Some(proto::Overrides {
            target: overrides.target.clone(),
            seed: overrides.seed,
            insecure: overrides.insecure,
            headers: overrides
                .headers
                .iter()
                .map(|(name, value)| proto::Header { name: name.clone(), value: value.clone() })
                .collect(),
            resolve: overrides.resolve.clone(),
            ca_pem: overrides.ca_pem.clone(),
            allow_hosts: overrides.allow_hosts.clone(),
        }),
        files: BTreeMap::clone(&assignment.files),
        secrets: assignment.secrets.0.clone(),
        today: assignment.today,
        traces: match assignment.task {
            Task::Trace { walks } => walks,
            Task::Load | Task::Audit(_) | Task::Probe { .. } => 0,
        },
        audit: match &assignment.task {
            Task::Audit(audit) => Some(proto::Audit {
                pages: audit.pages.clone(),
                rate_milli: audit.rate_milli,
                patient: audit.is_patient,
                policy: audit.policy.clone(),
                journey: audit.journey.clone(),
            }),
            Task::Load | Task::Trace { .. } | Task::Probe { .. } => None,
        },
        probe_every_ms: match assignment.task {
            Task::Probe { every_ms } => every_ms,
            Task::Load | Task::Trace { .. } | Task::Audit(_) => 0,
        },
        generation: assignment.generation.map(|generation| proto::Generation {
            number: generation.number,
            from_ns: generation.from_ns,
            to_ns: generation.to_ns,
            last: generation.is_last,
        }),
        not_after_unix_ms: assignment.not_after_unix_ms,
    }
}

/// A part of a run that does not end before it begins.
fn generation(came: proto::Generation) -> Result<Generation, Error> {
    let proto::Generation { number, from_ns, to_ns, last } = came;
    if from_ns > to_ns {
        return Err(Error::Impossible { part: "generation" });
    }
    Ok(Generation { number, from_ns, to_ns, is_last: last })
}

/// The task that the fields of a message stand for.
fn task(traces: u32, audit: Option<proto::Audit>, probe_every_ms: u64) -> Task {
    match (audit, traces, probe_every_ms) {
        (Some(audit), ..) => Task::Audit(Box::new(Audit {
            pages: audit.pages,
            rate_milli: audit.rate_milli,
            is_patient: audit.patient,
            policy: audit.policy,
            journey: audit.journey,
        })),
        (None, 0, 0) => Task::Load,
        (None, 0, every_ms) => Task::Probe { every_ms },
        (None, walks, _) => Task::Trace { walks },
    }
}

pub(super) fn from_proto(assignment: proto::Assignment) -> Result<Assignment, Error> {
    let segment = assignment.segment.and_then(|segment| Segment::try_new(segment.cycle, segment.slots));
    let overrides = assignment.overrides.unwrap_or_default();
    Ok(Assignment {
        id: assignment.id,
        run: assignment.run,
        region: assignment.region,
        segment: segment.ok_or(Error::Impossible { part: "segment" })?,
        agents_here: assignment.agents_here,
        plan: assignment.plan,
        overrides: Overrides {
            target: overrides.target,
            seed: overrides.seed,
            insecure: overrides.insecure,
            headers: overrides.headers.into_iter().map(|header| (header.name, header.value)).collect(),
            resolve: overrides.resolve,
            ca_pem: overrides.ca_pem,
            allow_hosts: overrides.allow_hosts,
        },
        files: Arc::new(assignment.files),
        secrets: Secrets(assignment.secrets),
        today: assignment.today,
        task: task(assignment.traces, assignment.audit, assignment.probe_every_ms),
        generation: assignment.generation.map(generation).transpose()?,
        not_after_unix_ms: assignment.not_after_unix_ms,
    })
}
