//! A notice on its way: what every receiver's form is made from.

use doorbuster_model::slo::{AlertStatus, Notice, NoticeKind, Scope, Severity};
use jiff::Timestamp;

/// A notice, with what is not in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    /// What people are to be told.
    pub(crate) notice: &'a Notice,
    /// The plan's name.
    pub(crate) plan: &'a str,
    /// What the plan is about: its target.
    pub(crate) link: Option<&'a str>,
    /// Nothing is wrong; somebody wants to see whether this arrives.
    pub(crate) is_test: bool,
    /// Now, in seconds since 1970.
    pub(crate) now_s: i64,
}

impl<'a> Message<'a> {
    /// What all notices of an incident share. Incidents of two plans that promise the same differ by the plan alone.
    pub(super) fn thread(&self) -> String {
        format!("{}|{}", self.plan, self.notice.incident)
    }

    /// The same at every attempt, and of no other notice: what receivers know duplicates by.
    pub(super) fn key(&self) -> String {
        format!("{}/{}", self.thread(), self.notice.sequence)
    }

    /// Whether the incident goes on.
    pub(super) fn is_firing(&self) -> bool {
        self.notice.status == AlertStatus::Firing
    }

    /// `firing` or `resolved`.
    pub(super) fn status(&self) -> &'static str {
        if self.is_firing() { "firing" } else { "resolved" }
    }

    /// `page` or `ticket`.
    pub(super) fn severity(&self) -> &'static str {
        match self.notice.severity {
            Severity::Page => "page",
            Severity::Ticket => "ticket",
        }
    }

    /// `burn` or `no_data`.
    pub(super) fn kind(&self) -> &'static str {
        match self.notice.kind {
            NoticeKind::Burn { .. } => "burn",
            NoticeKind::NoData => "no_data",
        }
    }

    /// The rule that fired.
    pub(super) fn rule(&self) -> Option<&'a str> {
        match &self.notice.kind {
            NoticeKind::Burn { rule } => Some(rule),
            NoticeKind::NoData => None,
        }
    }

    /// `global`, or the region's name.
    pub(super) fn scope(&self) -> &'a str {
        self.region().unwrap_or("global")
    }

    /// The region, where it is about one.
    pub(super) fn region(&self) -> Option<&'a str> {
        match &self.notice.scope {
            Scope::Global => None,
            Scope::Region(name) => Some(name),
        }
    }

    /// `FIRING (page): …`, on one line.
    pub(super) fn title(&self) -> String {
        let test = if self.is_test { "TEST " } else { "" };
        let status = self.status().to_uppercase();
        format!("{test}{status} ({}): {}", self.severity(), self.notice.summary)
    }

    /// What is known, by names, in the order in which it is shown.
    pub(super) fn facts(&self) -> Vec<(&'a str, String)> {
        let mut facts = vec![("plan", self.plan.to_owned())];
        facts.extend(self.notice.objective.iter().map(|objective| ("objective", objective.clone())));
        facts.push(("scope", self.scope().to_owned()));
        facts.extend(self.rule().map(|rule| ("rule", rule.to_owned())));
        facts.push(("began", rfc3339(self.notice.began_s)));
        if !self.is_firing() {
            facts.push(("ended", rfc3339(self.notice.at_s)));
        }
        facts.extend(self.notice.details.iter().map(|(name, value)| (name.as_str(), value.clone())));
        facts
    }

    /// All of it in plain text.
    pub(super) fn text(&self) -> String {
        let facts = self.facts().into_iter().map(|(name, value)| format!("{name}: {value}\n"));
        format!("{}\n\n{}incident: {}\n", self.title(), facts.collect::<String>(), self.notice.incident)
    }
}

/// A moment in seconds since 1970, as receivers read it: `2026-11-27T00:00:00Z`.
pub(crate) fn rfc3339(at_s: i64) -> String {
    // Only what no calendar holds stays a number.
    Timestamp::from_second(at_s).map_or_else(|_| at_s.to_string(), |moment| moment.to_string())
}
