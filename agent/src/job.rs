//! An assignment, read and checked: what all workers share, unchanging.

mod entry;
mod part;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use doorbuster_journeys::{Journey, Supplies, built_in, data_key};
use doorbuster_model::assignment::Audit;
use doorbuster_model::cdn::{Airport, Asked};
use doorbuster_model::pace::Section;
use doorbuster_model::plan::HttpVersion;
use doorbuster_model::{Assignment, Generation, Plan, Rota, Segment, Task};
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::Error;
use crate::audit::Duty;
use crate::client::http1::Lines;
use crate::client::{Origin, tls};
use crate::probe;
use crate::turns::Turns;

/// What every worker of the agent does.
#[derive(Debug)]
pub struct Job {
    /// The run's id.
    pub run: Arc<str>,
    /// The plan, as the command line changed it.
    pub plan: Plan,
    /// Where this region sends its load.
    pub target: Url,
    /// The plan's journeys, in its order.
    pub journeys: Vec<Arc<Journey>>,
    /// Their weights.
    pub(crate) weights: Vec<u32>,
    /// The airports of the edges that are to answer in this region, where the policy names them.
    pub(crate) edges: Option<Box<[Airport]>>,
    /// The codings that the target is asked for, unless a step asks for others.
    pub(crate) asked: Asked,
    /// The same of other hosts.
    pub(crate) own_asked: Asked,
    /// The run's sections.
    pub sections: Vec<Section>,
    /// The agent's share.
    pub segment: Segment,
    /// Sent with every request to the target's host.
    pub headers: HeaderMap,
    /// Sent with every other request: Doorbuster's own headers.
    pub(crate) own_headers: HeaderMap,
    /// The same, as HTTP/1.1 writes them.
    pub(crate) lines: Lines,
    /// The same.
    pub(crate) own_lines: Lines,
    /// The plan's own Cookie, which is for the target's host alone: a way past staging's gate.
    pub(crate) cookie: Option<HeaderValue>,
    /// How TLS is spoken.
    pub tls: Arc<rustls::ClientConfig>,
    /// How many agents share this machine.
    pub agents_here: u32,
    /// How many agents of the plan send to the same target.
    pub(crate) agents_of_target: u32,
    /// How often one shopper walks, with every exchange reported in full; 0 for anything else.
    pub traces: u32,
    /// What an audit is told, where it is one.
    pub(crate) audit: Option<Box<Duty>>,
    /// What a probe is told, where it is one.
    pub(crate) probe: Option<probe::Duty>,
    /// The part of the run that is this agent's, where that is not all of it.
    pub(crate) generation: Option<Generation>,
    /// How long it takes until all shoppers have come into it, in the closed model.
    entry_ns: u64,
}

impl Job {
    /// Reads an assignment.
    pub(crate) fn read(assignment: &Assignment) -> Result<Self, Error> {
        let mut plan = Plan::read("plan", &assignment.plan).map_err(Error::Plan)?;
        plan.apply(&assignment.overrides).map_err(Error::Assignment)?;
        match &assignment.task {
            Task::Load if !plan.has_load => {
                return Err(Error::Assignment(
                    "the plan has no load, because it is for probes alone".to_owned(),
                ));
            }
            Task::Audit(audit) => plan.for_audit(audit).map_err(Error::Plan)?,
            Task::Probe { every_ms } => plan.for_probe(*every_ms),
            Task::Load | Task::Trace { .. } => {}
        }
        let region = plan.regions.iter().position(|region| region.name == assignment.region);
        let region = region
            .ok_or_else(|| Error::Assignment(format!("the plan has no region \"{}\"", assignment.region)))?;
        let target = plan.target_of(&plan.regions[region]).cloned();
        let target = target.ok_or_else(|| Error::Assignment("the plan has no target".to_owned()))?;
        let to_target = plan.regions.iter().filter(|other| plan.target_of(other) == Some(&target));
        let agents_of_target = to_target.fold(0_u32, |sum, other| sum.saturating_add(other.agents));
        let journeys = journeys(&plan, assignment)?;
        // An audit keeps to its rate, however much it asks for.
        let is_load = !matches!(assignment.task, Task::Audit(_));
        let requests = journeys.iter().filter(|_| is_load).map(|journey| journey.requests_max());
        if !plan.may_send_to(&target, requests) {
            return Err(Error::NotAllowed { host: target.host_str().unwrap_or("").to_owned() });
        }
        let own_headers = own_headers(&plan, &assignment.run)?;
        let headers = headers(&plan, &own_headers)?;
        let sections = plan.load.pace.sections(nanoseconds(plan.warmup));
        let tls = tls::config(&plan.http, &assignment.files, assignment.overrides.ca_pem.as_deref())?;
        // What one shopper does is not handed on.
        let generation = match assignment.task {
            Task::Load | Task::Probe { .. } => assignment.generation,
            Task::Trace { .. } | Task::Audit(_) => None,
        };
        Ok(Self {
            run: Arc::from(assignment.run.as_str()),
            cookie: headers.get(http::header::COOKIE).cloned(),
            lines: Lines::of(&headers),
            own_lines: Lines::of(&own_headers),
            asked: asked(&headers),
            own_asked: asked(&own_headers),
            edges: plan.cdn.edges_of(&assignment.region).map(Box::from),
            headers,
            own_headers,
            weights: plan.journeys.iter().map(|journey| journey.weight).collect(),
            target,
            sections,
            segment: assignment.segment.clone(),
            tls: Arc::new(tls),
            agents_here: assignment.agents_here,
            agents_of_target,
            traces: match assignment.task {
                Task::Trace { walks } => walks,
                Task::Load | Task::Audit(_) | Task::Probe { .. } => 0,
            },
            audit: audit(assignment, &plan)?,
            probe: match assignment.task {
                Task::Probe { every_ms } => {
                    let (regions, journeys) = (plan.regions.len(), plan.journeys.len());
                    Some(probe::Duty { rota: Rota::new(every_ms, regions, journeys, plan.seed), region })
                }
                Task::Load | Task::Trace { .. } | Task::Audit(_) => None,
            },
            entry_ns: entry::entry_ns(&plan, &journeys, generation),
            generation,
            journeys,
            plan,
        })
    }

    /// Whether it is load that is wanted, not a look at a single shopper's way or at the edge, now or all year round.
    pub fn is_load(&self) -> bool {
        self.traces == 0 && self.audit.is_none() && self.probe.is_none()
    }

    /// Whether steps and assets may lead to `url`: the target itself, or a host that may be loaded.
    pub fn may_go(&self, url: &Url) -> bool {
        matches!(url.scheme(), "http" | "https")
            && (Origin::of(url) == Origin::of(&self.target) || self.plan.may_load(url))
    }

    /// Whether shoppers of the run enter what holds their marker.
    pub(crate) fn plants_marks(&self) -> bool {
        self.journeys.iter().any(|journey| journey.plants_marks())
    }

    /// How many threads send: the CPUs that this process may use, shared with the other agents of this machine. A
    /// bound on connections bounds the workers too, since each has a pool of its own.
    pub fn workers(&self) -> usize {
        if !self.is_load() || self.turns().is_some() {
            return 1;
        }
        let cpus = thread::available_parallelism().map_or(1, usize::from);
        let here = (self.agents_here as usize).max(1);
        let most = self.plan.load.max_connections.map_or(usize::MAX, |connections| connections as usize);
        (cpus / here).max(1).min(most.max(1))
    }

    /// The turns in which requests are sent, where the target is nobody's who allowed loading it. A plan whose journeys
    /// send one request each says itself how many there are, and an audit has its own rate.
    pub(crate) fn turns(&self) -> Option<Turns> {
        let sends_one = self.journeys.iter().all(|journey| journey.requests_max() <= 1);
        let keeps_count = self.audit.is_some() || (self.is_load() && sends_one);
        let agents = self.agents_of_target.saturating_mul(self.at_once());
        (!keeps_count && !self.plan.may_load(&self.target)).then(|| Turns::new(agents))
    }

    /// Whether plain connections speak HTTP/2 from the first byte.
    pub(crate) fn prior_knowledge(&self) -> bool {
        self.plan.http.version == HttpVersion::Http2
    }
}

/// What an audit is told, if that is the task.
fn audit(assignment: &Assignment, plan: &Plan) -> Result<Option<Box<Duty>>, Error> {
    let Task::Audit(audit) = &assignment.task else { return Ok(None) };
    let ca_pem = assignment.overrides.ca_pem.as_deref();
    let tls_1_2 = tls::config_of(&[&rustls::version::TLS12], &plan.http, &assignment.files, ca_pem)?;
    Ok(Some(Box::new(Duty {
        audit: Audit::clone(audit),
        region: assignment.region.clone(),
        tls_1_2: Arc::new(tls_1_2),
    })))
}

/// A duration in nanoseconds; those of plans end at 400 days.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn journeys(plan: &Plan, assignment: &Assignment) -> Result<Vec<Arc<Journey>>, Error> {
    let files = &assignment.files;
    let read = |name: &str| {
        let text = files.get(name).map(String::as_str).or_else(|| built_in(name));
        let text =
            text.ok_or_else(|| Error::Assignment(format!("the journey \"{name}\" did not come with it")))?;
        let mut journey = Journey::parse(name, text).map_err(Error::Journey)?;
        let file = |file: &str| {
            let text = files.get(&data_key(name, file)).cloned();
            text.ok_or_else(|| "it did not come with the assignment".to_owned())
        };
        let secret = |variable: &str| assignment.secrets.0.get(variable).cloned();
        let supplies = Supplies { file: &file, secret: &secret, today: assignment.today };
        journey.supply(&supplies).map_err(Error::Journey)?;
        Ok(Arc::new(journey))
    };
    plan.journeys.iter().map(|journey| read(&journey.journey)).collect()
}

fn header_value(text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(text)
        .map_err(|_| Error::Assignment(format!("\"{text}\" cannot be sent as a header")))
}

/// The codings that these headers ask for.
fn asked(headers: &HeaderMap) -> Asked {
    let value = headers.get(http::header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    Asked::of(value.unwrap_or_default())
}

/// The headers that say who is asking, and for which encodings.
fn own_headers(plan: &Plan, run: &str) -> Result<HeaderMap, Error> {
    let own = concat!("Doorbuster/", env!("CARGO_PKG_VERSION"));
    let agent = plan.http.user_agent.as_ref().map_or_else(|| own.to_owned(), |more| format!("{own} {more}"));
    let mut headers = HeaderMap::new();
    headers.insert(http::header::USER_AGENT, header_value(&agent)?);
    headers.insert(http::header::ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(http::header::ACCEPT_ENCODING, HeaderValue::from_static("br, gzip"));
    headers.insert("x-doorbuster-run", header_value(run)?);
    Ok(headers)
}

/// The own headers with the plan's.
fn headers(plan: &Plan, own: &HeaderMap) -> Result<HeaderMap, Error> {
    let mut headers = own.clone();
    if let Some((user, password)) = &plan.http.basic_auth {
        let token = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        let mut secret = header_value(&format!("Basic {token}"))?;
        secret.set_sensitive(true);
        headers.insert(http::header::AUTHORIZATION, secret);
    }
    for (name, text) in &plan.http.headers {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| Error::Assignment(format!("\"{name}\" is not a header's name")))?;
        headers.insert(name, header_value(text)?);
    }
    Ok(headers)
}
