//! A plan as an audit has it.

use std::time::Duration;

use doorbuster_notation::{Faults, Place};

use super::{Connections, Cookies, JourneyUse, Load, Model, Plan};
use crate::assignment::Audit;
use crate::cdn::Policy;
use crate::pace::Pace;
use crate::spacing::Spacing;

impl Plan {
    /// Leaves of the plan what an audit needs: its target, how requests travel, and its policy, from one agent per region.
    /// Its load is the audit's rate, however long that takes, and its journey the audit's. Coordinator and agents do the
    /// same with the same plan.
    ///
    /// # Errors
    /// All faults of the audit's own policy.
    pub fn for_audit(&mut self, audit: &Audit) -> Result<(), Faults> {
        if let Some(text) = &audit.policy {
            self.cdn = Policy::read("policy", text)?;
        }
        for region in &mut self.regions {
            (region.agents, region.share) = (1, 1);
        }
        let journey =
            |journey: &String| JourneyUse { journey: journey.clone(), weight: 1, place: Place::default() };
        self.journeys = audit.journey.iter().map(journey).collect();
        self.load = Load {
            model: Model::Open(Spacing::Even),
            pace: Pace::level(audit.rate_milli),
            connections: Connections::Keep,
            cookies: Cookies::Keep,
            max_connections: None,
            streams: 1,
        };
        self.agent_binary = None;
        self.warmup = Duration::ZERO;
        self.thresholds.clear();
        self.abort_when = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "
name: friday
target: https://shop.example.com
regions: { tokyo: { agents: 4 }, london: { share: 0 } }
journeys: [browse, checkout]
agent_binary: ours
load: { shoppers: [{ hold: 5000, for: 10m }], connections: shared, max_connections: 9 }
warmup: 1m
thresholds: [\"errors < 1%\"]
abort_when: \"errors > 20% over 10s\"
cdn: { provider: generic }
";

    #[test]
    fn what_an_audit_does_not_need_is_left_out() {
        let mut plan = Plan::read("plan.yaml", PLAN).unwrap();
        let target = plan.target.clone().unwrap();
        let audit = Audit { rate_milli: 10_000, journey: Some("cart".to_owned()), ..Audit::default() };
        assert!(!plan.may_send_to(&target, [1]));
        plan.for_audit(&audit).unwrap();
        assert!(plan.may_send_to(&target, [1]), "10 requests a second anybody may get");
        let agents: Vec<u32> = plan.regions.iter().map(|region| region.agents).collect();
        assert_eq!((agents, plan.journeys[0].journey.as_str()), (vec![1, 1], "cart"));
        assert!(plan.thresholds.is_empty() && plan.abort_when.is_none() && plan.agent_binary.is_none());
        assert!(plan.cdn.is_declared, "the plan's own policy");
        let faster = Audit { rate_milli: 10_001, ..Audit::default() };
        plan.for_audit(&faster).unwrap();
        assert!(!plan.may_send_to(&target, [1]));
    }

    #[test]
    fn a_policy_of_its_own_stands_for_the_plan_s() {
        let mut plan = Plan::read("plan.yaml", PLAN).unwrap();
        let text = "cdn: { classes: [{ class: all, match: [\"/**\"], cached_for: 1m }] }";
        let own = Audit { policy: Some(text.to_owned()), ..Audit::default() };
        plan.for_audit(&own).unwrap();
        assert_eq!(plan.cdn.classes()[0].name, "all");
        let broken = Audit { policy: Some("cdn: { provider: akamai }".to_owned()), ..Audit::default() };
        assert!(plan.for_audit(&broken).unwrap_err().to_string().contains("policy:1:"));
    }
}
