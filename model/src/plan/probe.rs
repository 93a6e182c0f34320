//! A plan's `probe`, and a plan as a probe has it.

use std::time::Duration;

use doorbuster_notation::{Fault, Faults, Fields, Node, parse_duration};

use super::{Connections, Cookies, Load, Model, Plan};
use crate::pace::Pace;
use crate::spacing::Spacing;

/// The longest time between two probes, in seconds: an hour.
const EVERY_S_MAX: u64 = 3_600;

/// How a plan is probed all year round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// How often each region walks each journey: every so many seconds, 1 to 3,600.
    pub every_s: u32,
}

impl Probe {
    /// The same in milliseconds.
    pub fn every_ms(self) -> u64 {
        u64::from(self.every_s) * 1_000
    }
}

pub(super) fn probe(node: &Node, faults: &mut Faults) -> Option<Probe> {
    let mut fields = faults.keep(Fields::of(node, "probe"))?;
    let every = faults.keep(fields.required("every")).and_then(|node| faults.keep(every_s(node)));
    fields.finish(faults);
    every.map(|every_s| Probe { every_s })
}

fn every_s(node: &Node) -> Result<u32, Fault> {
    let every = node.parse_with("a duration such as 20s", parse_duration)?;
    let fits = every.subsec_nanos() == 0 && (1..=EVERY_S_MAX).contains(&every.as_secs());
    let seconds = u32::try_from(every.as_secs()).ok().filter(|_| fits);
    seconds.ok_or_else(|| node.expected("whole seconds, 1s to 1h"))
}

impl Load {
    /// What probes send: `walks` journeys, spread over each interval of `every_ms`, each by a new shopper. Without an end,
    /// so that the pace says how much at a time, and not how long.
    pub(super) fn of_probes(every_ms: u64, walks: usize) -> Self {
        let walks = u64::try_from(walks).unwrap_or(u64::MAX);
        Self {
            model: Model::Open(Spacing::Even),
            pace: Pace::level(walks.saturating_mul(1_000_000).div_ceil(every_ms.max(1))),
            connections: Connections::Keep,
            cookies: Cookies::PerIteration,
            max_connections: None,
            streams: 1,
        }
    }
}

impl Plan {
    /// Leaves of the plan what a probe every `every_ms` needs: where journeys go from which region, how requests travel,
    /// and the edge's policy. Its load is the probes'. Coordinator and agents do the same with the same plan.
    pub fn for_probe(&mut self, every_ms: u64) {
        for region in &mut self.regions {
            (region.agents, region.share) = (1, 1);
        }
        self.load = Load::of_probes(every_ms, self.regions.len() * self.journeys.len());
        self.agent_binary = None;
        self.warmup = Duration::ZERO;
        self.thresholds.clear();
        self.abort_when = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "
name: friday
target: https://shop.example.com
regions: { tokyo: { agents: 4 }, london: { share: 0 } }
journeys: [browse, { journey: checkout, weight: 0 }]
probe: { every: 20s }
";
    const LOAD: &str =
        "load: { shoppers: [{ hold: 5000, for: 10m }], connections: shared, max_connections: 9 }
warmup: 1m
thresholds: [\"errors < 1%\"]
abort_when: \"errors > 20% over 10s\"
agent_binary: ours
";

    #[test]
    fn a_plan_of_probes_needs_no_load() {
        let plan = Plan::read("plan.yaml", PLAN).unwrap();
        assert_eq!((plan.probe, plan.has_load), (Some(Probe { every_s: 20 }), false));
        // Two regions walk two journeys: four walks in 20 s.
        assert_eq!(plan.load.pace.peak_milli(), 200);
        let both = Plan::read("plan.yaml", &format!("{PLAN}{LOAD}")).unwrap();
        assert!(both.has_load && both.probe == plan.probe && both.load.model == Model::Closed);
        let neither = PLAN.replace("probe: { every: 20s }\n", "");
        let neither = Plan::read("plan.yaml", &neither).unwrap_err().to_string();
        assert!(neither.contains("the plan needs the key \"load\""), "{neither}");
    }

    #[test]
    fn an_interval_is_whole_seconds_up_to_an_hour() {
        for (written, every_s) in [("1s", Some(1)), ("1h", Some(3_600)), ("90s", Some(90)), ("1m", Some(60))]
        {
            let plan = Plan::read("p", &PLAN.replace("20s", written)).unwrap();
            assert_eq!(plan.probe.map(|probe| probe.every_s), every_s, "{written}");
        }
        for written in ["0s", "1500ms", "61m", "3601s"] {
            let message = Plan::read("p", &PLAN.replace("20s", written)).unwrap_err().to_string();
            assert!(message.contains("p:6:17: found the text \""), "{message}");
            assert!(message.contains("expected whole seconds, 1s to 1h"), "{message}");
        }
        let message = Plan::read("p", &PLAN.replace("every", "evry")).unwrap_err().to_string();
        assert!(
            message.contains("probe needs the key \"every\"") && message.contains("did you mean"),
            "{message}"
        );
    }

    #[test]
    fn what_probes_do_not_need_is_left_out() {
        let mut plan = Plan::read("plan.yaml", &format!("{PLAN}{LOAD}")).unwrap();
        plan.for_probe(20_000);
        let agents: Vec<(u32, u32)> =
            plan.regions.iter().map(|region| (region.agents, region.share)).collect();
        assert_eq!((agents, plan.journeys.len()), (vec![(1, 1), (1, 1)], 2));
        assert!(plan.thresholds.is_empty() && plan.abort_when.is_none() && plan.agent_binary.is_none());
        assert_eq!(plan.load.connections, Connections::Keep, "each walk has connections of its own");
        assert_eq!(plan.load.pace.sections(0).len(), 1);
    }

    #[test]
    fn a_stranger_gets_as_few_requests_as_it_does_from_loads() {
        let mut plan = Plan::read("plan.yaml", PLAN).unwrap();
        let target = plan.target.clone().unwrap();
        plan.for_probe(20_000);
        assert!(plan.may_send_to(&target, [50, 7]), "0.2 walks a second of at most 50 requests");
        assert!(!plan.may_send_to(&target, [51, 7]));
        plan.for_probe(1_000);
        assert!(plan.may_send_to(&target, [2]) && !plan.may_send_to(&target, [3]));
        plan.for_probe(3_600_000);
        assert!(plan.may_send_to(&target, [5_000]), "four walks an hour round up to 0.002 a second");
    }
}
