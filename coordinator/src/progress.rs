//! What people see while a run goes: bars in a terminal, plain lines elsewhere, nothing when asked.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use doorbuster_model::Plan;
use doorbuster_model::pace::section_at;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::fold::Fold;
use crate::outcome::TimelineRow;

/// How often a plain line is written.
const LINE_EVERY_S: u64 = 5;

/// The display of a run.
pub(crate) struct Progress {
    kind: Kind,
    length_s: u64,
    sections: Vec<doorbuster_model::pace::Section>,
    regions: Vec<String>,
}

enum Kind {
    Quiet,
    Lines,
    Bars { all: MultiProgress, time: ProgressBar, regions: Vec<ProgressBar> },
}

impl Progress {
    /// The display that fits: nothing with `--quiet`, bars in a terminal, lines elsewhere.
    pub(crate) fn new(quiet: bool, plan: &Plan) -> Self {
        let pace = &plan.load.pace;
        let length_s = pace.length_ns().div_ceil(1_000_000_000);
        let regions: Vec<String> = plan.regions.iter().map(|region| region.name.clone()).collect();
        let kind = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Kind::Quiet,
            (false, false) => Kind::Lines,
            (false, true) => bars(length_s, &regions),
        };
        Self { kind, length_s, sections: pace.sections(0), regions }
    }

    /// Shows where the run stands.
    pub(crate) fn second(&mut self, elapsed: Duration, fold: &Fold) {
        let elapsed_s = elapsed.as_secs();
        let phase = self.phase(elapsed);
        let latest = |region| fold.timeline().iter().rev().find(|row| row.region == region);
        match &self.kind {
            Kind::Quiet => {}
            Kind::Bars { time, regions, .. } => {
                time.set_position(elapsed_s.min(self.length_s));
                time.set_message(phase);
                for (region, bar) in regions.iter().enumerate() {
                    bar.set_message(latest(region).map_or_else(|| "waiting".to_owned(), line));
                }
            }
            Kind::Lines if elapsed_s > 0 && elapsed_s.is_multiple_of(LINE_EVERY_S) => {
                let regions = self.regions.iter().enumerate();
                let parts: Vec<String> = regions
                    .filter_map(|(region, name)| latest(region).map(|row| format!("{name}: {}", line(row))))
                    .collect();
                self.say(&format!("{elapsed_s} of {} s, {phase} | {}", self.length_s, parts.join(" | ")));
            }
            Kind::Lines => {}
        }
    }

    /// Says something once.
    pub(crate) fn say(&self, message: &str) {
        match &self.kind {
            Kind::Quiet => {}
            Kind::Lines => {
                // Where standard error is closed or full, the run goes on all the same.
                let _ = writeln!(std::io::stderr().lock(), "{message}");
            }
            Kind::Bars { all, .. } => {
                // A display that cannot be written to is no reason to stop a run.
                let _ = all.println(message);
            }
        }
    }

    /// Takes the display away, so that the tables follow.
    pub(crate) fn end(&self) {
        if let Kind::Bars { all, time, regions } = &self.kind {
            time.finish_and_clear();
            regions.iter().for_each(ProgressBar::finish_and_clear);
            let _ = all.clear();
        }
    }

    fn phase(&self, elapsed: Duration) -> String {
        if elapsed.as_secs() >= self.length_s {
            return "journeys end".to_owned();
        }
        let elapsed_ns = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.sections
            .get(section_at(&self.sections, elapsed_ns))
            .map_or_else(String::new, |section| section.name.clone())
    }
}

fn bars(length_s: u64, regions: &[String]) -> Kind {
    let all = MultiProgress::new();
    let style = |template: &str| {
        // The templates are ours: one that does not parse falls back to the library's own.
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
    };
    let time = all.add(ProgressBar::new(length_s));
    time.set_style(style("{bar:40.cyan/blue} {pos:>4} of {len} s  {msg}"));
    let width = regions.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let regions = regions
        .iter()
        .map(|name| {
            let bar = all.add(ProgressBar::new_spinner());
            bar.set_style(style("  {prefix:.bold}  {msg}"));
            bar.set_prefix(format!("{name:<width$}"));
            bar
        })
        .collect();
    Kind::Bars { all, time, regions }
}

/// A region's last second.
fn line(row: &TimelineRow) -> String {
    let p95 = row.quantiles_us[1].map_or_else(|| "n/a".to_owned(), |us| format!("{:.1} ms", us as f64 / 1e3));
    let (hits, lookups) = row.cacheable;
    let hits = if lookups > 0 {
        format!(", {:.0} % hits", hits as f64 / lookups as f64 * 100.0)
    } else {
        String::new()
    };
    format!(
        "{} arrivals/s, {} requests/s, p95 {p95}, {} errors{hits}",
        row.arrivals_started, row.requests, row.errors
    )
}
