//! A plan as an audit has it.

use std::time::Duration;

use doorbuster_notation::{Faults, Place};
use url::{Origin, Url};

use super::{Connections, Cookies, JourneyUse, Load, Model, Plan, Region};
use crate::assignment::Audit;
use crate::cdn::Policy;
use crate::pace::Pace;
use crate::spacing::Spacing;
use crate::target::STRANGER_REQUESTS_PER_SECOND_MAX;

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

    /// How much of an audit's rate falls to a region, in thousandths per second. Regions that ask the same server share
    /// what the audit is told: it is the server that is to get no more.
    pub fn audit_share_milli(&self, region: &Region, rate_milli: u64) -> u64 {
        let origin = self.target_of(region).map(Url::origin);
        let sharing = self.origins().filter(|other| *other == origin).count();
        rate_milli / u64::try_from(sharing).unwrap_or(u64::MAX).max(1)
    }

    /// Whether an audit of that rate, in thousandths per second, may be carried out against `target`: it may be loaded,
    /// or what its host gets from all regions together stays within what a host gets that nobody named. Each server of a
    /// host gets the whole rate.
    pub fn may_audit(&self, target: &Url, rate_milli: u64) -> bool {
        if self.may_load(target) {
            return true;
        }
        let mut servers: Vec<Option<Origin>> = Vec::new();
        for region in &self.regions {
            let there = self.target_of(region).filter(|there| there.host_str() == target.host_str());
            let origin = there.map(Url::origin);
            if origin.is_some() && !servers.contains(&origin) {
                servers.push(origin);
            }
        }
        let servers = u64::try_from(servers.len()).unwrap_or(u64::MAX).max(1);
        rate_milli.saturating_mul(servers) <= STRANGER_REQUESTS_PER_SECOND_MAX * 1_000
    }

    /// Where each region's requests go.
    fn origins(&self) -> impl Iterator<Item = Option<Origin>> {
        self.regions.iter().map(|region| self.target_of(region).map(Url::origin))
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
    fn regions_that_ask_the_same_server_share_the_rate() {
        let text = PLAN.replace(
            "regions: { tokyo: { agents: 4 }, london: { share: 0 } }",
            "regions: { tokyo: { share: 2 }, london: { agents: 3 }, paris: { target: \"https://shop.example.com:8443\" } }",
        );
        let plan = Plan::read("plan.yaml", &text).unwrap();
        let shares = |rate_milli| -> Vec<u64> {
            plan.regions.iter().map(|region| plan.audit_share_milli(region, rate_milli)).collect()
        };
        assert_eq!(shares(10_000), [5_000, 5_000, 10_000]);
        assert_eq!(shares(1), [0, 0, 1], "so little cannot be shared");
        let target = plan.target.clone().unwrap();
        // Two servers of one host.
        assert!(plan.may_audit(&target, 5_000) && !plan.may_audit(&target, 5_001));
        let other = Url::parse("https://other.example.com").unwrap();
        assert!(plan.may_audit(&other, 10_000) && !plan.may_audit(&other, 10_001));
        let loopback = Url::parse("http://127.0.0.1:1").unwrap();
        assert!(plan.may_audit(&loopback, 1_000_000));
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
