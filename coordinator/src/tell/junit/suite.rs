//! JUnit XML itself: suites of cases.

use std::fmt::Write;

/// How a case ended.
pub(in crate::tell) enum Ending {
    /// As it was to.
    Passed,
    /// Otherwise, and how.
    Failed {
        /// What is broken.
        kind: String,
        /// What was seen.
        message: String,
    },
    /// Nobody knows, and why.
    Broken {
        /// What was in the way.
        kind: String,
        /// What was seen.
        message: String,
    },
    /// It was left out, and why.
    Skipped {
        /// Why.
        message: String,
    },
}

/// One case.
pub(in crate::tell) struct Case {
    pub(in crate::tell) name: String,
    pub(in crate::tell) ending: Ending,
}

/// Cases that belong together.
pub(in crate::tell) struct Suite {
    pub(in crate::tell) name: String,
    pub(in crate::tell) cases: Vec<Case>,
}

/// The document of these suites. `started_at` is a time of RFC 3339.
pub(in crate::tell) fn document(name: &str, started_at: &str, time_s: f64, suites: &[Suite]) -> String {
    let sum = |count: fn(&Suite) -> usize| suites.iter().map(count).sum::<usize>();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail, so the results of all `writeln!` in this file are of no use.
    let _ = writeln!(
        xml,
        "<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{time_s:.3}\">",
        escaped(name),
        sum(|suite| suite.cases.len()),
        sum(Suite::failures),
        sum(Suite::errors)
    );
    suites.iter().for_each(|suite| suite.write(&mut xml, name, started_at, time_s));
    xml.push_str("</testsuites>\n");
    xml
}

impl Suite {
    fn count(&self, is: impl Fn(&Ending) -> bool) -> usize {
        self.cases.iter().filter(|case| is(&case.ending)).count()
    }

    fn failures(&self) -> usize {
        self.count(|ending| matches!(ending, Ending::Failed { .. }))
    }

    fn errors(&self) -> usize {
        self.count(|ending| matches!(ending, Ending::Broken { .. }))
    }

    fn skipped(&self) -> usize {
        self.count(|ending| matches!(ending, Ending::Skipped { .. }))
    }

    fn write(&self, xml: &mut String, document: &str, started_at: &str, time_s: f64) {
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" \
             timestamp=\"{}\" time=\"{time_s:.3}\">",
            escaped(&self.name),
            self.cases.len(),
            self.failures(),
            self.errors(),
            self.skipped(),
            escaped(started_at)
        );
        let class = escaped(&format!("{document}.{}", self.name));
        for case in &self.cases {
            case.write(xml, &class);
        }
        xml.push_str("  </testsuite>\n");
    }
}

impl Case {
    fn write(&self, xml: &mut String, class: &str) {
        let name = escaped(&self.name);
        let (element, kind, message) = match &self.ending {
            Ending::Passed => {
                let _ = writeln!(xml, "    <testcase classname=\"{class}\" name=\"{name}\"/>");
                return;
            }
            Ending::Failed { kind, message } => ("failure", kind.as_str(), message),
            Ending::Broken { kind, message } => ("error", kind.as_str(), message),
            Ending::Skipped { message } => ("skipped", "", message),
        };
        let first = escaped(message.lines().next().unwrap_or(""));
        let _ = writeln!(xml, "    <testcase classname=\"{class}\" name=\"{name}\">");
        if kind.is_empty() {
            let _ = writeln!(xml, "      <{element} message=\"{first}\"/>");
        } else {
            let _ = writeln!(
                xml,
                "      <{element} type=\"{}\" message=\"{first}\">{}</{element}>",
                escaped(kind),
                escaped(message)
            );
        }
        xml.push_str("    </testcase>\n");
    }
}

/// Text for an element or a quoted attribute. What XML 1.0 cannot hold at all (section 2.2: most control
/// characters) becomes the replacement character.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            // As they are, a parser would make spaces of them in attributes.
            '\t' | '\n' | '\r' => {
                let _ = write!(xml, "&#{};", u32::from(c));
            }
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => xml.push('\u{fffd}'),
            c => xml.push(c),
        }
    }
    xml
}
