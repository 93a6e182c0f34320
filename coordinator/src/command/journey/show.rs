//! What a walk looks like on a terminal.

use std::collections::BTreeMap;
use std::fmt::Write;

use doorbuster_model::Part;
use doorbuster_model::cdn::{CacheStatus, Head};
use doorbuster_model::report::{Exchange, Marker};
use doorbuster_model::sample::Times;
use doorbuster_model::threshold::Names;

use crate::Verdict;
use crate::tell::Paint;

/// The longest value of a variable that is shown, in characters.
const VALUE_CHARS_MAX: usize = 100;

/// Turns exchanges into lines.
pub(super) struct Show<'a> {
    names: &'a Names,
    paint: Paint,
    headers: bool,
    bodies: bool,
    /// The variables as they were shown last.
    values: BTreeMap<String, String>,
}

impl<'a> Show<'a> {
    /// `headers` and `bodies` say whether those are shown.
    pub(super) fn new(names: &'a Names, colour: bool, headers: bool, bodies: bool) -> Self {
        Self { names, paint: Paint { on: colour }, headers, bodies, values: BTreeMap::new() }
    }

    /// The lines of an exchange.
    pub(super) fn exchange(&mut self, exchange: &Exchange) -> String {
        let mut out = String::new();
        let step = match exchange.key.part {
            Part::Main => self.step(exchange),
            Part::Hop => "  redirected".to_owned(),
            Part::Asset => return self.asset(exchange),
        };
        let status = self.status(exchange);
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{step:<20} {status} {} {}\n{:<20} {}",
            exchange.method,
            exchange.url,
            "",
            phases(exchange)
        );
        if self.headers {
            lines(&mut out, ">", &exchange.request_headers);
            lines(&mut out, "<", &exchange.headers);
        }
        if self.bodies {
            body(&mut out, ">", &exchange.request_body);
            body(&mut out, "<", &exchange.body);
        }
        for (name, value) in &exchange.values {
            if self.values.get(name) != Some(value) {
                let _ = writeln!(out, "{:<20} {name} = {}", "", clip(value));
            }
        }
        self.values = exchange.values.iter().cloned().collect();
        if !exchange.problem.is_empty() {
            let painted = if exchange.is_tolerated {
                self.paint.yellow(&format!("goes on elsewhere: {}", exchange.problem))
            } else {
                self.paint.red(&exchange.problem)
            };
            let _ = writeln!(out, "{:<20} {painted}", "");
        }
        out
    }

    /// The line of an asset, beneath its page; its headers where those are shown, and what is wrong with it.
    fn asset(&self, exchange: &Exchange) -> String {
        let mut out = String::new();
        let is_kept = exchange.status.is_none() && exchange.problem.is_empty();
        let how = if is_kept { "kept from before".to_owned() } else { phases(exchange) };
        let (status, method, url) = (self.status(exchange), &exchange.method, &exchange.url);
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{:<20} {status} {method} {url}  {how}", "  asset");
        if self.headers {
            lines(&mut out, ">", &exchange.request_headers);
            lines(&mut out, "<", &exchange.headers);
        }
        if !exchange.problem.is_empty() {
            let _ = writeln!(out, "{:<20} {}", "", self.paint.red(&exchange.problem));
        }
        out
    }

    fn status(&self, exchange: &Exchange) -> String {
        match exchange.status {
            Some(status) if exchange.problem.is_empty() => self.paint.green(&status.to_string()),
            Some(status) => self.paint.red(&status.to_string()),
            None if exchange.problem.is_empty() => "  -".to_owned(),
            None => self.paint.red("---"),
        }
    }

    /// The lines of markers.
    pub(super) fn markers(&self, markers: &[Marker]) -> String {
        markers
            .iter()
            .map(|marker| format!("{:<20} marked {} = {}\n", "", marker.name, clip(&marker.value)))
            .collect()
    }

    /// The last lines: how it went, in numbers (completed, abandoned, of so many), and why it failed.
    pub(super) fn ending<'f>(
        &self,
        verdict: Verdict,
        (completed, abandoned, times): (u64, u64, u64),
        failures: impl Iterator<Item = &'f str>,
    ) -> String {
        let mut out = String::new();
        if verdict == Verdict::Pass {
            let left = if abandoned > 0 {
                format!(", {abandoned} abandoned as the journey says")
            } else {
                String::new()
            };
            let _ = writeln!(out, "{}: {completed} of {times} completed{left}", self.paint.green("pass"));
            return out;
        }
        let word = if verdict == Verdict::Invalid { "nothing answered" } else { "fail" };
        let _ = writeln!(out, "{}: {completed} of {times} completed", self.paint.red(word));
        for failure in failures {
            let _ = writeln!(out, "  {failure}");
        }
        out
    }

    fn step(&self, exchange: &Exchange) -> String {
        let journey = self.names.journeys.get(usize::from(exchange.key.journey));
        let step = journey.and_then(|(_, steps)| steps.get(usize::from(exchange.key.step)));
        step.cloned().unwrap_or_default()
    }
}

/// `12.3 ms (connect 0.2, wait 11.0, body 1.1), 4.1 kB, miss`
fn phases(exchange: &Exchange) -> String {
    let ms = |ns: u64| format!("{:.1}", ns as f64 / 1e6);
    let Times { intended_ns, sent_ns, first_byte_ns, ended_ns, .. } = exchange.times;
    let mut parts = Vec::new();
    if let Some(opened) = &exchange.opened {
        parts.extend(opened.dns_ns.map(|ns| format!("look-up {}", ms(ns))));
        parts.push(format!("connect {}", ms(opened.connect_ns)));
        parts.extend(opened.tls_ns.map(|ns| format!("TLS {}", ms(ns))));
    }
    if let (Some(sent_ns), Some(first_byte_ns)) = (sent_ns, first_byte_ns) {
        parts.push(format!("wait {}", ms(first_byte_ns.saturating_sub(sent_ns))));
        parts.push(format!("body {}", ms(ended_ns.saturating_sub(first_byte_ns))));
    }
    let total = ms(ended_ns.saturating_sub(intended_ns));
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    let bytes = exchange.bytes_wire as f64 / 1e3;
    format!("{total} ms{parts}, {bytes:.1} kB{}", cache(exchange))
}

/// What the edge says of its cache, if it says anything.
fn cache(exchange: &Exchange) -> String {
    let headers = exchange.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    match Head::of(headers).cache {
        CacheStatus::None => String::new(),
        CacheStatus::Unknown => ", an unknown cache status".to_owned(),
        known => format!(", {}", known.word()),
    }
}

fn lines(out: &mut String, mark: &str, headers: &[(String, String)]) {
    for (name, value) in headers {
        let _ = writeln!(out, "{:<20} {mark} {name}: {value}", "");
    }
}

fn body(out: &mut String, mark: &str, body: &[u8]) {
    for line in String::from_utf8_lossy(body).lines() {
        let _ = writeln!(out, "{:<20} {mark} {}", "", line.escape_debug());
    }
}

fn clip(value: &str) -> String {
    let mut shown: String = value.chars().take(VALUE_CHARS_MAX).flat_map(char::escape_debug).collect();
    if value.chars().nth(VALUE_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}
