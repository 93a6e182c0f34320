//! The text that Prometheus and its kin read: which of the two formats, names, escapes, numbers.
//!
//! Sources: "Exposition formats" of Prometheus (text format 0.0.4), and OpenMetrics 1.0.

use std::fmt::Write as _;

use crate::export::gathered::{Bounds, Buckets};

/// How figures are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Prometheus's text format 0.0.4: what everything reads.
    Text,
    /// OpenMetrics 1.0, for those who ask for it.
    OpenMetrics,
}

/// The media types, without their parameters.
const TEXT: &str = "text/plain";
const OPEN_METRICS: &str = "application/openmetrics-text";

impl Format {
    /// What a client wants that sends this `Accept` header: the better of the two, and OpenMetrics where both are as good.
    /// Who names neither gets text.
    pub(crate) fn accepted(accept: Option<&str>) -> Self {
        let ranges = accept.unwrap_or_default().split(',').map(Range::read);
        let (mut text, mut open_metrics) = (0, 0);
        for range in ranges {
            match range.media {
                OPEN_METRICS if range.is_version(&["1.0.0", "0.0.1"]) => {
                    open_metrics = range.weight_milli.max(open_metrics);
                }
                TEXT | "text/*" | "*/*" if range.is_version(&["0.0.4"]) => {
                    text = range.weight_milli.max(text);
                }
                _ => {}
            }
        }
        if open_metrics > 0 && open_metrics >= text { Self::OpenMetrics } else { Self::Text }
    }

    /// The value of `Content-Type`.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// One entry of an `Accept` header.
struct Range<'a> {
    media: &'a str,
    version: Option<&'a str>,
    weight_milli: u32,
}

impl<'a> Range<'a> {
    fn read(entry: &'a str) -> Self {
        let mut parts = entry.split(';').map(str::trim);
        let mut range = Self { media: parts.next().unwrap_or_default(), version: None, weight_milli: 1_000 };
        for part in parts {
            match part.split_once('=').map(|(name, value)| (name.trim(), value.trim().trim_matches('"'))) {
                Some(("version", version)) => range.version = Some(version),
                Some(("q", weight)) => range.weight_milli = thousandths(weight),
                _ => {}
            }
        }
        range
    }

    fn is_version(&self, known: &[&str]) -> bool {
        self.version.is_none_or(|version| known.contains(&version))
    }
}

/// A weight: 0 to 1 with at most three decimals. What is none weighs nothing.
fn thousandths(weight: &str) -> u32 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let is_number = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match whole {
        "1" if is_number => 1_000,
        "0" if is_number => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

/// What a family of samples is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A page of figures under way. Every sample has the page's own labels before its own.
#[derive(Debug)]
pub(crate) struct Page {
    format: Format,
    labels: String,
    text: String,
}

/// One label: its name and its value.
pub(crate) type Label<'a> = (&'static str, &'a str);

impl Page {
    /// An empty page.
    pub(crate) fn new(format: Format, labels: &[Label<'_>]) -> Self {
        Self { format, labels: shown(labels), text: String::new() }
    }

    /// Begins a family of counters. Its name ends in `_total`.
    pub(crate) fn counter(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(Kind::Counter, name, help)
    }

    /// Begins a family of gauges.
    pub(crate) fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(Kind::Gauge, name, help)
    }

    /// Begins a family of histograms of durations. Its name ends in `_seconds`.
    pub(crate) fn histogram(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(Kind::Histogram, name, help)
    }

    fn family(&mut self, kind: Kind, name: &'static str, help: &str) -> Family<'_> {
        Family { page: self, kind, name, help: help.to_owned(), is_begun: false }
    }

    /// The whole page.
    pub(crate) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

/// A family under way. One without samples leaves no trace.
#[derive(Debug)]
pub(crate) struct Family<'a> {
    page: &'a mut Page,
    kind: Kind,
    name: &'static str,
    help: String,
    is_begun: bool,
}

impl Family<'_> {
    /// A sample that is a count.
    pub(crate) fn count(&mut self, labels: &[Label<'_>], value: u64) {
        self.sample("", &shown(labels), &value.to_string());
    }

    /// A sample that is a number.
    pub(crate) fn number(&mut self, labels: &[Label<'_>], value: f64) {
        self.sample("", &shown(labels), &number(value));
    }

    /// A sample that is a moment: seconds since 1970.
    pub(crate) fn moment(&mut self, labels: &[Label<'_>], at_s: i64) {
        self.sample("", &shown(labels), &at_s.to_string());
    }

    /// A sample that is true or false.
    pub(crate) fn flag(&mut self, labels: &[Label<'_>], is_so: bool) {
        self.count(labels, u64::from(is_so));
    }

    /// A histogram of durations.
    pub(crate) fn buckets(&mut self, labels: &[Label<'_>], buckets: &Buckets, bounds: &Bounds) {
        let labels = shown(labels);
        let comma = if labels.is_empty() { "" } else { "," };
        for (position, bound_us) in bounds.iter_us().enumerate() {
            let labels = format!("{labels}{comma}le=\"{}\"", seconds_us(u128::from(bound_us)));
            self.sample("_bucket", &labels, &buckets.at_most(position).to_string());
        }
        let labels_of_all = format!("{labels}{comma}le=\"+Inf\"");
        self.sample("_bucket", &labels_of_all, &buckets.total.to_string());
        self.sample("_sum", &labels, &seconds_us(buckets.sum_us));
        self.sample("_count", &labels, &buckets.total.to_string());
    }

    fn sample(&mut self, suffix: &str, labels: &str, value: &str) {
        self.begin();
        let Page { labels: common, text, .. } = &mut *self.page;
        let comma = if common.is_empty() || labels.is_empty() { "" } else { "," };
        // Writing into a string cannot fail.
        let _ = match (common.is_empty(), labels.is_empty()) {
            (true, true) => writeln!(text, "{}{suffix} {value}", self.name),
            _ => writeln!(text, "{}{suffix}{{{common}{comma}{labels}}} {value}", self.name),
        };
    }

    fn begin(&mut self) {
        if std::mem::replace(&mut self.is_begun, true) {
            return;
        }
        let Page { format, text, .. } = &mut *self.page;
        // In OpenMetrics a family of counters is called what its samples are called without their `_total`.
        let name = match (*format, self.kind) {
            (Format::OpenMetrics, Kind::Counter) => self.name.strip_suffix("_total").unwrap_or(self.name),
            _ => self.name,
        };
        let help = self.help.replace('\\', "\\\\").replace('\n', "\\n");
        let help = if *format == Format::OpenMetrics { help.replace('"', "\\\"") } else { help };
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {}", self.kind.word());
        let unit = ["seconds", "bytes", "ratio"]
            .into_iter()
            .find(|unit| name.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_')));
        if let Some(unit) = unit.filter(|_| *format == Format::OpenMetrics) {
            let _ = writeln!(text, "# UNIT {name} {unit}");
        }
    }
}

/// Labels as they stand between braces.
fn shown(labels: &[Label<'_>]) -> String {
    let shown = |(name, value): &Label<'_>| {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        format!("{name}=\"{value}\"")
    };
    labels.iter().map(shown).collect::<Vec<_>>().join(",")
}

/// A number as both formats know it.
fn number(value: f64) -> String {
    if value.is_infinite() {
        let sign = if value > 0.0 { "+" } else { "-" };
        return format!("{sign}Inf");
    }
    // What is no number reads `NaN`, there as here.
    value.to_string()
}

/// Microseconds as seconds, exactly. A point always stands in it, as OpenMetrics wants it for the bounds of buckets: the
/// same bound is then the same label in both formats.
fn seconds_us(us: u128) -> String {
    let fraction = format!("{:06}", us % 1_000_000);
    let fraction = fraction.trim_end_matches('0');
    format!("{}.{}", us / 1_000_000, if fraction.is_empty() { "0" } else { fraction })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_what_a_client_wants_most() {
        let prometheus_2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        for (accept, format) in [
            (Some(prometheus_2), Format::OpenMetrics),
            (Some(prometheus_3), Format::OpenMetrics),
            (None, Format::Text),
            (Some("*/*"), Format::Text),
            (Some("text/html,application/xhtml+xml,*/*;q=0.8"), Format::Text),
            (Some("text/plain;version=0.0.4, application/openmetrics-text;q=0.9"), Format::Text),
            (Some("application/openmetrics-text; version=\"1.0.0\""), Format::OpenMetrics),
            (Some("application/openmetrics-text;version=2.0.0"), Format::Text),
            (Some("application/openmetrics-text;q=0"), Format::Text),
            (Some(";;q=,,=;q=9.9999"), Format::Text),
        ] {
            assert_eq!(Format::accepted(accept), format, "{accept:?}");
        }
    }

    fn page(format: Format) -> String {
        let mut page = Page::new(format, &[("plan", "shop")]);
        let mut family = page.counter("doorbuster_requests_total", "Requests, \"assets\" and\nhops.");
        family.count(&[("step", "pay \"now\"\\\n")], 3);
        family.count(&[], 4);
        page.gauge("doorbuster_empty", "Without a sample.");
        page.gauge("doorbuster_budget_left_ratio", "What is left.").number(&[], f64::INFINITY);
        page.gauge("doorbuster_heard_timestamp_seconds", "When.").moment(&[], -5);
        page.finish()
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(
            page(Format::Text),
            "# HELP doorbuster_requests_total Requests, \"assets\" and\\nhops.\n\
             # TYPE doorbuster_requests_total counter\n\
             doorbuster_requests_total{plan=\"shop\",step=\"pay \\\"now\\\"\\\\\\n\"} 3\n\
             doorbuster_requests_total{plan=\"shop\"} 4\n\
             # HELP doorbuster_budget_left_ratio What is left.\n\
             # TYPE doorbuster_budget_left_ratio gauge\n\
             doorbuster_budget_left_ratio{plan=\"shop\"} +Inf\n\
             # HELP doorbuster_heard_timestamp_seconds When.\n\
             # TYPE doorbuster_heard_timestamp_seconds gauge\n\
             doorbuster_heard_timestamp_seconds{plan=\"shop\"} -5\n"
        );
    }

    #[test]
    fn openmetrics_names_families_units_and_its_end() {
        let text = page(Format::OpenMetrics);
        for line in [
            "# HELP doorbuster_requests Requests, \\\"assets\\\" and\\nhops.",
            "# TYPE doorbuster_requests counter",
            "doorbuster_requests_total{plan=\"shop\"} 4",
            "# UNIT doorbuster_budget_left_ratio ratio",
            "# UNIT doorbuster_heard_timestamp_seconds seconds",
        ] {
            assert!(text.lines().any(|known| known == line), "{line}\nis not in\n{text}");
        }
        assert!(text.ends_with("\n# EOF\n"));
    }

    #[test]
    fn numbers_are_exact() {
        for (us, text) in
            [(0, "0.0"), (5_000, "0.005"), (1_000_000, "1.0"), (2_500_000, "2.5"), (61_000_001, "61.000001")]
        {
            assert_eq!(seconds_us(us), text);
        }
        assert_eq!(
            (number(f64::NAN), number(-0.25), number(14.4)),
            ("NaN".into(), "-0.25".into(), "14.4".into())
        );
    }
}
