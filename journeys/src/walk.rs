//! One shopper's way through a journey, as a state machine without I/O.

mod control;
mod draw;
mod exchange;
mod request;

use std::sync::Arc;

use rand_core::Rng;

use crate::enough::is_enough;
use crate::failure::Failure;
use crate::journey::{Journey, Step};
use crate::judge::judge;
use crate::program::Instruction;
use crate::template::Values;
use crate::value::Value;
use control::Control;

pub use exchange::{Answer, Fetch, Hop, Marker, Next, Target};

/// The most instructions between two requests or pauses: loops in which nothing happens end there.
const MOVES_MAX: u32 = 1_000_000;
/// The longest value of a marker, in bytes.
const MARKER_BYTES_MAX: usize = 1_024;

/// Ends a marker, so that one that was cut short is not taken for another shopper's.
const MARK_END: &str = "-e";

/// Who walks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shopper {
    /// The shopper's number, unique within the run: what `${shopper.number}` and names made from it show.
    pub number: u64,
    /// The run.
    pub run: Arc<Run>,
}

/// What all shoppers of a run share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its id: `${run.id}`.
    pub id: Box<str>,
    /// What the markers of its shoppers begin with: `dbm-3fa09c11d2e4-`.
    pub mark: Box<str>,
}

impl Shopper {
    /// The marker by which is known what this shopper entered: `dbm-3fa09c11d2e4-17-e`.
    pub fn mark(&self) -> String {
        format!("{}{}{MARK_END}", self.run.mark, self.number)
    }
}

/// One walk through a journey. Small, because there is one for every connected shopper.
#[derive(Clone, Debug)]
pub struct Walk {
    journey: Arc<Journey>,
    shopper: Shopper,
    /// The values set so far, in no order; a variable's number stands in it once.
    bound: Vec<(u16, Value)>,
    /// The next instruction.
    position: u32,
    state: State,
    /// What only some journeys need.
    control: Option<Box<Control>>,
    /// See [`Walk::take_unsent`]; boxed because it hardly ever is there.
    unsent: Option<Box<(usize, Failure)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready,
    /// The request of the instruction before `position` is under way.
    Waiting,
    Over(Ending),
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every step was answered as expected.
    Completed,
    /// A step was not.
    Failed,
    /// The shopper left, as the journey says some do.
    Abandoned,
    /// There is no row of data left for this shopper, who is not to come again.
    OutOfData,
}

impl Walk {
    /// At the beginning of `journey`.
    pub fn new(journey: Arc<Journey>, shopper: Shopper) -> Self {
        let control = Control::of(&journey).map(Box::new);
        Self { journey, shopper, bound: Vec::new(), position: 0, state: State::Ready, control, unsent: None }
    }

    /// What to do next. The same draws from `rng` and the same answers give the same walk.
    ///
    /// Called while a request is under way, it takes that request as [`broken`](Self::broken).
    pub fn next(&mut self, rng: &mut dyn Rng) -> Next {
        for _ in 0..MOVES_MAX {
            match self.state {
                State::Ready => {}
                State::Waiting => {
                    self.broken();
                    continue;
                }
                State::Over(ending) => return Next::Done(ending),
            }
            if let Some(next) = self.advance(rng) {
                return next;
            }
        }
        let failure =
            Failure::new(format!("{MOVES_MAX} moves without a request or a pause: it goes in circles"));
        self.unsent = Some(Box::new((0, failure)));
        self.over(Ending::Failed)
    }

    /// One instruction; what the engine is to do, if that is anything.
    fn advance(&mut self, rng: &mut dyn Rng) -> Option<Next> {
        let position = self.position as usize;
        let Some(instruction) = self.journey.program.get(position) else {
            return Some(self.over(Ending::Completed));
        };
        match instruction {
            Instruction::Think(think) => {
                self.position += 1;
                Some(Next::Think(think.sample(rng)))
            }
            Instruction::Fetch(number) => {
                let number = *number;
                if let Some(wait) = self.control.as_mut().filter(|control| control.waits).map(|control| {
                    control.waits = false;
                    self.journey.steps[number].retry.as_ref().map(|retry| retry.wait.sample(rng))
                }) {
                    return wait.map(Next::Think);
                }
                self.position += 1;
                match self.fetch(number) {
                    Ok(fetch) => {
                        self.state = State::Waiting;
                        Some(Next::Fetch(Box::new(fetch)))
                    }
                    Err(failure) => {
                        let failure = self.redacted(failure);
                        self.unsent = Some(Box::new((number, failure)));
                        Some(self.over(Ending::Failed))
                    }
                }
            }
            Instruction::Finish => Some(self.over(Ending::Completed)),
            Instruction::Leave => Some(self.over(Ending::Abandoned)),
            _ => {
                self.position += 1;
                let journey = Arc::clone(&self.journey);
                self.control(&journey.program[position], rng)
            }
        }
    }

    fn over(&mut self, ending: Ending) -> Next {
        self.state = State::Over(ending);
        Next::Done(ending)
    }

    /// Judges the answer to the request under way, and takes values from it. An answer that nobody waits for is
    /// ignored.
    ///
    /// # Errors
    /// What the journey expected and did not get; [`next`](Self::next) says what becomes of the walk.
    pub fn answer(&mut self, answer: &Answer<'_>, rng: &mut dyn Rng) -> Result<(), Failure> {
        let Some(number) = self.waiting_for() else {
            return Ok(());
        };
        let journey = Arc::clone(&self.journey);
        let step = &journey.steps[number];
        let judged = judge(step, &self.values(), answer, rng);
        let marked = judged.and_then(|judged| {
            judged.values.into_iter().for_each(|(slot, value)| self.bind(slot, value));
            let markers = self.marks(step)?;
            self.state = State::Ready;
            if let Some(control) = &mut self.control {
                control.attempts = 0;
                control.base = judged.base;
                judged.flags.iter().for_each(|(flag, met)| control.set_flag(*flag, *met));
                control.keep(markers);
            }
            Ok(())
        });
        marked.map_err(|mut failure| {
            failure.is_tolerated = self.failed(step);
            self.redacted(failure)
        })
    }

    /// Whether the beginning of the body under way holds all that its step looks for in it, so that the rest would change
    /// nothing: see [`Fetch::until_found`].
    pub fn has_enough(&self, status: u16, body: &[u8]) -> bool {
        let step = self.waiting_for().map(|number| &self.journey.steps[number]);
        step.is_some_and(|step| is_enough(step, &self.values(), status, body))
    }

    /// The exchange under way failed, so that there is no answer.
    pub fn broken(&mut self) {
        if let Some(number) = self.waiting_for() {
            let journey = Arc::clone(&self.journey);
            self.failed(&journey.steps[number]);
        }
    }

    /// Whether the step under way failed before, and is tried again.
    pub fn is_tried_again(&self) -> bool {
        self.control.as_ref().is_some_and(|control| control.attempts > 0)
    }

    /// Why the walk failed without a request to blame: one could not be written from its values, or the journey itself
    /// says so; and the name under which that step's samples are counted, as an index into [`Journey::sample_names`].
    /// Given out once, after [`next`](Self::next) said that the walk is over.
    pub fn take_unsent(&mut self) -> Option<(usize, Failure)> {
        let (number, failure) = *self.unsent.take()?;
        Some((self.journey.steps.get(number).map_or(0, Step::first_name), failure))
    }

    /// The markers that were left since the last call.
    pub fn take_markers(&mut self) -> Vec<Marker> {
        self.control.as_mut().map(|control| std::mem::take(&mut control.markers)).unwrap_or_default()
    }

    /// The variables that have a value now, with it; a form has none to show. Secrets are hidden.
    pub fn shown_values(&self) -> Vec<(&str, String)> {
        let name = |slot: &u16| self.journey.names.get(usize::from(*slot)).map_or("?", |name| name);
        let shown = self.bound.iter().filter(|(slot, _)| !name(slot).starts_with(' '));
        shown
            .map(|(slot, value)| (name(slot), self.journey.secrets.redact(value.text().into_owned())))
            .collect()
    }

    /// `text` without the journey's secrets.
    pub fn redact(&self, text: String) -> String {
        self.journey.secrets.redact(text)
    }

    /// The journey that is walked.
    pub fn journey(&self) -> &Arc<Journey> {
        &self.journey
    }

    fn waiting_for(&self) -> Option<usize> {
        if self.state != State::Waiting {
            return None;
        }
        match self.journey.program.get(self.position.checked_sub(1)? as usize)? {
            Instruction::Fetch(number) => Some(*number),
            _ => None,
        }
    }

    fn values(&self) -> Values<'_> {
        Values { shopper: &self.shopper, bound: &self.bound, journey: &self.journey }
    }

    fn bind(&mut self, slot: u16, value: Value) {
        match self.bound.iter_mut().find(|(bound, _)| *bound == slot) {
            Some((_, bound)) => *bound = value,
            None => self.bound.push((slot, value)),
        }
    }

    fn redacted(&self, mut failure: Failure) -> Failure {
        failure.message = self.journey.secrets.redact(failure.message);
        failure
    }
}

#[cfg(test)]
pub(crate) mod tests;
