//! Whether targets may be loaded, and what stands before them.

use std::collections::BTreeMap;

use doorbuster_model::Plan;
use doorbuster_model::plan::{Connections as Kept, Model};
use doorbuster_model::preflight::{
    CAPACITY_UNITS_RESERVED_MIN, Crowd, DISTRIBUTION_BITS_PER_S_MAX, DISTRIBUTION_REQUESTS_PER_S_MAX,
    EARLIER_BITS_PER_S, EARLIER_PACKETS_PER_S, EARLIER_S, POLICY_URL, SEGMENT_BYTES, SHAPED_BITS_PER_S,
    capacity_units, looks_like_balancer, looks_like_cloudfront,
};
use doorbuster_model::target::{is_loopback, is_named};
use url::Url;

use super::{Carried, Check, Status};
use crate::Error;
use crate::prepare::Prepared;
use crate::tell::{bits_per_s, count, figure, rate};

/// Whether each host may be loaded: a line for each.
pub(super) fn hosts(prepared: &Prepared) -> Vec<Check> {
    let plan = &prepared.plan;
    let mut lines: BTreeMap<String, Check> = BTreeMap::new();
    for region in &plan.regions {
        let check = match plan.target_of(region) {
            Some(target) => host(prepared, target),
            None => Check::bad(
                Status::Refuse,
                "host",
                None,
                "nobody said where the load goes".to_owned(),
                "add --target URL, or `target:` to the plan".to_owned(),
            ),
        };
        lines.entry(check.about.clone().unwrap_or_default()).or_insert(check);
    }
    lines.into_values().collect()
}

fn host(prepared: &Prepared, target: &Url) -> Check {
    let plan = &prepared.plan;
    let host = target.host_str().unwrap_or_default();
    let ok = |says: &str| Check::ok("host", Some(host), says.to_owned());
    let requests_max = prepared.walks.iter().map(|walk| walk.requests_max);
    if is_named(host, &plan.allow_hosts) && plan.may_load(target) {
        ok("named by --allow-host")
    } else if plan.may_load(target) {
        ok("this machine")
    } else if plan.may_send_to(target, requests_max) {
        ok("gets at most 10 requests/s, which anybody may send")
    } else {
        let told = Error::NotAllowed { host: host.to_owned() }.to_string();
        let (says, change) = told.split_once(": ").unwrap_or((told.as_str(), ""));
        Check::bad(Status::Refuse, "host", Some(host), says.to_owned(), change.to_owned())
    }
}

/// What is planned against what AWS takes for a network stress test; nothing where all of it stays on this machine.
pub(super) fn bandwidth(plan: &Plan, crowd: &Crowd) -> Vec<Check> {
    let mut targets = plan.regions.iter().filter_map(|region| plan.target_of(region));
    if targets.all(is_loopback) {
        return Vec::new();
    }
    let bits = crowd.bits_per_s_max();
    let packets = bits / 8.0 / SEGMENT_BYTES;
    let over_s = crowd.seconds_over(&plan.load.pace, EARLIER_BITS_PER_S);
    let says = format!(
        "{} of answers and {} packets/s at most; from AWS, traffic may be shaped past {}, and an older text had {} for {EARLIER_S} s told beforehand ({POLICY_URL})",
        bits_per_s(bits),
        figure(Some(packets)),
        bits_per_s(SHAPED_BITS_PER_S),
        bits_per_s(EARLIER_BITS_PER_S),
    );
    let check = if bits > SHAPED_BITS_PER_S {
        let change =
            "send it from more regions, near the target, and tell AWS; floods (DDoS simulations) are forbidden"
                .to_owned();
        Check::bad(Status::Warning, "bandwidth", None, says, change)
    } else if over_s > EARLIER_S || packets > EARLIER_PACKETS_PER_S {
        let change = format!(
            "it is over that for {} s: read the page, and tell AWS where agents run there",
            figure(Some(over_s))
        );
        Check::bad(Status::Warning, "bandwidth", None, says, change)
    } else {
        Check::ok("bandwidth", None, says)
    };
    vec![check]
}

/// The limits of what stands before targets elsewhere: a line for each host of CloudFront or of a balancer.
pub(super) fn edges(plan: &Plan, crowd: &Crowd, regions: &[Carried]) -> Vec<Check> {
    // What reaches each host: its share of everything.
    let mut hosts: BTreeMap<&str, (&Url, f64)> = BTreeMap::new();
    for (region, carried) in plan.regions.iter().zip(regions) {
        if let Some(target) = plan.target_of(region).filter(|target| !is_loopback(target)) {
            let host = target.host_str().unwrap_or_default();
            hosts.entry(host).or_insert((target, 0.0)).1 += carried.part.share;
        }
    }
    let line = |(target, share): (&Url, f64)| {
        if looks_like_cloudfront(plan, target) {
            Some(distribution(target, crowd, share))
        } else {
            looks_like_balancer(target).then(|| balancer(plan, target, crowd, share))
        }
    };
    hosts.into_values().filter_map(line).collect()
}

fn distribution(target: &Url, crowd: &Crowd, share: f64) -> Check {
    let (requests, bits) = (crowd.requests_per_s_max * share, crowd.bits_per_s_max() * share);
    let says = format!(
        "{} of {} requests and {} of {} that a distribution has",
        rate(Some(requests)),
        rate(Some(DISTRIBUTION_REQUESTS_PER_S_MAX)),
        bits_per_s(bits),
        bits_per_s(DISTRIBUTION_BITS_PER_S_MAX),
    );
    if requests > DISTRIBUTION_REQUESTS_PER_S_MAX || bits > DISTRIBUTION_BITS_PER_S_MAX {
        let change = "ask for higher quotas of the distribution (Service Quotas, CloudFront), or send less";
        Check::bad(Status::Warning, "cloudfront", target.host_str(), says, change.to_owned())
    } else {
        Check::ok("cloudfront", target.host_str(), says)
    }
}

fn balancer(plan: &Plan, target: &Url, crowd: &Crowd, share: f64) -> Check {
    // Shoppers who keep their connections open one; the others one for each walk or each page.
    let opened_per_s = match (plan.load.connections, plan.load.model) {
        (Kept::Shared, _) | (Kept::Keep, Model::Closed) => 0.0,
        (Kept::Keep, Model::Open(_)) | (Kept::PerIteration, _) => crowd.walks_per_s_max,
        (Kept::PerPage, _) => crowd.walks_per_s_max * crowd.requests_per_walk,
    };
    let units = capacity_units(
        opened_per_s * share,
        crowd.shoppers_max as f64 * share,
        crowd.bits_per_s_max() * share,
    );
    let says = format!(
        "about {} capacity units at the peak; a balancer grows by itself, but not within a spike",
        count_up(units)
    );
    if units > CAPACITY_UNITS_RESERVED_MIN {
        let change = format!(
            "reserve {} capacity units before (ModifyCapacityReservation; it may take hours), or ramp up over minutes",
            count_up(units)
        );
        Check::bad(Status::Warning, "balancer", target.host_str(), says, change)
    } else {
        Check::ok("balancer", target.host_str(), says)
    }
}

/// The next whole number up, of one that is at least 0.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates.
fn count_up(number: f64) -> String {
    count(number.ceil().max(0.0) as u64)
}
