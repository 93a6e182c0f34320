//! Reading a plan's text.

use std::time::Duration;

use doorbuster_notation::{
    Fault, Faults, Fields, Kind, Node, Place, Share, parse, parse_duration, parse_share,
};

use super::{
    AGENTS_MAX, Alerts, JOURNEYS_MAX, JourneyUse, LaunchBy, Load, Plan, REGIONS_MAX, Region, THRESHOLDS_MAX,
    export, fleet, load, probe, slo, transport,
};
use crate::cdn::Policy;
use crate::target;
use crate::threshold::Threshold;

/// The regions of a plan that names none.
const REGIONS: [&str; 3] = ["tokyo", "london", "new-york"];
/// How long journeys may go on after the last arrival, unless the plan says otherwise.
const GRACEFUL: Duration = Duration::from_secs(10);
/// How often a plan probes that says nothing of it.
const PROBE_EVERY_S: u32 = 20;
/// The objective of a plan that names none: 99.99 %.
const OBJECTIVE: Share = Share { parts_per_billion: 999_900_000 };

pub(super) fn plan(file: &str, text: &str) -> Result<Plan, Faults> {
    let root = parse(text).map_err(|fault| Faults::one(file, fault))?;
    let mut faults = Faults::none(file);
    let plan = fields(&root, &mut faults);
    faults.or(plan)
}

/// The plan of a mapping. `None` goes with at least one noted fault.
fn fields(root: &Node, faults: &mut Faults) -> Option<Plan> {
    let mut fields = faults.keep(Fields::of(root, "the plan"))?;
    let name = faults.keep(fields.required("name").and_then(name_of));
    let target = fields
        .optional("target")
        .and_then(|node| faults.keep(node.parse_with("a URL", target::parse_origin)));
    let seed =
        fields.optional("seed").and_then(|node| faults.keep(node.integer(0, i64::MAX as u64))).unwrap_or(1);
    let regions = match fields.optional("regions") {
        Some(node) => regions(node, faults),
        None => REGIONS.into_iter().map(region_named).collect(),
    };
    let journeys = faults.keep(fields.required("journeys")).map(|node| journeys(node, faults));
    let agent_binary = fields.optional("agent_binary").and_then(|node| agent_binary(node, &regions, faults));
    let http = fields.optional("http").map_or_else(Default::default, |node| transport::http(node, faults));
    let probe_node = fields.optional("probe");
    let probe = probe_node.and_then(|node| probe::probe(node, faults));
    let every_s = probe.map_or(PROBE_EVERY_S, |probe| probe.every_s);
    let load_node = fields.optional("load");
    let load = match load_node {
        Some(node) => load::load(node, faults),
        None if probe_node.is_some() => {
            let walks = regions.len() * journeys.as_ref().map_or(0, Vec::len);
            probe.map(|probe| Load::of_probes(probe.every_ms(), walks))
        }
        // A plan for neither: the fault says what most plans are for.
        None => faults.keep(fields.required("load")).and(None),
    };
    let warmup = duration(fields.optional("warmup"), Duration::ZERO, faults);
    let graceful = duration(fields.optional("graceful"), GRACEFUL, faults);
    let thresholds = fields.optional("thresholds").map(|node| thresholds(node, faults)).unwrap_or_default();
    let abort_when = fields.optional("abort_when").and_then(|node| faults.keep(abort_rule(node)));
    let objective = fields
        .optional("objective")
        .and_then(|node| faults.keep(node.parse_with("a share such as 99.99%", parse_share)))
        .unwrap_or(OBJECTIVE);
    let cdn = fields.optional("cdn").and_then(|node| Policy::of_section(node, faults)).unwrap_or_default();
    let alerts = fields.optional("alerts").map(|node| Alerts::of_section(node, faults)).unwrap_or_default();
    let slo = fields.optional("slo").and_then(|node| slo::slo(node, &regions, every_s, faults));
    let export = fields.optional("export").map_or_else(Default::default, |node| export::export(node, faults));
    let fleet_node = fields.optional("fleet");
    let fleet = fleet_node.map(|node| fleet::fleet(node, &regions, faults)).unwrap_or_default();
    let on_agent_loss = fleet::on_loss(fields.optional("on_agent_loss"), faults);
    fields.finish(faults);
    let plan = Plan {
        name: name?,
        target,
        seed,
        regions,
        journeys: journeys?,
        agent_binary,
        http,
        load: load?,
        has_load: load_node.is_some(),
        probe,
        warmup,
        graceful,
        thresholds,
        abort_when,
        objective,
        cdn,
        alerts,
        slo,
        export,
        fleet,
        on_agent_loss,
        allow_hosts: Vec::new(),
    };
    whole(&plan, root, fleet_node, faults);
    Some(plan)
}

/// What each part allows and the parts together do not.
fn whole(plan: &Plan, root: &Node, fleet: Option<&Node>, faults: &mut Faults) {
    let is_all_warmup = |warmup_ns: u64| warmup_ns >= plan.load.pace.length_ns();
    if plan.has_load && u64::try_from(plan.warmup.as_nanos()).is_ok_and(is_all_warmup) {
        faults.add(
            root.place,
            "the warm-up is as long as the whole load, so nothing would be judged; shorten warmup",
        );
    }
    let invokes = plan.regions.iter().any(|region| region.launch == LaunchBy::Lambda);
    if plan.has_load
        && invokes
        && let Some(why) = plan.fleet.unfit(plan.load.pace.length_ns(), plan.graceful)
    {
        faults.add(fleet.map_or(root.place, |node| node.place), why);
    }
}

fn duration(node: Option<&Node>, default: Duration, faults: &mut Faults) -> Duration {
    node.and_then(|node| faults.keep(node.parse_with("a duration such as 30s", parse_duration)))
        .unwrap_or(default)
}

/// A name that can stand in file names, thresholds and labels.
pub(crate) fn name_of(node: &Node) -> Result<String, Fault> {
    let text = node.scalar("a name")?;
    let fits = !text.is_empty()
        && text.len() <= 100
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !text.starts_with(['.', '-']);
    if fits {
        Ok(text)
    } else {
        Err(node.expected("a name of letters, digits, - _ . (at most 100, not beginning with . or -)"))
    }
}

fn region_named(name: &str) -> Region {
    Region { name: name.to_owned(), aws: None, share: 1, agents: 1, target: None, launch: LaunchBy::Local }
}

/// The program that serves as every agent that is started here.
fn agent_binary(node: &Node, regions: &[Region], faults: &mut Faults) -> Option<(Place, String)> {
    if regions.iter().any(|region| region.launch == LaunchBy::Lambda) {
        faults.add(
            node.place,
            "agent_binary is for agents that are started here, and a function has a program of its own; leave it out, or launch no region by lambda",
        );
    }
    faults.keep(node.scalar("a path")).map(|path| (node.place, path))
}

fn regions(node: &Node, faults: &mut Faults) -> Vec<Region> {
    let regions: Vec<Region> = match &node.kind {
        Kind::List(items) => items
            .iter()
            .filter_map(|item| faults.keep(name_of(item)).map(|name| (item.place, name)))
            .map(|(_, name)| region_named(&name))
            .collect(),
        Kind::Map(entries) => entries
            .iter()
            .filter_map(|(key, value)| {
                let name = Node { place: key.place, kind: Kind::Text(key.name.clone()) };
                faults.keep(name_of(&name)).and_then(|name| region(&name, value, faults))
            })
            .collect(),
        _ => {
            faults.add(
                node.place,
                format!("found {}, expected a list of region names, or a mapping", node.found()),
            );
            return Vec::new();
        }
    };
    if regions.is_empty() || regions.len() > REGIONS_MAX {
        faults.add(node.place, format!("a plan has 1 to {REGIONS_MAX} regions"));
    }
    for (index, region) in regions.iter().enumerate() {
        if regions[..index].iter().any(|earlier| earlier.name == region.name) {
            faults.add(node.place, format!("the region \"{}\" is named twice", region.name));
        }
    }
    if !regions.is_empty() && regions.iter().all(|region| region.share == 0) {
        faults.add(node.place, "every region has share 0, so nothing would be sent");
    }
    regions
}

fn region(name: &str, node: &Node, faults: &mut Faults) -> Option<Region> {
    if node.kind == Kind::Null {
        return Some(region_named(name));
    }
    let mut fields = faults.keep(Fields::of(node, "a region"))?;
    let mut integer = |field: &'static str, most: u64, faults: &mut Faults| {
        let least = u64::from(field == "agents");
        let value = fields.optional(field).and_then(|node| faults.keep(node.integer(least, most)));
        value.and_then(|value| u32::try_from(value).ok()).unwrap_or(1)
    };
    let share = integer("share", 10_000, faults);
    let agents = integer("agents", AGENTS_MAX, faults);
    let aws_node = fields.optional("aws");
    let aws = aws_node.and_then(|node| faults.keep(node.scalar("an AWS region such as ap-northeast-1")));
    let target = fields
        .optional("target")
        .and_then(|node| faults.keep(node.parse_with("a URL", target::parse_origin)));
    let launch = fields.optional("launch").map(|node| fleet::launch(node, aws_node, faults));
    fields.finish(faults);
    Some(Region { name: name.to_owned(), aws, share, agents, target, launch: launch.unwrap_or_default() })
}

fn journeys(node: &Node, faults: &mut Faults) -> Vec<JourneyUse> {
    let Some(items) = faults.keep(node.list("a list of journeys")) else { return Vec::new() };
    if items.is_empty() || items.len() > JOURNEYS_MAX {
        faults.add(node.place, format!("a plan has 1 to {JOURNEYS_MAX} journeys"));
    }
    let journeys: Vec<JourneyUse> = items.iter().filter_map(|item| journey(item, faults)).collect();
    if !journeys.is_empty() && journeys.iter().all(|journey| journey.weight == 0) {
        faults.add(node.place, "every journey has weight 0, so nothing would be sent");
    }
    journeys
}

fn journey(node: &Node, faults: &mut Faults) -> Option<JourneyUse> {
    if matches!(node.kind, Kind::Text(_)) {
        let journey = faults.keep(node.scalar("a journey"))?;
        return Some(JourneyUse { journey, weight: 1, place: node.place });
    }
    let mut fields = faults.keep(Fields::of(node, "a journey of the plan"))?;
    let named = faults.keep(fields.required("journey"));
    let journey = named.and_then(|node| faults.keep(node.scalar("a built-in journey or a path")));
    let weight = fields.optional("weight").and_then(|node| faults.keep(node.integer(0, 1_000_000)));
    fields.finish(faults);
    let weight = weight.and_then(|weight| u32::try_from(weight).ok()).unwrap_or(1);
    Some(JourneyUse { journey: journey?, weight, place: named.map_or(node.place, |node| node.place) })
}

fn thresholds(node: &Node, faults: &mut Faults) -> Vec<(Place, Threshold)> {
    let Some(items) = faults.keep(node.list("a list of thresholds")) else { return Vec::new() };
    if items.len() > THRESHOLDS_MAX {
        faults.add(node.place, format!("a plan has at most {THRESHOLDS_MAX} thresholds"));
    }
    items.iter().filter_map(|item| faults.keep(threshold(item))).collect()
}

fn threshold(node: &Node) -> Result<(Place, Threshold), Fault> {
    let read = node.parse_with("a threshold such as \"home p95 < 200ms\"", Threshold::parse)?;
    Ok((node.place, read))
}

/// The abort rule is looked at while the run goes on, so it must say over how long.
fn abort_rule(node: &Node) -> Result<(Place, Threshold), Fault> {
    let (place, read) = threshold(node)?;
    match read.over {
        Some(_) => Ok((place, read)),
        None => Err(Fault::new(
            place,
            format!("abort_when \"{read}\" does not say over how long; add for example \"over 10s\""),
        )),
    }
}
