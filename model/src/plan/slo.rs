//! Reading a plan's `slo`.

use doorbuster_notation::{Fault, Faults, Fields, Kind, Node, did_you_mean, parse_duration};

use super::Region;
use crate::slo::{
    GLOBAL, MIN_FAILURES, OBJECTIVES_MAX, Objective, Rule, Slo, Traffic, confirm_default_s,
    no_data_after_default_s,
};

/// The most failures that the guard may demand.
const MIN_FAILURES_MAX: u64 = 1_000_000;
/// The longest time that anything here waits: a day.
const WAIT_MAX_S: u32 = 86_400;

/// The section of a mapping, of a plan with these regions that probes so often.
pub(super) fn slo(node: &Node, regions: &[Region], probe_every_s: u32, faults: &mut Faults) -> Option<Slo> {
    let mut fields = faults.keep(Fields::of(node, "slo"))?;
    let traffic = fields.optional("traffic").map(|node| traffic(node, faults));
    let objectives = faults.keep(fields.required("objectives"));
    let objectives = objectives.map(|node| objectives_of(node, regions, traffic.is_some(), faults));
    let rules = fields.optional("rules").map_or_else(Rule::defaults, |node| Rule::of_section(node, faults));
    let min_failures =
        fields.optional("min_failures").and_then(|node| faults.keep(node.integer(0, MIN_FAILURES_MAX)));
    let confirm_s = match fields.optional("confirm") {
        None => Some(confirm_default_s(probe_every_s)),
        Some(node) if is_off(node) => None,
        Some(node) => faults.keep(seconds(node, 1)),
    };
    let keep_firing_for_s = fields.optional("keep_firing_for").and_then(|node| faults.keep(seconds(node, 0)));
    let no_data_after_s = fields.optional("no_data_after").and_then(|node| faults.keep(seconds(node, 1)));
    fields.finish(faults);
    if regions.iter().any(|region| region.name == GLOBAL) {
        let message =
            format!("a region is called \"{GLOBAL}\", which is what all of them together are; rename it");
        faults.add(node.place, message);
    }
    Some(Slo {
        objectives: objectives?,
        rules,
        min_failures: min_failures.unwrap_or(MIN_FAILURES),
        confirm_s,
        keep_firing_for_s,
        no_data_after_s: no_data_after_s.unwrap_or(no_data_after_default_s(probe_every_s)),
        traffic: traffic.flatten(),
    })
}

fn objectives_of(
    node: &Node,
    regions: &[Region],
    counts_traffic: bool,
    faults: &mut Faults,
) -> Vec<Objective> {
    let expected = "a list of objectives such as \"checkout availability 99.99% over 30d\"";
    let Some(items) = faults.keep(node.list(expected)) else { return Vec::new() };
    if items.is_empty() || items.len() > OBJECTIVES_MAX {
        faults.add(node.place, format!("there are 1 to {OBJECTIVES_MAX} objectives"));
    }
    let mut objectives: Vec<Objective> = Vec::new();
    for item in items {
        let read = item.parse_with("an objective", Objective::parse);
        let Some(objective) = faults.keep(read) else { continue };
        if objectives.iter().any(|earlier| earlier.text == objective.text) {
            faults.add(item.place, format!("the objective \"{objective}\" is named twice"));
        }
        let mut names = regions.iter().map(|region| region.name.as_str());
        if let Some(region) = objective.region.as_deref().filter(|region| !names.any(|name| name == *region))
        {
            let near = did_you_mean(region, regions.iter().map(|region| region.name.as_str()));
            let message = format!(
                "the objective \"{objective}\" names the region \"{region}\", which the plan does not have{near}"
            );
            faults.add(item.place, message);
        }
        if objective.is_traffic && !counts_traffic {
            let message = format!(
                "the objective \"{objective}\" is about counts that are read elsewhere; add traffic: {{ cloudwatch: {{ region: …, load_balancer: … }} }}"
            );
            faults.add(item.place, message);
        }
        objectives.push(objective);
    }
    objectives
}

fn traffic(node: &Node, faults: &mut Faults) -> Option<Traffic> {
    let mut fields = faults.keep(Fields::of(node, "traffic"))?;
    let cloudwatch = faults.keep(fields.required("cloudwatch"));
    fields.finish(faults);
    let mut fields = faults.keep(Fields::of(cloudwatch?, "cloudwatch"))?;
    let region = fields.required("region").and_then(|node| node.scalar("an AWS region such as eu-west-1"));
    let balancer = "a load balancer such as app/shop/50dc6c495c0c9188";
    let load_balancer = fields.required("load_balancer").and_then(|node| {
        node.parse_with(balancer, |text| match text.split('/').collect::<Vec<_>>()[..] {
            ["app" | "net", name, id] if !name.is_empty() && !id.is_empty() => Ok(text.to_owned()),
            _ => Err(format!("found \"{text}\", expected {balancer}: the end of its ARN")),
        })
    });
    let (region, load_balancer) = (faults.keep(region), faults.keep(load_balancer));
    fields.finish(faults);
    Some(Traffic { aws_region: region?, load_balancer: load_balancer? })
}

/// `off`, which some take for `false`.
fn is_off(node: &Node) -> bool {
    matches!(&node.kind, Kind::Bool(false)) || matches!(&node.kind, Kind::Text(text) if text == "off")
}

fn seconds(node: &Node, least_s: u32) -> Result<u32, Fault> {
    let duration = node.parse_with("a duration such as 60s", parse_duration)?;
    let whole = u32::try_from(duration.as_secs()).ok().filter(|_| duration.subsec_nanos() == 0);
    let fits = whole.filter(|seconds| (least_s..=WAIT_MAX_S).contains(seconds));
    fits.ok_or_else(|| Fault::new(node.place, format!("expected whole seconds, from {least_s}s to 1d")))
}

#[cfg(test)]
mod tests {
    use crate::Plan;
    use crate::slo::{Rule, Severity, Slo};

    const PLAN: &str = "
name: shop
target: https://shop.example.com
regions: [tokyo, london, new-york]
journeys: [browse, checkout]
load: { arrivals: [{ hold: 1/s, for: 1m }] }
";

    fn read(section: &str) -> Result<Option<Slo>, String> {
        let read = Plan::read("plan.yaml", &format!("{PLAN}{section}"));
        read.map(|plan| plan.slo).map_err(|faults| faults.to_string())
    }

    #[test]
    fn what_a_plan_does_not_say_is_as_usual() {
        assert_eq!(read(""), Ok(None));
        let slo = read("slo: { objectives: [\"checkout availability 99.99% over 30d\"] }").unwrap().unwrap();
        assert_eq!(slo, Slo::new(slo.objectives.clone(), 20));
        assert_eq!((slo.rules, slo.min_failures), (Rule::defaults(), 3));
        assert_eq!((slo.confirm_s, slo.no_data_after_s, slo.keep_firing_for_s), (Some(60), 60, None));
        let slow = Slo::new(Vec::new(), 60);
        assert_eq!(
            (slow.confirm_s, slow.no_data_after_s),
            (Some(120), 180),
            "a minute is short for slow probes"
        );
    }

    #[test]
    fn everything_can_be_said() {
        let section = "
slo:
  objectives:
    - checkout availability 99.99% over 30d
    - \"tokyo home p(latency < 200ms) 99.9%\"
    - traffic availability 99.99%
  rules:
    - { name: now, severity: ticket, factor: 20, long: 10m, short: 1m }
  min_failures: 0
  confirm: off
  keep_firing_for: 0s
  no_data_after: 2m
  traffic: { cloudwatch: { region: eu-west-1, load_balancer: app/shop/50dc6c495c0c9188 } }
";
        let slo = read(section).unwrap().unwrap();
        assert_eq!(slo.objectives.len(), 3);
        assert_eq!((slo.rules[0].severity, slo.rules[0].long_s), (Severity::Ticket, 600));
        assert_eq!((slo.min_failures, slo.confirm_s), (0, None));
        assert_eq!((slo.keep_firing_for_s, slo.no_data_after_s), (Some(0), 120));
        assert_eq!(slo.traffic.map(|traffic| traffic.aws_region).as_deref(), Some("eu-west-1"));
        let quoted = read(&section.replace("confirm: off", "confirm: \"off\"")).unwrap().unwrap();
        assert_eq!(quoted.confirm_s, None);
        assert_eq!(
            read(&section.replace("confirm: off", "confirm: 90s")).unwrap().unwrap().confirm_s,
            Some(90)
        );
    }

    #[test]
    fn faults_come_with_their_places() {
        for (section, part) in [
            ("slo: {}", "plan.yaml:7:6: slo needs the key \"objectives\""),
            ("slo: { objectives: [] }", "there are 1 to 100 objectives"),
            ("slo: { objetives: [] }", "unknown key \"objetives\" in slo; did you mean \"objectives\"?"),
            ("slo: { objectives: [a 99%] }", "plan.yaml:7:21: \"a 99%\" is not an objective"),
            (
                "slo: { objectives: [paris a availability 99%] }",
                "the region \"paris\", which the plan does not have",
            ),
            ("slo: { objectives: [a availability 99%, a  availability 99%] }", "is named twice"),
            ("slo: { objectives: [traffic availability 99%] }", "add traffic: { cloudwatch: {"),
            ("slo: { objectives: [a availability 99%], confirm: maybe }", "\"maybe\" is not a duration"),
            (
                "slo: { objectives: [a availability 99%], keep_firing_for: 2d }",
                "whole seconds, from 0s to 1d",
            ),
            ("slo: { objectives: [a availability 99%], min_failures: -1 }", "a whole number from 0"),
            (
                "slo: { objectives: [a availability 99%], rules: [{ name: a, factor: 1, long: 4d, short: 5s }] }",
                "a rule's window has at most 3d",
            ),
            (
                "slo: { objectives: [a availability 99%], rules: [{ name: a, factor: 1, long: 1d, short: 5s }] }",
                "counts are kept by 10 s",
            ),
            (
                "slo: { objectives: [a availability 99%], traffic: { cloudwatch: { region: x, load_balancer: shop } } }",
                "found \"shop\", expected a load balancer",
            ),
        ] {
            let message = read(section).unwrap_err();
            assert!(message.contains(part), "{section}:\n{message}\nexpected: {part}");
        }
        let global = PLAN.replace("tokyo", "global");
        let plan = format!("{global}slo: {{ objectives: [a availability 99%] }}\n");
        assert!(Plan::read("p", &plan).unwrap_err().to_string().contains("a region is called \"global\""));
    }
}
