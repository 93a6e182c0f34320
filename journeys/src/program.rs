//! A journey as a list of instructions, with places to jump to.

use crate::check::{Check, Found, Subject, Unmet};
use crate::failure::Failure;
use crate::template::{Template, Values};
use crate::think::Think;

/// One move of a walk. Places are positions in the program.
#[derive(Clone, Debug)]
pub(crate) enum Instruction {
    /// Sets a variable by drawing from the choice of this number.
    Draw(usize),
    /// Sets the variables that stand for columns of this table.
    Row(usize),
    /// Sets a variable to a text.
    Set(u16, Template),
    /// Sends the request of the step of this number.
    Fetch(usize),
    /// Waits.
    Think(Think),
    /// Goes on elsewhere.
    Jump(usize),
    /// Goes on elsewhere unless the condition is met.
    Unless(Box<Condition>, usize),
    /// Goes on at one of these places, by weight.
    Either(Box<[(u32, usize)]>),
    /// Begins to count to a number between these two, both included, in the counter of this number.
    Begin(u16, (u32, u32)),
    /// Goes back as long as the counter has not run out.
    Again(u16, usize),
    /// Takes the next item of a list into a variable, or goes on elsewhere when there is none: counter, list, item.
    Each(u16, u16, u16, usize),
    /// From here on, a failure goes on elsewhere.
    Try(usize),
    /// The attempt since the last `Try` succeeded.
    Tried,
    /// Leaves with this probability, in parts per billion.
    Abandon(u32),
    /// The journey is over, as if by its last step.
    Finish,
    /// The shopper leaves.
    Leave,
    /// The journey fails with these words, said in this line.
    Fail(Template, u64),
    /// What was said of the answer to a step, which may now be skipped, holds no more: its flags.
    Forget(Box<[u16]>),
}

/// What `when`, `unless` and `until` ask.
#[derive(Clone, Debug, Default)]
pub(crate) struct Condition {
    /// Set by the step whose answer is asked about.
    pub(crate) flag: Option<u16>,
    /// Variables and what they must be like.
    pub(crate) values: Vec<(u16, Box<str>, ValueTest)>,
    /// Met when the rest is not.
    pub(crate) negated: bool,
}

/// What a variable must be like.
#[derive(Clone, Debug)]
pub(crate) enum ValueTest {
    /// It has a value that is not empty (`true`), or has none.
    Set(bool),
    /// It passes a check.
    Passes(Check),
}

impl Condition {
    /// Whether it is met, given the flags of answers.
    ///
    /// # Errors
    /// A failure when something to compare with has no value.
    pub(crate) fn is_met(&self, flags: &[bool], values: &Values<'_>) -> Result<bool, Failure> {
        let flag = self.flag.is_none_or(|flag| flags.get(usize::from(flag)).copied().unwrap_or(false));
        let mut met = flag;
        for (slot, name, test) in &self.values {
            if !met {
                break;
            }
            met = test.passes(*slot, name, values)?;
        }
        Ok(met != self.negated)
    }
}

impl ValueTest {
    fn passes(&self, slot: u16, name: &str, values: &Values<'_>) -> Result<bool, Failure> {
        let items = values.value(slot).map(|value| value.items()).unwrap_or_default();
        let texts: Vec<String> = items.iter().map(|item| item.to_string()).collect();
        match self {
            Self::Set(wanted) => {
                let form = matches!(values.value(slot), Some(crate::value::Value::Form(_)));
                Ok((form || texts.iter().any(|text| !text.is_empty())) == *wanted)
            }
            Self::Passes(check) => {
                let subject = Subject { name, found: Found::Texts(&texts), count: texts.len() };
                match check.judge(&subject, values) {
                    Ok(()) => Ok(true),
                    Err(Unmet::Because(_)) => Ok(false),
                    Err(Unmet::Cannot(failure)) => Err(failure),
                }
            }
        }
    }
}
