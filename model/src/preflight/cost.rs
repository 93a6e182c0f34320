//! What a run costs, as far as AWS charges for what Doorbuster does.

use std::collections::BTreeMap;

use url::Url;

use super::price::{self, Price};
use super::{ANSWER_BYTES_ASSUMED, Crowd, Part};
use crate::cdn::policy::Provider;
use crate::plan::{Function, LaunchBy, Plan, Responses};
use crate::target::is_loopback;

/// Bytes that an agent reports in a second, as assumed: a tick of a few dozen steps.
const REPORT_BYTES_PER_S: f64 = 10_000.0;
/// Bytes of a request's head and body, as assumed.
const REQUEST_BYTES: f64 = 1_000.0;
/// How often an agent looks for news of its run, in a second, and how often before it starts.
const NEWS_PER_S: f64 = 0.5;
const NEWS_BEFORE_START: f64 = 40.0;
/// Megabytes of a gigabyte, as Lambda counts memory.
const GB_MB: f64 = 1_024.0;

/// Something that costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it is.
    pub what: &'static str,
    /// How many units of it.
    pub quantity: f64,
    /// What a unit costs.
    pub price: Price,
}

impl Item {
    /// US dollars.
    pub fn usd(&self) -> f64 {
        self.quantity * self.price.usd
    }
}

/// What the functions of an AWS region do in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// How long all of them run, together, in seconds.
    pub runs_s: f64,
    /// How often one is invoked.
    pub invocations: f64,
    /// How long the run is, in seconds.
    pub length_s: f64,
    /// The requests that they send.
    pub requests: f64,
}

impl Work {
    /// What it costs in the region `aws` where they are such as `function`, at most.
    ///
    /// - Compute: seconds × memory ÷ 1,024 MB, by the price of the architecture.
    /// - Streaming: what is reported beyond 6 MB an invocation, assumed 10 kB for each second of an agent; nothing where
    ///   answers come as a whole.
    /// - Objects: an agent reads the board every 2 s (40 times before its start) and writes one claim; the coordinator
    ///   writes the region's board every 2 s.
    /// - Transfer: requests, assumed 1 kB each, by the region's price. What comes in is free.
    pub fn items(&self, function: Function, responses: Responses, aws: &str) -> Vec<Item> {
        let compute = if function.arm64 { price::COMPUTE_ARM64 } else { price::COMPUTE_X86_64 };
        let streamed = self.runs_s * REPORT_BYTES_PER_S - self.invocations * price::STREAMED_FREE_BYTES;
        let streamed = if responses == Responses::Streamed { streamed.max(0.0) / 1e9 } else { 0.0 };
        let read = self.runs_s * NEWS_PER_S + self.invocations * NEWS_BEFORE_START;
        let written = self.invocations + self.length_s * NEWS_PER_S;
        let item = |what, quantity, price| Item { what, quantity, price };
        vec![
            item("Lambda compute", self.runs_s * f64::from(function.memory_mb) / GB_MB, compute),
            item("Lambda invocations", self.invocations, price::INVOCATION),
            item("Lambda response streaming", streamed, price::STREAMED),
            item("S3 objects read", read, price::OBJECT_READ),
            item("S3 objects written", written, price::OBJECT_WRITTEN),
            item("transfer out of AWS", self.requests * REQUEST_BYTES / 1e9, price::transfer_out(aws)),
        ]
    }
}

/// What a plan's run costs, at most: its functions ([`Work::items`]), and CloudFront where it serves the target: requests, and
/// answers of an assumed size, by the prices of the edges near each region. `deployed` are the functions that are known, by
/// AWS region; of others the plan says what they are made of. Agents that join run on machines of which nothing is known here,
/// and are not in it.
pub fn cost(plan: &Plan, crowd: &Crowd, parts: &[Part], deployed: &BTreeMap<String, Function>) -> Vec<Item> {
    let length_s = plan.load.pace.length_ns() as f64 / 1e9;
    let mut works: Vec<(&str, Work)> = Vec::new();
    let mut edges = Vec::new();
    for (region, part) in plan.regions.iter().zip(parts) {
        let requests = crowd.requests * part.share;
        let agents = part.agents as f64;
        if region.launch == LaunchBy::Lambda {
            let aws = region.aws.as_deref().unwrap_or_default();
            let known = works.iter().position(|(known, _)| *known == aws);
            let at = known.unwrap_or_else(|| {
                works.push((aws, Work { length_s, ..Work::default() }));
                works.len() - 1
            });
            let work = &mut works[at].1;
            work.runs_s += agents * part.runs_s;
            work.invocations += agents * part.generations as f64;
            work.requests += requests;
        }
        let target = plan.target_of(region).filter(|target| looks_like_cloudfront(plan, target));
        if let Some(target) = target {
            let prices = price::edges_near(&region.name, region.aws.as_deref());
            let each = if target.scheme() == "https" { prices.https } else { prices.http };
            add(&mut edges, "CloudFront requests", requests, each);
            add(&mut edges, "CloudFront transfer", requests * ANSWER_BYTES_ASSUMED / 1e9, prices.transfer);
        }
    }
    let mut items = Vec::new();
    for (aws, work) in &works {
        let function = deployed.get(*aws).copied().unwrap_or_else(|| plan.fleet.function());
        for item in work.items(function, plan.fleet.responses, aws) {
            add(&mut items, item.what, item.quantity, item.price);
        }
    }
    items.extend(edges);
    items.retain(|item| item.quantity > 0.0);
    items
}

/// Adds what costs the same to what is there already.
fn add(items: &mut Vec<Item>, what: &'static str, quantity: f64, price: Price) {
    match items.iter_mut().find(|item| item.what == what && item.price == price) {
        Some(item) => item.quantity += quantity,
        None => items.push(Item { what, quantity, price }),
    }
}

/// Whether CloudFront serves a target, by its name or because the plan says whose edge it is. Nobody is asked, so that
/// one behind a name of its own, of which the plan says nothing, is not known.
pub fn looks_like_cloudfront(plan: &Plan, target: &Url) -> bool {
    let is_named = target.host_str().is_some_and(|host| host.ends_with(".cloudfront.net"));
    let is_declared = plan.cdn.is_declared && plan.cdn.provider == Provider::CloudFront;
    is_named || (is_declared && !is_loopback(target))
}
