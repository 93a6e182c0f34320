//! `doorbuster journey run`: one shopper, every request and answer shown.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use doorbuster_model::{Tally, Task};
use jiff::Timestamp;

use super::show::Show;
use crate::command::options::TargetOptions;
use crate::command::print::colour;
use crate::conduct::{Conducted, Noted, conduct_alone};
use crate::fold::Ended;
use crate::prepare::{Prepared, Source};
use crate::progress::Progress;
use crate::{Error, Verdict, runs};

/// Walk through a journey as one shopper, with every request and answer shown.
///
/// Exit codes: 0 the journey went through, 1 it did not, 2 usage error or faults in the file, 3 nothing answered.
#[derive(Args, Clone, Debug)]
pub(super) struct RunCommand {
    /// The journey file, or the name of a built-in one
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where to walk
    #[arg(long, value_name = "URL", help_heading = "Target")]
    target: String,
    /// How often to walk
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    times: u32,
    /// Show the headers of requests and answers
    #[arg(long)]
    trace: bool,
    /// Show bodies
    #[arg(long)]
    bodies: bool,
    #[command(flatten)]
    options: TargetOptions,
}

impl RunCommand {
    pub(super) fn run(&self) -> Result<Verdict, Error> {
        let journey = self.file.display().to_string();
        // The plan of a run of one shopper: JSON is YAML, whatever the path holds. The load itself is not sent.
        let plan = serde_json::json!({
            "name": "journey-run",
            "regions": ["here"],
            "journeys": [journey],
            "load": { "arrivals": [{ "hold": "1/s", "for": "1h" }] },
        });
        let source =
            Source { name: journey, folder: PathBuf::new(), text: plan.to_string(), files: BTreeMap::new() };
        let task = Task::Trace { walks: self.times };
        let prepared = Prepared::with_task(source, self.options.overrides(Some(&self.target))?, task)?;
        let id = runs::new_id(Timestamp::now())?;
        let mut progress = Progress::new(true, &prepared.plan);
        let mut show = Show::new(&prepared.names, colour(), self.trace, self.bodies);
        let mut listener = |noted| {
            let text = match noted {
                Noted::Exchange(exchange) => show.exchange(&exchange),
                Noted::Markers { markers, .. } => show.markers(&markers),
                // Those are an audit's, and a load's.
                Noted::Proof { .. } | Noted::Second { .. } => return,
            };
            // A reader that has seen enough does not change how the journey went.
            let _ = std::io::stdout().lock().write_all(text.as_bytes());
        };
        let conducted = conduct_alone(&prepared, &id, &mut progress, &mut listener)?;
        self.tell(&conducted, &show)
    }

    /// How it went, in a line.
    fn tell(&self, conducted: &Conducted, show: &Show<'_>) -> Result<Verdict, Error> {
        for agent in &conducted.fold.agents {
            if let Ended::Failed(why) | Ended::Lost(why) = &agent.ended {
                let source = std::io::Error::other(why.clone());
                return Err(Error::System { what: "walking through the journey", source });
            }
        }
        let mut tally = Tally::default();
        conducted.fold.regions.iter().for_each(|region| tally.merge(region));
        let (mut completed, mut abandoned) = (0, 0);
        for journeys in tally.journeys.values() {
            completed += journeys.completed;
            abandoned += journeys.abandoned;
        }
        let times = u64::from(self.times);
        let passed = completed + abandoned >= times;
        let answered = tally.exchanges.values().any(|exchanges| !exchanges.statuses.is_empty());
        let verdict = match (passed, answered) {
            (true, _) => Verdict::Pass,
            (false, true) => Verdict::Fail,
            (false, false) => Verdict::Invalid,
        };
        let failures = tally.failures.values().map(|failures| failures.example.as_str());
        let text = show.ending(verdict, (completed, abandoned, times), failures);
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
        Ok(verdict)
    }
}
