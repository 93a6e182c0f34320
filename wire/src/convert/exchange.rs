//! Exchanges of a trace, and markers.

use doorbuster_model::report::{Exchange, Marker};
use doorbuster_model::sample::{ConnectTimes, Times};
use doorbuster_model::{Key, Report};

use super::narrow;
use super::tally::{PARTS, member, position};
use crate::{Error, proto};

pub(super) fn headers_to_proto(headers: &[(String, String)]) -> Vec<proto::Header> {
    headers.iter().map(|(name, value)| proto::Header { name: name.clone(), value: value.clone() }).collect()
}

pub(super) fn headers_from_proto(headers: Vec<proto::Header>) -> Vec<(String, String)> {
    headers.into_iter().map(|header| (header.name, header.value)).collect()
}

pub(super) fn to_proto(exchange: &Exchange) -> proto::Exchange {
    let (times, opened) = (&exchange.times, exchange.opened.as_ref());
    proto::Exchange {
        journey: u32::from(exchange.key.journey),
        step: u32::from(exchange.key.step),
        part: position(&PARTS, &exchange.key.part),
        method: exchange.method.clone(),
        url: exchange.url.clone(),
        request_headers: headers_to_proto(&exchange.request_headers),
        request_body: exchange.request_body.clone(),
        status: exchange.status.map_or(0, u32::from),
        headers: headers_to_proto(&exchange.headers),
        body: exchange.body.clone(),
        intended_ns: times.intended_ns,
        handled_ns: times.handled_ns,
        sent_ns: times.sent_ns,
        first_byte_ns: times.first_byte_ns,
        ended_ns: times.ended_ns,
        dns_ns: opened.and_then(|opened| opened.dns_ns),
        connect_ns: opened.map(|opened| opened.connect_ns),
        tls_ns: opened.and_then(|opened| opened.tls_ns),
        bytes_wire: exchange.bytes_wire,
        problem: exchange.problem.clone(),
        tolerated: exchange.is_tolerated,
        values: headers_to_proto(&exchange.values),
    }
}

pub(super) fn from_proto(exchange: proto::Exchange) -> Result<Exchange, Error> {
    let opened = exchange.connect_ns.map(|connect_ns| ConnectTimes {
        dns_ns: exchange.dns_ns,
        connect_ns,
        tls_ns: exchange.tls_ns,
    });
    Ok(Exchange {
        key: Key {
            journey: narrow(exchange.journey, "journey")?,
            step: narrow(exchange.step, "step")?,
            part: member(&PARTS, exchange.part, "part")?,
            section: 0,
        },
        method: exchange.method,
        url: exchange.url,
        request_headers: headers_from_proto(exchange.request_headers),
        request_body: exchange.request_body,
        status: if exchange.status == 0 { None } else { Some(narrow(exchange.status, "status")?) },
        headers: headers_from_proto(exchange.headers),
        body: exchange.body,
        times: Times {
            intended_ns: exchange.intended_ns,
            handled_ns: exchange.handled_ns,
            sent_ns: exchange.sent_ns,
            first_byte_ns: exchange.first_byte_ns,
            ended_ns: exchange.ended_ns,
        },
        opened,
        bytes_wire: exchange.bytes_wire,
        problem: exchange.problem,
        is_tolerated: exchange.tolerated,
        values: headers_from_proto(exchange.values),
    })
}

pub(super) fn markers_to_proto(second: u32, markers: &[Marker]) -> proto::Markers {
    let marker = |marker: &Marker| proto::Marker {
        journey: u32::from(marker.journey),
        name: marker.name.clone(),
        value: marker.value.clone(),
    };
    proto::Markers { second, markers: markers.iter().map(marker).collect() }
}

pub(super) fn markers_from_proto(markers: proto::Markers) -> Result<Report, Error> {
    let marker = |marker: proto::Marker| {
        let journey = narrow(marker.journey, "journey")?;
        Ok(Marker { journey, name: marker.name, value: marker.value })
    };
    let second = markers.second;
    let markers = markers.markers.into_iter().map(marker).collect::<Result<_, Error>>()?;
    Ok(Report::Markers { second, markers })
}
