//! An audit: the promises of an edge, proved one by one.
//!
//! What to ask, when, and what answers prove is the pure [`Script`]'s; here it is carried out, request by request. Every
//! request counts as every other does, and none goes to a host that the plan may not send to.

mod discover;
mod fetch;
mod hello;
mod offer;
mod walk;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use doorbuster_model::assignment::Audit;
use doorbuster_model::cdn::audit::{Next, Script, Setting};
use url::Url;

use self::fetch::{Fetched, Stage};
use crate::crowd::Crowd;
use crate::worker::Worker;

/// The numbers of the two shoppers.
const SHOPPERS: [u64; 2] = [1, 2];

/// What an agent is told of an audit.
#[derive(Debug)]
pub(crate) struct Duty {
    /// How promises are proved.
    pub audit: Audit,
    /// The region that it is asked from.
    pub region: String,
    /// TLS 1.2 and no other.
    pub tls_1_2: Arc<rustls::ClientConfig>,
}

/// Carries the job's audit out, and reports what was found out about each promise.
pub(crate) async fn run(worker: &Rc<Worker>, crowd: &Rc<Crowd>) {
    let Some(duty) = &worker.job.audit else { return };
    let _present = crowd.enter(worker);
    let stage = Stage::new(worker);
    let mut script = Script::new(setting(worker, duty), &pages(worker, &duty.audit));
    if !worker.journeys.is_empty() {
        for shopper in SHOPPERS {
            walk::walk(&stage, &mut script, shopper).await;
        }
    }
    while let Some(next) = script.next(worker.clock.now_ns()) {
        match next {
            Next::Fetch(ask) => {
                worker.clock.sleep_until_ns(ask.at_ns).await;
                let Fetched { sent_ns, ended_ns, result } = stage.fetch(&ask).await;
                sent_ns.into_iter().for_each(|sent_ns| script.sent(sent_ns));
                script.answer(*ask, ended_ns, result);
            }
            Next::Offer { offer, url, at_ns } => {
                worker.clock.sleep_until_ns(at_ns).await;
                let result = offer::make(worker, duty, offer, &url).await;
                script.offered(offer, result);
            }
        }
    }
    let mut tallies = worker.tallies.borrow_mut();
    script.proofs().into_iter().for_each(|proof| tallies.prove(proof));
}

fn setting(worker: &Worker, duty: &Duty) -> Setting {
    // Another one for each region: several may ask the same edge.
    let mut hasher = DefaultHasher::new();
    (&worker.run.id, &duty.region).hash(&mut hasher);
    Setting {
        policy: worker.job.plan.cdn.clone(),
        region: duty.region.clone(),
        rate_milli: duty.audit.rate_milli,
        is_patient: duty.audit.is_patient,
        nonce: format!("{:016x}", hasher.finish()),
    }
}

/// The pages that it begins with: those that were named, as far as they are addresses of the target; otherwise its first.
fn pages(worker: &Worker, audit: &Audit) -> Vec<Url> {
    let target = &worker.job.target;
    let on_target = |page: &String| target.join(page).ok().filter(|url| url.origin() == target.origin());
    let pages: Vec<Url> = audit.pages.iter().filter_map(on_target).collect();
    if pages.is_empty() { vec![target.clone()] } else { pages }
}
