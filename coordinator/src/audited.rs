//! What an audit came to: the proofs of every region, and the verdict on them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use doorbuster_model::Tally;
use doorbuster_model::cdn::audit::{HANDSHAKES, Proof, Ruling};
use jiff::Timestamp;

use crate::conduct::Conducted;
use crate::fold::AgentState;
use crate::outcome::{Outcome, Reason, Verdict};
use crate::prepare::Prepared;
use crate::validity::{self, invalid};

/// The `kind` of a reason that a broken promise gave.
const PROMISE: &str = "promise";

/// What was found out in one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegionAudit {
    /// Its name.
    pub(crate) name: String,
    /// How many requests were sent from there.
    pub(crate) requests: u64,
    /// How many handshakes without a request were made from there.
    pub(crate) handshakes: u64,
    /// What was found out about each promise.
    pub(crate) proofs: Vec<Proof>,
    /// What else was counted there by a name, such as limits that were reached.
    pub(crate) counters: BTreeMap<String, u64>,
}

/// An audit, judged.
#[derive(Clone, Debug)]
pub(crate) struct Audited {
    /// The run's id.
    pub(crate) id: String,
    /// The plan's name.
    pub(crate) name: String,
    /// Where it went; `None` where each region has a target of its own.
    pub(crate) target: Option<String>,
    /// When it began.
    pub(crate) started_at: Timestamp,
    /// When its last report came.
    pub(crate) finished_at: Timestamp,
    /// Pass, fail or invalid.
    pub(crate) verdict: Verdict,
    /// Why it is not a pass; those that invalidate come first.
    pub(crate) reasons: Vec<Reason>,
    /// Whether somebody declared what the edge has promised.
    pub(crate) is_declared: bool,
    /// Per region, in the plan's order.
    pub(crate) regions: Vec<RegionAudit>,
    /// Where the audit is kept, once it is.
    pub(crate) kept_in: Option<PathBuf>,
}

impl Audited {
    /// How often promises were found so, over all regions.
    pub(crate) fn count(&self, ruling: Ruling) -> usize {
        let proofs = self.regions.iter().flat_map(|region| &region.proofs);
        proofs.filter(|proof| proof.ruling == ruling).count()
    }
}

/// Judges an audit. `proofs` are those of each region.
pub(crate) fn judge(
    prepared: &Prepared,
    id: String,
    conducted: &Conducted,
    proofs: Vec<Vec<Proof>>,
) -> Audited {
    let plan = &prepared.plan;
    let tallies = &conducted.fold.regions;
    let mut regions = Vec::new();
    for ((region, tally), proofs) in plan.regions.iter().zip(tallies).zip(proofs) {
        let requests = Outcome::exchanges(tally).requests;
        // Told by itself, and not among what else was counted.
        let mut counters = tally.counters.clone();
        let handshakes = counters.remove(HANDSHAKES).unwrap_or(0);
        regions.push(RegionAudit { name: region.name.clone(), requests, handshakes, proofs, counters });
    }
    let mut reasons = agents(prepared, conducted);
    if reasons.is_empty() {
        let pairs = regions.iter().zip(tallies);
        reasons.extend(
            pairs.filter_map(|(region, tally)| silent(&region.name, tally).or_else(|| unseen(region))),
        );
        reasons.extend(challenged(tallies));
    }
    reasons.extend(regions.iter().flat_map(broken));
    Audited {
        id,
        name: plan.name.clone(),
        target: plan.target.as_ref().map(ToString::to_string),
        started_at: conducted.started_at,
        finished_at: conducted.finished_at,
        verdict: validity::verdict(&reasons),
        reasons,
        is_declared: plan.cdn.is_declared,
        regions,
        kept_in: None,
    }
}

/// Somebody stopped it, or an agent did not carry it out to its end.
fn agents(prepared: &Prepared, conducted: &Conducted) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    if conducted.interrupted {
        reasons.push(validity::interrupted("audit"));
    }
    for (position, region) in prepared.plan.regions.iter().enumerate() {
        let here = conducted.fold.agents.iter().filter(|agent| agent.region == position);
        let means = |agents: &[&AgentState]| {
            let who = if validity::is_one(agents) { "it" } else { "they" };
            format!("what {who} proved is not known; run the audit again")
        };
        reasons.extend(validity::ended(&region.name, here, means));
    }
    reasons
}

/// Nothing answered in a region.
fn silent(region: &str, tally: &Tally) -> Option<Reason> {
    let exchanges = Outcome::exchanges(tally);
    let is_silent = exchanges.requests > 0 && exchanges.statuses.is_empty();
    is_silent.then(|| validity::unreachable(Some(region), tally))
}

/// There was no page to prove anything by.
fn unseen(region: &RegionAudit) -> Option<Reason> {
    let missing = region.proofs.iter().find(|proof| proof.is_of_missing_page())?;
    let message = format!(
        "the page that the audit begins with was not seen, so that nothing is proved: {}",
        missing.observed
    );
    Some(invalid("page_not_audited", Some(&region.name), message))
}

/// A firewall stood before the shop, and says nothing about the edge's promises.
fn challenged(tallies: &[Tally]) -> Option<Reason> {
    let challenges = tallies.iter().map(|tally| tally.challenges).sum();
    let answers = tallies.iter().flat_map(|tally| Outcome::exchanges(tally).statuses.into_values()).sum();
    validity::challenged(challenges, answers, "little of this is about the shop")
}

/// The broken promises of a region, each with what to change.
fn broken(region: &RegionAudit) -> impl Iterator<Item = Reason> {
    let failed = region.proofs.iter().filter(|proof| proof.ruling == Ruling::Fail);
    failed.map(|proof| Reason {
        kind: PROMISE,
        message: format!("{}: {} ({}); {}", named(proof), proof.observed, proof.rule, proof.remedy),
        region: Some(region.name.clone()),
        invalidates: false,
    })
}

/// A promise with its class: `html: who asks again gets a copy`.
pub(crate) fn named(proof: &Proof) -> String {
    if proof.class.is_empty() { proof.title.clone() } else { format!("{}: {}", proof.class, proof.title) }
}

#[cfg(test)]
pub(crate) mod tests {

    use doorbuster_model::assignment::Audit;
    use doorbuster_model::cdn::Evidence;
    use doorbuster_model::{ErrorClass, Key, Overrides, Part, Task};

    use super::*;
    use crate::fold::{AgentState, Ended, Fold};
    use crate::prepare::Source;

    /// A proof as an agent reports it.
    pub(crate) fn proof(class: &str, promise: &str, ruling: Ruling, observed: &str) -> Proof {
        let is_broken = matches!(ruling, Ruling::Fail | Ruling::Warn);
        let text = |text: &str| if is_broken { text.to_owned() } else { String::new() };
        Proof {
            class: class.to_owned(),
            promise: promise.to_owned(),
            title: format!("what {promise} is about"),
            ruling,
            observed: observed.to_owned(),
            rule: text("hit-ratio"),
            remedy: text("Look at what is missed again and again, and at what is in the cache policy's key."),
            evidence: (ruling != Ruling::NotApplicable).then(|| Evidence {
                method: "GET".to_owned(),
                url: format!("http://shop.test/static/0123456789abcdef0123456789abcdef/{class}.css?v=1"),
                status: 200,
                answered: vec![("x-cache".to_owned(), "Miss from cloudfront".to_owned())],
                ..Evidence::default()
            }),
        }
    }

    /// An audit of two regions: one right, one whose caches miss.
    pub(crate) fn two_regions() -> Audited {
        let region = |name: &str, ruling, observed| RegionAudit {
            name: name.to_owned(),
            requests: 41,
            handshakes: 5,
            proofs: vec![
                proof("static", "kept", ruling, observed),
                proof("html", "lifetime", Ruling::Pass, "5m"),
                proof("html", "expires", Ruling::NotApplicable, "not waited for"),
                proof("", "near", Ruling::Info, "LHR50; the policy names no edges of this region"),
            ],
            counters: BTreeMap::from([("html_searched".to_owned(), 3)]),
        };
        let regions = vec![
            region("tokyo", Ruling::Fail, "no hit in 5 fetches (2 of 2 addresses)"),
            region("london", Ruling::Pass, "2 of 2 hit by fetch 2"),
        ];
        Audited {
            id: "7f3a".to_owned(),
            name: "friday".to_owned(),
            target: Some("http://shop.test/".to_owned()),
            started_at: "2026-11-27T00:00:00Z".parse().unwrap(),
            finished_at: "2026-11-27T00:00:13.5Z".parse().unwrap(),
            verdict: Verdict::Fail,
            reasons: regions.iter().flat_map(broken).collect(),
            is_declared: true,
            regions,
            kept_in: None,
        }
    }

    fn prepared() -> Prepared {
        let text = "name: x\ntarget: http://127.0.0.1:1\nregions: [a, b]\njourneys: [browse]\nload: { arrivals: [{ hold: 1/s, for: 1s }] }\n";
        let source = Source {
            name: "plan.yaml".to_owned(),
            folder: PathBuf::new(),
            text: text.to_owned(),
            files: BTreeMap::new(),
        };
        let audit = Audit { rate_milli: 10_000, ..Audit::default() };
        Prepared::with_task(source, Overrides::default(), Task::Audit(Box::new(audit))).unwrap()
    }

    /// An audit whose agents ended so, with these answers by status.
    fn conducted(
        prepared: &Prepared,
        ended: &[Ended],
        statuses: &[(u16, u64)],
        challenges: u64,
    ) -> Conducted {
        let load = &prepared.plan.load;
        let states: Vec<AgentState> = (ended.iter().enumerate())
            .map(|(region, ended)| {
                let segment = doorbuster_model::Segment::whole();
                let state = AgentState::new(region, segment, &load.pace, load.model);
                AgentState { ended: ended.clone(), ..state }
            })
            .collect();
        let mut fold = Fold::new(states, ended.len(), load.pace.clone(), load.model, Vec::new(), Vec::new());
        for tally in &mut fold.regions {
            let key = Key { journey: 0, step: 0, part: Part::Main, section: 0 };
            let exchanges = tally.exchanges.entry(key).or_default();
            exchanges.requests = 10;
            exchanges.statuses = statuses.iter().copied().collect();
            tally.challenges = challenges;
            tally.count(HANDSHAKES, 5);
            tally.fail(0, 0, ErrorClass::Connect, || "GET http://127.0.0.1:1/: refused".to_owned());
        }
        let now = Timestamp::now();
        Conducted {
            fold,
            started_at: now,
            finished_at: now,
            interrupted: false,
            aborted: None,
            given_up: None,
        }
    }

    #[test]
    fn an_audit_fails_by_its_proofs_and_is_invalid_without_answers() {
        const NONE: &[&str] = &[];
        let prepared = prepared();
        let good = [(200, 10)];
        let both = [Ended::Finished, Ended::Finished];
        let pass = vec![proof("html", "kept", Ruling::Pass, ""), proof("html", "vary", Ruling::Warn, "")];
        let fail = vec![proof("html", "kept", Ruling::Fail, "no hit")];
        let missing = vec![proof("", "page", Ruling::NotApplicable, "answered 401: let it in")];
        let lost = [Ended::Finished, Ended::Lost("killed".to_owned())];
        for (ended, statuses, challenges, proofs, verdict, kinds) in [
            (&both, &good[..], 0, [pass.clone(), pass.clone()], Verdict::Pass, NONE),
            (&both, &good, 0, [pass.clone(), fail.clone()], Verdict::Fail, &["promise"]),
            (&lost, &good, 0, [pass.clone(), fail.clone()], Verdict::Invalid, &["agent_lost", "promise"]),
            (
                &both,
                &[],
                0,
                [pass.clone(), pass.clone()],
                Verdict::Invalid,
                &["target_unreachable", "target_unreachable"],
            ),
            (&both, &good, 1, [pass.clone(), pass.clone()], Verdict::Invalid, &["waf_challenges"]),
            (&both, &good, 0, [pass.clone(), missing.clone()], Verdict::Invalid, &["page_not_audited"]),
            (
                &both,
                &[],
                0,
                [missing.clone(), missing.clone()],
                Verdict::Invalid,
                &["target_unreachable", "target_unreachable"],
            ),
        ] {
            let conducted = conducted(&prepared, ended, statuses, challenges);
            let audited = judge(&prepared, "r".to_owned(), &conducted, proofs.to_vec());
            let found: Vec<&str> = audited.reasons.iter().map(|reason| reason.kind).collect();
            assert_eq!((audited.verdict, found.as_slice()), (verdict, kinds), "{:#?}", audited.reasons);
            assert_eq!((audited.regions[1].requests, audited.regions[1].handshakes), (10, 5));
            assert!(audited.regions[1].counters.is_empty(), "handshakes are told by themselves");
        }
    }
}
