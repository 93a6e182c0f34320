//! Conducting a run: launch, agree on a start, renew the lease, fold what comes, stop.

use std::time::Duration;

use doorbuster_model::cdn::audit::Proof;
use doorbuster_model::report::{Exchange, Marker};
use doorbuster_model::{Report, Tally, Task};
use doorbuster_wire::{FromAgent, PROTOCOL, ToAgent};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use crate::Error;
use crate::fold::{AgentState, Ended, Fold};
use crate::launch::{self, Agent, Event};
use crate::prepare::Prepared;
use crate::progress::Progress;
use crate::runtime::block_on;
use crate::signals::Signals;
use crate::windows::Window;

/// How often the lease is renewed.
const LEASE_EVERY: Duration = Duration::from_secs(2);
/// How long agents have to say that they are ready.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// How far ahead the common start lies: enough for every agent to hear of it.
const START_AHEAD: Duration = Duration::from_millis(150);
/// How long after the end of load and grace the last report may come.
const REPORT_WITHIN: Duration = Duration::from_secs(20);
/// How long agents that were let go may take to end.
const GONE_WITHIN: Duration = Duration::from_secs(2);
/// A tick that has not come so long after its second is missing.
const TICK_WITHIN: Duration = Duration::from_secs(5);

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
    listener: &'a mut dyn FnMut(Noted),
    /// `None` once an agent has ended: dropping it closes its input, which ends whatever it still does.
    agents: Vec<Option<Agent>>,
    launched_at: Vec<Timestamp>,
    ready: Vec<bool>,
    fold: Fold,
    events: mpsc::UnboundedReceiver<(usize, Event)>,
    signals: Signals,
    lease: u64,
    interrupted: bool,
    aborted: Option<String>,
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
    let mut conductor = Conductor::launch(prepared, run, listener)?;
    let gone_on = conductor.gather().await;
    let started_at = Timestamp::now() + START_AHEAD;
    if gone_on && !conductor.fold.over() {
        conductor.start(started_at);
        conductor.run(progress).await;
    }
    conductor.fold.complete(true);
    conductor.hand_over();
    conductor.part().await;
    let Conductor { fold, interrupted, aborted, .. } = conductor;
    Ok(Conducted { fold, started_at, finished_at: Timestamp::now(), interrupted, aborted })
}

impl<'a> Conductor<'a> {
    fn launch(prepared: &'a Prepared, run: &str, listener: &'a mut dyn FnMut(Noted)) -> Result<Self, Error> {
        let load = &prepared.plan.load;
        let (sender, events) = mpsc::unbounded_channel();
        let (mut agents, mut states, mut launched_at) = (Vec::new(), Vec::new(), Vec::new());
        for (number, (region, assignment)) in prepared.assignments(run).into_iter().enumerate() {
            states.push(AgentState::new(region, assignment.segment.clone(), &load.pace, load.model));
            launched_at.push(Timestamp::now());
            agents.push(Some(launch::local(number, prepared.agent.as_deref(), assignment, sender.clone())?));
        }
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
        let is_load = matches!(prepared.task, Task::Load);
        Ok(Self {
            prepared,
            listener,
            ready: vec![false; agents.len()],
            agents,
            launched_at,
            fold: if is_load { fold.keeping_seconds() } else { fold },
            events,
            signals: Signals::listen()?,
            lease: 0,
            interrupted: false,
            aborted: None,
        })
    }

    /// Waits until every agent is ready or lost. False when somebody stopped the run before that.
    async fn gather(&mut self) -> bool {
        let deadline = Instant::now() + READY_WITHIN;
        let mut renew = interval(LEASE_EVERY);
        while !self
            .fold
            .agents
            .iter()
            .zip(&self.ready)
            .all(|(agent, ready)| *ready || agent.ended != Ended::Not)
        {
            tokio::select! {
                event = self.events.recv() => if let Some((number, event)) = event { self.take(number, event) },
                _ = renew.tick() => self.renew(),
                () = self.signals.asked() => self.interrupted = true,
                () = sleep_until(deadline) => {
                    for (number, ready) in self.ready.iter().enumerate() {
                        let agent = &mut self.fold.agents[number];
                        if !ready && agent.ended == Ended::Not {
                            agent.ended = Ended::Lost(format!("it was not ready within {READY_WITHIN:?}"));
                            self.agents[number] = None;
                        }
                    }
                }
            }
            if self.interrupted {
                return false;
            }
        }
        true
    }

    /// Tells every agent when second 0 begins.
    fn start(&self, at: Timestamp) {
        let at_unix_ns = u64::try_from(at.as_nanosecond()).unwrap_or(0);
        self.tell(|| ToAgent::Start { at_unix_ns });
    }

    /// Folds what comes until every agent has ended.
    async fn run(&mut self, progress: &mut Progress) {
        let plan = &self.prepared.plan;
        let start = Instant::now() + START_AHEAD;
        let length = Duration::from_nanos(plan.load.pace.length_ns());
        let mut deadline = start + length + plan.graceful + REPORT_WITHIN;
        let mut renew = interval(LEASE_EVERY);
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stopping = false;
        while !self.fold.over() {
            let mut asked = false;
            let stop = tokio::select! {
                event = self.events.recv() => {
                    if let Some((number, event)) = event {
                        self.take(number, event);
                    }
                    false
                }
                _ = renew.tick() => { self.renew(); false }
                _ = second.tick() => self.look(start, progress),
                () = self.signals.asked() => { asked = true; true }
                () = sleep_until(deadline) => { self.give_up(); false }
            };
            self.interrupted |= asked;
            if asked && stopping {
                // Asked while it is stopping: at once. Dropping the agents ends them.
                progress.say("stopping at once");
                return;
            }
            if stop {
                stopping = true;
                deadline = deadline.min(Instant::now() + REPORT_WITHIN);
                progress.say(
                    self.aborted.as_deref().unwrap_or("stopping: journeys end, once more stops at once"),
                );
                self.tell(|| ToAgent::Stop);
            }
        }
    }

    /// Once a second: completes seconds, shows them, notes missing ticks. True when the abort rule says stop.
    fn look(&mut self, start: Instant, progress: &mut Progress) -> bool {
        let due =
            Instant::now().checked_duration_since(start + TICK_WITHIN).map_or(0, |since| since.as_secs());
        for agent in self.fold.agents.iter_mut().filter(|agent| agent.ended == Ended::Not) {
            agent.ticks_missing = agent.ticks_missing.max(due.saturating_sub(u64::from(agent.next_second)));
        }
        let judged = self.fold.complete(false);
        self.hand_over();
        progress.second(start.elapsed(), &self.fold);
        let Some(rule) = self.prepared.abort.as_ref().filter(|_| self.aborted.is_none() && !self.interrupted)
        else {
            return false;
        };
        let met = judged.iter().find(|judgement| judgement.ok);
        if let Some(judgement) = met {
            let observed = judgement.observed.unwrap_or(0.0);
            self.aborted =
                Some(format!("abort_when \"{}\" was met: {observed:.3} {}", rule.threshold, judgement.unit));
        }
        met.is_some()
    }

    /// Hands the seconds that are complete to whoever listens.
    fn hand_over(&mut self) {
        for (second, tallies) in self.fold.take_seconds() {
            for (region, tally) in tallies.into_iter().enumerate() {
                (self.listener)(Noted::Second { region, second, tally: Box::new(tally) });
            }
        }
    }

    /// Lets the agents go and waits until they have: a run leaves no process behind.
    async fn part(&mut self) {
        self.agents.clear();
        let _ = timeout(GONE_WITHIN, async { while self.events.recv().await.is_some() {} }).await;
    }

    /// Agents that have not ended by now are lost.
    fn give_up(&mut self) {
        for agent in self.fold.agents.iter_mut().filter(|agent| agent.ended == Ended::Not) {
            agent.ended = Ended::Lost("it did not finish in time".to_owned());
        }
        self.agents.iter_mut().for_each(|agent| *agent = None);
    }

    fn take(&mut self, number: usize, event: Event) {
        let agent = &mut self.fold.agents[number];
        if agent.ended != Ended::Not {
            // It was given up, or has said its last word: what still comes is not counted.
            return;
        }
        match event {
            Event::Said(FromAgent::Hello { protocol, .. }) if protocol == PROTOCOL => {}
            Event::Said(FromAgent::Hello { protocol, version }) => {
                agent.ended = Ended::Failed(launch::mismatch(version, protocol));
            }
            Event::Said(FromAgent::Report(Report::Started { clock_unix_ns, .. })) => {
                self.ready[number] = true;
                agent.clock_offset_ms =
                    clock_offset_ms(self.launched_at[number], clock_unix_ns, Timestamp::now());
            }
            Event::Said(FromAgent::Report(Report::Tick(tick))) => self.fold.tick(number, &tick),
            Event::Said(FromAgent::Report(Report::Markers { second, markers })) => {
                let region = agent.region;
                (self.listener)(Noted::Markers { region, second, markers });
            }
            Event::Said(FromAgent::Report(Report::Findings { findings, not_kept, .. })) => {
                self.fold.found(number, findings, not_kept);
            }
            Event::Said(FromAgent::Report(Report::Exchange(exchange))) => {
                (self.listener)(Noted::Exchange(exchange));
            }
            Event::Said(FromAgent::Report(Report::Proof(proof))) => {
                let region = agent.region;
                (self.listener)(Noted::Proof { region, proof });
            }
            // Whoever probes listens by himself: a run has an end.
            Event::Said(FromAgent::Report(Report::Probed(_))) => {}
            Event::Said(FromAgent::Report(Report::Finished { ticks })) => {
                agent.ticks_missing += u64::from(ticks.saturating_sub(agent.next_second));
                agent.ended = Ended::Finished;
            }
            Event::Said(FromAgent::Report(Report::Failed { message })) => {
                agent.ended = Ended::Failed(message)
            }
            Event::Gone(why) => agent.ended = Ended::Lost(why),
        }
        if self.fold.agents[number].ended != Ended::Not {
            self.agents[number] = None;
        }
    }

    fn renew(&mut self) {
        self.lease += 1;
        let counter = self.lease;
        self.tell(|| ToAgent::Lease { counter });
    }

    fn tell(&self, message: impl Fn() -> ToAgent) {
        for agent in self.agents.iter().flatten() {
            // An agent that is gone has said so, or will.
            let _ = agent.to.send(message());
        }
    }
}

/// How far an agent's clock is from ours, beyond what the round trip explains.
fn clock_offset_ms(asked: Timestamp, clock_unix_ns: u64, answered: Timestamp) -> f64 {
    let clock = i128::from(clock_unix_ns);
    let early = (asked.as_nanosecond() - clock).max(0);
    let late = (clock - answered.as_nanosecond()).max(0);
    early.max(late) as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::clock_offset_ms;
    use jiff::Timestamp;

    #[test]
    fn a_clock_within_the_round_trip_has_no_offset() {
        let at = |ms: i64| Timestamp::from_millisecond(ms).unwrap();
        assert_eq!(clock_offset_ms(at(1_000), 1_005_000_000, at(1_010)), 0.0);
        assert_eq!(clock_offset_ms(at(1_000), 990_000_000, at(1_010)), 10.0);
        assert_eq!(clock_offset_ms(at(1_000), 1_110_000_000, at(1_010)), 100.0);
    }
}
