//! Everything that was answered about a class of content, or about the edge as a whole, and what is said of it.

use super::super::policy::{Cached, ClassId, ContentClass};
use super::super::rules::Rule;
use super::breach::Breach;
use super::proof::Ruling;
use super::script::Script;
use super::subject::{Role, Subject};
use super::taken::Taken;

/// What a promise is judged by.
pub(super) struct Dossier<'a> {
    pub(super) script: &'a Script,
    /// The class; `None` for the edge as a whole.
    pub(super) class: Option<&'a ContentClass>,
    id: ClassId,
    pub(super) subjects: Vec<&'a Subject>,
    /// What was answered besides: to walks, and by redirects.
    others: Vec<&'a Taken>,
}

/// What a judge says.
pub(super) struct Judged<'a> {
    pub(super) ruling: Ruling,
    pub(super) observed: String,
    pub(super) breach: Option<Breach>,
    /// The answer that shows it.
    pub(super) by: Option<&'a Taken>,
    /// What the answer's head does not show.
    pub(super) note: String,
}

impl<'a> Dossier<'a> {
    /// What is known of a class.
    pub(super) fn of_class(script: &'a Script, id: ClassId, class: &'a ContentClass) -> Self {
        let subjects = script.subjects.iter().filter(|subject| subject.is_settled && subject.class == id);
        let others = script.walked.iter().filter(|taken| taken.class == id);
        Self { script, class: Some(class), id, subjects: subjects.collect(), others: others.collect() }
    }

    /// What is known of the edge.
    pub(super) fn of_edge(script: &'a Script) -> Self {
        let others = script.walked.iter().chain(&script.passed);
        let id = ClassId::UNCLASSIFIED;
        Self { script, class: None, id, subjects: script.subjects.iter().collect(), others: others.collect() }
    }

    /// Every answer, and every request without one.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a Taken> {
        let asked = self.subjects.iter().flat_map(|subject| subject.taken.iter());
        asked.chain(self.others.iter().copied())
    }

    /// Whether the policy is about anything of it.
    pub(super) fn is_covered(&self) -> bool {
        self.all().any(|taken| taken.is_covered)
    }

    /// Whether nothing of it was asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// The address that stands for the class.
    pub(super) fn primary(&self) -> Option<&'a Subject> {
        self.subjects.iter().copied().find(|subject| subject.is_primary)
    }

    /// For how many seconds the class is to be kept.
    pub(super) fn promised_s(&self) -> Option<u32> {
        match self.class?.cached {
            Cached::For(promised_s) => Some(promised_s),
            Cached::Unsaid | Cached::Never => None,
        }
    }

    /// Good answers to browsers' requests.
    pub(super) fn good(&self) -> impl Iterator<Item = &'a Taken> {
        self.subjects.iter().flat_map(|subject| subject.plain()).filter(|taken| taken.is_good())
    }

    /// The first of these rules that any answer breaks, with the first that does.
    pub(super) fn breaks(&self, rules: &[Rule]) -> Option<(Rule, &'a Taken)> {
        let first = |rule: Rule| self.all().find(|taken| taken.broken.contains(rule));
        rules.iter().find_map(|rule| Some((*rule, first(*rule)?)))
    }

    /// A rule is broken.
    pub(super) fn broken(&self, breach: Breach, observed: String, by: Option<&'a Taken>) -> Judged<'a> {
        let severity = breach.severity(self.script.setting.policy.is_declared);
        let ruling = Ruling::of(severity);
        Judged { ruling, observed, breach: Some(breach), by, note: String::new() }
    }

    /// There is no good answer to judge by: what there is instead, also at addresses that are of the class only as far as
    /// their path tells.
    pub(super) fn without_a_page(&self) -> Judged<'a> {
        let is_perhaps = |subject: &&Subject| {
            !subject.is_settled && subject.class == self.id && subject.role != Role::Missing
        };
        let perhaps = self.script.subjects.iter().filter(is_perhaps);
        let last = self.subjects.iter().copied().chain(perhaps).find_map(|subject| subject.plain().last());
        let observed = match last.map(|taken| &taken.result) {
            Some(Ok(answer)) => format!("answered {}", answer.status),
            Some(Err(broken)) => broken.message.clone(),
            None => "no address of this class was found".to_owned(),
        };
        Judged::not_applicable(observed)
    }
}

impl<'a> Judged<'a> {
    /// The promise is kept.
    pub(super) fn pass(observed: impl Into<String>, by: Option<&'a Taken>) -> Self {
        Self { ruling: Ruling::Pass, observed: observed.into(), breach: None, by, note: String::new() }
    }

    /// Worth knowing.
    pub(super) fn info(observed: impl Into<String>, by: Option<&'a Taken>) -> Self {
        Self { ruling: Ruling::Info, ..Self::pass(observed, by) }
    }

    /// Not to be proved here, and why; nothing is shown of it where that is empty.
    pub(super) fn not_applicable(why: impl Into<String>) -> Self {
        Self { ruling: Ruling::NotApplicable, ..Self::pass(why, None) }
    }

    /// With what the answer's head does not show.
    pub(super) fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}
