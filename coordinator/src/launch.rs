//! Where agents come from. A launcher hands over, per agent, a way to speak and a stream of what it says.
//!
//! How a region's agents are reached is the plan's to say (`launch`), and known here alone: whoever conducts a run or a probe
//! speaks with all of them alike.

mod handed;
mod join;
mod lambda;
mod local;
#[cfg(test)]
mod remedies;
pub(crate) mod skew;

use std::path::PathBuf;
use std::time::Duration;

use doorbuster_model::Assignment;
use doorbuster_model::plan::fleet::{LAMBDA_START_AHEAD, LaunchBy, Responses};
use doorbuster_model::preflight::launched_ahead;
use doorbuster_wire::{FromAgent, ToAgent};
use tokio::sync::mpsc;

use crate::Error;
use crate::prepare::Prepared;

pub(crate) use handed::Handed;
use lambda::Lambda;

/// How many events wait for whoever listens: several of each of a plan's agents. Where there is no room, an agent's stream is
/// read no further until there is: nothing is lost, and the agent keeps what it has to say.
const EVENTS_MAX: usize = 4_096;

/// Where events go, with the number of their agent.
pub(crate) type Events = mpsc::Sender<(usize, Event)>;

/// A queue of events, and whoever listens.
pub(crate) fn queue() -> (Events, mpsc::Receiver<(usize, Event)>) {
    mpsc::channel(EVENTS_MAX)
}

/// Something that happened to an agent.
#[derive(Debug)]
pub(crate) enum Event {
    /// It said something.
    Said(FromAgent),
    /// It is gone, and why: its stream ended or broke. Nothing follows.
    Gone(String),
}

/// A launched agent.
#[derive(Debug)]
pub(crate) struct Agent {
    /// Takes what the coordinator says. Dropping it ends the agent.
    ///
    /// It has no bound of its own, because little is said: a hello, an assignment, a start, a stop, and every 2 s a lease of a
    /// few bytes. An agent that reads none of it has no lease after 15 s and ends; one that does not even end is let go
    /// when its time is over, or in a probe after 15 s of silence.
    pub to: mpsc::UnboundedSender<ToAgent>,
    /// When it was handed its assignment, where it has a clock of its own.
    pub handed: Handed,
}

impl Agent {
    /// One on this machine, whose clock is its own.
    pub(crate) fn here(to: mpsc::UnboundedSender<ToAgent>) -> Self {
        Self { to, handed: Handed::default() }
    }
}

/// The launchers that a run's regions need.
#[derive(Debug)]
pub(crate) struct Launchers {
    /// How each region's agents are launched.
    regions: Vec<LaunchBy>,
    /// The program that serves as every local agent; `None` for this one.
    program: Option<PathBuf>,
    /// The functions of AWS, where a region has any.
    lambda: Option<Lambda>,
    responses: Responses,
    /// Where agents join, if any are to.
    join: Option<join::Desk>,
}

impl Launchers {
    /// Opens what the plan's regions need for the run of that id, and nothing else: without Amazon's regions, nobody asks for
    /// its credentials.
    ///
    /// # Errors
    /// When a region's agents cannot be launched as the plan says.
    pub(crate) async fn open(prepared: &Prepared, run: &str) -> Result<Self, Error> {
        let plan = &prepared.plan;
        let lambda = if plan.regions.iter().any(|region| region.launch == LaunchBy::Lambda) {
            Some(Box::pin(Lambda::open(plan, run, prepared.aws_endpoint.as_deref())).await?)
        } else {
            None
        };
        let joins = plan.regions.iter().any(|region| region.launch.joins());
        let join = if joins { Some(join::Desk::open(plan, &prepared.folder).await?) } else { None };
        Ok(Self {
            regions: plan.regions.iter().map(|region| region.launch).collect(),
            program: prepared.agent.clone(),
            lambda,
            responses: plan.fleet.responses,
            join,
        })
    }

    /// Launches an agent in a region (by its position). Its events come tagged with `number`.
    ///
    /// # Errors
    /// When that cannot even be attempted; what fails later is an event.
    pub(crate) fn launch(
        &self,
        number: usize,
        region: usize,
        assignment: Assignment,
        events: Events,
    ) -> Result<Agent, Error> {
        match self.by(region) {
            LaunchBy::Local => local::launch(number, self.program.as_deref(), assignment, events),
            LaunchBy::Lambda => match &self.lambda {
                Some(lambda) => lambda.launch(number, region, assignment, events),
                None => Err(closed(LaunchBy::Lambda)),
            },
            by @ (LaunchBy::Join | LaunchBy::Ec2) => match &self.join {
                Some(desk) => Ok(desk.launch(number, assignment, events)),
                None => Err(closed(by)),
            },
        }
    }

    /// How far ahead the common start lies: enough for every agent to hear of it.
    pub(crate) fn start_ahead(&self) -> Duration {
        self.regions.iter().map(|by| start_ahead(*by)).max().unwrap_or_default()
    }

    /// How long before it begins whoever relieves an agent of a region is launched.
    pub(crate) fn launch_ahead(&self, region: usize) -> Duration {
        launched_ahead(self.by(region))
    }

    /// Whether the agents of a region report everything at their end: none of their seconds is missing before.
    pub(crate) fn reports_whole(&self, region: usize) -> bool {
        self.by(region) == LaunchBy::Lambda && self.responses == Responses::Whole
    }

    /// Why nobody can speak with an agent of a region that speaks another protocol.
    pub(crate) fn mismatch(&self, region: usize, version: &str, protocol: u32) -> String {
        skew::mismatch(self.by(region), self.program.as_deref(), version, protocol)
    }

    /// What closing waits for, in words.
    pub(crate) fn waited_for(&self) -> &'static str {
        match (&self.lambda, &self.join) {
            (Some(_), _) => "functions to end, and what the run left in its buckets to be removed",
            (None, Some(_)) => "agents to leave",
            (None, None) => "agents to end",
        }
    }

    /// Ends what was opened for the run, which may take half a minute. Where that is dropped half-way, nobody renews a lease
    /// any more, and what is left in buckets goes by their own rules.
    pub(crate) async fn close(self) {
        // Child processes end with their agents, and leave nothing behind.
        if let Some(lambda) = self.lambda {
            lambda.close().await;
        }
        if let Some(desk) = self.join {
            desk.close().await;
        }
    }

    fn by(&self, region: usize) -> LaunchBy {
        self.regions.get(region).copied().unwrap_or_default()
    }
}

/// How far ahead a start must be told by this launcher.
fn start_ahead(by: LaunchBy) -> Duration {
    match by {
        LaunchBy::Local => Duration::from_millis(150),
        LaunchBy::Join | LaunchBy::Ec2 => Duration::from_millis(500),
        LaunchBy::Lambda => LAMBDA_START_AHEAD,
    }
}

/// A launcher that was not opened, because no region needed it then.
fn closed(by: LaunchBy) -> Error {
    let word = by.word();
    Error::Usage(format!("launch: {word} came up after the run began, and no region was to launch so"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use doorbuster_model::Overrides;

    use super::*;
    use crate::prepare::Source;

    fn prepared(regions: &str) -> Prepared {
        let text = format!(
            "name: x\ntarget: http://127.0.0.1:1\nregions: {regions}\njourneys: [browse]\n\
             load: {{ arrivals: [{{ hold: 10/s, for: 10s }}] }}\n"
        );
        let source =
            Source { name: "plan.yaml".into(), folder: PathBuf::new(), text, files: BTreeMap::new() };
        Prepared::new(source, Overrides::default()).unwrap()
    }

    #[tokio::test]
    async fn local_agents_need_nothing_and_start_at_once() {
        let launchers = Launchers::open(&prepared("[a, b]"), "r").await.unwrap();
        assert_eq!(launchers.start_ahead(), Duration::from_millis(150));
        assert_eq!(launchers.launch_ahead(1), Duration::from_secs(3));
        assert!(!launchers.reports_whole(0));
        launchers.close().await;
    }

    #[test]
    fn who_hears_of_the_start_latest_says_how_far_ahead_it_lies() {
        let launchers = |regions: &[LaunchBy], responses| Launchers {
            regions: regions.to_vec(),
            program: None,
            lambda: None,
            responses,
            join: None,
        };
        let mixed = launchers(&[LaunchBy::Local, LaunchBy::Lambda, LaunchBy::Join], Responses::Whole);
        assert_eq!(mixed.start_ahead(), Duration::from_secs(3));
        let whole: Vec<bool> = (0..3).map(|region| mixed.reports_whole(region)).collect();
        assert_eq!(whole, [false, true, false]);
        assert!(!launchers(&[LaunchBy::Lambda], Responses::Streamed).reports_whole(0));
        assert_eq!(mixed.launch_ahead(1), Duration::from_secs(20));
    }
}
