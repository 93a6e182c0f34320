//! Ticks: sparse, so that a second of a few steps is some kilobytes.

use doorbuster_model::cdn::Class;
use doorbuster_model::tally::{Arrivals, Caching, Connections, Exchanges, Failures, Journeys};
use doorbuster_model::{ErrorClass, Health, Histogram, Key, Part, Tally, Tick};

use super::{buckets, narrow};
use crate::{Error, proto};

pub(super) const PARTS: [Part; 3] = [Part::Main, Part::Asset, Part::Hop];

/// The member of `all` that a number on the wire stands for.
pub(super) fn member<T: Copy>(all: &[T], position: u32, part: &'static str) -> Result<T, Error> {
    all.get(position as usize).copied().ok_or(Error::Impossible { part })
}

/// The number on the wire that stands for a member of `all`.
pub(super) fn position<T: PartialEq>(all: &[T], member: &T) -> u32 {
    // The members are a handful, so the position always fits.
    all.iter()
        .position(|known| known == member)
        .and_then(|position| u32::try_from(position).ok())
        .unwrap_or(u32::MAX)
}

fn histogram_to_proto(histogram: &Histogram) -> Option<proto::Histogram> {
    if histogram.total() == 0 {
        return None;
    }
    Some(proto::Histogram {
        buckets: buckets::pack(histogram.buckets()),
        // A second's sum is below 2^64 µs unless five billion requests took an hour each.
        sum_us: u64::try_from(histogram.sum_us()).unwrap_or(u64::MAX),
        max_us: histogram.max_us().unwrap_or(0),
        clamped: histogram.clamped(),
    })
}

fn histogram_from_proto(histogram: Option<proto::Histogram>) -> Result<Histogram, Error> {
    let Some(histogram) = histogram else { return Ok(Histogram::new()) };
    let sum_us = u128::from(histogram.sum_us);
    buckets::unpack(&histogram.buckets)
        .and_then(|buckets| Histogram::try_from_parts(buckets, sum_us, histogram.max_us, histogram.clamped))
        .ok_or(Error::Impossible { part: "histogram" })
}

pub(super) fn tick_to_proto(tick: &Tick) -> proto::Tick {
    let (tally, health) = (&tick.tally, &tick.health);
    proto::Tick {
        second: tick.second,
        health: Some(proto::Health {
            cpu_milli: health.cpu_milli,
            cpu_limit_milli: health.cpu_limit_milli,
            descriptors: health.descriptors,
            descriptors_max: health.descriptors_max,
            shoppers: health.shoppers,
            connections: health.connections,
        }),
        exchanges: tally.exchanges.iter().map(exchanges_to_proto).collect(),
        journeys: tally.journeys.iter().map(journeys_to_proto).collect(),
        caching: tally.caching.iter().map(caching_to_proto).collect(),
        arrivals_started: tally.arrivals.started,
        arrivals_late: tally.arrivals.late,
        lag: histogram_to_proto(&tally.arrivals.lag),
        connections_opened: tally.connections.opened,
        dns: histogram_to_proto(&tally.connections.dns),
        connect: histogram_to_proto(&tally.connections.connect),
        tls: histogram_to_proto(&tally.connections.tls),
        challenges: tally.challenges,
        counters: tally.counters.iter().map(|(name, count)| (name.clone(), *count)).collect(),
        failures: tally.failures.iter().map(failures_to_proto).collect(),
    }
}

pub(super) fn tick_from_proto(tick: proto::Tick) -> Result<Tick, Error> {
    let health = tick.health.unwrap_or_default();
    let tally = Tally {
        exchanges: tick.exchanges.into_iter().map(exchanges_from_proto).collect::<Result<_, _>>()?,
        journeys: tick.journeys.into_iter().map(journeys_from_proto).collect::<Result<_, _>>()?,
        caching: tick.caching.into_iter().map(caching_from_proto).collect::<Result<_, _>>()?,
        arrivals: Arrivals {
            started: tick.arrivals_started,
            late: tick.arrivals_late,
            lag: histogram_from_proto(tick.lag)?,
        },
        connections: Connections {
            opened: tick.connections_opened,
            dns: histogram_from_proto(tick.dns)?,
            connect: histogram_from_proto(tick.connect)?,
            tls: histogram_from_proto(tick.tls)?,
        },
        challenges: tick.challenges,
        counters: tick.counters.into_iter().collect(),
        failures: tick.failures.into_iter().map(failures_from_proto).collect::<Result<_, _>>()?,
    };
    let health = Health {
        cpu_milli: health.cpu_milli,
        cpu_limit_milli: health.cpu_limit_milli,
        descriptors: health.descriptors,
        descriptors_max: health.descriptors_max,
        shoppers: health.shoppers,
        connections: health.connections,
    };
    Ok(Tick { second: tick.second, tally, health })
}

fn exchanges_to_proto((key, exchanges): (&Key, &Exchanges)) -> proto::Exchanges {
    proto::Exchanges {
        journey: u32::from(key.journey),
        step: u32::from(key.step),
        part: position(&PARTS, &key.part),
        section: u32::from(key.section),
        requests: exchanges.requests,
        requests_sent: exchanges.requests_sent,
        errors: exchanges.errors.to_vec(),
        statuses: exchanges.statuses.iter().map(|(status, count)| (u32::from(*status), *count)).collect(),
        bytes_wire: exchanges.bytes_wire,
        bytes_decoded: exchanges.bytes_decoded,
        decoded_sampled: exchanges.decoded_sampled,
        latency: histogram_to_proto(&exchanges.latency),
        service: histogram_to_proto(&exchanges.service),
        queue: histogram_to_proto(&exchanges.queue),
        first_byte: histogram_to_proto(&exchanges.first_byte),
        failed: histogram_to_proto(&exchanges.failed),
        page: histogram_to_proto(&exchanges.page),
        cut: exchanges.cut,
    }
}

fn exchanges_from_proto(exchanges: proto::Exchanges) -> Result<(Key, Exchanges), Error> {
    let key = Key {
        journey: narrow(exchanges.journey, "journey")?,
        step: narrow(exchanges.step, "step")?,
        part: member(&PARTS, exchanges.part, "part")?,
        section: narrow(exchanges.section, "section")?,
    };
    let mut errors = [0; ErrorClass::ALL.len()];
    if exchanges.errors.len() > errors.len() {
        return Err(Error::Impossible { part: "errors" });
    }
    errors[..exchanges.errors.len()].copy_from_slice(&exchanges.errors);
    let status = |(status, count)| Ok((narrow(status, "status")?, count));
    let read = Exchanges {
        requests: exchanges.requests,
        requests_sent: exchanges.requests_sent,
        cut: exchanges.cut,
        errors,
        statuses: exchanges.statuses.into_iter().map(status).collect::<Result<_, Error>>()?,
        bytes_wire: exchanges.bytes_wire,
        bytes_decoded: exchanges.bytes_decoded,
        decoded_sampled: exchanges.decoded_sampled,
        latency: histogram_from_proto(exchanges.latency)?,
        service: histogram_from_proto(exchanges.service)?,
        queue: histogram_from_proto(exchanges.queue)?,
        first_byte: histogram_from_proto(exchanges.first_byte)?,
        failed: histogram_from_proto(exchanges.failed)?,
        page: histogram_from_proto(exchanges.page)?,
    };
    Ok((key, read))
}

fn journeys_to_proto((journey, journeys): (&u16, &Journeys)) -> proto::Journeys {
    proto::Journeys {
        journey: u32::from(*journey),
        started: journeys.started,
        completed: journeys.completed,
        failed: journeys.failed,
        cut: journeys.cut,
        abandoned: journeys.abandoned,
    }
}

fn journeys_from_proto(journeys: proto::Journeys) -> Result<(u16, Journeys), Error> {
    let proto::Journeys { journey, started, completed, failed, cut, abandoned } = journeys;
    Ok((narrow(journey, "journey")?, Journeys { started, completed, failed, abandoned, cut }))
}

fn caching_to_proto(((class, section), caching): (&(Class, u16), &Caching)) -> proto::Caching {
    proto::Caching {
        class: position(&Class::ALL, class),
        section: u32::from(*section),
        hits: caching.hits,
        refresh_hits: caching.refresh_hits,
        misses: caching.misses,
        others: caching.others,
        bytes_wire: caching.bytes_wire,
        bytes_decoded: caching.bytes_decoded,
    }
}

fn caching_from_proto(caching: proto::Caching) -> Result<((Class, u16), Caching), Error> {
    let key = (member(&Class::ALL, caching.class, "content class")?, narrow(caching.section, "section")?);
    let proto::Caching { hits, refresh_hits, misses, others, bytes_wire, bytes_decoded, .. } = caching;
    Ok((key, Caching { hits, refresh_hits, misses, others, bytes_wire, bytes_decoded }))
}

fn failures_to_proto(
    ((journey, step, class), failures): (&(u16, u16, ErrorClass), &Failures),
) -> proto::Failures {
    proto::Failures {
        journey: u32::from(*journey),
        step: u32::from(*step),
        class: position(&ErrorClass::ALL, class),
        count: failures.count,
        example: failures.example.clone(),
    }
}

fn failures_from_proto(failures: proto::Failures) -> Result<((u16, u16, ErrorClass), Failures), Error> {
    let class = member(&ErrorClass::ALL, failures.class, "error class")?;
    let key = (narrow(failures.journey, "journey")?, narrow(failures.step, "step")?, class);
    Ok((key, Failures { count: failures.count, example: failures.example }))
}
