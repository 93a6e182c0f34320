//! Figures of a probe as lines from which CloudWatch makes metrics: the Embedded Metric Format.
//!
//! Source: Amazon CloudWatch user guide, "Specification: CloudWatch embedded metric format". A function prints a line, and
//! AWS does the rest: no call, no right and no coordinator is needed.

use serde_json::{Map, Value, json};

/// Where the metrics are.
const NAMESPACE: &str = "Doorbuster";
/// Walks, or times that a step was reached, that went well.
const GOOD: &str = "good";
/// All of them.
const TOTAL: &str = "total";
/// How long a step took, in milliseconds.
const LATENCY: &str = "latency";
/// The most values of a metric in a line.
const VALUES_MAX: usize = 100;
/// The longest value of a dimension, in characters.
const DIMENSION_CHARS_MAX: usize = 1_024;

/// What came of a journey, or of one of its steps, in one round.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Figures {
    /// The region's name.
    pub region: String,
    /// The journey's.
    pub journey: String,
    /// The step's, where they are a step's.
    pub step: Option<String>,
    /// How often it went well.
    pub good: u64,
    /// How often it was tried.
    pub total: u64,
    /// How long it took each time that there was an answer, in milliseconds.
    pub latencies_ms: Vec<f64>,
}

/// The lines of these figures: one, or as many as their values need. `at_unix_ms` is in milliseconds since 1970.
pub(super) fn lines(figures: &Figures, at_unix_ms: u64) -> Vec<String> {
    let mut chunks = figures.latencies_ms.chunks(VALUES_MAX);
    let mut lines = vec![line(figures, at_unix_ms, true, chunks.next().unwrap_or_default())];
    // What is counted is counted once.
    lines.extend(chunks.map(|chunk| line(figures, at_unix_ms, false, chunk)));
    lines
}

fn line(figures: &Figures, at_unix_ms: u64, has_counts: bool, latencies_ms: &[f64]) -> String {
    let mut root = Map::new();
    let mut metrics = Vec::new();
    let mut add = |root: &mut Map<String, Value>, name: &str, unit: &str, value: Value| {
        metrics.push(json!({ "Name": name, "Unit": unit }));
        root.insert(name.to_owned(), value);
    };
    if has_counts {
        add(&mut root, GOOD, "Count", figures.good.into());
        add(&mut root, TOTAL, "Count", figures.total.into());
    }
    if !latencies_ms.is_empty() {
        add(&mut root, LATENCY, "Milliseconds", json!(latencies_ms));
    }
    let step = figures.step.as_ref().map(|step| ("step", step));
    let dimensions = [("region", &figures.region), ("journey", &figures.journey)].into_iter().chain(step);
    let mut names = Vec::new();
    for (name, value) in dimensions {
        names.push(name);
        root.insert(name.to_owned(), value_of(value).into());
    }
    let directive = json!({ "Namespace": NAMESPACE, "Dimensions": [names], "Metrics": metrics });
    root.insert("_aws".to_owned(), json!({ "Timestamp": at_unix_ms, "CloudWatchMetrics": [directive] }));
    Value::Object(root).to_string()
}

/// A name as a dimension's value: what is not printable ASCII stands as its number, what is too long is cut, and what is
/// nothing, or begins as no value may, has a line before it.
fn value_of(name: &str) -> String {
    let begins_wrong = name.trim().is_empty() || name.starts_with(':');
    let mut value = if begins_wrong { "_".to_owned() } else { String::with_capacity(name.len()) };
    for c in name.chars() {
        match c {
            ' '..='~' => value.push(c),
            c => value.push_str(&format!("_u{:04x}", u32::from(c))),
        }
    }
    // All of it is ASCII by now, so it may be cut anywhere.
    value.truncate(DIMENSION_CHARS_MAX);
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn figures(step: Option<&str>, latencies_ms: &[f64]) -> Figures {
        Figures {
            region: "tokyo".to_owned(),
            journey: "checkout".to_owned(),
            step: step.map(str::to_owned),
            good: 2,
            total: 3,
            latencies_ms: latencies_ms.to_vec(),
        }
    }

    /// The units that CloudWatch knows, of which there are more.
    const UNITS: [&str; 2] = ["Count", "Milliseconds"];

    /// Whether a text is of a length that the specification allows.
    fn is_text(value: &Value, most: usize) -> bool {
        value.as_str().is_some_and(|text| (1..=most).contains(&text.chars().count()))
    }

    /// What the specification asks of a line: the JSON schema in it, and the rules beside the schema.
    fn breach(line: &str) -> Option<&'static str> {
        let root: Value = serde_json::from_str(line).unwrap();
        let checks = |directive: &Value| {
            let lists = directive["Dimensions"].as_array().zip(directive["Metrics"].as_array());
            let Some((sets, metrics)) = lists else { return Some("shape") };
            let dimensions: Vec<&Value> = sets.iter().flat_map(|set| set.as_array().unwrap()).collect();
            let target = |name: &Value| root.get(name.as_str().unwrap_or_default());
            let is_number = |value: &Value| value.as_f64().is_some_and(f64::is_finite);
            let is_value = |value: &Value| match value {
                Value::Array(values) => (1..=100).contains(&values.len()) && values.iter().all(is_number),
                value => is_number(value),
            };
            let verdicts = [
                (is_text(&directive["Namespace"], 1_024), "namespace"),
                (!sets.is_empty(), "sets of dimensions"),
                (sets.iter().all(|set| (1..=30).contains(&set.as_array().unwrap().len())), "dimensions"),
                (dimensions.iter().all(|name| is_text(name, 250)), "names of dimensions"),
                (
                    dimensions.iter().all(|name| target(name).is_some_and(|value| is_text(value, 1_024))),
                    "values of dimensions",
                ),
                ((1..=100).contains(&metrics.len()), "number of metrics"),
                (metrics.iter().all(|metric| is_text(&metric["Name"], 1_024)), "names of metrics"),
                (
                    metrics.iter().all(|metric| UNITS.contains(&metric["Unit"].as_str().unwrap_or_default())),
                    "units",
                ),
                (metrics.iter().all(|metric| target(&metric["Name"]).is_some_and(is_value)), "values"),
            ];
            verdicts.into_iter().find(|(holds, _)| !holds).map(|(_, what)| what)
        };
        let Some(directives) = root["_aws"]["CloudWatchMetrics"].as_array() else { return Some("shape") };
        if line.contains('\n') || line.len() > 1 << 20 {
            return Some("size");
        }
        if root["_aws"]["Timestamp"].as_u64().is_none() || directives.is_empty() {
            return Some("metadata");
        }
        directives.iter().find_map(checks)
    }

    #[test]
    fn a_line_is_what_the_specification_shows() {
        let expected = json!({
            "_aws": {
                "Timestamp": 1_795_000_000_000_u64,
                "CloudWatchMetrics": [{
                    "Namespace": "Doorbuster",
                    "Dimensions": [["region", "journey", "step"]],
                    "Metrics": [
                        { "Name": "good", "Unit": "Count" },
                        { "Name": "total", "Unit": "Count" },
                        { "Name": "latency", "Unit": "Milliseconds" },
                    ],
                }],
            },
            "region": "tokyo", "journey": "checkout", "step": "pay",
            "good": 2, "total": 3, "latency": [12.5, 40.0],
        });
        let told = lines(&figures(Some("pay"), &[12.5, 40.0]), 1_795_000_000_000);
        let told: Vec<Value> = told.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(told, [expected]);
    }

    #[test]
    fn lines_keep_to_the_limits() {
        let long = "s".repeat(5_000);
        let cases: [(Option<&str>, usize, &[usize]); 7] = [
            (None, 0, &[0]),
            (Some("pay"), 0, &[0]),
            (Some("pay"), 1, &[1]),
            (Some("pay"), 100, &[100]),
            (Some("東京 → pay"), 101, &[100, 1]),
            (Some(&long), 250, &[100, 100, 50]),
            (Some(""), 1, &[1]),
        ];
        for (step, count, expected) in cases {
            let latencies = vec![0.25; count];
            let told = lines(&figures(step, &latencies), 1);
            let roots: Vec<Value> = told.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
            let values = |root: &Value| root["latency"].as_array().map_or(0, Vec::len);
            assert_eq!(roots.iter().map(values).collect::<Vec<_>>(), expected, "{step:?}");
            assert_eq!(roots.iter().filter(|root| root.get("total").is_some()).count(), 1, "counted once");
            for line in &told {
                assert_eq!(breach(line), None, "{line}");
            }
        }
    }

    #[test]
    fn names_that_cloudwatch_does_not_know_are_spelled_out() {
        let cases = [
            ("pay now", "pay now"),
            ("東京", "_u6771_u4eac"),
            ("a\tb", "a_u0009b"),
            (":a", "_:a"),
            ("", "_"),
        ];
        for (name, value) in cases {
            assert_eq!(value_of(name), value);
        }
    }

    #[test]
    fn what_breaks_the_specification_is_seen() {
        let good = &lines(&figures(Some("pay"), &[1.0]), 1)[0];
        let cases = [
            ("\"pay\"", "7", "values of dimensions"),
            ("[1.0]", "[]", "values"),
            ("[1.0]", "\"1\"", "values"),
            ("Milliseconds", "ms", "units"),
            ("\"Doorbuster\"", "\"\"", "namespace"),
            ("\"Timestamp\":1", "\"Timestamp\":\"1\"", "metadata"),
        ];
        for (from, to, expected) in cases {
            let broken = good.replace(from, to);
            assert_ne!(&broken, good, "{from}");
            assert_eq!(breach(&broken), Some(expected), "{broken}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_measured_is_told_as_the_specification_asks(
            names in (".{0,40}", ".{0,40}", proptest::option::of(".{0,40}")),
            good in any::<u64>(),
            latencies_ms in proptest::collection::vec(0.0..1e9_f64, 0..230),
        ) {
            let (region, journey, step) = names;
            let count = latencies_ms.len();
            let figures = Figures { region, journey, step, good, total: u64::MAX, latencies_ms };
            let told = lines(&figures, u64::MAX);
            prop_assert_eq!(told.len(), count.div_ceil(100).max(1));
            for line in &told {
                prop_assert_eq!(breach(line), None);
            }
        }
    }
}
