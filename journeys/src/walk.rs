//! One shopper's way through a journey, as a state machine without I/O.

mod control;
mod draw;
mod request;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rand_core::Rng;

use url::Url;

use crate::charset::ContentType;
use crate::enough::is_enough;
use crate::failure::Failure;
use crate::journey::{Journey, Step};
use crate::judge::judge;
use crate::program::Instruction;
use crate::template::Values;
use crate::value::Value;
use control::Control;

/// The most instructions between two requests or pauses: loops in which nothing happens end there.
const MOVES_MAX: u32 = 1_000_000;
/// The longest value of a marker, in bytes.
const MARKER_BYTES_MAX: usize = 1_024;

/// Who walks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shopper {
    /// The shopper's number, unique within the run: what `${shopper.number}` and names made from it show.
    pub number: u64,
    /// The run's id: `${run.id}`.
    pub run: Arc<str>,
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

/// What the engine is to do next.
#[derive(Clone, Debug)]
pub enum Next {
    /// Send a request, then call [`Walk::answer`] or [`Walk::broken`]. (Boxed, since it is handed on and on.)
    Fetch(Box<Fetch>),
    /// Wait so long.
    Think(Duration),
    /// The walk is over.
    Done(Ending),
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

/// A request to send.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// The index into [`Journey::steps`].
    pub step: usize,
    /// What its samples are counted as: an index into [`Journey::sample_names`].
    pub name: usize,
    /// The method.
    pub method: Method,
    /// Where to.
    pub target: Target,
    /// The step's own headers, `Content-Type` of a form or JSON body included.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Option<Bytes>,
    /// True when [`Answer::headers`] will be looked at.
    pub wants_headers: bool,
    /// True when [`Answer::body`] will be looked at.
    pub wants_body: bool,
    /// True when the page's assets are to be fetched: see [`assets`](crate::assets).
    pub assets: bool,
    /// Whether those assets go through the shopper's cache.
    pub cache: bool,
    /// Whether redirects are followed; the last answer is the one to judge.
    pub follow_redirects: bool,
    /// The step's own time limit.
    pub timeout: Option<Duration>,
    /// True when [`Answer::cookies`] will be looked at.
    pub wants_cookies: bool,
    /// Whether the body is read only until [`Walk::has_enough`].
    pub until_found: bool,
    /// Whether the request says which page it comes from (`Referer`).
    pub referer: bool,
    /// Whether it says so with `Origin`, too.
    pub origin: bool,
    /// What the target is relative to, itself relative to the address of the answer before: `<base href>`.
    pub base: Option<Box<str>>,
}

impl Fetch {
    /// Where a request of a walk through `journey` goes.
    pub fn target<'a>(&'a self, journey: &'a Journey) -> &'a str {
        match &self.target {
            Target::Own => journey.steps.get(self.step).and_then(Step::target).unwrap_or(""),
            Target::Filled(target) => target,
        }
    }
}

/// Where a request goes: a path (`/cart?a=b`), an absolute http or https URL, or a reference (`?page=2`,
/// `lamp.html`) relative to the address of the answer before. ASCII without blanks and without fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The step's own, [`Step::target`], which is the same in every walk.
    Own,
    /// Written from values.
    Filled(String),
}

/// An answer to judge.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The status code.
    pub status: u16,
    /// The headers; empty when they were not wanted.
    pub headers: &'a HeaderMap,
    /// How its body is to be read: the Content-Type.
    pub content_type: ContentType,
    /// Where it came from, after redirects.
    pub url: &'a Url,
    /// The redirects that led there.
    pub hops: &'a [Hop],
    /// The value of the Cookie header that would now be sent to `url`; empty when it was not wanted.
    pub cookies: &'a str,
    /// The body without content coding; empty when it was not wanted.
    pub body: &'a [u8],
    /// True when the body was longer than what the engine keeps of it.
    pub cut: bool,
}

/// A redirect that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Its status.
    pub status: u16,
    /// Its Location, as it was sent.
    pub location: String,
}

/// What a journey leaves for later audits: an order's number for example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// Its name in the journey.
    pub name: Box<str>,
    /// Its value, at most 1,024 bytes.
    pub value: String,
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

    /// What a step's samples are counted as, by its index among [`Journey::sample_names`], whose request could not be
    /// written from its values, or in which the journey itself says that it
    /// failed, and why. Given out once, after [`next`](Self::next) said that the walk failed without a request to
    /// blame.
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
