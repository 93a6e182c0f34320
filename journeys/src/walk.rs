//! One shopper's way through a journey, as a state machine without I/O.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rand_core::Rng;

use crate::failure::{Failure, quote};
use crate::journey::{Body, Choice, Instruction, Journey, Step};
use crate::judge::judge;
use crate::template::Values;
use crate::think::below;

/// The longest target once its values are in, in bytes.
const TARGET_BYTES_MAX: usize = 16 * 1_024;
/// The longest header value once its values are in, in bytes.
const HEADER_BYTES_MAX: usize = 16 * 1_024;
/// The longest body once its values are in, in bytes.
const BODY_BYTES_MAX: usize = 4 << 20;

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
    bound: Vec<(u16, Box<str>)>,
    /// The next instruction.
    position: u32,
    state: State,
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
}

/// A request to send.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// The index into [`Journey::steps`].
    pub step: usize,
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
    /// True when the page's assets are to be fetched: see [`assets::discover`](crate::assets::discover).
    pub assets: bool,
    /// Whether redirects are followed; the last answer is the one to judge.
    pub follow_redirects: bool,
    /// The step's own time limit.
    pub timeout: Option<Duration>,
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
    /// The body without content coding; empty when it was not wanted.
    pub body: &'a [u8],
    /// True when the body was longer than what the engine keeps of it.
    pub cut: bool,
}

impl Walk {
    /// At the beginning of `journey`.
    pub fn new(journey: Arc<Journey>, shopper: Shopper) -> Self {
        Self { journey, shopper, bound: Vec::new(), position: 0, state: State::Ready, unsent: None }
    }

    /// What to do next. The same draws from `rng` and the same answers give the same walk.
    ///
    /// Called while a request is under way, it takes that request as [`broken`](Self::broken).
    pub fn next(&mut self, rng: &mut dyn Rng) -> Next {
        loop {
            match self.state {
                State::Ready => {}
                State::Waiting => {
                    self.broken();
                    continue;
                }
                State::Over(ending) => return Next::Done(ending),
            }
            let Some(instruction) = self.journey.program.get(self.position as usize) else {
                self.state = State::Over(Ending::Completed);
                continue;
            };
            self.position += 1;
            match instruction {
                Instruction::Think(think) => return Next::Think(think.sample(rng)),
                Instruction::Draw(number) => {
                    let journey = Arc::clone(&self.journey);
                    self.draw(&journey.choices[*number], rng);
                }
                Instruction::Fetch(number) => {
                    let number = *number;
                    match self.fetch(number, &self.journey.steps[number]) {
                        Ok(fetch) => {
                            self.state = State::Waiting;
                            return Next::Fetch(Box::new(fetch));
                        }
                        Err(failure) => {
                            self.unsent = Some(Box::new((number, failure)));
                            self.state = State::Over(Ending::Failed);
                        }
                    }
                }
            }
        }
    }

    /// Judges the answer to the request under way, and takes values from it. An answer that nobody waits for is
    /// ignored.
    ///
    /// # Errors
    /// What the journey expected and did not get; the walk is over then.
    pub fn answer(&mut self, answer: &Answer<'_>, rng: &mut dyn Rng) -> Result<(), Failure> {
        let Some(step) = self.waiting_for(&self.journey) else {
            return Ok(());
        };
        match judge(step, &self.journey.file, &self.values(), answer, rng) {
            Ok(taken) => {
                self.state = State::Ready;
                taken.into_iter().for_each(|(slot, value)| self.bind(slot, value));
                Ok(())
            }
            Err(failure) => {
                self.state = State::Over(Ending::Failed);
                Err(failure)
            }
        }
    }

    /// The exchange under way failed, so that there is no answer: the walk is over.
    pub fn broken(&mut self) {
        if self.state == State::Waiting {
            self.state = State::Over(Ending::Failed);
        }
    }

    /// The step whose request could not be written from its values, and why. Given out once, after
    /// [`next`](Self::next) said that the walk failed without a request to blame.
    pub fn take_unsent(&mut self) -> Option<(usize, Failure)> {
        self.unsent.take().map(|unsent| *unsent)
    }

    /// The journey that is walked.
    pub fn journey(&self) -> &Arc<Journey> {
        &self.journey
    }

    fn waiting_for<'a>(&self, journey: &'a Journey) -> Option<&'a Step> {
        if self.state != State::Waiting {
            return None;
        }
        match journey.program.get(self.position.checked_sub(1)? as usize)? {
            Instruction::Fetch(number) => journey.steps.get(*number),
            Instruction::Draw(_) | Instruction::Think(_) => None,
        }
    }

    fn values(&self) -> Values<'_> {
        Values { shopper: &self.shopper, bound: &self.bound, names: &self.journey.names }
    }

    fn bind(&mut self, slot: u16, value: Box<str>) {
        match self.bound.iter_mut().find(|(bound, _)| *bound == slot) {
            Some((_, bound)) => *bound = value,
            None => self.bound.push((slot, value)),
        }
    }

    fn draw(&mut self, choice: &Choice, rng: &mut dyn Rng) {
        let number = below(choice.options.len() as u64, rng);
        let option = usize::try_from(number).ok().and_then(|number| choice.options.get(number));
        if let Some(option) = option {
            self.bind(choice.slot, option.clone());
        }
    }

    fn fetch(&self, number: usize, step: &Step) -> Result<Fetch, Failure> {
        let request = &step.request;
        Ok(Fetch {
            step: number,
            method: request.method.clone(),
            target: self.target(step)?,
            headers: self.headers(step)?,
            body: match &request.body {
                Body::None => None,
                Body::Fixed(bytes) => Some(bytes.clone()),
                Body::Filled(template) => {
                    let mut body = String::new();
                    template.fill(&self.values(), &mut body, "the body", BODY_BYTES_MAX)?;
                    Some(Bytes::from(body))
                }
            },
            wants_headers: step.wants_headers,
            wants_body: step.wants_body,
            assets: step.fetches_assets,
            follow_redirects: request.follow_redirects,
            timeout: request.timeout,
        })
    }

    fn target(&self, step: &Step) -> Result<Target, Failure> {
        if step.target().is_some() {
            return Ok(Target::Own);
        }
        let (target, query) = (&step.request.target, &step.request.query);
        let values = self.values();
        let mut out = String::new();
        target.fill(&values, &mut out, "the target", TARGET_BYTES_MAX)?;
        check_scheme(&out)?;
        if !query.is_empty() {
            out.push(if out.contains('?') { '&' } else { '?' });
            query.fill(&values, &mut out, "the target", TARGET_BYTES_MAX)?;
        }
        Ok(Target::Filled(out))
    }

    fn headers(&self, step: &Step) -> Result<Vec<(HeaderName, HeaderValue)>, Failure> {
        let mut headers = step.request.headers.fixed.clone();
        for (name, template) in &step.request.headers.filled {
            let value = template.filled(&self.values(), "the header", HEADER_BYTES_MAX)?;
            let value = HeaderValue::from_str(&value).map_err(|_| {
                Failure::new(format!("header {name} cannot have the value {}", quote(&value)))
            })?;
            headers.push((name.clone(), value));
        }
        Ok(headers)
    }
}

/// A link as extracted may be `javascript:` or `mailto:`, which nobody can fetch.
fn check_scheme(target: &str) -> Result<(), Failure> {
    let scheme = match target.split_once([':', '/', '?']) {
        Some((scheme, _)) if target[scheme.len()..].starts_with(':') => scheme,
        _ => return Ok(()),
    };
    if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") {
        return Ok(());
    }
    Err(Failure::new(format!("the link {} is neither http nor https", quote(target))))
}

#[cfg(test)]
pub(crate) mod tests;
