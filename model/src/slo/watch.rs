//! Whether a region is heard of. One that is not heard of never looks healthy.

use serde::{Deserialize, Serialize};

use super::alert::Begun;
use super::gaps::{Gaps, Stretch};
use super::rule::Severity;

/// A region that is silent, as an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Silent {
    /// When the alert began.
    pub(super) since_s: i64,
    pub(super) severity: Severity,
    /// Whether people know.
    pub(super) is_told: bool,
}

/// What is known of a region's reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Watch {
    pub(super) last_heard_s: Option<i64>,
    /// Since when it was heard without a break.
    #[serde(default)]
    heard_since_s: Option<i64>,
    pub(super) silent: Option<Silent>,
    #[serde(default)]
    begun: Begun,
    gaps: Gaps,
}

impl Watch {
    /// Notes that the region reported. A longer time without reports was a gap.
    pub(super) fn hear(&mut self, at_s: i64, gap_min_s: i64) {
        match self.last_heard_s {
            Some(last_s) if at_s <= last_s => return,
            Some(last_s) if at_s - last_s > gap_min_s => {
                self.gaps.push(last_s, at_s);
                self.heard_since_s = Some(at_s);
            }
            _ => {}
        }
        self.heard_since_s.get_or_insert(at_s);
        self.last_heard_s = Some(at_s);
    }

    /// Begins an alert, where there is none.
    pub(super) fn fall_silent(&mut self, at_s: i64, severity: Severity) {
        if self.silent.is_none() {
            self.silent = Some(Silent { since_s: self.begun.next(at_s), severity, is_told: false });
        }
    }

    /// Notes a time in which nobody listened.
    pub(super) fn away(&mut self, from_s: i64, to_s: i64) {
        if self.last_heard_s.is_some() {
            self.gaps.push(from_s, to_s);
        }
    }

    /// Takes a step of the clock back: nothing was heard in what is now the future.
    pub(super) fn step_back(&mut self, now_s: i64) {
        self.last_heard_s = self.last_heard_s.map(|last_s| last_s.min(now_s));
        self.heard_since_s = self.heard_since_s.map(|since_s| since_s.min(now_s));
        self.gaps.step_back(now_s);
    }

    /// Whether the region has been silent for longer than it may.
    pub(super) fn is_silent(&self, now_s: i64, after_s: i64) -> bool {
        self.last_heard_s.is_none_or(|last_s| now_s - last_s > after_s)
    }

    /// Whether it has been heard for so long without a break: one sign of life does not end a silence, or an agent that
    /// dies again and again would be as many incidents.
    pub(super) fn is_back(&self, now_s: i64, after_s: i64) -> bool {
        let heard_s = self.last_heard_s.zip(self.heard_since_s).map(|(last_s, since_s)| last_s - since_s);
        !self.is_silent(now_s, after_s) && heard_s.is_some_and(|heard_s| heard_s >= after_s)
    }

    /// Whether it is silent, but nobody is blamed for a time before `since_s`, when nobody listened.
    pub(super) fn is_overdue(&self, now_s: i64, since_s: i64, after_s: i64) -> bool {
        self.is_silent(now_s, after_s) && now_s - since_s > after_s
    }

    /// The stretches without data from `after_s` to `until_s`; the last one may still go on.
    pub(super) fn gaps(&self, after_s: i64, until_s: i64, gap_min_s: i64) -> Vec<Stretch> {
        let open_s = self.last_heard_s.filter(|last_s| until_s - last_s > gap_min_s);
        self.gaps.within(after_s, until_s, open_s)
    }

    /// About how much memory this takes.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.gaps.memory_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::{Severity, Watch};

    #[test]
    fn a_region_is_silent_until_it_is_heard() {
        let mut watch = Watch::default();
        assert!(
            watch.is_silent(1_000, 60)
                && !watch.is_overdue(1_000, 950, 60)
                && watch.is_overdue(1_011, 950, 60)
        );
        watch.hear(1_000, 60);
        assert!(!watch.is_silent(1_060, 60) && watch.is_silent(1_061, 60));
        assert!(!watch.is_overdue(1_100, 1_050, 60), "nobody listened until then");
        watch.hear(900, 60);
        assert_eq!(watch.last_heard_s, Some(1_000), "what is told late is no news");
        watch.step_back(500);
        assert_eq!(watch.last_heard_s, Some(500));
    }

    #[test]
    fn no_silence_began_when_another_did() {
        let mut watch = Watch::default();
        let since = [100, 100, 90, 200].map(|at_s| {
            watch.silent = None;
            watch.fall_silent(at_s, Severity::Ticket);
            watch.fall_silent(at_s + 10, Severity::Page);
            watch.silent.clone().map(|silent| (silent.since_s, silent.severity))
        });
        assert_eq!(since, [100, 101, 102, 200].map(|since_s| Some((since_s, Severity::Ticket))));
    }

    #[test]
    fn it_is_back_when_it_was_heard_for_as_long_as_it_may_be_silent() {
        let mut watch = Watch::default();
        for (at_s, is_back) in
            [(0, false), (30, false), (60, true), (130, false), (160, false), (180, false), (190, true)]
        {
            watch.hear(at_s, 60);
            assert_eq!(watch.is_back(at_s, 60), is_back, "{at_s}");
        }
        assert!(watch.is_back(250, 60) && !watch.is_back(251, 60), "silent again");
        watch.step_back(150);
        assert!(!watch.is_back(150, 60), "what was heard in the future is no evidence");
        watch.hear(210, 60);
        assert!(watch.is_back(210, 60));
    }

    #[test]
    fn gaps_are_what_was_longer_than_it_may_be() {
        let mut watch = Watch::default();
        for at_s in [0, 60, 160, 200] {
            watch.hear(at_s, 60);
        }
        watch.away(210, 240);
        assert_eq!(watch.gaps(-100, 250, 60), [(60, 160), (210, 240)]);
        watch.hear(300, 60);
        assert_eq!(watch.gaps(100, 340, 60), [(100, 160), (200, 300)]);
        assert_eq!(watch.gaps(100, 400, 60), [(100, 160), (200, 400)], "the last one goes on");
    }
}
