//! What a probe counted of an objective, as events of a backtest.

use std::path::Path;

use doorbuster_model::slo::{Event, Objective, Page, Rule, Scope, SeriesKey, Slo};
use doorbuster_notation::Share;

use super::plan_of;
use crate::Error;
use crate::runtime::block_on;
use crate::store::{Place, Store};

/// An objective of a plan, in a scope.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// The plan's name: that of its ledger.
    plan: String,
    key: SeriesKey,
    /// The share of events that must be good.
    pub share: Share,
    /// The plan's rules.
    pub rules: Vec<Rule>,
    /// The plan's guard.
    pub min_failures: u64,
}

/// What the store has of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct History {
    /// At the ends of the buckets that they were counted in.
    pub events: Vec<Event>,
    /// Up to when nothing is known of them but in which five minutes they were; `None` where all of it is known by 10 s.
    pub coarse_until_s: Option<i64>,
}

impl Subject {
    /// The objective `text` of the plan at `path`, in the scope of this name; in its widest one where none is named.
    ///
    /// # Errors
    /// When the plan has no such objective, or does not count it there.
    pub(super) fn of_plan(path: &Path, text: &str, scope: Option<&str>) -> Result<Self, Error> {
        let (plan, names) = plan_of(path)?;
        let mut slo = plan.slo.clone().ok_or_else(|| {
            Error::Usage(format!("{}: the plan has no `slo`, so nothing was counted of it", path.display()))
        })?;
        slo.resolve(&names).map_err(Error::Usage)?;
        let objective = objective_of(&slo, text).map_err(Error::Usage)?;
        let scopes = objective.scopes(&names.regions);
        let scope = scope_of(&scopes, scope).map_err(Error::Usage)?;
        let key = SeriesKey { objective: objective.text.clone(), scope };
        Ok(Self {
            plan: plan.name,
            key,
            share: objective.share,
            rules: slo.rules,
            min_failures: slo.min_failures,
        })
    }

    /// How it is shown.
    pub(super) fn shown(&self) -> String {
        format!("\"{}\", {}, of the plan \"{}\"", self.key.objective, self.key.scope, self.plan)
    }

    /// What the store has of it from `from_s` to `to_s`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn history(&self, place: &Place, from_s: i64, to_s: i64) -> Result<History, Error> {
        if matches!(place, Place::Sqlite(file) if !file.exists()) {
            let why = "start a probe, or say where it keeps its data";
            return Err(Error::Usage(format!("nothing was saved in {place}; {why}")));
        }
        let pages = block_on(async {
            let store = Store::open(place).await?;
            let pages = store.pages_between(&self.plan, &self.key, from_s.saturating_sub(1), to_s).await;
            store.close().await;
            Ok(pages?)
        })?;
        history(&pages).ok_or_else(|| {
            Error::Usage(format!("{place} has counts of {} that this version cannot read", self.shown()))
        })
    }
}

/// The events of pages; `None` where one of them cannot be read.
fn history(pages: &[Page]) -> Option<History> {
    let mut history = History::default();
    for page in pages {
        let events = page.events()?;
        if page.is_coarse() {
            history.coarse_until_s = history.coarse_until_s.max(events.last().map(|event| event.at_s));
        }
        history.events.extend(events);
    }
    Some(history)
}

fn objective_of<'a>(slo: &'a Slo, text: &str) -> Result<&'a Objective, String> {
    // However it is spaced, and with or without the window that it has anyway.
    let wanted = Objective::parse(text).ok();
    let is_it = |objective: &&Objective| {
        objective.text == text
            || wanted.as_ref().is_some_and(|wanted| {
                (wanted.sli, wanted.share, wanted.window_s)
                    == (objective.sli, objective.share, objective.window_s)
                    && subject(&wanted.text) == subject(&objective.text)
            })
    };
    slo.objectives.iter().find(is_it).ok_or_else(|| {
        let known: Vec<String> =
            slo.objectives.iter().map(|objective| format!("\"{}\"", objective.text)).collect();
        format!("the plan has no objective \"{text}\"; it has {}", known.join(", "))
    })
}

/// What an objective is about, as it is written: everything before its indicator.
fn subject(text: &str) -> &str {
    let end = text.find("availability").or_else(|| text.find("p(latency"));
    text[..end.unwrap_or(text.len())].trim()
}

fn scope_of(scopes: &[Scope], wanted: Option<&str>) -> Result<Scope, String> {
    let Some(wanted) = wanted else { return Ok(scopes.first().cloned().unwrap_or(Scope::Global)) };
    scopes.iter().find(|scope| scope.name() == wanted).cloned().ok_or_else(|| {
        let known: Vec<&str> = scopes.iter().map(Scope::name).collect();
        format!("the objective is not counted in \"{wanted}\"; its scopes are {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECKOUT: &str = "checkout availability 99.99% over 30d";

    #[test]
    fn objectives_and_scopes_are_found_by_what_people_write() {
        let objectives = vec![Objective::parse(CHECKOUT).unwrap()];
        let slo = Slo::new(objectives, 20);
        for text in [CHECKOUT, "checkout  availability 99.99%"] {
            assert_eq!(objective_of(&slo, text).unwrap().text, CHECKOUT, "{text}");
        }
        assert!(objective_of(&slo, "checkout").unwrap_err().contains(CHECKOUT));
        let scopes = slo.objectives[0].scopes(&["tokyo".to_owned()]);
        assert_eq!(scope_of(&scopes, None), Ok(Scope::Global));
        assert_eq!(scope_of(&scopes, Some("tokyo")), Ok(Scope::Region("tokyo".to_owned())));
        assert!(scope_of(&scopes, Some("paris")).unwrap_err().contains("global, tokyo"));
    }

    #[test]
    fn a_page_that_cannot_be_read_is_not_left_out() {
        assert_eq!(history(&[]), Some(History::default()));
        assert_eq!(history(&[Page { start_s: 0, length_s: 300, bytes: vec![9] }]), None);
    }
}
