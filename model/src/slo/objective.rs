//! Objectives: `[region] [journey[/step]|step] availability|p(latency < DURATION) SHARE [over DURATION]`.
//!
//! Reading ([`Objective::parse`]) and finding out what the names mean in a plan ([`Objective::resolve`]) stand apart. What
//! a probe means for an objective is said here, too (`events`).

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use doorbuster_notation::{Share, did_you_mean, nearest, parse_duration, parse_share, show_duration};

use super::BUCKET_S;
use super::probed::Probed;
use super::scope::Scope;
use crate::threshold::{self, Names, scope_of};

/// The longest window: 90 days.
pub const WINDOW_MAX_S: u32 = 90 * 86_400;
/// The window of an objective that names none: 30 days.
pub const WINDOW_DEFAULT_S: u32 = 30 * 86_400;
/// The longest text, in characters: it is the objective's name everywhere.
const TEXT_CHARS_MAX: usize = 200;
/// The subject that is counted elsewhere.
const TRAFFIC: &str = "traffic";
/// The word of the share of good events.
const AVAILABILITY: &str = "availability";

const GRAMMAR: &str =
    "[region] [journey[/step]|step] availability|p(latency < DURATION) SHARE [over DURATION]";

/// What makes an event a good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sli {
    /// It did not fail.
    Availability,
    /// It did not fail, and took less than so long.
    Latency {
        /// Nanoseconds.
        below_ns: u64,
    },
}

/// The share of events that must be good within a rolling window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objective {
    /// The objective as it was written, its spaces normalised: its name everywhere.
    pub text: String,
    /// Only from here.
    pub region: Option<String>,
    /// Only this journey. A word that may as well be a step or a region stands here until it is resolved.
    pub journey: Option<String>,
    /// Only this step of it.
    pub step: Option<String>,
    /// Whether its events are counted elsewhere.
    pub is_traffic: bool,
    /// What makes an event a good one.
    pub sli: Sli,
    /// The share that must be good.
    pub share: Share,
    /// The rolling window, in seconds.
    pub window_s: u32,
}

impl Objective {
    /// Reads an objective.
    ///
    /// # Errors
    /// A sentence that says what was found and what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fail = |why: String| format!("\"{text}\" is not an objective: {why}; the form is {GRAMMAR}");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (subject, sli, rest) = parts(&text).map_err(&fail)?;
        let (share, over) = match rest.split_once(" over") {
            Some((share, over)) => (share, Some(over.trim())),
            None => (rest, None),
        };
        let share = parse_share(&share.replace(' ', "")).map_err(&fail)?;
        if share.parts_per_billion == 1_000_000_000 {
            return Err(fail("100% leaves no budget to spend; write for example 99.99%".to_owned()));
        }
        let window_s = over.map_or(Ok(WINDOW_DEFAULT_S), window_s).map_err(&fail)?;
        let words: Vec<&str> = subject.split_whitespace().collect();
        let (region, about) = match words[..] {
            [] => (None, None),
            [about] => (None, Some(about)),
            [region, about] => (Some(region.to_owned()), Some(about)),
            _ => {
                return Err(fail(format!("there are too many words before \"{}\"", word_of(sli))));
            }
        };
        let is_traffic = about == Some(TRAFFIC);
        if is_traffic && sli != Sli::Availability {
            return Err(fail("traffic is counted without times, so it has availability alone".to_owned()));
        }
        if is_traffic && region.is_some() {
            return Err(fail("traffic is counted for all regions together; leave the region out".to_owned()));
        }
        let (journey, step) = match about.filter(|_| !is_traffic) {
            None => (None, None),
            Some(about) => match about.split_once('/') {
                Some((journey, step)) => (Some(journey.to_owned()), Some(step.to_owned())),
                None => (Some(about.to_owned()), None),
            },
        };
        let text = normal(&subject, sli, &text, rest);
        if text.chars().count() > TEXT_CHARS_MAX {
            return Err(fail(format!("it has over {TEXT_CHARS_MAX} characters")));
        }
        Ok(Self { text, region, journey, step, is_traffic, sli, share, window_s })
    }

    /// Finds out what the names mean.
    ///
    /// # Errors
    /// A sentence when a name is unknown or could mean two things.
    pub fn resolve(&self, names: &Names) -> Result<Self, String> {
        let fail = |why: String| format!("the objective \"{}\" {why}", self.text);
        let mut resolved = self.clone();
        let mut about = match (&self.journey, &self.step) {
            (None, _) => None,
            (Some(journey), None) => Some(journey.clone()),
            (Some(journey), Some(step)) => Some(format!("{journey}/{step}")),
        };
        let is_region = |word: &String| names.regions.contains(word);
        if self.region.is_none() && about.as_ref().is_some_and(is_region) {
            (resolved.region, resolved.journey) = (about.take(), None);
        }
        if let Some(region) = &resolved.region {
            if !is_region(region) {
                let near = did_you_mean(region, names.regions.iter().map(String::as_str));
                return Err(fail(format!(
                    "names the region \"{region}\", which the plan does not have{near}"
                )));
            }
            if about.is_none() && scope_of(region, names).is_ok() {
                return Err(fail(format!(
                    "names \"{region}\", which is a region and also a journey, step or class; rename one of them"
                )));
            }
        }
        let Some(word) = about else { return Ok(resolved) };
        let (journey, step) = match scope_of(&word, names).map_err(fail)? {
            threshold::Scope::Journey(journey) => (journey, None),
            threshold::Scope::Step(journey, step) => (journey, Some(step)),
            threshold::Scope::All | threshold::Scope::Class(_) => {
                return Err(fail(format!("is about the content class \"{word}\"; name a journey or a step")));
            }
        };
        if let Some((journey, steps)) = names.journeys.get(usize::from(journey)) {
            resolved.journey = Some(journey.clone());
            resolved.step = step.and_then(|step| steps.get(usize::from(step))).cloned();
        }
        Ok(resolved)
    }

    /// Where it is looked at, in a plan with these regions.
    pub fn scopes(&self, regions: &[String]) -> Vec<Scope> {
        match &self.region {
            Some(region) => vec![Scope::Region(region.clone())],
            None if self.is_traffic => vec![Scope::Global],
            None => {
                std::iter::once(Scope::Global).chain(regions.iter().cloned().map(Scope::Region)).collect()
            }
        }
    }

    /// The events that a probe is for this objective: the step that each is about (none for the journey as a whole), and
    /// whether it is good. A step that was walked through several times is good if it was each time.
    pub(super) fn events<'a>(&self, probed: &'a Probed) -> Vec<(Option<&'a str>, bool)> {
        if self.is_traffic || self.journey.as_ref().is_some_and(|journey| *journey != probed.journey) {
            return Vec::new();
        }
        if self.step.is_none() && self.sli == Sli::Availability {
            return vec![(None, probed.is_good)];
        }
        let mut events: Vec<(Option<&str>, bool)> = Vec::new();
        for step in &probed.steps {
            if self.step.as_ref().is_some_and(|name| *name != step.step) {
                continue;
            }
            let is_good = step.is_good
                && match self.sli {
                    Sli::Availability => true,
                    Sli::Latency { below_ns } => {
                        step.latency_ns.is_some_and(|latency_ns| latency_ns < below_ns)
                    }
                };
            match events.iter_mut().find(|(name, _)| *name == Some(step.step.as_str())) {
                Some((_, is_good_so_far)) => *is_good_so_far &= is_good,
                None => events.push((Some(&step.step), is_good)),
            }
        }
        events
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// The subject, what makes an event good, and what comes after that, of a text with single spaces.
fn parts(text: &str) -> Result<(String, Sli, &str), String> {
    let latency = text.match_indices("p(").find(|(at, _)| *at == 0 || text[..*at].ends_with(' '));
    if let Some((at, _)) = latency {
        let (inside, rest) = text[at + 2..].split_once(')').ok_or("the \")\" after \"p(\" is missing")?;
        let bound =
            inside.trim().strip_prefix("latency").map(str::trim).and_then(|rest| rest.strip_prefix('<'));
        let bound =
            bound.ok_or_else(|| format!("found \"p({inside})\", expected for example p(latency < 200ms)"))?;
        let below = parse_duration(bound)?;
        let below_ns = u64::try_from(below.as_nanos()).map_err(|_| format!("\"{bound}\" is too long"))?;
        if below_ns == 0 {
            return Err("nothing takes less than 0s".to_owned());
        }
        return Ok((text[..at].to_owned(), Sli::Latency { below_ns }, rest.trim()));
    }
    let word = |(at, _): &(usize, &str)| {
        let (before, after) = (&text[..*at], &text[at + AVAILABILITY.len()..]);
        (before.is_empty() || before.ends_with(' ')) && (after.is_empty() || after.starts_with(' '))
    };
    match text.rmatch_indices(AVAILABILITY).find(word) {
        Some((at, _)) => {
            let rest = text[at + AVAILABILITY.len()..].trim();
            Ok((text[..at].to_owned(), Sli::Availability, rest))
        }
        None => {
            let slip = text.split(' ').find(|word| nearest(word, [AVAILABILITY]).is_some());
            let near = slip.map(|slip| format!(" (found \"{slip}\")")).unwrap_or_default();
            Err(format!("there is neither \"availability\" nor \"p(latency < DURATION)\" in it{near}"))
        }
    }
}

/// How an objective is called: what makes an event good is written in one way alone.
fn normal(subject: &str, sli: Sli, text: &str, rest: &str) -> String {
    match sli {
        Sli::Availability => text.to_owned(),
        Sli::Latency { .. } => format!("{subject}{} {rest}", word_of(sli)),
    }
}

fn word_of(sli: Sli) -> String {
    match sli {
        Sli::Availability => AVAILABILITY.to_owned(),
        Sli::Latency { below_ns } => {
            format!("p(latency < {})", show_duration(Duration::from_nanos(below_ns)))
        }
    }
}

fn window_s(text: &str) -> Result<u32, String> {
    if text.is_empty() {
        return Err("nothing follows \"over\"".to_owned());
    }
    let window = parse_duration(text)?;
    let window_s = u32::try_from(window.as_secs()).ok().filter(|window_s| {
        window.subsec_nanos() == 0 && *window_s > 0 && i64::from(*window_s) % BUCKET_S == 0
    });
    let window_s = window_s.ok_or_else(|| format!("\"over\" takes multiples of {BUCKET_S}s"))?;
    if window_s > WINDOW_MAX_S { Err("\"over\" takes at most 90d".to_owned()) } else { Ok(window_s) }
}
