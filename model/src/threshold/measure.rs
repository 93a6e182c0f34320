//! Comparing a rule with what was counted.

use std::cmp::Ordering;

use super::{Metric, Rule, Scope, Span, Value};
use crate::cdn::Counts;
use crate::tally::{Exchanges, Part};
use crate::{Histogram, Key, Tally};

/// What was observed, as an exact fraction in the metric's own unit (nanoseconds, parts of one, thousandths/s).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    numerator: u128,
    denominator: u128,
}

/// A rule's outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Milliseconds, percent or per second, as the metric has it; `None` when the sample cannot support the figure.
    pub observed: Option<f64>,
    /// The unit of `observed`: `ms`, `%`, `/s` or `B`.
    pub unit: &'static str,
    /// Whether the rule holds. A figure that the sample cannot support is no pass.
    pub ok: bool,
}

impl Observed {
    fn new(numerator: u128, denominator: u128) -> Option<Self> {
        (denominator > 0).then_some(Self { numerator, denominator })
    }

    /// Which of two observations is larger.
    pub fn compare(&self, other: &Self) -> Ordering {
        (self.numerator * other.denominator).cmp(&(other.numerator * self.denominator))
    }
}

impl Rule {
    /// What `tally` (of the rule's region, or all merged) shows over `seconds` seconds of the rule's sections.
    /// `None` when the sample cannot support the figure.
    pub fn observe(&self, tally: &Tally, seconds: u64) -> Option<Observed> {
        match self.threshold.metric {
            Metric::Quantile(span, per_million) => {
                let value_us = self.histogram(tally, span).quantile_us(per_million)?;
                Observed::new(u128::from(value_us) * 1_000, 1)
            }
            Metric::Max(span) => Observed::new(u128::from(self.histogram(tally, span).max_us()?) * 1_000, 1),
            Metric::Mean(span) => {
                let histogram = self.histogram(tally, span);
                Observed::new(histogram.sum_us() * 1_000, u128::from(histogram.total()))
            }
            Metric::Errors => self.share(tally, Exchanges::errors_total),
            Metric::BusinessFailures => self.share(tally, Exchanges::business_failures),
            Metric::Requests => {
                let requests = self.exchanges(tally, |_| true).requests;
                Observed::new(u128::from(requests) * 1_000, u128::from(seconds))
            }
            Metric::Bytes => {
                let exchanges = self.exchanges(tally, |_| true);
                Observed::new(u128::from(exchanges.bytes_wire), u128::from(exchanges.requests))
            }
            Metric::HitRatio => {
                let caching = self.caching(tally);
                Observed::new(u128::from(caching.hits), u128::from(caching.lookups()))
            }
            Metric::Savings => {
                let caching = self.caching(tally);
                let saved = caching.text_decoded.saturating_sub(caching.text_wire);
                Observed::new(u128::from(saved), u128::from(caching.text_decoded))
            }
        }
    }

    /// Compares an observation with the demanded value.
    pub fn judge(&self, observed: Option<Observed>) -> Judgement {
        // `shown` turns the own unit into what people read: a division, so that 500.499 ms stays 500.499.
        let (demanded, scale, shown, unit) = match self.threshold.value {
            Value::DurationNs(ns) => (ns, 1, 1e6, "ms"),
            Value::ShareParts(parts) => (parts, 1_000_000_000, 0.01, "%"),
            Value::RateMilli(milli) => (milli, 1, 1e3, "/s"),
            Value::Bytes(bytes) => (bytes, 1, 1.0, "B"),
        };
        let Some(observed) = observed else { return Judgement { observed: None, unit, ok: false } };
        let order = (observed.numerator * scale).cmp(&(u128::from(demanded) * observed.denominator));
        Judgement {
            observed: Some(observed.numerator as f64 / (observed.denominator as f64 * shown)),
            unit,
            ok: self.threshold.comparison.holds(order),
        }
    }

    /// The worse of two observations, for rules that must hold in every window.
    pub fn worse(&self, a: Option<Observed>, b: Option<Observed>) -> Option<Observed> {
        match (a, b) {
            (Some(a), Some(b)) => {
                let a_is_larger = a.compare(&b).is_gt();
                Some(if a_is_larger == self.threshold.comparison.wants_small() { a } else { b })
            }
            (a, b) => a.or(b),
        }
    }

    fn covers(&self, key: &Key) -> bool {
        let inside = match self.scope {
            Scope::All | Scope::Class(_) => true,
            Scope::Journey(journey) => key.journey == journey,
            Scope::Step(journey, step) => (key.journey, key.step) == (journey, step),
        };
        inside && self.sections.contains(&key.section)
    }

    fn exchanges(&self, tally: &Tally, part: impl Fn(Part) -> bool) -> Exchanges {
        tally.exchanges_where(|key| self.covers(key) && part(key.part))
    }

    /// A region's times hold every exchange, a journey's and a step's their main requests.
    fn histogram(&self, tally: &Tally, span: Span) -> Histogram {
        let everything = self.scope == Scope::All;
        let exchanges = self.exchanges(tally, |part| everything || part == Part::Main);
        match span {
            Span::Latency => exchanges.latency,
            Span::Service => exchanges.service,
            Span::Queue => exchanges.queue,
            Span::FirstByte => exchanges.first_byte,
            Span::Page => exchanges.page,
        }
    }

    fn share(&self, tally: &Tally, failures: impl Fn(&Exchanges) -> u64) -> Option<Observed> {
        let exchanges = self.exchanges(tally, |_| true);
        Observed::new(u128::from(failures(&exchanges)), u128::from(exchanges.requests))
    }

    fn caching(&self, tally: &Tally) -> Counts {
        let mut sum = Counts::default();
        for (place, counts) in &tally.caching {
            if self.classes.contains(&place.class) && self.sections.contains(&place.section) {
                sum.merge(counts);
            }
        }
        sum
    }
}
