//! All regions: an agent each, started again whenever it is lost.

use std::time::Duration;

use doorbuster_model::report::Probed;
use doorbuster_model::{Assignment, Report, Tick};
use doorbuster_wire::{FromAgent, PROTOCOL, ToAgent};
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::post::{Due, Post};
use super::wall::{Wall, seconds, until};
use crate::Error;
use crate::launch::{self, Agent, Event};

/// How often the lease is renewed.
const LEASE_EVERY: Duration = Duration::from_secs(2);
/// How far ahead second 0 lies.
const START_AHEAD: Duration = Duration::from_millis(150);
/// An agent counts by its monotonic clock. One that is so far from the wall clock begins anew: the machine slept, or
/// somebody set its clock.
const DRIFT_MAX: Duration = Duration::from_secs(30);
const SECOND_NS: u64 = 1_000_000_000;
const DAY_S: i64 = 86_400;

/// Something that happened in a region.
#[derive(Debug)]
pub(crate) struct News {
    /// The region's position in the plan.
    pub region: usize,
    /// What it is.
    pub what: Happened,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Happened {
    /// An agent probes from now on.
    Up,
    /// It is lost, and why; somebody comes again in so long.
    Down { why: String, again_in: Duration },
    /// Walks ended, of an agent whose second 0 began then (nanoseconds since 1970).
    Walked { start_unix_ns: u64, walks: Vec<Probed> },
    /// A second is over: when that was, in seconds since 1970.
    Second { at_s: i64, tick: Box<Tick> },
}

/// How an agent is launched: under this number, with this assignment; what it says goes there.
pub(crate) type Launch =
    Box<dyn FnMut(usize, Assignment, mpsc::UnboundedSender<(usize, Event)>) -> Result<Agent, Error>>;

/// The agents of all regions.
pub(crate) struct Fleet {
    launch: Launch,
    /// One of each region, whose ids lack the number of the launch.
    assignments: Vec<Assignment>,
    posts: Vec<Post>,
    wall: Wall,
    launches: usize,
    lease: u64,
    renew: Interval,
    sender: mpsc::UnboundedSender<(usize, Event)>,
    events: mpsc::UnboundedReceiver<(usize, Event)>,
}

/// Launches agents as child processes.
pub(crate) fn local() -> Launch {
    Box::new(|number, assignment, events| launch::local(number, None, assignment, events))
}

impl Fleet {
    /// Nobody is there yet; [`next`](Self::next) begins. To be called in a runtime.
    pub(crate) fn new(assignments: Vec<Assignment>, launch: Launch, wall: Wall) -> Self {
        let now = Instant::now();
        let (sender, events) = mpsc::unbounded_channel();
        let mut renew = interval(LEASE_EVERY);
        renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let posts = assignments.iter().map(|_| Post::new(now)).collect();
        Self { launch, assignments, posts, wall, launches: 0, lease: 0, renew, sender, events }
    }

    /// The next thing that happens. What is due meanwhile is done: launches, leases, farewells.
    pub(crate) async fn next(&mut self) -> News {
        loop {
            let deadline = self.posts.iter().filter_map(Post::deadline).min();
            let news = tokio::select! {
                event = self.events.recv() => event.and_then(|(number, event)| self.take(number, event)),
                _ = self.renew.tick() => { self.renew_lease(); None }
                () = until(deadline) => self.look(),
            };
            if let Some(news) = news {
                return news;
            }
        }
    }

    /// Tells everybody to stop; nobody is launched any more.
    pub(crate) fn stop(&mut self) {
        let now = Instant::now();
        self.posts.iter_mut().for_each(|post| post.stop(now));
    }

    /// Whether everybody has ended who was told to.
    pub(crate) fn is_over(&self) -> bool {
        self.posts.iter().all(Post::is_over)
    }

    /// Does what is due at one post.
    fn look(&mut self) -> Option<News> {
        let now = Instant::now();
        let (region, due) = (self.posts.iter().enumerate())
            .find_map(|(region, post)| post.due(now).map(|due| (region, due)))?;
        match due {
            Due::Launch => self.launch(region),
            Due::Lost(why) => self.lose(region, why.to_owned()),
            Due::Over => {
                self.posts[region].end();
                None
            }
        }
    }

    fn launch(&mut self, region: usize) -> Option<News> {
        self.launches += 1;
        let number = self.launches;
        let mut assignment = self.assignments[region].clone();
        assignment.id = format!("{}-{number}", assignment.id);
        assignment.today = self.wall.now_s().div_euclid(DAY_S);
        match (self.launch)(number, assignment, self.sender.clone()) {
            Ok(agent) => {
                self.posts[region].launched(number, agent, Instant::now());
                None
            }
            Err(error) => self.lose(region, error.to_string()),
        }
    }

    fn lose(&mut self, region: usize, why: String) -> Option<News> {
        let post = &mut self.posts[region];
        if post.is_stopping() {
            post.end();
            return None;
        }
        let again_in = post.lose(Instant::now());
        Some(News { region, what: Happened::Down { why, again_in } })
    }

    /// What somebody says who was given up means nothing any more.
    fn take(&mut self, number: usize, event: Event) -> Option<News> {
        let is_there = |post: &Post| post.number == number && post.agent().is_some();
        let region = self.posts.iter().position(is_there)?;
        match event {
            Event::Said(FromAgent::Hello { protocol, .. }) if protocol == PROTOCOL => None,
            Event::Said(FromAgent::Hello { protocol, version }) => {
                self.lose(region, launch::mismatch(version, protocol))
            }
            Event::Said(FromAgent::Report(report)) => self.hear(region, report),
            Event::Gone(why) => self.lose(region, why),
        }
    }

    fn hear(&mut self, region: usize, report: Report) -> Option<News> {
        let what = match report {
            Report::Started { .. } => {
                let ahead_ns = u64::try_from(START_AHEAD.as_nanos()).unwrap_or(0);
                let start_unix_ns = self.wall.now_ns().saturating_add(ahead_ns);
                self.posts[region].start(start_unix_ns, Instant::now()).then_some(Happened::Up)?
            }
            Report::Probed(walks) => {
                Happened::Walked { start_unix_ns: self.posts[region].start_unix_ns()?, walks }
            }
            Report::Tick(tick) => return self.second(region, tick),
            Report::Finished { .. } => {
                return self.lose(region, "it ended though nobody told it to".to_owned());
            }
            Report::Failed { message } => return self.lose(region, message),
            // What is broken of the edge's promises is in the tallies of the seconds; a probe leaves nothing for audits,
            // and shows nobody its exchanges.
            Report::Findings { .. } | Report::Markers { .. } | Report::Exchange(_) | Report::Proof(_) => {
                return None;
            }
        };
        Some(News { region, what })
    }

    fn second(&mut self, region: usize, tick: Box<Tick>) -> Option<News> {
        let post = &mut self.posts[region];
        post.heard(Instant::now());
        let over_ns = (u64::from(tick.second) + 1).saturating_mul(SECOND_NS);
        let over_unix_ns = post.start_unix_ns()?.saturating_add(over_ns);
        let drift = Duration::from_nanos(self.wall.now_ns().abs_diff(over_unix_ns));
        if drift > DRIFT_MAX && !post.is_stopping() {
            let why = format!("its clock and this machine's are {} s apart", drift.as_secs());
            return self.lose(region, why);
        }
        Some(News { region, what: Happened::Second { at_s: seconds(over_unix_ns), tick } })
    }

    fn renew_lease(&mut self) {
        self.lease += 1;
        for agent in self.posts.iter().filter_map(Post::agent) {
            // An agent that is gone has said so, or will.
            let _ = agent.to.send(ToAgent::Lease { counter: self.lease });
        }
    }
}

#[cfg(test)]
#[path = "fleet/tests.rs"]
pub(crate) mod tests;
