//! Ticks: sparse, so that a second of a few steps is some kilobytes.

use doorbuster_model::cdn::policy::CLASSES_MAX;
use doorbuster_model::cdn::{ClassId, Counts, Pop};
use doorbuster_model::tally::{Arrivals, Connections, Exchanges, Failures, Journeys, Place};
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
        unclassified: tally.unclassified.clone(),
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
        unclassified: tick.unclassified,
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
        layers: if exchanges.layers.iter().all(|count| *count == 0) {
            Vec::new()
        } else {
            exchanges.layers.to_vec()
        },
    }
}

/// Counts by the members of an enum, as many as came.
fn counts<const N: usize>(came: &[u64], part: &'static str) -> Result<[u64; N], Error> {
    let mut counts = [0; N];
    counts.get_mut(..came.len()).ok_or(Error::Impossible { part })?.copy_from_slice(came);
    Ok(counts)
}

fn exchanges_from_proto(exchanges: proto::Exchanges) -> Result<(Key, Exchanges), Error> {
    let key = Key {
        journey: narrow(exchanges.journey, "journey")?,
        step: narrow(exchanges.step, "step")?,
        part: member(&PARTS, exchanges.part, "part")?,
        section: narrow(exchanges.section, "section")?,
    };
    let status = |(status, count)| Ok((narrow(status, "status")?, count));
    let read = Exchanges {
        requests: exchanges.requests,
        requests_sent: exchanges.requests_sent,
        cut: exchanges.cut,
        errors: counts(&exchanges.errors, "errors")?,
        layers: counts(&exchanges.layers, "layers")?,
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

/// A class of content by its position in the policy, or the number of what belongs to none.
pub(super) fn class_from_proto(class: u32) -> Result<ClassId, Error> {
    let class = ClassId(narrow(class, "content class")?);
    let is_one = class == ClassId::UNCLASSIFIED || usize::from(class.0) < CLASSES_MAX;
    if is_one { Ok(class) } else { Err(Error::Impossible { part: "content class" }) }
}

/// An edge location; 0 where it is not told.
pub(super) fn pop_from_proto(pop: u32) -> Result<Option<Pop>, Error> {
    match pop {
        0 => Ok(None),
        code => Pop::of_code(code).map(Some).ok_or(Error::Impossible { part: "edge location" }),
    }
}

fn caching_to_proto((place, counts): (&Place, &Counts)) -> proto::Caching {
    let [layer_edge, layer_regional, layer_shield, layer_other] = counts.hit_layers;
    proto::Caching {
        class: u32::from(place.class.0),
        section: u32::from(place.section),
        hits: counts.hits,
        refresh_hits: counts.refresh_hits,
        misses: counts.misses,
        others: counts.others,
        bytes_wire: counts.bytes_wire,
        bytes_decoded: counts.bytes_decoded,
        pop: place.pop.map_or(0, Pop::code),
        first_misses: counts.first_misses,
        texts: counts.texts,
        texts_plain: counts.texts_plain,
        text_wire: counts.text_wire,
        text_decoded: counts.text_decoded,
        texts_sampled: counts.texts_sampled,
        untold: counts.untold,
        layer_edge,
        layer_regional,
        layer_shield,
        layer_other,
    }
}

fn caching_from_proto(caching: proto::Caching) -> Result<(Place, Counts), Error> {
    let place = Place {
        class: class_from_proto(caching.class)?,
        section: narrow(caching.section, "section")?,
        pop: pop_from_proto(caching.pop)?,
    };
    let counts = Counts {
        hits: caching.hits,
        refresh_hits: caching.refresh_hits,
        misses: caching.misses,
        first_misses: caching.first_misses,
        others: caching.others,
        untold: caching.untold,
        hit_layers: [caching.layer_edge, caching.layer_regional, caching.layer_shield, caching.layer_other],
        bytes_wire: caching.bytes_wire,
        bytes_decoded: caching.bytes_decoded,
        texts: caching.texts,
        texts_plain: caching.texts_plain,
        texts_sampled: caching.texts_sampled,
        text_wire: caching.text_wire,
        text_decoded: caching.text_decoded,
    };
    Ok((place, counts))
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
