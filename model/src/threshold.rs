//! What must hold for a pass: `[region] [journey[/step]|step|class] metric op value [during PHASE] [over DURATION]`.
//!
//! Reading ([`Threshold::parse`]), finding out what the names mean in a plan ([`Threshold::resolve`]) and comparing
//! ([`Rule::judge`]) stand apart. Comparisons are on integers; a figure that the sample cannot support is no pass.

mod measure;
mod names;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use doorbuster_notation::{did_you_mean, parse_duration, parse_rate_milli, parse_share, parse_size};

pub use measure::{Judgement, Observed};
pub(crate) use names::scope_of;
pub use names::{Names, Rule, Scope};

/// Which time a latency metric is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// From the intended start: what shoppers feel.
    Latency,
    /// From the actual send.
    Service,
    /// Waiting for a connection.
    Queue,
    /// From the actual send to the answer's head.
    FirstByte,
    /// The document with all its assets.
    Page,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// The value that this share of a span's samples (in parts per million) is at or below.
    Quantile(Span, u32),
    /// The largest value of a span.
    Max(Span),
    /// The mean of a span.
    Mean(Span),
    /// Failed exchanges ÷ exchanges.
    Errors,
    /// Failed expectations ÷ exchanges.
    BusinessFailures,
    /// Exchanges per second.
    Requests,
    /// Hits ÷ (hits + misses); refresh hits count as misses, because they paid the origin's round trip.
    HitRatio,
    /// 1 − wire bytes ÷ decoded bytes.
    Savings,
    /// Body bytes over the wire ÷ exchanges.
    Bytes,
}

/// How observed and demanded value are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

impl Comparison {
    const ALL: [(&'static str, Self); 4] =
        [("<=", Self::AtMost), (">=", Self::AtLeast), ("<", Self::Below), (">", Self::Above)];

    /// Whether smaller is better.
    pub fn wants_small(self) -> bool {
        matches!(self, Self::Below | Self::AtMost)
    }

    fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Below => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Above => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

/// A demanded value, exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nanoseconds.
    DurationNs(u64),
    /// Parts per billion.
    ShareParts(u64),
    /// Thousandths per second.
    RateMilli(u64),
    /// Bytes.
    Bytes(u64),
}

/// A threshold as it was read; what its names mean is found by [`Threshold::resolve`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// The rule as it was written, with single spaces.
    pub text: String,
    /// The words before the metric.
    pub subject: Vec<String>,
    /// What is measured.
    pub metric: Metric,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub value: Value,
    /// Only during phases of this name or kind.
    pub during: Option<String>,
    /// In every window of this length.
    pub over: Option<Duration>,
}

/// The longest window.
const OVER_MAX: Duration = Duration::from_secs(600);

const GRAMMAR: &str = "[region] [journey[/step]|step|class] metric op value [during PHASE] [over DURATION]";

impl Threshold {
    /// Reads a threshold.
    ///
    /// # Errors
    /// A sentence that says what was found and what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fail = |why: String| format!("\"{text}\" is not a threshold: {why}; the form is {GRAMMAR}");
        let (position, sign, comparison) =
            find_comparison(text).ok_or_else(|| fail("there is no <, <=, > or >= in it".to_owned()))?;
        let (before, after) = (&text[..position], &text[position + sign.len()..]);
        let mut subject: Vec<String> = before.split_whitespace().map(str::to_owned).collect();
        let word = subject.pop().ok_or_else(|| fail(format!("there is no metric before \"{sign}\"")))?;
        let metric = metric_of(&word)
            .ok_or_else(|| fail(format!("unknown metric \"{word}\"{}", did_you_mean(&word, METRIC_WORDS))))?;
        if subject.len() > 3 {
            return Err(fail("too many words before the metric".to_owned()));
        }
        let mut words: Vec<&str> = after.split_whitespace().collect();
        let over = take_clause(&mut words, "over").map_err(&fail)?;
        let during = take_clause(&mut words, "during").map_err(&fail)?;
        let value = value_of(metric, &words.concat()).map_err(&fail)?;
        let over = over.map(|text| parse_duration(&text)).transpose().map_err(&fail)?;
        if over.is_some_and(|over| over < Duration::from_secs(1) || over.subsec_nanos() != 0) {
            return Err(fail("\"over\" takes whole seconds, at least 1s".to_owned()));
        }
        if over.is_some_and(|over| over > OVER_MAX) {
            return Err(fail("\"over\" takes at most 10m".to_owned()));
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Self { text, subject, metric, comparison, value, during, over })
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn find_comparison(text: &str) -> Option<(usize, &'static str, Comparison)> {
    let position = text.find(['<', '>'])?;
    let (sign, comparison) =
        Comparison::ALL.into_iter().find(|(sign, _)| text[position..].starts_with(sign))?;
    Some((position, sign, comparison))
}

/// Takes `keyword REST…` off the end of `words`.
fn take_clause(words: &mut Vec<&str>, keyword: &str) -> Result<Option<String>, String> {
    let Some(position) = words.iter().position(|word| *word == keyword) else { return Ok(None) };
    let clause = words.split_off(position)[1..].join(" ");
    if clause.is_empty() { Err(format!("nothing follows \"{keyword}\"")) } else { Ok(Some(clause)) }
}

const METRIC_WORDS: [&str; 15] = [
    "errors",
    "business_failures",
    "requests",
    "hit_ratio",
    "savings",
    "bytes",
    "p50",
    "p90",
    "p95",
    "p99",
    "p99.9",
    "p99.99",
    "max",
    "mean",
    "page_p95",
];
const SPANS: [(&str, Span); 4] = [
    ("service_", Span::Service),
    ("queue_", Span::Queue),
    ("first_byte_", Span::FirstByte),
    ("page_", Span::Page),
];

fn metric_of(word: &str) -> Option<Metric> {
    match word {
        "errors" => return Some(Metric::Errors),
        "business_failures" => return Some(Metric::BusinessFailures),
        "requests" => return Some(Metric::Requests),
        "hit_ratio" => return Some(Metric::HitRatio),
        "savings" => return Some(Metric::Savings),
        "bytes" => return Some(Metric::Bytes),
        _ => {}
    }
    let prefixed =
        SPANS.iter().find_map(|(prefix, span)| word.strip_prefix(prefix).map(|rest| (*span, rest)));
    let (span, rest) = prefixed.unwrap_or((Span::Latency, word));
    match rest {
        "max" => Some(Metric::Max(span)),
        "mean" => Some(Metric::Mean(span)),
        _ => {
            let share = parse_share(&format!("{}%", rest.strip_prefix('p')?)).ok()?;
            let per_million = u32::try_from(share.parts_per_billion / 1_000).ok()?;
            let exact = share.parts_per_billion.is_multiple_of(1_000);
            (exact && (1..1_000_000).contains(&per_million)).then_some(Metric::Quantile(span, per_million))
        }
    }
}

fn value_of(metric: Metric, text: &str) -> Result<Value, String> {
    match metric {
        Metric::Quantile(..) | Metric::Max(_) | Metric::Mean(_) => {
            let duration = parse_duration(text)?;
            u64::try_from(duration.as_nanos())
                .map(Value::DurationNs)
                .map_err(|_| format!("\"{text}\" is too long"))
        }
        Metric::Requests => parse_rate_milli(text).map(Value::RateMilli),
        Metric::Bytes => parse_size(text).map(Value::Bytes),
        Metric::Errors | Metric::BusinessFailures | Metric::HitRatio | Metric::Savings => {
            parse_share(text).map(|share| Value::ShareParts(share.parts_per_billion))
        }
    }
}
