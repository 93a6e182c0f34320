//! All regions: an agent each, started again whenever it is lost, and relieved in time where it stays for a limited time.

use std::rc::Rc;
use std::time::Duration;

use doorbuster_model::report::Probed;
use doorbuster_model::{Assignment, Generation, Report, Tick};
use doorbuster_wire::{FromAgent, PROTOCOL, ToAgent};
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::post::{Begin, Due, Post, Role, Walker};
use super::station::Station;
use super::wall::{Wall, seconds, until};
use crate::Error;
use crate::launch::{Agent, Event, Events, Launchers, queue, skew};

/// How often the lease is renewed.
const LEASE_EVERY: Duration = Duration::from_secs(2);
/// An agent counts by its monotonic clock. One that is so far from the wall clock begins anew: the machine slept, or
/// somebody set its clock.
const DRIFT_MAX: Duration = Duration::from_secs(30);
/// An agent that is handed its assignment so long after it should have been ready refuses it. Clocks differ.
const HANDED_LATE_MAX: Duration = Duration::from_secs(60);
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

/// How an agent is launched: under this number, in the region at this position, with this assignment; what it says goes
/// there.
pub(crate) type Launch = Box<dyn FnMut(usize, usize, Assignment, Events) -> Result<Agent, Error>>;

/// The agents of all regions.
pub(crate) struct Fleet {
    launch: Launch,
    stations: Vec<Station>,
    posts: Vec<Post>,
    wall: Wall,
    launches: usize,
    lease: u64,
    renew: Interval,
    sender: Events,
    events: mpsc::Receiver<(usize, Event)>,
}

/// Launches agents as the plan says.
pub(crate) fn launching(launchers: &Rc<Launchers>) -> Launch {
    let launchers = Rc::clone(launchers);
    Box::new(move |number, region, assignment, events| launchers.launch(number, region, assignment, events))
}

impl Fleet {
    /// Nobody is there yet; [`next`](Self::next) begins. To be called in a runtime.
    pub(crate) fn new(stations: Vec<Station>, launch: Launch, wall: Wall) -> Self {
        let now = Instant::now();
        let (sender, events) = queue();
        let mut renew = interval(LEASE_EVERY);
        renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let posts = stations.iter().map(|station| Post::new(now, station.terms)).collect();
        Self { launch, stations, posts, wall, launches: 0, lease: 0, renew, sender, events }
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
            Due::Launch => match self.launch(region) {
                Ok(walker) => self.posts[region].launched(walker, now),
                Err(error) => return self.lose(region, error.to_string()),
            },
            Due::Lost(why) => return self.lose(region, why),
            Due::Over => self.posts[region].end(),
            Due::Relieve(begin) => match self.launch(region) {
                Ok(walker) => self.posts[region].relieve(walker, begin, now),
                // Somebody else is tried as long as there is time.
                Err(_) => self.posts[region].lose_relief(now),
            },
            Due::ReliefLate => self.posts[region].lose_relief(now),
            Due::HandOver => return self.hand_over(region),
            Due::Left(number) => self.posts[region].left(number),
        }
        None
    }

    /// Launches an agent in a region.
    fn launch(&mut self, region: usize) -> Result<Walker, Error> {
        self.launches += 1;
        let number = self.launches;
        let Station { assignment, terms, .. } = &self.stations[region];
        let mut assignment = assignment.clone();
        assignment.id = format!("{}-{number}", assignment.id);
        assignment.today = self.wall.now_s().div_euclid(DAY_S);
        assignment.generation = terms.stays.map(|stays| Generation {
            number: u32::try_from(number).unwrap_or(u32::MAX),
            from_ns: 0,
            to_ns: nanoseconds(stays),
            is_last: false,
        });
        let handed_by_ns =
            self.wall.now_ns().saturating_add(nanoseconds(terms.ready_within + HANDED_LATE_MAX));
        assignment.not_after_unix_ms = handed_by_ns / 1_000_000;
        let agent = (self.launch)(number, region, assignment, self.sender.clone())?;
        Ok(Walker { number, agent })
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

    /// An agent is lost that is this to its region.
    fn lose_one(&mut self, region: usize, number: usize, role: Role, why: String) -> Option<News> {
        match role {
            Role::There => return self.lose(region, why),
            Role::Relief => self.posts[region].lose_relief(Instant::now()),
            // Its time was over. What it had begun and could not tell is known of no more than of a walk that was cut.
            Role::Leaving => self.posts[region].left(number),
        }
        None
    }

    /// The time of a region's agent is over.
    fn hand_over(&mut self, region: usize) -> Option<News> {
        if self.posts[region].hand_over(Instant::now()) {
            return None;
        }
        self.lose(region, "its time was over, and nobody was there to take over".to_owned())
    }

    /// What somebody says who was given up means nothing any more.
    fn take(&mut self, number: usize, event: Event) -> Option<News> {
        let mut posts = self.posts.iter().enumerate();
        let (region, role) = posts.find_map(|(region, post)| Some((region, post.role(number)?)))?;
        match event {
            Event::Said(FromAgent::Hello { protocol, .. }) if protocol == PROTOCOL => None,
            Event::Said(FromAgent::Hello { protocol, version }) => {
                // A plan's agent_binary serves load alone.
                let why = skew::mismatch(self.stations[region].launch, None, &version, protocol);
                self.lose_one(region, number, role, why)
            }
            Event::Said(FromAgent::Report(report)) => self.hear(region, number, role, report),
            Event::Gone(why) => self.lose_one(region, number, role, why),
        }
    }

    fn hear(&mut self, region: usize, number: usize, role: Role, report: Report) -> Option<News> {
        let what = match report {
            Report::Started { .. } => self.started(region, role).then_some(Happened::Up)?,
            Report::Probed(walks) => {
                Happened::Walked { start_unix_ns: self.posts[region].start_unix_ns(number)?, walks }
            }
            Report::Tick(tick) => return self.second(region, number, role, tick),
            Report::Finished { .. } => return self.finished(region, number, role),
            Report::Failed { message } => return self.lose_one(region, number, role, message),
            // What is broken of the edge's promises is in the tallies of the seconds; a probe leaves nothing for audits,
            // and shows nobody its exchanges.
            Report::Findings { .. } | Report::Markers { .. } | Report::Exchange(_) | Report::Proof(_) => {
                return None;
            }
        };
        Some(News { region, what })
    }

    /// An agent is ready. Whether it probes from now on.
    fn started(&mut self, region: usize, role: Role) -> bool {
        let post = &mut self.posts[region];
        match role {
            Role::There => {
                let (now, ahead) = (Instant::now(), self.stations[region].start_ahead);
                let unix_ns = self.wall.now_ns().saturating_add(nanoseconds(ahead));
                post.start(Begin { unix_ns, at: now + ahead }, now)
            }
            Role::Relief => {
                post.relief_ready();
                false
            }
            Role::Leaving => false,
        }
    }

    fn second(&mut self, region: usize, number: usize, role: Role, tick: Box<Tick>) -> Option<News> {
        let post = &mut self.posts[region];
        let over_ns = (u64::from(tick.second) + 1).saturating_mul(SECOND_NS);
        let over_unix_ns = post.start_unix_ns(number)?.saturating_add(over_ns);
        if role == Role::There {
            post.heard(Instant::now());
            let drift = Duration::from_nanos(self.wall.now_ns().abs_diff(over_unix_ns));
            if drift > DRIFT_MAX && !post.is_stopping() {
                let why = format!("its clock and this machine's are {} s apart", drift.as_secs());
                return self.lose(region, why);
            }
        }
        Some(News { region, what: Happened::Second { at_s: seconds(over_unix_ns), tick } })
    }

    /// An agent has ended by itself: because it was told to, or because its time is over.
    fn finished(&mut self, region: usize, number: usize, role: Role) -> Option<News> {
        let post = &mut self.posts[region];
        if role == Role::There && !post.is_stopping() && post.walked(Instant::now()) {
            return None;
        }
        self.lose_one(region, number, role, "it ended though nobody told it to".to_owned())
    }

    fn renew_lease(&mut self) {
        self.lease += 1;
        for agent in self.posts.iter().flat_map(|post| post.agents()) {
            // An agent that is gone has said so, or will.
            let _ = agent.to.send(ToAgent::Lease { counter: self.lease });
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "fleet/tests.rs"]
pub(crate) mod tests;
