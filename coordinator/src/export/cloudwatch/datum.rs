//! A datum for CloudWatch, and the limits that it must keep: AWS refuses a whole request for one that does not.
//!
//! Source: Amazon CloudWatch API reference, `PutMetricData`, `MetricDatum` and `Dimension`.

/// The most dimensions of a metric.
pub(crate) const DIMENSIONS_MAX: usize = 30;
/// The most values of a datum.
pub(crate) const VALUES_MAX: usize = 150;
/// The longest name of a metric, a dimension or a namespace.
pub(crate) const NAME_BYTES_MAX: usize = 255;
/// The longest value of a dimension.
pub(crate) const DIMENSION_VALUE_BYTES_MAX: usize = 1_024;
/// How old a datum may be.
pub(crate) const PAST_MAX_S: i64 = 14 * 86_400;
/// How far ahead a datum may be.
pub(crate) const FUTURE_MAX_S: i64 = 2 * 3_600;
/// The largest value, and with a minus the smallest: 2^360.
const MAGNITUDE_MAX_LOG2: i32 = 360;

/// A metric: CloudWatch tells them apart by name and dimensions together, and is paid for each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MetricId {
    /// Its name.
    pub name: String,
    /// Its dimensions: name and value.
    pub dimensions: Vec<(String, String)>,
}

/// What figures are measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Things.
    Count,
    /// Thousandths of a second.
    Milliseconds,
    /// Hundredths of a whole.
    Percent,
    /// A ratio.
    None,
}

/// Figures of a metric at a moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Figures {
    /// One value.
    One(f64),
    /// Values, each with how often it came: percentiles can be made of them.
    Many(Vec<(f64, f64)>),
}

/// Figures of a metric at a moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Datum {
    /// Of which metric.
    pub metric: MetricId,
    /// When, in seconds since 1970.
    pub at_s: i64,
    /// In what.
    pub unit: Unit,
    /// The figures.
    pub figures: Figures,
}

/// Why CloudWatch would refuse a datum.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Breach {
    /// A name that cannot be.
    #[error("the {what} \"{name}\" is not 1 to 255 printable ASCII characters, or begins with a colon")]
    Name {
        /// What it is the name of.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A dimension's value that cannot be.
    #[error("the dimension \"{name}\" has a value that is not 1 to 1,024 printable ASCII characters")]
    DimensionValue {
        /// The dimension's name.
        name: String,
    },
    /// Too many dimensions.
    #[error("\"{metric}\" has {count} dimensions, and at most 30 are taken")]
    Dimensions {
        /// The metric's name.
        metric: String,
        /// How many.
        count: usize,
    },
    /// No values, or too many.
    #[error("\"{metric}\" has {count} values in a datum, and 1 to 150 are taken")]
    Values {
        /// The metric's name.
        metric: String,
        /// How many.
        count: usize,
    },
    /// A number that CloudWatch does not know.
    #[error(
        "\"{metric}\" has a value or a count that is no number from -2^360 to 2^360, or a count that is not above 0"
    )]
    Number {
        /// The metric's name.
        metric: String,
    },
    /// Too old, or too far ahead.
    #[error("\"{metric}\" is of {at_s}, which is over two weeks ago or over two hours ahead")]
    Time {
        /// The metric's name.
        metric: String,
        /// When.
        at_s: i64,
    },
}

impl Datum {
    /// Whether CloudWatch takes it, as far as one datum can be judged.
    ///
    /// # Errors
    /// The first limit that it breaks.
    pub(crate) fn check(&self, now_s: i64) -> Result<(), Breach> {
        let metric = || self.metric.name.clone();
        check_name("metric", &self.metric.name)?;
        let count = self.metric.dimensions.len();
        if count > DIMENSIONS_MAX {
            return Err(Breach::Dimensions { metric: metric(), count });
        }
        for (name, value) in &self.metric.dimensions {
            check_name("dimension", name)?;
            if !is_printable(value, DIMENSION_VALUE_BYTES_MAX) {
                return Err(Breach::DimensionValue { name: name.clone() });
            }
        }
        let is_good = match &self.figures {
            Figures::One(value) => is_known(*value),
            Figures::Many(values) => {
                if values.is_empty() || values.len() > VALUES_MAX {
                    return Err(Breach::Values { metric: metric(), count: values.len() });
                }
                values.iter().all(|(value, count)| is_known(*value) && is_known(*count) && *count > 0.0)
            }
        };
        if !is_good {
            return Err(Breach::Number { metric: metric() });
        }
        if !(now_s - PAST_MAX_S..=now_s + FUTURE_MAX_S).contains(&self.at_s) {
            return Err(Breach::Time { metric: metric(), at_s: self.at_s });
        }
        Ok(())
    }

    /// How many bytes it takes of a request, at most: the names of its fields, its strings with their lengths, and nine
    /// bytes a number (CBOR, RFC 8949).
    pub(crate) fn bytes(&self) -> usize {
        const FIELDS: usize = 160;
        const DIMENSION: usize = 24;
        const NUMBER: usize = 9;
        let dimensions = self.metric.dimensions.iter();
        let dimensions: usize = dimensions.map(|(name, value)| DIMENSION + name.len() + value.len()).sum();
        let numbers = match &self.figures {
            Figures::One(_) => 1,
            Figures::Many(values) => 2 * values.len(),
        };
        FIELDS + self.metric.name.len() + dimensions + NUMBER * numbers
    }

    /// How many values it holds.
    pub(crate) fn values(&self) -> usize {
        match &self.figures {
            Figures::One(_) => 1,
            Figures::Many(values) => values.len(),
        }
    }
}

/// A name of a metric, a dimension or a namespace.
fn check_name(what: &'static str, name: &str) -> Result<(), Breach> {
    if is_printable(name, NAME_BYTES_MAX) && !name.starts_with(':') {
        Ok(())
    } else {
        Err(Breach::Name { what, name: name.to_owned() })
    }
}

fn is_printable(text: &str, bytes_max: usize) -> bool {
    let is_plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    text.len() <= bytes_max && !text.trim().is_empty() && text.bytes().all(is_plain)
}

fn is_known(value: f64) -> bool {
    value.is_finite() && value.abs() <= 2_f64.powi(MAGNITUDE_MAX_LOG2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: i64 = 1_800_000_000;

    fn datum() -> Datum {
        let dimensions = vec![("Region".to_owned(), "tokyo".to_owned())];
        let metric = MetricId { name: "Latency".to_owned(), dimensions };
        Datum { metric, at_s: NOW_S, unit: Unit::Milliseconds, figures: Figures::One(1.0) }
    }

    fn check(change: impl FnOnce(&mut Datum)) -> Result<(), Breach> {
        let mut datum = datum();
        change(&mut datum);
        datum.check(NOW_S)
    }

    #[test]
    fn numbers_are_judged_at_their_edges() {
        let one = |value| check(|datum| datum.figures = Figures::One(value)).is_ok();
        let most = 2_f64.powi(360);
        for (value, is_taken) in [
            (0.0, true),
            (-0.0, true),
            (most, true),
            (-most, true),
            (most * 1.000_001, false),
            (-most * 2.0, false),
            (f64::MAX, false),
            (f64::MIN_POSITIVE, true),
            (f64::NAN, false),
            (f64::INFINITY, false),
            (f64::NEG_INFINITY, false),
        ] {
            assert_eq!(one(value), is_taken, "{value}");
        }
        let many = |values: Vec<(f64, f64)>| check(|datum| datum.figures = Figures::Many(values));
        assert!(many(vec![(1.0, 1.0); 150]).is_ok());
        assert_eq!(many(vec![(1.0, 1.0); 151]), Err(Breach::Values { metric: "Latency".into(), count: 151 }));
        assert_eq!(many(vec![]), Err(Breach::Values { metric: "Latency".into(), count: 0 }));
        for bad in [(f64::NAN, 1.0), (1.0, f64::NAN), (1.0, 0.0), (1.0, -1.0), (1.0, f64::INFINITY)] {
            assert!(many(vec![(1.0, 1.0), bad]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn times_are_judged_at_their_edges() {
        let at = |at_s| check(|datum| datum.at_s = at_s).is_ok();
        assert!(at(NOW_S - PAST_MAX_S) && !at(NOW_S - PAST_MAX_S - 1), "two weeks");
        assert!(at(NOW_S + FUTURE_MAX_S) && !at(NOW_S + FUTURE_MAX_S + 1), "two hours");
    }

    #[test]
    fn names_and_dimensions_are_judged_at_their_edges() {
        let named = |name: &str| check(|datum| datum.metric.name = name.to_owned()).is_ok();
        for (name, is_taken) in [
            ("L", true),
            ("Burn rate <1h> \"x\"", true),
            ("", false),
            ("  ", false),
            (":Latency", false),
            ("La:tency", true),
            ("Lätency", false),
            ("La\ttency", false),
            ("Latency\u{7f}", false),
            ("n".repeat(255).as_str(), true),
            ("n".repeat(256).as_str(), false),
        ] {
            assert_eq!(named(name), is_taken, "{name:?}");
        }
        let with = |name: &str, value: &str| {
            let dimension = (name.to_owned(), value.to_owned());
            check(|datum| datum.metric.dimensions = vec![dimension])
        };
        assert!(with(&"n".repeat(255), &"v".repeat(1_024)).is_ok());
        assert!(with(&"n".repeat(256), "v").is_err() && with("n", &"v".repeat(1_025)).is_err());
        assert!(with(":n", "v").is_err() && with("n", ":v").is_ok());
        assert_eq!(with("n", " "), Err(Breach::DimensionValue { name: "n".into() }));
        assert!(with("n", "東京").is_err() && with("n", "").is_err());
        let dimensions = |count: usize| {
            let dimensions = (0..count).map(|number| (format!("D{number}"), "v".to_owned())).collect();
            check(|datum| datum.metric.dimensions = dimensions)
        };
        assert!(dimensions(30).is_ok() && dimensions(0).is_ok());
        assert_eq!(dimensions(31), Err(Breach::Dimensions { metric: "Latency".into(), count: 31 }));
    }

    #[test]
    fn a_breach_says_which_limit() {
        let breach = check(|datum| datum.figures = Figures::One(f64::NAN)).unwrap_err().to_string();
        assert!(breach.contains("\"Latency\"") && breach.contains("2^360"), "{breach}");
        let breach = check(|datum| datum.metric.name = ":x".to_owned()).unwrap_err().to_string();
        assert!(breach.contains("the metric \":x\" is not 1 to 255 printable"), "{breach}");
    }
}
