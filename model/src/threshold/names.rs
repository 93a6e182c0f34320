//! What a threshold's names mean in a plan.

use doorbuster_notation::did_you_mean;

use super::{Metric, Threshold};
use crate::cdn::ClassId;
use crate::cdn::policy::{Cached, ContentClass};
use crate::pace::Section;

/// The names that a plan gives meaning to.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Regions.
    pub regions: Vec<String>,
    /// Journeys with the names of their steps, in the plan's order.
    pub journeys: Vec<(String, Vec<String>)>,
    /// The classes of content, in the policy's order.
    pub classes: Vec<ContentClass>,
    /// The run's sections.
    pub sections: Vec<Section>,
}

/// The name of what belongs to no class.
const UNCLASSIFIED: &str = "unclassified";

impl Names {
    /// A class's name.
    pub fn class(&self, id: ClassId) -> &str {
        self.classes.get(usize::from(id.0)).map_or(UNCLASSIFIED, |class| &class.name)
    }

    /// All classes, in the policy's order; what belongs to none is the last.
    pub fn class_ids(&self) -> impl Iterator<Item = ClassId> {
        let declared = (0..ClassId::UNCLASSIFIED.0).take(self.classes.len()).map(ClassId);
        declared.chain(std::iter::once(ClassId::UNCLASSIFIED))
    }

    /// Whether a class is never to be cached: it has no part in how well the cache works.
    pub fn is_private(&self, id: ClassId) -> bool {
        self.classes.get(usize::from(id.0)).is_some_and(|class| class.cached == Cached::Never)
    }
}

/// What a rule is about, within its regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    All,
    /// A journey, by position.
    Journey(u16),
    /// A step: position of its journey, and its own in it.
    Step(u16, u16),
    /// A class of content.
    Class(ClassId),
}

/// A threshold whose names are resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The threshold as it was read.
    pub threshold: Threshold,
    /// The region's position; all regions together where it names none.
    pub region: Option<usize>,
    /// What it is about.
    pub scope: Scope,
    /// The classes of content that count among cache figures.
    pub classes: Vec<ClassId>,
    /// The sections that count, by position.
    pub sections: Vec<u16>,
}

impl Threshold {
    /// Finds out what the names mean.
    ///
    /// # Errors
    /// A sentence when a name is unknown, could mean two things, or cannot have the metric.
    pub fn resolve(&self, names: &Names) -> Result<Rule, String> {
        let fail = |why: String| format!("the threshold \"{}\" {why}", self.text);
        let (region, rest) = self.region(names).map_err(fail)?;
        let scope = match rest {
            [] => Scope::All,
            [word] => scope_of(word, names).map_err(fail)?,
            _ => {
                return Err(fail(format!(
                    "names too much: \"{}\"; write journey/step for a step",
                    rest.join(" ")
                )));
            }
        };
        let about_cache = matches!(self.metric, Metric::HitRatio | Metric::Savings);
        match scope {
            Scope::Class(class) if !about_cache => {
                return Err(fail(format!(
                    "asks of the class \"{}\" what only steps have; classes have hit_ratio and savings",
                    names.class(class)
                )));
            }
            Scope::Journey(_) | Scope::Step(..) if about_cache => {
                let known: Vec<&str> = names.classes.iter().map(|class| class.name.as_str()).collect();
                return Err(fail(format!(
                    "asks a journey or step for a cache figure; name a class: {}",
                    known.join(", ")
                )));
            }
            _ => {}
        }
        let sections = self.sections(&names.sections).map_err(fail)?;
        let classes = match scope {
            Scope::Class(class) => vec![class],
            _ => names.class_ids().filter(|class| !names.is_private(*class)).collect(),
        };
        Ok(Rule { threshold: self.clone(), region, scope, classes, sections })
    }

    /// The region, when the first word names one, and the other words.
    fn region(&self, names: &Names) -> Result<(Option<usize>, &[String]), String> {
        let Some((first, rest)) = self.subject.split_first() else { return Ok((None, &[])) };
        let region = names.regions.iter().position(|region| region == first);
        match region {
            Some(_) if scope_of(first, names).is_ok() => Err(format!(
                "names \"{first}\", which is a region and also a journey, step or class; rename one of them"
            )),
            Some(region) => Ok((Some(region), rest)),
            None if rest.is_empty() => Ok((None, &self.subject)),
            None => Err(format!(
                "names the region \"{first}\", which the plan does not have{}",
                did_you_mean(first, names.regions.iter().map(String::as_str))
            )),
        }
    }

    fn sections(&self, sections: &[Section]) -> Result<Vec<u16>, String> {
        let during = |section: &Section| match &self.during {
            Some(phase) => section.name == *phase || section.kind.word() == phase,
            None => true,
        };
        if let Some(phase) = &self.during
            && !sections.iter().any(during)
        {
            let known: Vec<&str> = sections.iter().flat_map(|s| [s.name.as_str(), s.kind.word()]).collect();
            return Err(format!(
                "names the phase \"{phase}\", which the plan does not have{}",
                did_you_mean(phase, known)
            ));
        }
        let judged = sections.iter().enumerate().filter(|(_, section)| during(section) && !section.warmup);
        let judged: Vec<u16> = judged.filter_map(|(position, _)| u16::try_from(position).ok()).collect();
        if judged.is_empty() {
            Err("covers the warm-up alone, which is not judged".to_owned())
        } else {
            Ok(judged)
        }
    }
}

/// What a word is about: a journey, a step or a class of content.
///
/// # Errors
/// The end of a sentence when it is none of them, or several.
pub(crate) fn scope_of(word: &str, names: &Names) -> Result<Scope, String> {
    let mut meanings = Vec::new();
    for (position, (journey, steps)) in names.journeys.iter().enumerate() {
        let position = u16::try_from(position).unwrap_or(u16::MAX);
        if journey == word {
            meanings.push((Scope::Journey(position), format!("the journey {journey}")));
        }
        for (step_position, step) in steps.iter().enumerate() {
            if step == word
                || word.strip_prefix(journey).and_then(|rest| rest.strip_prefix('/')) == Some(step)
            {
                let step_position = u16::try_from(step_position).unwrap_or(u16::MAX);
                meanings.push((Scope::Step(position, step_position), format!("the step {journey}/{step}")));
            }
        }
    }
    for class in names.class_ids() {
        if names.class(class) == word {
            meanings.push((Scope::Class(class), format!("the content class {word}")));
        }
    }
    match &meanings[..] {
        [(scope, _)] => Ok(*scope),
        [] => {
            let known = names.journeys.iter().flat_map(|(journey, steps)| {
                std::iter::once(journey.as_str()).chain(steps.iter().map(String::as_str))
            });
            let classes = names.class_ids().map(|class| names.class(class));
            let known = known.chain(names.regions.iter().map(String::as_str)).chain(classes);
            Err(format!(
                "names \"{word}\", which is no region, journey, step or class{}",
                did_you_mean(word, known)
            ))
        }
        several => {
            let meanings: Vec<&str> = several.iter().map(|(_, meaning)| meaning.as_str()).collect();
            let is_class = several.iter().any(|(scope, _)| matches!(scope, Scope::Class(_)));
            let remedy = if is_class { "rename one of them" } else { "write journey/step" };
            Err(format!("names \"{word}\", which could mean {}; {remedy}", meanings.join(" or ")))
        }
    }
}
