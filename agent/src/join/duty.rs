//! The one assignment that an agent has at a time: its process, and what was said and told about it.

use doorbuster_model::{Assignment, Report};
use doorbuster_wire::{FromAgent, Receiving, Sending, Take, ToAgent};
use tokio::sync::mpsc;

use super::state::{Seen, State};
use crate::Error;
use crate::child::{self, Guard, Output, Program};

/// The most reports that wait for a coordinator out of reach: by far more than those of the 15 s that a lease lasts.
const WAITING_MAX: usize = 16_384;
/// The most bytes of them.
const WAITING_BYTES_MAX: usize = 128 << 20;

/// What an agent does, and has to tell of it. A conversation is about one assignment; the next begins at 1 again.
pub(super) struct Duty {
    region: String,
    program: Program,
    state: State,
    /// What was said, until it was received.
    pub sending: Sending<FromAgent>,
    receiving: Receiving,
    /// The coordinator's hello, which is for the process.
    greeting: Option<ToAgent>,
    worker: Option<Worker>,
    /// Whether the last word on the assignment was said.
    is_told: bool,
}

/// The process of an assignment.
struct Worker {
    to: mpsc::UnboundedSender<ToAgent>,
    from: Output,
    /// Ends it.
    _guard: Guard,
}

impl Duty {
    /// Nothing to do yet.
    pub(super) fn new(region: &str, program: Program, state: State) -> Self {
        Self {
            region: region.to_owned(),
            program,
            state,
            sending: Sending::new(WAITING_MAX, WAITING_BYTES_MAX),
            receiving: Receiving::default(),
            greeting: None,
            worker: None,
            is_told: false,
        }
    }

    /// The last sequence that was received.
    pub(super) fn received(&self) -> u64 {
        self.receiving.received()
    }

    /// Whether it carries an assignment out.
    pub(super) fn is_at_work(&self) -> bool {
        self.worker.is_some()
    }

    /// Takes what the coordinator told. Must be called in a runtime.
    pub(super) fn take(&mut self, sequence: u64, message: ToAgent) -> Take {
        let taken = self.receiving.take(sequence);
        if taken == Take::New {
            self.obey(message);
        }
        taken
    }

    /// Waits for what the process says, and keeps it for sending. Nothing is lost where this is given up half-way.
    pub(super) async fn go_on(&mut self) {
        let Some(worker) = &mut self.worker else { return std::future::pending().await };
        match worker.from.next().await {
            Ok(Some(message)) => self.say(message),
            Ok(None) => {
                let why = "its process ended before the assignment was over: it had no coordinator for 15 s, or broke down; see the agent's standard error";
                self.end(why);
            }
            Err(error) => self.end(&error.to_string()),
        }
    }

    /// The assignment is over, whatever its process still does; the next may come.
    pub(super) fn over(&mut self) {
        self.worker = None;
        self.greeting = None;
        self.is_told = false;
        self.sending = Sending::new(WAITING_MAX, WAITING_BYTES_MAX);
        self.receiving = Receiving::default();
    }

    fn obey(&mut self, message: ToAgent) {
        match message {
            ToAgent::Hello { .. } => self.greeting = Some(message),
            ToAgent::Assign(assignment) => {
                if let Err(error) = self.begin(assignment) {
                    self.end(&error.to_string());
                }
            }
            other => {
                if let Some(worker) = &self.worker {
                    // A process that is gone has ended its output, too, which is heard.
                    let _ = worker.to.send(other);
                }
            }
        }
    }

    fn begin(&mut self, assignment: Box<Assignment>) -> Result<(), Error> {
        let refused = |why: String| Err(Error::Assignment(why));
        if self.worker.is_some() || self.is_told {
            return refused("this agent has one already".to_owned());
        }
        if assignment.region != self.region {
            let (is, wanted) = (&self.region, &assignment.region);
            return refused(format!("it is for an agent in {wanted}, and this one is in {is}"));
        }
        if self.state.note(&assignment.id)? == Seen::Before {
            let id = &assignment.id;
            return refused(format!(
                "a duplicate of {id}, which this agent has had already; nothing was sent"
            ));
        }
        let (mut input, from, guard) = child::start(&self.program)?;
        let (to, mut orders) = mpsc::unbounded_channel::<ToAgent>();
        // A process that does not read must not hold the link up.
        tokio::spawn(async move {
            while let Some(order) = orders.recv().await {
                if input.tell(&order).await.is_err() {
                    return;
                }
            }
        });
        if let Some(greeting) = self.greeting.take() {
            let _ = to.send(greeting);
        }
        let _ = to.send(ToAgent::Assign(assignment));
        self.worker = Some(Worker { to, from, _guard: guard });
        Ok(())
    }

    /// Keeps a message for sending.
    fn say(&mut self, message: FromAgent) {
        self.is_told |= matches!(message, FromAgent::Report(Report::Finished { .. } | Report::Failed { .. }));
        if let Err(full) = self.sending.push(message) {
            // What cannot be kept cannot be delivered exactly, so the assignment is over. What waits goes first.
            self.worker = None;
            self.is_told = true;
            super::say(&format!("the assignment is over: {full}"));
        }
    }

    /// The process is gone, or is to go: says why, unless the last word was said.
    fn end(&mut self, why: &str) {
        self.worker = None;
        if !self.is_told {
            self.say(FromAgent::Report(Report::Failed { message: why.to_owned() }));
        }
    }
}
