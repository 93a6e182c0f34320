//! `think`: how long a shopper looks at a page.

use std::time::Duration;

use doorbuster_notation::{Fault, Fields, Kind, Node, Place, parse_duration, parse_duration_range};

use super::Reader;
use crate::program::Instruction;
use crate::think::{THINK_MAX, Think};

const EXPECTED: &str =
    "a think time: 10s, 5s..15s, { exponential: 8s } or { log_normal: { median: 8s, sigma: 0.6 } }";

impl Reader {
    /// Appends a pause.
    pub(super) fn think(&mut self, node: &Node) {
        let think = self.read_think(node);
        self.program.extend(think.map(Instruction::Think));
    }

    /// How long a pause is.
    pub(super) fn read_think(&mut self, node: &Node) -> Option<Think> {
        match &node.kind {
            Kind::Map(_) => self.distribution(node),
            _ => self.faults.keep(plain(node)),
        }
    }

    fn distribution(&mut self, node: &Node) -> Option<Think> {
        let fields = Fields::of(node, "a think time");
        let mut fields = self.faults.keep(fields)?;
        let exponential = fields.optional("exponential");
        let log_normal = fields.optional("log_normal");
        let known = self.faults.faults.len();
        fields.finish(&mut self.faults);
        match (exponential, log_normal) {
            (Some(mean), None) => {
                let think =
                    duration(mean).and_then(|value| Think::exponential(value).map_err(at(mean.place)));
                self.faults.keep(think)
            }
            (None, Some(node)) => self.log_normal(node),
            // An unknown key has been told with the key that was meant.
            _ if self.faults.faults.len() > known => None,
            _ => {
                self.faults.add(node.place, format!("expected {EXPECTED}"));
                None
            }
        }
    }

    fn log_normal(&mut self, node: &Node) -> Option<Think> {
        let fields = Fields::of(node, "a log-normal think time");
        let mut fields = self.faults.keep(fields)?;
        let median = fields.required("median").and_then(duration);
        let sigma = fields.required("sigma").and_then(|node| match node.kind {
            Kind::Float(value) => Ok((value, node.place)),
            // Sigma is at most 5, so the digits that a large integer loses here do not matter.
            Kind::Int(value) => Ok((value as f64, node.place)),
            _ => Err(node.expected("a number such as 0.6")),
        });
        fields.finish(&mut self.faults);
        let (median, sigma) = (self.faults.keep(median), self.faults.keep(sigma));
        let (sigma, place) = sigma?;
        self.faults.keep(Think::log_normal(median?, sigma).map_err(at(place)))
    }
}

fn at(place: Place) -> impl Fn(String) -> Fault {
    move |message| Fault::new(place, message)
}

fn plain(node: &Node) -> Result<Think, Fault> {
    let text = node.scalar(EXPECTED)?;
    if !text.contains("..") {
        return duration(node).map(Think::Constant);
    }
    let (from, to) = parse_duration_range(&text).map_err(at(node.place))?;
    bounded(to, node.place)?;
    Ok(Think::Uniform(from, to))
}

pub(super) fn duration(node: &Node) -> Result<Duration, Fault> {
    node.parse_with(EXPECTED, parse_duration).and_then(|duration| bounded(duration, node.place))
}

fn bounded(duration: Duration, place: Place) -> Result<Duration, Fault> {
    if duration > THINK_MAX {
        return Err(Fault::new(
            place,
            "a think time over 1h is not read: a shopper who is gone so long comes back as another",
        ));
    }
    Ok(duration)
}
