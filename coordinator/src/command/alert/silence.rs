//! `doorbuster alert silence`, `silences` and `unsilence`: nobody is told of some alerts for a while.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use doorbuster_model::Plan;
use doorbuster_model::plan::alerts::MAINTENANCE_LENGTH_MAX_S;
use doorbuster_model::slo::{Scope, Silence};
use doorbuster_notation::{did_you_mean, parse_duration};
use jiff::Timestamp;

use crate::command::options::KeptOptions;
use crate::command::print::print;
use crate::notify::rfc3339;
use crate::prepare::Source;
use crate::runtime::block_on;
use crate::store::{Store, StoreError};
use crate::{Error, Verdict, runs, tell};

/// The longest reason.
const REASON_CHARS_MAX: usize = 200;

/// Tell nobody of some alerts for a while; they still change state, and what fires when the silence ends is told then.
///
/// A running probe takes it up within seconds. Exit codes: 0 it is noted, 2 usage or plan error, 3 the store cannot be used.
#[derive(Args, Clone, Debug)]
pub(super) struct SilenceCommand {
    /// The plan, a YAML file (see README.md)
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// For how long, at most 31d
    #[arg(long = "for", value_name = "DURATION", value_parser = length)]
    length: Duration,
    /// Only alerts of this objective, as the plan writes it
    #[arg(long, value_name = "OBJECTIVE")]
    objective: Option<String>,
    /// Only alerts of this region, or of all together: global
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// Why, for those who look later
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    #[command(flatten)]
    kept: KeptOptions,
}

/// Show the silences of a plan, and its maintenance windows.
///
/// Exit codes: 0 they are shown, 2 usage or plan error, 3 the store cannot be used.
#[derive(Args, Clone, Debug)]
pub(super) struct SilencesCommand {
    /// The plan, a YAML file (see README.md)
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    #[command(flatten)]
    kept: KeptOptions,
}

/// End a silence of a plan.
///
/// Exit codes: 0 it is over, 2 usage or plan error, or no such silence, 3 the store cannot be used.
#[derive(Args, Clone, Debug)]
pub(super) struct UnsilenceCommand {
    /// The plan, a YAML file (see README.md)
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// The silence, as `doorbuster alert silences` names it
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    kept: KeptOptions,
}

impl SilenceCommand {
    pub(super) fn run(&self) -> Result<Verdict, Error> {
        let plan = plan(&self.plan)?;
        let now = Timestamp::now();
        let id = runs::new_id(now)?;
        // Short, since people type it; chance alone tells the few silences of a plan apart.
        let id = id.rsplit_once('-').map_or(id.as_str(), |(_, chance)| chance).to_owned();
        let silence = self.silence(&plan, id, now.as_second())?;
        with(&self.kept, async |store| store.put_silence(&plan.name, &silence).await)?;
        print(&format!(
            "silenced until {}; end it with: doorbuster alert unsilence {} {}\n",
            rfc3339(silence.to_s),
            self.plan.display(),
            silence.id
        ))?;
        Ok(Verdict::Pass)
    }

    /// The silence that was asked for, from now on.
    fn silence(&self, plan: &Plan, id: String, now_s: i64) -> Result<Silence, Error> {
        let objective = self.objective.as_deref().map(|text| objective(plan, text)).transpose()?;
        let scope = self.scope.as_deref().map(|text| scope(plan, text)).transpose()?;
        let to_s = now_s.saturating_add_unsigned(self.length.as_secs());
        Ok(Silence { id, objective, scope, from_s: now_s, to_s, reason: self.reason.clone() })
    }
}

impl SilencesCommand {
    pub(super) fn run(&self) -> Result<Verdict, Error> {
        let plan = plan(&self.plan)?;
        let silences = with(&self.kept, async |store| store.silences(&plan.name).await)?;
        print(&tell::silences(&silences, &plan.alerts.maintenance, Timestamp::now().as_second()))?;
        Ok(Verdict::Pass)
    }
}

impl UnsilenceCommand {
    pub(super) fn run(&self) -> Result<Verdict, Error> {
        let plan = plan(&self.plan)?;
        let silences = with(&self.kept, async |store| store.silences(&plan.name).await)?;
        if !silences.iter().any(|silence| silence.id == self.id) {
            let near = did_you_mean(&self.id, silences.iter().map(|silence| silence.id.as_str()));
            let (id, plan) = (&self.id, self.plan.display());
            return Err(Error::Usage(format!("{plan} has no silence {id}{near}")));
        }
        with(&self.kept, async |store| store.drop_silence(&plan.name, &self.id).await)?;
        print(&format!("the silence {} is over\n", self.id))?;
        Ok(Verdict::Pass)
    }
}

/// Opens the store and does something with it.
fn with<T>(kept: &KeptOptions, act: impl AsyncFnOnce(&Store) -> Result<T, StoreError>) -> Result<T, Error> {
    let place = kept.kept()?.place;
    block_on(async {
        let store = Store::open(&place).await?;
        let done = act(&store).await;
        store.close().await;
        Ok(done?)
    })
}

fn plan(path: &Path) -> Result<Plan, Error> {
    let source = Source::read(path)?;
    Ok(Plan::read(&source.name, &source.text)?)
}

/// How long a silence lasts: a slip of the fingers must not silence a year.
fn length(text: &str) -> Result<Duration, String> {
    let length = parse_duration(text)?;
    let most = Duration::from_secs(MAINTENANCE_LENGTH_MAX_S.unsigned_abs());
    if length.as_secs() > 0 && length <= most {
        Ok(length)
    } else {
        Err("a silence lasts from 1s to 31d; write for example 2h".to_owned())
    }
}

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    let fits =
        !text.is_empty() && text.chars().count() <= REASON_CHARS_MAX && !text.contains(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err("write 1 to 200 characters on one line".to_owned()) }
}

/// An objective of the plan, however its words are spaced.
fn objective(plan: &Plan, text: &str) -> Result<String, Error> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let known = || plan.slo.iter().flat_map(|slo| &slo.objectives).map(|objective| objective.text.as_str());
    if known().any(|known| known == text) {
        return Ok(text);
    }
    let near = did_you_mean(&text, known());
    Err(Error::Usage(format!("--objective: the plan has no objective \"{text}\"{near}")))
}

fn scope(plan: &Plan, text: &str) -> Result<Scope, Error> {
    if text == "global" {
        return Ok(Scope::Global);
    }
    let known = || plan.regions.iter().map(|region| region.name.as_str());
    if known().any(|known| known == text) {
        return Ok(Scope::Region(text.to_owned()));
    }
    let near = did_you_mean(text, known().chain(["global"]));
    Err(Error::Usage(format!("--scope: the plan has no region \"{text}\"{near}")))
}

#[cfg(test)]
mod tests {
    use clap::{Args, FromArgMatches};

    use super::*;

    const PLAN: &str = "
name: shop
target: https://shop.example.com
regions: [tokyo, london]
journeys: [browse, checkout]
probe: { every: 20s }
slo: { objectives: [\"checkout availability 99.99% over 30d\"] }
";

    fn silence(arguments: &[&str]) -> Result<Silence, String> {
        let command = SilenceCommand::augment_args(clap::Command::new("silence"));
        let arguments = [&["silence", "plan.yaml", "--reason", "deploy"], arguments].concat();
        let matches = command.try_get_matches_from(arguments).map_err(|error| error.to_string())?;
        let command = SilenceCommand::from_arg_matches(&matches).map_err(|error| error.to_string())?;
        let plan = Plan::read("plan.yaml", PLAN).unwrap();
        command.silence(&plan, "id".to_owned(), 1_000).map_err(|error| error.to_string())
    }

    #[test]
    fn a_silence_is_about_what_it_names() {
        let all = silence(&["--for", "2h"]).unwrap();
        assert_eq!((all.from_s, all.to_s, all.reason.as_str()), (1_000, 8_200, "deploy"));
        assert_eq!((all.objective, all.scope), (None, None));
        let one = ["--objective", " checkout  availability 99.99% over 30d", "--scope", "tokyo"];
        let one = silence(&[&["--for", "31d"], &one[..]].concat()).unwrap();
        assert_eq!(one.objective.as_deref(), Some("checkout availability 99.99% over 30d"));
        assert_eq!(one.scope, Some(Scope::Region("tokyo".to_owned())));
        assert_eq!(silence(&["--for", "1s", "--scope", "global"]).unwrap().scope, Some(Scope::Global));
    }

    #[test]
    fn what_cannot_be_silenced_is_refused_with_what_can() {
        for (arguments, expected) in [
            (&["--for", "2h", "--scope", "tokio"][..], "no region \"tokio\"; did you mean \"tokyo\"?"),
            (&["--for", "2h", "--objective", "home"], "the plan has no objective \"home\""),
            (&["--for", "0s"], "from 1s to 31d"),
            (&["--for", "32d"], "from 1s to 31d"),
            (&[], "--for"),
        ] {
            let told = silence(arguments).unwrap_err();
            assert!(told.contains(expected), "{arguments:?}: {told}");
        }
    }
}
