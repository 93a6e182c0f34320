//! The plan: what a run sends, from where, how fast, and what is promised.

pub mod alerts;
mod audit;
mod export;
pub mod fleet;
mod load;
mod probe;
mod read;
mod slo;
pub mod transport;

#[cfg(test)]
mod tests;

use std::time::Duration;

use doorbuster_notation::{Faults, Place, Share};
use url::Url;

use crate::Pace;
use crate::assignment::Overrides;
use crate::cdn::Policy;
use crate::slo::Slo;
use crate::spacing::Spacing;
use crate::threshold::Threshold;

pub use alerts::Alerts;
pub use export::{CloudWatch, Export};
pub use fleet::{Fleet, Function, LAMBDA_GENERATION_MAX, LaunchBy, OnLoss, Responses, WhenMissing};
pub(crate) use load::word;
pub use probe::Probe;
pub(crate) use read::name_of;

/// The most regions of a plan.
pub const REGIONS_MAX: usize = 50;
/// The most journeys of a plan.
pub const JOURNEYS_MAX: usize = 200;
/// The most agents of a region.
pub const AGENTS_MAX: u64 = 1_000;
/// The most thresholds of a plan.
pub const THRESHOLDS_MAX: usize = 200;

/// A region that load comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its name: `tokyo`.
    pub name: String,
    /// The AWS region that it stands for, where the plan says so: a note for people, unless its agents are a function.
    pub aws: Option<String>,
    /// Its share of the load, relative to the other regions'.
    pub share: u32,
    /// How many agents share its share.
    pub agents: u32,
    /// Its own way to the target, where it differs from the plan's.
    pub target: Option<Url>,
    /// How its agents are reached.
    pub launch: LaunchBy,
}

/// A journey with the weight that arrivals choose it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JourneyUse {
    /// A built-in journey's name, or a path: relative to the plan, or absolute.
    pub journey: String,
    /// How often it is chosen, relative to the other journeys.
    pub weight: u32,
    /// Where the plan names it.
    pub place: Place,
}

/// How long a shopper keeps connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connections {
    /// As long as the shopper lives: through iterations and think time.
    #[default]
    Keep,
    /// Until the iteration ends.
    PerIteration,
    /// Until the page is complete.
    PerPage,
    /// All arrivals of a worker share one keep-alive pool, as `hit` does.
    Shared,
}

/// How long a shopper keeps cookies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cookies {
    /// Afresh at each iteration.
    #[default]
    PerIteration,
    /// As long as the shopper lives.
    Keep,
}

/// Who comes, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Arrivals: journeys start when the pace says so, whatever the target does.
    Open(Spacing),
    /// Shoppers: each starts its next iteration when the last one ended.
    Closed,
}

/// The load of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// Open or closed.
    pub model: Model,
    /// How it changes over time.
    pub pace: Pace,
    /// How long connections are kept.
    pub connections: Connections,
    /// How long cookies are kept.
    pub cookies: Cookies,
    /// A bound on the connections of an agent; arrivals queue for one, and the wait counts.
    pub max_connections: Option<u32>,
    /// HTTP/2: requests at a time on one connection.
    pub streams: u32,
}

/// The HTTP version that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpVersion {
    /// What the server chooses over TLS (ALPN); HTTP/1.1 without TLS.
    #[default]
    Negotiated,
    /// HTTP/1.1 alone.
    Http1,
    /// HTTP/2 alone; without TLS by prior knowledge.
    Http2,
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Name, TCP and TLS together.
    pub connect: Duration,
    /// From the send to the answer's head.
    pub first_byte: Duration,
    /// From the moment the exchange is handled to the body's end.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(30),
            total: Duration::from_secs(60),
        }
    }
}

/// How requests travel: what staging sits behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
    /// User and password of HTTP basic authentication.
    pub basic_auth: Option<(String, String)>,
    /// A file of PEM certificates that are trusted instead of the public ones.
    pub ca: Option<String>,
    /// Files in PEM: the client's certificate chain, and its key.
    pub client_cert: Option<(String, String)>,
    /// `host:port` → address, instead of a name look-up.
    pub resolve: Vec<(String, std::net::IpAddr)>,
    /// An HTTP proxy.
    pub proxy: Option<Url>,
    /// Added to the User-Agent.
    pub user_agent: Option<String>,
    /// The HTTP version.
    pub version: HttpVersion,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// The largest body, in bytes over the wire, that is read; a larger one is an error of class `body`.
    pub max_body: u64,
    /// Certificates are not checked.
    pub insecure: bool,
}

/// The largest body that is read unless the plan says otherwise: 64 MiB.
pub const BODY_MAX_DEFAULT: u64 = 64 << 20;

impl Default for Http {
    fn default() -> Self {
        Self {
            headers: Vec::new(),
            basic_auth: None,
            ca: None,
            client_cert: None,
            resolve: Vec::new(),
            proxy: None,
            user_agent: None,
            version: HttpVersion::default(),
            timeouts: Timeouts::default(),
            max_body: BODY_MAX_DEFAULT,
            insecure: false,
        }
    }
}

/// A plan as it was read and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// Where the load goes; a region may have its own way there.
    pub target: Option<Url>,
    /// What everything random follows from.
    pub seed: u64,
    /// Where load comes from.
    pub regions: Vec<Region>,
    /// What is replayed.
    pub journeys: Vec<JourneyUse>,
    /// A program that serves as every agent instead of this one, and where the plan names it: a path relative to the
    /// plan, or absolute.
    pub agent_binary: Option<(Place, String)>,
    /// How requests travel.
    pub http: Http,
    /// Who comes, and how fast. Of a plan that has none: that of its probes.
    pub load: Load,
    /// Whether the plan says who comes and how fast: one that is for probes alone need not.
    pub has_load: bool,
    /// How it is probed all year round.
    pub probe: Option<Probe>,
    /// Measured and shown, outside thresholds.
    pub warmup: Duration,
    /// How long journeys may go on after the last arrival.
    pub graceful: Duration,
    /// What must hold for a pass.
    pub thresholds: Vec<(Place, Threshold)>,
    /// When this holds, the run ends, invalid.
    pub abort_when: Option<(Place, Threshold)>,
    /// The share of requests that must be good.
    pub objective: Share,
    /// What the edge has promised: declared by the plan, or what stands to reason.
    pub cdn: Policy,
    /// Who is told of alerts, and when nobody is to be.
    pub alerts: Alerts,
    /// What journeys are held to all year round, and who is told when they are not.
    pub slo: Option<Slo>,
    /// Where figures go, besides the report.
    pub export: Export,
    /// What holds for all of its agents.
    pub fleet: Fleet,
    /// What is to happen when one of them is lost.
    pub on_agent_loss: OnLoss,
    /// Hosts that may be loaded besides loopback; the command line alone names them.
    pub allow_hosts: Vec<String>,
}

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    /// All faults of the text, each with its place in `file`.
    pub fn read(file: &str, text: &str) -> Result<Self, Faults> {
        read::plan(file, text)
    }

    /// Applies what the command line says over the plan.
    ///
    /// # Errors
    /// A sentence naming the option that cannot be.
    pub fn apply(&mut self, overrides: &Overrides) -> Result<(), String> {
        if let Some(target) = &overrides.target {
            self.target =
                Some(crate::target::parse_origin(target).map_err(|why| format!("--target: {why}"))?);
            self.regions.iter_mut().for_each(|region| region.target = None);
        }
        self.seed = overrides.seed.unwrap_or(self.seed);
        self.http.insecure |= overrides.insecure;
        for (name, value) in &overrides.headers {
            self.http.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            self.http.headers.push((name.clone(), value.clone()));
        }
        for rule in &overrides.resolve {
            let (host, address) = transport::resolve_rule(rule).map_err(|why| format!("--resolve: {why}"))?;
            self.http.resolve.retain(|(known, _)| *known != host);
            self.http.resolve.push((host, address));
        }
        self.allow_hosts.clone_from(&overrides.allow_hosts);
        Ok(())
    }

    /// Where `region` sends its load.
    pub fn target_of<'a>(&'a self, region: &'a Region) -> Option<&'a Url> {
        region.target.as_ref().or(self.target.as_ref())
    }

    /// Whether any amount of load may be sent to `url`: loopback by its name or by a `resolve` rule, or a host that
    /// the command line named. A proxy must be allowed too, and resolves names itself, whatever `resolve` says.
    pub fn may_load(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or("");
        let port = url.port_or_known_default().unwrap_or(0);
        let proxy = self.http.proxy.as_ref();
        let may_use = |proxy: &Url| {
            crate::target::is_loopback(proxy)
                || crate::target::is_named(proxy.host_str().unwrap_or(""), &self.allow_hosts)
        };
        if !proxy.is_none_or(may_use) {
            return false;
        }
        let own_address = |(name, _): &&(String, std::net::IpAddr)| *name == format!("{host}:{port}");
        let resolved = self.http.resolve.iter().find(own_address).filter(|_| proxy.is_none());
        let loopback = match resolved {
            Some((_, address)) => address.to_canonical().is_loopback(),
            None => crate::target::is_loopback(url),
        };
        loopback || crate::target::is_named(host, &self.allow_hosts)
    }
}

impl Plan {
    /// Whether the plan may be carried out against `target`: it may be loaded, or the load certainly stays within
    /// what a host gets that nobody named: its peak of arrivals, each with the requests of its longest journey.
    /// `journeys` says how many requests each journey sends at most. Redirects do not count, because a stranger's are
    /// not followed. A closed model has no such bound.
    pub fn may_send_to(&self, target: &Url, journeys: impl IntoIterator<Item = u64>) -> bool {
        if self.may_load(target) {
            return true;
        }
        let longest = journeys.into_iter().max().unwrap_or(1).max(1);
        let peak_milli = self.load.pace.peak_milli().saturating_mul(longest);
        matches!(self.load.model, Model::Open(_))
            && peak_milli <= crate::target::STRANGER_REQUESTS_PER_SECOND_MAX * 1_000
    }
}
