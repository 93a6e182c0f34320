//! Findings: broken rules with evidence, how often and since when, bounded in number.

use std::collections::BTreeMap;

use super::evidence::Evidence;
use super::policy::ClassId;
use super::pop::Pop;
use super::rules::Rule;

/// The most findings of a region.
pub const FINDINGS_MAX: usize = 200;
/// The most findings of one second of a worker.
pub const FINDINGS_PER_SECOND_MAX: usize = 50;

/// What makes findings the same: the gravest rules come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingKey {
    /// The rule that is broken.
    pub rule: Rule,
    /// The class of content.
    pub class: ClassId,
    /// The edge location, where it is known.
    pub pop: Option<Pop>,
}

/// How often a rule was broken, since when and until when, and a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How often.
    pub count: u64,
    /// When first, in nanoseconds since the run's start.
    pub first_ns: u64,
    /// When last.
    pub last_ns: u64,
    /// The proof of the first.
    pub evidence: Evidence,
}

/// A bounded table of findings. Those that it has no room for are counted; a graver one takes the place of the least
/// grave, so that it is never the gravest that are left out. [`Findings::merge`] is associative and commutative among
/// tables of the same limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    limit: usize,
    kept: BTreeMap<FindingKey, Finding>,
    /// How many there was no room for.
    pub not_kept: u64,
}

impl Default for Findings {
    fn default() -> Self {
        Self::new(FINDINGS_MAX)
    }
}

impl Finding {
    /// Adds what is known of the same finding from elsewhere.
    fn merge(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.last_ns = self.last_ns.max(other.last_ns);
        if (other.first_ns, &other.evidence) < (self.first_ns, &self.evidence) {
            (self.first_ns, self.evidence) = (other.first_ns, other.evidence);
        }
    }
}

impl Findings {
    /// A table with room for `limit` findings.
    pub fn new(limit: usize) -> Self {
        Self { limit, kept: BTreeMap::new(), not_kept: 0 }
    }

    /// Notes that a rule was broken at `at_ns`. Evidence is asked for only where it is the first that is kept.
    pub fn note(&mut self, key: FindingKey, at_ns: u64, evidence: impl FnOnce() -> Evidence) {
        if let Some(finding) = self.kept.get_mut(&key)
            && at_ns >= finding.first_ns
        {
            finding.count = finding.count.saturating_add(1);
            finding.last_ns = finding.last_ns.max(at_ns);
            return;
        }
        if !self.kept.contains_key(&key) && !self.has_room_for(&key) {
            self.not_kept = self.not_kept.saturating_add(1);
            return;
        }
        self.add(key, Finding { count: 1, first_ns: at_ns, last_ns: at_ns, evidence: evidence() });
    }

    /// Adds a finding that was kept elsewhere.
    pub fn add(&mut self, key: FindingKey, finding: Finding) {
        match self.kept.get_mut(&key) {
            Some(known) => known.merge(finding),
            None => {
                self.kept.insert(key, finding);
            }
        }
        while self.kept.len() > self.limit {
            let Some((_, least)) = self.kept.pop_last() else { break };
            self.not_kept = self.not_kept.saturating_add(least.count);
        }
    }

    /// Adds all that `other` noted.
    pub fn merge(&mut self, other: &Self) {
        self.not_kept = self.not_kept.saturating_add(other.not_kept);
        for (key, finding) in &other.kept {
            self.add(*key, finding.clone());
        }
    }

    /// All that are kept, the gravest first, and how many are not.
    pub fn into_parts(self) -> (Vec<(FindingKey, Finding)>, u64) {
        (self.kept.into_iter().collect(), self.not_kept)
    }

    /// All that are kept, the gravest first.
    pub fn iter(&self) -> impl Iterator<Item = (&FindingKey, &Finding)> {
        self.kept.iter()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.not_kept == 0
    }

    fn has_room_for(&self, key: &FindingKey) -> bool {
        self.kept.len() < self.limit || self.kept.last_key_value().is_some_and(|(last, _)| key < last)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(rule: Rule, class: u8) -> FindingKey {
        FindingKey { rule, class: ClassId(class), pop: Pop::parse(b"NRT57-P1") }
    }

    fn evidence(url: &str) -> Evidence {
        Evidence { url: url.to_owned(), ..Evidence::default() }
    }

    #[test]
    fn the_same_finding_is_counted_with_the_first_as_its_proof() {
        let mut findings = Findings::default();
        findings.note(key(Rule::PrivateHit, 0), 7, || evidence("/first"));
        findings.note(key(Rule::PrivateHit, 0), 9, || unreachable!("no more evidence is needed"));
        findings.note(key(Rule::PrivateHit, 0), 5, || evidence("/earlier"));
        findings.note(key(Rule::HitRatio, 0), 1, || evidence("/other"));
        let all: Vec<_> = findings.iter().collect();
        assert_eq!(all[0].0.rule, Rule::PrivateHit, "the gravest first");
        let first = all[0].1;
        assert_eq!((first.count, first.first_ns, first.last_ns), (3, 5, 9));
        assert_eq!((first.evidence.url.as_str(), all.len()), ("/earlier", 2));
    }

    #[test]
    fn the_gravest_are_kept() {
        let mut findings = Findings::new(2);
        for class in 0..5 {
            findings.note(key(Rule::LifetimeUnsaid, class), 1, || evidence("/"));
        }
        assert_eq!((findings.iter().count(), findings.not_kept), (2, 3));
        findings.note(key(Rule::PrivateHit, 9), 2, || evidence("/cart"));
        let kept: Vec<_> = findings.iter().map(|(key, _)| (key.rule, key.class.0)).collect();
        assert_eq!(kept, [(Rule::PrivateHit, 9), (Rule::LifetimeUnsaid, 0)]);
        assert_eq!(findings.not_kept, 4);
        assert!(!findings.is_empty() && Findings::new(0).is_empty());
        let (parts, not_kept) = findings.into_parts();
        assert_eq!((parts[0].0.rule, parts.len(), not_kept), (Rule::PrivateHit, 2, 4));
    }

    #[test]
    fn a_table_without_room_keeps_nothing() {
        let mut findings = Findings::new(0);
        findings.note(key(Rule::PrivateHit, 0), 1, || unreachable!("there is no room"));
        assert_eq!((findings.iter().count(), findings.not_kept), (0, 1));
    }

    fn any_findings() -> impl Strategy<Value = Findings> {
        let rules = prop::sample::select(Rule::all().collect::<Vec<_>>());
        prop::collection::vec((rules, 0_u8..3, 0_u64..20), 0..20).prop_map(|rows| {
            let mut findings = Findings::new(6);
            for (rule, class, at_ns) in rows {
                findings.note(key(rule, class), at_ns, || evidence(&format!("/{at_ns}")));
            }
            findings
        })
    }

    proptest! {
        #[test]
        fn merging_is_associative_and_commutative(
            a in any_findings(), b in any_findings(), c in any_findings(),
        ) {
            let merged = |first: &Findings, second: &Findings| {
                let mut sum = first.clone();
                sum.merge(second);
                sum
            };
            prop_assert_eq!(merged(&a, &b), merged(&b, &a));
            prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
            let total = |findings: &Findings| {
                findings.iter().map(|(_, finding)| finding.count).sum::<u64>() + findings.not_kept
            };
            prop_assert_eq!(total(&merged(&a, &b)), total(&a) + total(&b), "none is lost");
        }
    }
}
