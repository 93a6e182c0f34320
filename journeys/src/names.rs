//! Under which names the samples of a journey are counted.
//!
//! A step's name may hold one variable, whose values are known before anything is sent: options of `choose`, or a column
//! of `data`. So all names are known and counted beforehand, thresholds can ask about each, and no answer can make more.

use std::collections::{HashMap, HashSet};

use doorbuster_notation::{Faults, Place};

use crate::data::Table;
use crate::failure::{Failure, quote};
use crate::format::{STEPS_MAX, is_name};
use crate::journey::{Choice, Draw, Step};
use crate::program::Instruction;
use crate::template::Values;

/// The most names of one step.
const NAMES_MAX: usize = 100;
/// What a step's name may hold beside letters and digits.
pub(crate) const NAME_SIGNS: &str = "_.:-";

/// The name of a step, and what its samples are counted as.
#[derive(Clone, Debug)]
pub(crate) struct StepName {
    /// The variable in it.
    varies: Option<Varies>,
    /// Where this step's names begin among the journey's.
    first: usize,
}

/// A name with a variable.
#[derive(Clone, Debug)]
pub(crate) struct Varies {
    pub(crate) slot: u16,
    pub(crate) place: Place,
    /// What stands before and behind the variable.
    pub(crate) around: [Box<str>; 2],
    /// The position of each value's name among this step's.
    positions: HashMap<Box<str>, usize>,
}

impl Varies {
    /// A name of which no value is known yet.
    pub(crate) fn new(slot: u16, place: Place, around: [Box<str>; 2]) -> Self {
        Self { slot, place, around, positions: HashMap::new() }
    }

    /// The names by the values that the variable can have.
    fn names<'v>(&mut self, values: impl Iterator<Item = &'v str>) -> Result<Vec<String>, String> {
        let [before, behind] = &self.around;
        let (mut names, mut of) = (Vec::new(), HashMap::new());
        self.positions.clear();
        for value in values {
            if self.positions.contains_key(value) {
                continue;
            }
            let plain = value.replace(|character| !is_name(&String::from(character), NAME_SIGNS), "-");
            let name = format!("{before}{plain}{behind}");
            if !is_name(&name, NAME_SIGNS) {
                return Err(format!("{} makes no name of at most 100 characters", quote(value)));
            }
            if let Some(other) = of.insert(name.clone(), value) {
                return Err(format!(
                    "{} and {} would both be counted as \"{name}\"; tell them apart by letters or digits",
                    quote(other),
                    quote(value)
                ));
            }
            if names.len() == NAMES_MAX {
                return Err(format!("it has over {NAMES_MAX} values, and so many names nobody can read"));
            }
            self.positions.insert(value.into(), names.len());
            names.push(name);
        }
        Ok(names)
    }
}

impl StepName {
    /// A name, fixed unless it varies.
    pub(crate) fn new(varies: Option<Varies>) -> Self {
        Self { varies, first: 0 }
    }

    /// Whether it varies by the variable of this number.
    pub(crate) fn varies_by(&self, slot: u16) -> bool {
        self.varies.as_ref().is_some_and(|varies| varies.slot == slot)
    }

    /// The first of the step's names: a position among the journey's.
    pub(crate) fn first(&self) -> usize {
        self.first
    }

    /// The one that a sample has when the variables have these values.
    pub(crate) fn of(&self, values: &Values<'_>) -> Result<usize, Failure> {
        let Some(varies) = &self.varies else { return Ok(self.first) };
        let value = values.value(varies.slot).map(|value| value.text().into_owned());
        let known = value.as_ref().and_then(|value| varies.positions.get(value.as_str()));
        known.map(|position| self.first + position).ok_or_else(|| {
            let found = value.map_or("nothing".to_owned(), |value| quote(&value));
            Failure::new(format!(
                "the step's name holds a variable whose value is {found}, which is no option of it"
            ))
        })
    }
}

/// All names of the samples; each step is told where its own begin. Columns name none before tables have their rows.
pub(crate) fn name_all(
    steps: &mut [Step],
    program: &[Instruction],
    choices: &[Choice],
    tables: &[Table],
    faults: &mut Faults,
) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let unknown = unknown_beforehand(steps, program, choices);
    for step in steps.iter_mut() {
        step.counted.first = all.len();
        let Some(varies) = &mut step.counted.varies else {
            all.push(step.name.clone());
            continue;
        };
        let (slot, place) = (varies.slot, varies.place);
        if unknown.contains(&slot) {
            let message = format!(
                "\"{}\" cannot name samples: its variable has values that are known only during the run; use one that choose draws from a list, or a column of data",
                step.name
            );
            faults.add(place, message);
            continue;
        }
        let chosen = choices.iter().filter(|choice| choice.slot == slot);
        let chosen = chosen.flat_map(|choice| match &choice.from {
            Draw::Options(options) | Draw::Weighted(options, _) => &options[..],
            Draw::Generated(_) => &[],
        });
        let columns = tables.iter().flat_map(|table| table.values(slot));
        match varies.names(chosen.chain(columns).map(|value| &**value)) {
            Ok(names) => all.extend(names),
            Err(why) => faults.add(place, format!("\"{}\" cannot name samples: {why}", step.name)),
        }
    }
    tell_shared(&all, steps, faults);
    // That there are too many steps was told of them.
    if all.len() > STEPS_MAX && steps.len() <= STEPS_MAX {
        faults.add(Place::default(), format!("its steps have over {STEPS_MAX} names; split the journey"));
    }
    all
}

/// Tells which names several steps have; those of steps that are called the same were told by their steps' names.
fn tell_shared(names: &[String], steps: &[Step], faults: &mut Faults) {
    // The steps' names, variables and all, by those that they give.
    let mut known: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut steps = steps.iter().peekable();
    let mut step = None;
    for (number, name) in names.iter().enumerate() {
        while let Some(next) = steps.next_if(|next| next.counted.first <= number) {
            step = Some(next);
        }
        let Some(step) = step else { continue };
        let others = known.entry(name.as_str()).or_default();
        if others.contains(&step.name.as_str()) {
            continue;
        }
        if !others.is_empty() {
            let message = format!("two steps would be counted as \"{name}\"; rename one");
            let place = step.counted.varies.as_ref().map_or_else(Place::default, |varies| varies.place);
            faults.add(place, message);
        }
        others.push(&step.name);
    }
}

/// The variables that something else than a list of options or a table sets.
fn unknown_beforehand(steps: &[Step], program: &[Instruction], choices: &[Choice]) -> HashSet<u16> {
    let extracted = steps.iter().flat_map(|step| step.extracts.iter().map(|extract| extract.slot));
    let set = program.iter().filter_map(|instruction| match instruction {
        Instruction::Set(slot, _) | Instruction::Each(_, _, slot, _) => Some(*slot),
        _ => None,
    });
    let made_up = choices.iter().filter(|choice| matches!(choice.from, Draw::Generated(_)));
    extracted.chain(set).chain(made_up.map(|choice| choice.slot)).collect()
}
