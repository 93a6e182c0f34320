//! Conducting a run: launch, agree on a start, renew the lease, relieve those whose time is over, fold what comes, stop.
//!
//! [`barrier`] waits for those who begin; [`seats`] says who is launched, and by when each must have come and gone; [`hear`]
//! takes what agents say; [`look`] is what is done once a second; [`lines`] is what is said of it meanwhile. Here is the loop
//! around them.

mod barrier;
mod hear;
mod lines;
mod look;
mod seats;

use std::time::Duration;

use doorbuster_model::cdn::audit::Proof;
use doorbuster_model::plan::fleet::OnLoss;
use doorbuster_model::report::{Exchange, Marker};
use doorbuster_model::{Tally, Task};
use doorbuster_wire::ToAgent;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use self::lines::Lines;
use self::seats::{Course, Seat};
use crate::Error;
use crate::fold::{AgentState, Ended, Fold};
use crate::launch::{Event, Events, Launchers, queue};
use crate::patience::wait;
use crate::prepare::Prepared;
use crate::progress::Progress;
use crate::runtime::block_on;
use crate::signals::Signals;
use crate::windows::Window;

/// How often the lease is renewed.
const LEASE_EVERY: Duration = Duration::from_secs(2);
/// How long agents that were let go may take to end.
const GONE_WITHIN: Duration = Duration::from_secs(2);
/// Why a run ended that was to end with the first loss.
const BY_LOSS: &str = "the run ended there, as `on_agent_loss: abort` says";

/// A run that was conducted to its end.
pub(crate) struct Conducted {
    /// What was reported.
    pub fold: Fold,
    /// When second 0 began.
    pub started_at: Timestamp,
    /// When the last report came.
    pub finished_at: Timestamp,
    /// Whether somebody stopped it.
    pub interrupted: bool,
    /// What the abort rule observed, when it stopped the run.
    pub aborted: Option<String>,
    /// What the plan says by which a lost or missing agent ended it, where one did.
    pub given_up: Option<&'static str>,
}

/// What is for whoever listens while a run goes on.
pub(crate) enum Noted {
    /// What a second of a load came to in a region, once every agent is past it.
    Second { region: usize, second: u32, tally: Box<Tally> },
    /// What journeys left for audits: in which region and second.
    Markers { region: usize, second: u32, markers: Vec<Marker> },
    /// An exchange of a trace.
    Exchange(Box<Exchange>),
    /// What an audit found out in a region.
    Proof { region: usize, proof: Box<Proof> },
}

struct Conductor<'a> {
    prepared: &'a Prepared,
    launchers: &'a Launchers,
    run: &'a str,
    listener: &'a mut dyn FnMut(Noted),
    /// Who covers which leg, by the numbers of the fold's agents.
    seats: Vec<Seat>,
    fold: Fold,
    sender: Events,
    events: mpsc::Receiver<(usize, Event)>,
    signals: Signals,
    lease: u64,
    /// When what is due, once second 0 is agreed.
    course: Option<Course>,
    interrupted: bool,
    aborted: Option<String>,
    given_up: Option<&'static str>,
    /// What is to be said to whoever looks on.
    lines: Lines,
}

/// Conducts a run on a runtime of its own, to its end.
///
/// # Errors
/// As [`conduct`], or when there is no runtime to be had.
pub(crate) fn conduct_alone(
    prepared: &Prepared,
    run: &str,
    progress: &mut Progress,
    listener: &mut dyn FnMut(Noted),
) -> Result<Conducted, Error> {
    block_on(conduct(prepared, run, progress, listener))
}

/// Conducts a run. `listener` hears what agents say beside figures, and each second of a load.
///
/// # Errors
/// When no agent can be launched.
async fn conduct(
    prepared: &Prepared,
    run: &str,
    progress: &mut Progress,
    listener: &mut dyn FnMut(Noted),
) -> Result<Conducted, Error> {
    let launchers = Launchers::open(prepared, run).await?;
    let (conducted, signals) = match Conductor::new(prepared, &launchers, run, listener) {
        Ok(conductor) => conductor.conduct(progress).await,
        Err(error) => (Err(error), None),
    };
    let was_asked = conducted.as_ref().is_ok_and(|conducted| conducted.interrupted);
    let what = launchers.waited_for();
    let closed = Box::pin(launchers.close());
    match signals {
        Some(mut signals) => {
            let say = |line: &str| progress.say(line);
            wait(closed, what, was_asked, async || signals.asked().await, say).await;
        }
        // Nobody can ask.
        None => closed.await,
    }
    conducted
}

impl<'a> Conductor<'a> {
    /// Nobody is launched yet.
    fn new(
        prepared: &'a Prepared,
        launchers: &'a Launchers,
        run: &'a str,
        listener: &'a mut dyn FnMut(Noted),
    ) -> Result<Self, Error> {
        let (sender, events) = queue();
        let seats: Vec<Seat> = prepared.legs().into_iter().map(Seat::new).collect();
        Ok(Self {
            prepared,
            launchers,
            run,
            listener,
            fold: fold(prepared, &seats),
            seats,
            sender,
            events,
            signals: Signals::listen()?,
            lease: 0,
            course: None,
            interrupted: false,
            aborted: None,
            given_up: None,
            lines: Lines::default(),
        })
    }

    /// The whole run; and by what it is heard from then on that somebody does not want to wait.
    async fn conduct(mut self, progress: &mut Progress) -> (Result<Conducted, Error>, Option<Signals>) {
        if let Err(error) = self.launch_first() {
            return (Err(error), Some(self.signals));
        }
        let goes_on = self.gather(progress).await;
        let ahead = self.launchers.start_ahead();
        let started_at = Timestamp::now() + ahead;
        if goes_on {
            self.start(started_at, Instant::now() + ahead);
            self.run(progress).await;
        }
        self.fold.complete(true);
        self.hand_over();
        self.lines.end();
        self.say(progress);
        let (conducted, signals) = self.part(started_at).await;
        (Ok(conducted), Some(signals))
    }

    /// Tells every agent when second 0 begins.
    fn start(&mut self, at: Timestamp, start: Instant) {
        let at_unix_ns = u64::try_from(at.as_nanosecond()).unwrap_or(0);
        self.course = Some(Course::new(&self.prepared.plan, start, at_unix_ns));
        self.tell(|| ToAgent::Start { at_unix_ns });
    }

    /// Folds what comes until every agent has ended, and has each leg begun in time.
    async fn run(&mut self, progress: &mut Progress) {
        let mut renew = interval(LEASE_EVERY);
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_stopping = false;
        while !self.fold.over() {
            let mut asked = false;
            let due = self.due_at();
            tokio::select! {
                event = self.events.recv() => if let Some((tag, event)) = event { self.take(tag, event) },
                _ = renew.tick() => self.renew(),
                _ = second.tick() => self.look(progress),
                () = self.signals.asked() => asked = true,
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.act(),
            }
            self.say(progress);
            self.interrupted |= asked;
            if asked && is_stopping {
                // Asked while it is stopping: at once. Dropping the agents ends them.
                progress.say("stopping at once");
                return;
            }
            let is_to_stop = self.interrupted || self.aborted.is_some() || self.given_up.is_some();
            if is_to_stop && !is_stopping {
                is_stopping = true;
                let why = self.aborted.as_deref().or(self.given_up);
                progress.say(why.unwrap_or("stopping: journeys end, once more stops at once"));
                self.stop();
            }
        }
    }

    /// Nobody starts anything any more, and whoever has not begun is not needed.
    fn stop(&mut self) {
        let now = Instant::now();
        if let Some(course) = &mut self.course {
            course.stop(now);
        }
        for number in 0..self.seats.len() {
            let is_ahead =
                self.course.as_ref().is_some_and(|course| course.is_ahead(&self.seats[number].leg, now));
            if is_ahead && self.fold.agents[number].ended == Ended::Not {
                self.end(number, Ended::Unneeded);
            }
        }
        self.tell(|| ToAgent::Stop);
    }

    /// An agent has ended so. Whoever looks on is told of a loss at once.
    fn end(&mut self, number: usize, ended: Ended) {
        if let Ended::Failed(why) | Ended::Lost(why) = &ended {
            let leg = &self.seats[number].leg;
            let which =
                leg.generation.map_or_else(String::new, |part| format!(" in generation {}", part.number));
            let region = self.prepared.plan.regions.get(leg.region).map_or("", |region| &region.name);
            self.lines.push(format!("{region}: an agent is lost{which} ({why})"));
            if self.prepared.plan.on_agent_loss == OnLoss::Abort {
                self.given_up.get_or_insert(BY_LOSS);
            }
        }
        self.fold.agents[number].ended = ended;
        self.seats[number].end();
    }

    /// Lets the agents go and waits until they have: a run leaves no process behind.
    async fn part(self, started_at: Timestamp) -> (Conducted, Signals) {
        let Self { seats, sender, mut events, signals, fold, interrupted, aborted, given_up, .. } = self;
        drop((seats, sender));
        let _ = timeout(GONE_WITHIN, async { while events.recv().await.is_some() {} }).await;
        let finished_at = Timestamp::now();
        (Conducted { fold, started_at, finished_at, interrupted, aborted, given_up }, signals)
    }

    fn renew(&mut self) {
        self.lines.look();
        self.lease += 1;
        let counter = self.lease;
        self.tell(|| ToAgent::Lease { counter });
    }

    fn tell(&self, message: impl Fn() -> ToAgent) {
        for agent in self.seats.iter().filter_map(Seat::agent) {
            // An agent that is gone has said so, or will.
            let _ = agent.to.send(message());
        }
    }

    fn say(&mut self, progress: &Progress) {
        self.lines.take().iter().for_each(|line| progress.say(line));
    }
}

/// A fold in which everybody is expected who has a seat.
fn fold(prepared: &Prepared, seats: &[Seat]) -> Fold {
    let load = &prepared.plan.load;
    let state = |seat: &Seat| {
        let leg = &seat.leg;
        let state = AgentState::new(leg.region, leg.segment.clone(), &load.pace, load.model);
        let state = AgentState { place: leg.place, ..state };
        match leg.generation {
            Some(generation) => state.in_generation(generation, &load.pace),
            None => state,
        }
    };
    let states = seats.iter().map(state).collect();
    let rules = prepared.rules.iter().enumerate();
    let mut windows: Vec<(Option<usize>, Window)> = rules
        .filter_map(|(position, rule)| Some((Some(position), Window::new(rule, prepared.sections())?)))
        .collect();
    windows.extend(
        prepared.abort.iter().filter_map(|rule| Some((None, Window::new(rule, prepared.sections())?))),
    );
    let regions = prepared.plan.regions.len();
    let names = &prepared.names;
    let private = names.class_ids().filter(|class| names.is_private(*class)).collect();
    let fold = Fold::new(states, regions, load.pace.clone(), load.model, windows, private);
    if matches!(prepared.task, Task::Load) { fold.keeping_seconds() } else { fold }
}
