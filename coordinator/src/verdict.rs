//! The verdict: when a run is invalid, when it fails, and what to do about it.

mod agents;

use std::collections::BTreeSet;

use doorbuster_model::plan::Model;
use doorbuster_model::threshold::Rule;
use doorbuster_model::{Plan, Tally};

use crate::conduct::Conducted;
use crate::fold::{AgentState, Fold};
use crate::outcome::{Outcome, Reason, RegionOutcome, Run, ThresholdOutcome, Verdict};
use crate::prepare::Prepared;
use crate::promises;
use crate::validity::{self, invalid};

/// Schedule lag above which a run is invalid: 100 ms at p99.
const LAG_P99_MAX_US: u64 = 100_000;

/// So many late arrivals at least: in a run of a few dozen, one or two slips of a timer are no overload.
const LATE_MIN: u64 = 3;
/// Below this an agent's lateness is not its own doing.
const CPU_BUSY_PERCENT: f64 = 70.0;
/// Counters of an agent that tell of a limit of its own machine.
const OWN_LIMITS: [&str; 2] = ["connections_waited_for", "connections_refused_by_this_machine"];

/// Judges a conducted run.
pub(crate) fn judge(prepared: &Prepared, run: Run, conducted: &Conducted) -> Outcome {
    let fold = &conducted.fold;
    let regions = regions(prepared, fold);
    let mut global = Tally::default();
    fold.regions.iter().for_each(|tally| global.merge(tally));
    let (findings, findings_not_kept) = promises::findings(prepared, fold);
    let mut outcome = Outcome {
        run,
        plan: prepared.plan.clone(),
        names: prepared.names.clone(),
        verdict: Verdict::Pass,
        reasons: Vec::new(),
        regions,
        timeline: fold.timeline().to_vec(),
        thresholds: thresholds(prepared, fold, &global),
        findings,
        findings_not_kept,
        kept_in: None,
    };
    let mut reasons = stopped(conducted);
    reasons.extend(agents::reasons(&prepared.plan, conducted));
    reasons.extend(generator(&prepared.plan, &outcome, &global, reasons.is_empty()));
    reasons.extend(target(&outcome, &global, conducted));
    // All so far invalidate. What could not be observed is no news beside why the run cannot be judged.
    let invalid = !reasons.is_empty();
    let judged = outcome.thresholds.iter().filter(|rule| !invalid || rule.judgement.observed.is_some());
    reasons.extend(failed(judged));
    reasons.extend(promises::reasons(&outcome.findings));
    outcome.verdict = validity::verdict(&reasons);
    outcome.reasons = reasons;
    outcome
}

fn regions(prepared: &Prepared, fold: &Fold) -> Vec<RegionOutcome> {
    let open = matches!(prepared.plan.load.model, Model::Open(_));
    let region = |(position, tally): (usize, &Tally)| {
        let agents: Vec<_> = fold.agents.iter().filter(|agent| agent.region == position).collect();
        let planned = agents.iter().map(|agent| agent.arrivals_planned).sum();
        RegionOutcome {
            name: prepared.plan.regions[position].name.clone(),
            arrivals_planned: if open { planned } else { tally.arrivals.started },
            agents_planned: prepared.plan.regions[position].agents,
            agents_lost: lost(&agents),
            ticks_missing: agents.iter().map(|agent| agent.ticks_missing).sum(),
            clock_offset_ms: agents.iter().map(|agent| agent.clock_offset_ms.abs()).fold(0.0, f64::max),
            cpu_percent_max: agents.iter().map(|agent| agent.cpu_percent_max).fold(0.0, f64::max),
            tally: tally.clone(),
        }
    };
    fold.regions.iter().enumerate().map(region).collect()
}

/// How many of the plan's agents were lost: those who relieve one another are one.
fn lost(agents: &[&AgentState]) -> u32 {
    let lost = agents.iter().filter(|agent| agent.is_lost());
    let places: BTreeSet<usize> = lost.map(|agent| agent.place).collect();
    u32::try_from(places.len()).unwrap_or(u32::MAX)
}

fn thresholds(prepared: &Prepared, fold: &Fold, global: &Tally) -> Vec<ThresholdOutcome> {
    let judged = |(position, rule): (usize, &Rule)| {
        let window = fold.windows.iter().find(|(of, _)| *of == Some(position));
        let judgement = match window {
            Some((_, window)) => window.judge(),
            None => {
                let tally = rule.region.map_or(global, |region| &fold.regions[region]);
                rule.judge(rule.observe(tally, seconds(prepared, rule)))
            }
        };
        let region = rule.region.map(|region| prepared.names.regions[region].clone());
        ThresholdOutcome { rule: rule.threshold.text.clone(), region, judgement }
    };
    prepared.rules.iter().enumerate().map(judged).collect()
}

/// How many seconds the sections that a rule is about last.
fn seconds(prepared: &Prepared, rule: &Rule) -> u64 {
    let sections =
        rule.sections.iter().filter_map(|position| prepared.sections().get(usize::from(*position)));
    sections.map(|section| section.to_ns - section.from_ns).sum::<u64>().div_ceil(1_000_000_000)
}

/// Somebody, or the abort rule, stopped the run.
fn stopped(conducted: &Conducted) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let Some(message) = &conducted.aborted {
        let message =
            format!("{message}, so the run ended early; look at the failures first, then run again");
        reasons.push(invalid("aborted", None, message));
    }
    if conducted.interrupted {
        reasons.push(validity::interrupted("run"));
    }
    reasons
}

/// The generator did not generate what was planned. `undisturbed`: nothing else explains missing arrivals.
fn generator(plan: &Plan, outcome: &Outcome, global: &Tally, undisturbed: bool) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let arrivals = &global.arrivals;
    let cpu = outcome.regions.iter().map(|region| region.cpu_percent_max).fold(0.0, f64::max);
    let remedy = if cpu < CPU_BUSY_PERCENT {
        format!(
            "the agents used at most {cpu:.0} % of their CPU, so something else kept this machine busy: run again when it is quiet, or on a machine of its own"
        )
    } else {
        format!(
            "this machine was too slow for the load (its busiest agent used {cpu:.0} % of its CPU): add agents or machines, or lower the load"
        )
    };
    if arrivals.late >= LATE_MIN && arrivals.late.saturating_mul(100) > arrivals.started {
        let message =
            format!("{} of {} arrivals started over 10 ms late: {remedy}", arrivals.late, arrivals.started);
        reasons.push(invalid("arrivals_late", None, message));
    }
    if let Some(lag_us) = arrivals.lag.quantile_us(990_000).filter(|lag_us| *lag_us > LAG_P99_MAX_US) {
        let message = format!("1 % of steps were handled over {} ms late: {remedy}", lag_us / 1_000);
        reasons.push(invalid("schedule_lag", None, message));
    }
    let own_limits: u64 = OWN_LIMITS
        .iter()
        .filter_map(|name| global.counters.get(*name))
        .fold(0, |sum, count| sum.saturating_add(*count));
    if own_limits > 0 {
        let message = format!(
            "{own_limits} connections met a limit of this machine (descriptors or ports), which says nothing about the target: raise it (ulimit -n), add agents or machines, or lower the load"
        );
        reasons.push(invalid("generator_limit", None, message));
    }
    let planned: u64 = outcome.regions.iter().map(|region| region.arrivals_planned).sum();
    if undisturbed && matches!(plan.load.model, Model::Open(_)) && arrivals.started != planned {
        let message = format!("{} of {planned} arrivals were started: {remedy}", arrivals.started);
        reasons.push(invalid("arrivals_missing", None, message));
    }
    reasons
}

/// The target was not there, or a firewall stood before it.
fn target(outcome: &Outcome, global: &Tally, conducted: &Conducted) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let exchanges = Outcome::exchanges(global);
    let answers: u64 = exchanges.statuses.values().sum();
    let disturbed = outcome.regions.iter().all(|region| region.agents_lost == region.agents_planned);
    // A run that was stopped before anything could answer says nothing about the target.
    let stopped = conducted.interrupted || conducted.aborted.is_some() || conducted.given_up.is_some();
    if answers == 0 && !disturbed && (exchanges.requests > exchanges.cut || !stopped) {
        reasons.push(validity::unreachable(None, global));
    }
    reasons.extend(validity::challenged(global.challenges, answers, "no shop was measured"));
    reasons
}

fn failed<'a>(thresholds: impl Iterator<Item = &'a ThresholdOutcome>) -> Vec<Reason> {
    let failed = thresholds.filter(|threshold| !threshold.judgement.ok);
    failed
        .map(|threshold| {
            let observed = match threshold.judgement.observed {
                Some(observed) => format!("observed {observed:.3} {}", threshold.judgement.unit),
                None => {
                    "there were too few samples to say; run longer, or ask for a lower percentile".to_owned()
                }
            };
            Reason {
                kind: "threshold",
                message: format!("\"{}\" does not hold: {observed}", threshold.rule),
                region: threshold.region.clone(),
                invalidates: false,
            }
        })
        .collect()
}
