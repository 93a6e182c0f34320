//! What each region and each of its agents carries.

use std::time::Duration;

use super::{Crowd, Walk};
use crate::generation::DRAIN_MAX;
use crate::plan::{Connections as Kept, HttpVersion, LaunchBy, Plan, Region};
use crate::segment::split_weighted;

/// How many connections a shopper opens to a host over HTTP/1.1 at most, as browsers do, when a page has assets.
const SHOPPER_CONNECTIONS_MAX: u64 = 6;
/// Descriptors that an agent has open besides its connections.
pub const DESCRIPTORS_BESIDE: u64 = 32;

/// How many connections, at least and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// One for each shopper who is there; where they are not kept, for each who waits for an answer.
    pub least: u64,
    /// As many as shoppers may open for their pages' assets.
    pub most: u64,
}

/// What a region carries.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its share of everything: 0 to 1.
    pub share: f64,
    /// Its agents at a time.
    pub agents: u64,
    /// The journeys that it starts; `None` in the closed model.
    pub arrivals: Option<u64>,
    /// The most shoppers at once.
    pub shoppers_max: u64,
    /// The same of one agent.
    pub shoppers_per_agent: u64,
    /// The most connections of one agent.
    pub connections: Connections,
    /// Assignments that follow one another.
    pub generations: u64,
    /// Agents at once while one generation follows another.
    pub agents_at_once: u64,
    /// How long an agent runs at most, in seconds: all generations together, each with its start and its end.
    pub runs_s: f64,
}

/// How long before it begins whoever relieves an agent of this launcher is launched.
pub fn launched_ahead(launch: LaunchBy) -> Duration {
    match launch {
        LaunchBy::Local | LaunchBy::Join | LaunchBy::Ec2 => Duration::from_secs(3),
        // A function may begin cold, and one invocation may have to wait for its turn.
        LaunchBy::Lambda => Duration::from_secs(20),
    }
}

/// How many agents share one place of a relay at most: each is there from `ahead` before its generation until its journeys
/// have drained, and meanwhile others begin, one for each `longest`. How long journeys drain depends on the target, so that
/// it is as long as they may.
fn relayed_at_once(generations: u64, longest: Duration, ahead: Duration) -> u64 {
    let longest_s = longest.as_secs().max(1);
    let there_s = longest_s.saturating_add(ahead.as_secs()).saturating_add(DRAIN_MAX.as_secs());
    there_s.div_ceil(longest_s).min(generations)
}

/// What each region of a plan carries, in the plan's order.
pub fn parts(plan: &Plan, crowd: &Crowd, walks: &[Walk]) -> Vec<Part> {
    let shares: Vec<u32> = plan.regions.iter().map(|region| region.share).collect();
    let total: f64 = shares.iter().map(|share| f64::from(*share)).sum();
    let has_assets = walks.iter().any(|walk| walk.pages > 0.0);
    let segments = split_weighted(&shares);
    let part = |(region, segment): (&Region, &crate::Segment)| {
        let agents = u64::from(region.agents.max(1));
        let shoppers_max = segment.count_below(crowd.shoppers_max);
        // An agent's share is dealt out in turn, so that no agent has more than one above the others.
        let shoppers_per_agent = shoppers_max.div_ceil(agents);
        let relay = plan.fleet.relay(region.launch, plan.load.pace.length_ns(), plan.graceful);
        let ahead = launched_ahead(region.launch);
        let longest_ns = relay.iter().map(|part| part.to_ns - part.from_ns).max().unwrap_or(0);
        let at_once = relayed_at_once(relay.len() as u64, Duration::from_nanos(longest_ns), ahead);
        let successions = relay.len().saturating_sub(1) as f64;
        let length_s = plan.load.pace.length_ns() as f64 / 1e9;
        let ends_s = successions * DRAIN_MAX.as_secs_f64() + plan.graceful.as_secs_f64();
        Part {
            share: f64::from(region.share) / total.max(1.0),
            agents,
            arrivals: crowd.arrivals.map(|arrivals| segment.count_below(arrivals)),
            shoppers_max,
            shoppers_per_agent,
            connections: connections(plan, crowd, has_assets, shoppers_per_agent),
            generations: relay.len() as u64,
            agents_at_once: agents * at_once,
            runs_s: length_s + relay.len() as f64 * ahead.as_secs_f64() + ends_s,
        }
    };
    plan.regions.iter().zip(&segments).map(part).collect()
}

/// The connections of so many shoppers.
fn connections(plan: &Plan, crowd: &Crowd, has_assets: bool, shoppers: u64) -> Connections {
    let load = &plan.load;
    let speaks_http2 = plan.http.version == HttpVersion::Http2;
    let each = if has_assets && !speaks_http2 { SHOPPER_CONNECTIONS_MAX } else { 1 };
    let answering = crate::pace::clamp_to_integer((shoppers as f64 * crowd.answering()).ceil(), shoppers);
    match load.connections {
        Kept::Keep | Kept::PerIteration => {
            Connections { least: shoppers, most: shoppers.saturating_mul(each) }
        }
        Kept::PerPage => Connections { least: answering, most: answering.saturating_mul(each) },
        Kept::Shared => {
            let bound = load.max_connections.map_or(u64::MAX, u64::from);
            let streams = u64::from(load.streams.max(1));
            Connections {
                least: answering.div_ceil(streams).min(bound),
                most: answering.saturating_mul(each).div_ceil(streams).min(bound),
            }
        }
    }
}
