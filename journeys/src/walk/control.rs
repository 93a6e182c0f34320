//! Where a walk goes: conditions, loops, alternatives, another try.

use rand_core::Rng;

use super::{Ending, MARKER_BYTES_MAX, Marker, Next, State, Walk};
use crate::extract::by_weight;
use crate::failure::{Failure, FailureKind};
use crate::journey::{Journey, Step};
use crate::program::{Condition, Instruction};
use crate::template::Template;
use crate::think::below;
use crate::value::Value;

/// The most markers of one walk that wait to be taken.
const MARKERS_MAX: usize = 1_000;
/// Probabilities count in these.
const BILLION: u64 = 1_000_000_000;

/// What a walk with control flow remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct Control {
    /// What answers said to conditions.
    flags: Vec<bool>,
    counters: Vec<u32>,
    /// Where failures go on, the innermost last.
    handlers: Vec<u32>,
    /// How often the step under way was tried again.
    pub(super) attempts: u32,
    /// A pause comes before the step is tried again.
    pub(super) waits: bool,
    pub(super) base: Option<Box<str>>,
    pub(super) markers: Vec<Marker>,
}

impl Control {
    /// What a walk through `journey` has to remember, if anything.
    pub(super) fn of(journey: &Journey) -> Option<Self> {
        let step_needs = |step: &Step| step.retry.is_some() || step.wants_base || !step.marks.is_empty();
        let tries = || journey.program.iter().any(|one| matches!(one, Instruction::Try(_)));
        let needs =
            journey.flags > 0 || journey.counters > 0 || journey.steps.iter().any(step_needs) || tries();
        needs.then(|| Self {
            flags: vec![false; usize::from(journey.flags)],
            counters: vec![0; usize::from(journey.counters)],
            ..Self::default()
        })
    }

    /// Keeps markers until they are taken, as far as there is room.
    pub(super) fn keep(&mut self, markers: Vec<Marker>) {
        let room = MARKERS_MAX.saturating_sub(self.markers.len());
        self.markers.extend(markers.into_iter().take(room));
    }

    pub(super) fn set_flag(&mut self, flag: u16, met: bool) {
        if let Some(kept) = self.flags.get_mut(usize::from(flag)) {
            *kept = met;
        }
    }
}

impl Walk {
    /// Carries out an instruction that sends nothing and takes no time.
    pub(super) fn control(&mut self, instruction: &Instruction, rng: &mut dyn Rng) -> Option<Next> {
        match instruction {
            Instruction::Draw(number) => self.draw(*number, rng),
            Instruction::Row(number) => return self.take_row(*number, rng),
            Instruction::Set(slot, template) => {
                match template.filled(&self.values(), "the variable", crate::scan::VALUE_BYTES_MAX) {
                    Ok(text) => {
                        let value = Value::Text(text.into());
                        self.bind(*slot, value);
                    }
                    Err(failure) => return Some(self.fail_here(failure)),
                }
            }
            Instruction::Jump(to) => self.go(*to),
            Instruction::Unless(condition, to) => match self.is_met(condition) {
                Ok(true) => {}
                Ok(false) => self.go(*to),
                Err(failure) => return Some(self.fail_here(failure)),
            },
            Instruction::Either(ways) => {
                let weights: Vec<u32> = ways.iter().map(|(weight, _)| *weight).collect();
                let total = weights.iter().copied().map(u64::from).sum();
                if let Some(way) = by_weight(&weights, below(total, rng)) {
                    self.go(ways[way].1);
                }
            }
            Instruction::Begin(..) | Instruction::Again(..) | Instruction::Each(..) => {
                self.loops(instruction, rng)
            }
            Instruction::Try(to) => {
                let to = u32::try_from(*to).unwrap_or(u32::MAX);
                if let Some(control) = &mut self.control {
                    control.handlers.push(to);
                }
            }
            Instruction::Tried => {
                if let Some(control) = &mut self.control {
                    control.handlers.pop();
                }
            }
            Instruction::Abandon(parts) => {
                if below(BILLION, rng) < u64::from(*parts) {
                    return Some(self.over(Ending::Abandoned));
                }
            }
            Instruction::Fail(template, line) => {
                let words = match template.filled(&self.values(), "the message", MARKER_BYTES_MAX) {
                    Ok(words) => {
                        let message = format!("{words} ({}:{line})", self.journey.file);
                        Failure { kind: FailureKind::Said, ..Failure::new(message) }
                    }
                    Err(failure) => failure,
                };
                return Some(self.fail_here(words));
            }
            Instruction::Forget(flags) => {
                if let Some(control) = &mut self.control {
                    flags.iter().for_each(|flag| control.set_flag(*flag, false));
                }
            }
            Instruction::Fetch(_) | Instruction::Think(_) | Instruction::Finish | Instruction::Leave => {}
        }
        None
    }

    /// Carries out an instruction of a loop.
    fn loops(&mut self, instruction: &Instruction, rng: &mut dyn Rng) {
        match instruction {
            Instruction::Begin(counter, (least, most)) => {
                let span = u64::from(most.saturating_sub(*least)) + 1;
                let extra = if span > 1 { u32::try_from(below(span, rng)).unwrap_or(0) } else { 0 };
                self.set_counter(*counter, least + extra);
            }
            Instruction::Again(counter, to) => {
                let left = self.counter(*counter).saturating_sub(1);
                self.set_counter(*counter, left);
                if left > 0 {
                    self.go(*to);
                }
            }
            Instruction::Each(counter, list, item, to) => {
                let number = self.counter(*counter);
                let list = self.values().value(*list);
                match list.and_then(|list| list.items().get(number as usize)).cloned() {
                    Some(value) => {
                        self.bind(*item, Value::Text(value));
                        self.set_counter(*counter, number + 1);
                    }
                    None => {
                        self.set_counter(*counter, 0);
                        self.go(*to);
                    }
                }
            }
            _ => {}
        }
    }

    fn go(&mut self, to: usize) {
        self.position = u32::try_from(to).unwrap_or(u32::MAX);
    }

    fn is_met(&self, condition: &Condition) -> Result<bool, Failure> {
        let flags = self.control.as_ref().map(|control| control.flags.as_slice()).unwrap_or_default();
        condition.is_met(flags, &self.values())
    }

    fn counter(&self, number: u16) -> u32 {
        let counters = self.control.as_ref().map(|control| &control.counters);
        counters.and_then(|counters| counters.get(usize::from(number))).copied().unwrap_or(0)
    }

    fn set_counter(&mut self, number: u16, count: u32) {
        if let Some(kept) =
            self.control.as_mut().and_then(|control| control.counters.get_mut(usize::from(number)))
        {
            *kept = count;
        }
    }

    /// The journey itself failed, between two requests: the last one sent is to blame.
    fn fail_here(&mut self, failure: Failure) -> Next {
        if self.go_on_elsewhere() {
            self.state = State::Ready;
            return Next::Think(std::time::Duration::ZERO);
        }
        let sent = self.journey.program[..self.position as usize].iter().rev();
        let step = sent.filter_map(|one| match one {
            Instruction::Fetch(number) => Some(*number),
            _ => None,
        });
        let step = step.take(1).next().unwrap_or(0);
        let failure = self.redacted(failure);
        self.unsent = Some(Box::new((step, failure)));
        self.over(Ending::Failed)
    }

    /// The step under way failed: what comes next. True when the walk goes on elsewhere.
    pub(super) fn failed(&mut self, step: &Step) -> bool {
        if let (Some(retry), Some(control)) = (&step.retry, &mut self.control)
            && control.attempts < retry.times
        {
            control.attempts += 1;
            control.waits = true;
            self.position -= 1;
            self.state = State::Ready;
            return false;
        }
        if self.go_on_elsewhere() {
            self.state = State::Ready;
            return true;
        }
        self.state = State::Over(Ending::Failed);
        false
    }

    fn go_on_elsewhere(&mut self) -> bool {
        let Some(control) = &mut self.control else { return false };
        control.attempts = 0;
        let Some(handler) = control.handlers.pop() else { return false };
        self.position = handler;
        true
    }

    /// The markers of a step that was answered as expected; secrets are hidden.
    pub(super) fn marks(&self, step: &Step) -> Result<Vec<Marker>, Failure> {
        let mark = |(name, template): &(Box<str>, Template)| {
            let value = template.filled(&self.values(), "the marker", MARKER_BYTES_MAX)?.into_owned();
            Ok(Marker { name: name.clone(), value: self.redact(value) })
        };
        step.marks.iter().map(mark).collect()
    }
}
