//! Entries of `steps` that are no requests: pauses, loops, alternatives, ends.

use doorbuster_notation::{Fault, Fields, Kind, Node, parse_share};

use super::{Reader, is_name, until_found};
use crate::program::{Condition, Instruction, ValueTest};

/// The most rounds of a loop.
const ROUNDS_MAX: u32 = 10_000;
/// The most loops within loops.
const DEPTH_MAX: usize = 20;
/// The entries that are no requests, by the key that tells them.
const KINDS: [&str; 7] = ["repeat", "for_each", "either", "try", "set", "fail", "finish"];

impl Reader {
    /// One entry of `steps`.
    pub(super) fn entry(&mut self, node: &Node) {
        let fields = Fields::of(node, "a step");
        let Some(mut fields) = self.faults.keep(fields) else {
            return;
        };
        let guards =
            [("when", false), ("unless", true)].map(|(key, negated)| (fields.optional(key), negated));
        let guards: Vec<_> =
            guards.into_iter().filter_map(|(node, negated)| Some((node?, negated))).collect();
        let first_step = self.steps.len();
        let forget = self.program.len();
        if !guards.is_empty() {
            self.program.push(Instruction::Forget(Box::default()));
        }
        let mut jumps = Vec::new();
        for (node, negated) in guards {
            if let Some(condition) = self.condition(node, negated) {
                jumps.push(self.program.len());
                self.program.push(Instruction::Unless(Box::new(condition), 0));
            }
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            self.faults.add(
                node.place,
                format!("steps stand within each other over {DEPTH_MAX} times; flatten them"),
            );
        } else {
            self.unguarded(node, fields);
        }
        self.depth -= 1;
        let end = self.program.len();
        for jump in &jumps {
            if let Instruction::Unless(_, to) = &mut self.program[*jump] {
                *to = end;
            }
        }
        if !jumps.is_empty() {
            self.forgets.push((forget, first_step..self.steps.len()));
        }
    }

    fn unguarded(&mut self, node: &Node, mut fields: Fields<'_>) {
        let found = KINDS.iter().find_map(|kind| fields.entry(kind));
        let Some((key, value)) = found else {
            return self.step(node, fields);
        };
        match key.name.as_str() {
            "repeat" => self.repeat(value, &mut fields),
            "for_each" => self.for_each(value, &mut fields),
            "either" => self.either(value),
            "try" => self.alternatives(value),
            "set" => self.set(value),
            "fail" => {
                if let Some(words) = self.verbatim(value, "what is to be told, as text") {
                    self.program.push(Instruction::Fail(words, value.place.line));
                }
            }
            _ => {
                let finish = match &value.kind {
                    Kind::Text(text) if text == "completed" => Ok(Instruction::Finish),
                    Kind::Text(text) if text == "abandoned" => Ok(Instruction::Leave),
                    _ => Err(value.expected("completed or abandoned")),
                };
                self.program.extend(self.faults.keep(finish));
            }
        }
        fields.finish(&mut self.faults);
    }

    /// The steps of a block.
    fn block(&mut self, node: Option<Result<&Node, Fault>>) {
        let steps = node.map(|node| node.and_then(|node| node.list("a list of steps")));
        for step in steps.and_then(|steps| self.faults.keep(steps)).unwrap_or_default() {
            self.entry(step);
        }
    }

    /// The steps of a loop of at most so many rounds.
    fn repeated(&mut self, rounds: u64, fields: &mut Fields<'_>) {
        let around = self.rounds;
        self.rounds = around.saturating_mul(rounds);
        self.block(Some(fields.required("steps")));
        self.rounds = around;
    }

    fn counter(&mut self) -> u16 {
        self.counters = self.counters.saturating_add(1);
        self.counters - 1
    }

    /// `{ repeat: 3..8, until: …, steps: […] }`
    fn repeat(&mut self, times: &Node, fields: &mut Fields<'_>) {
        let times = self.faults.keep(rounds(times)).unwrap_or((1, 1));
        let counter = self.counter();
        self.program.push(Instruction::Begin(counter, times));
        let begin = self.program.len();
        self.last_step = None;
        self.repeated(u64::from(times.1), fields);
        let until = fields.optional("until").and_then(|node| self.condition(node, true));
        let jump = until.map(|condition| {
            self.program.push(Instruction::Unless(Box::new(condition), 0));
            self.program.len() - 1
        });
        self.program.push(Instruction::Again(counter, begin));
        let end = self.program.len();
        if let Some(Instruction::Unless(_, to)) = jump.and_then(|jump| self.program.get_mut(jump)) {
            *to = end;
        }
    }

    /// `{ for_each: { item: items }, steps: […] }`
    fn for_each(&mut self, node: &Node, fields: &mut Fields<'_>) {
        let expected = "a variable with the list that it goes through, such as { item: items }";
        let pair = match node.map(expected) {
            Ok([(key, list)]) => list.scalar(expected).map(|list| (key, list, node)),
            Ok(_) => Err(node.expected(expected)),
            Err(fault) => Err(fault),
        };
        let Some((key, list, node)) = self.faults.keep(pair) else {
            return self.block(Some(fields.required("steps")));
        };
        let (item, list) = (self.variable(&key.name, key.place), self.used(&list, node.place));
        if let Some(item) = item {
            self.variables.set(item, key.place.line);
        }
        let counter = self.counter();
        // From the beginning each time, also where it was left in the middle before.
        self.program.push(Instruction::Begin(counter, (0, 0)));
        let begin = self.program.len();
        if let (Some(item), Some(list)) = (item, list) {
            self.program.push(Instruction::Each(counter, list, item, 0));
        }
        self.last_step = None;
        self.repeated(u64::from(ROUNDS_MAX), fields);
        self.program.push(Instruction::Jump(begin));
        let end = self.program.len();
        if let Some(Instruction::Each(.., to)) = self.program.get_mut(begin) {
            *to = end;
        }
    }

    /// `either: [{ weight: 70, steps: […] }, …]`
    fn either(&mut self, node: &Node) {
        let ways = self.faults.keep(node.list("a list of { weight: 70, steps: [...] }")).unwrap_or_default();
        let at = self.program.len();
        self.program.push(Instruction::Either(Box::default()));
        let before = self.last_step;
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        for way in ways {
            let fields = Fields::of(way, "a branch");
            let Some(mut fields) = self.faults.keep(fields) else { continue };
            let weight = fields.optional("weight").map_or(Ok(1), |node| node.integer(0, 1_000_000));
            let weight = self.faults.keep(weight).and_then(|weight| u32::try_from(weight).ok()).unwrap_or(0);
            starts.push((weight, self.program.len()));
            self.last_step = before;
            self.block(Some(fields.required("steps")));
            fields.finish(&mut self.faults);
            ends.push(self.program.len());
            self.program.push(Instruction::Jump(0));
        }
        if starts.iter().all(|(weight, _)| *weight == 0) {
            self.faults.add(node.place, "found no branch with a weight above 0, expected at least one");
        }
        self.program[at] = Instruction::Either(starts.into());
        self.join(&ends);
        self.last_step = None;
    }

    /// `try: [{ steps: […] }, …]`: the next one where one fails.
    fn alternatives(&mut self, node: &Node) {
        let ways = self.faults.keep(node.list("a list of { steps: [...] }")).unwrap_or_default();
        if ways.is_empty() {
            self.faults
                .add(node.place, "found an empty list, expected alternatives such as [{ steps: [...] }]");
        }
        let before = self.last_step;
        let mut ends = Vec::new();
        for (number, way) in ways.iter().enumerate() {
            let fields = Fields::of(way, "an alternative");
            let Some(mut fields) = self.faults.keep(fields) else { continue };
            let at = self.program.len();
            let is_last = number + 1 == ways.len();
            if !is_last {
                self.program.push(Instruction::Try(0));
            }
            self.last_step = before;
            self.block(Some(fields.required("steps")));
            fields.finish(&mut self.faults);
            if !is_last {
                self.program.push(Instruction::Tried);
                ends.push(self.program.len());
                self.program.push(Instruction::Jump(0));
                self.program[at] = Instruction::Try(self.program.len());
            }
        }
        self.join(&ends);
        self.last_step = None;
    }

    /// Lets these jumps lead here.
    fn join(&mut self, jumps: &[usize]) {
        let here = self.program.len();
        jumps.iter().for_each(|jump| self.program[*jump] = Instruction::Jump(here));
    }

    /// `{ set: { total: "${a}-${b}" } }`
    fn set(&mut self, node: &Node) {
        let entries = node.map("variables with their texts, such as { name: \"${first} ${last}\" }");
        for (key, value) in self.faults.keep(entries).unwrap_or_default() {
            let text = self.verbatim(value, "a text");
            let slot = self.variable(&key.name, key.place);
            if let (Some(slot), Some(text)) = (slot, text) {
                self.variables.set(slot, key.place.line);
                self.program.push(Instruction::Set(slot, text));
            }
        }
    }

    /// `when`, `unless` or `until`.
    pub(super) fn condition(&mut self, node: &Node, negated: bool) -> Option<Condition> {
        let fields = Fields::of(node, "a condition");
        let mut fields = self.faults.keep(fields)?;
        let mut condition = Condition { negated, ..Condition::default() };
        if let Some(node) = fields.optional("value") {
            let entries = node.map("variables with what they must be, such as { stock: { above: 0 } }");
            for (key, value) in self.faults.keep(entries).unwrap_or_default() {
                let slot = self.used(&key.name, key.place);
                let test = match &value.kind {
                    Kind::Bool(set) => Some(ValueTest::Set(*set)),
                    _ => self.check(value).map(ValueTest::Passes),
                };
                condition
                    .values
                    .extend(slot.zip(test).map(|(slot, test)| (slot, key.name.as_str().into(), test)));
            }
        }
        let asked = self.asked(&mut fields);
        let known = self.faults.faults.len();
        fields.finish(&mut self.faults);
        if !asked.is_empty() {
            let step = self.last_step.and_then(|step| self.steps.get_mut(step));
            match step {
                Some(step) => {
                    if step.until_found && asked.wants_body() {
                        self.faults.add(node.place, until_found::too_late(&step.name, "this"));
                    }
                    condition.flag = Some(self.flags);
                    step.wants_body |= asked.wants_body();
                    step.wants_headers |= asked.wants_headers();
                    step.conditions.push((self.flags, asked));
                    self.flags = self.flags.saturating_add(1);
                }
                None => self.faults.add(
                    node.place,
                    "there is no one step before it whose answer this could ask about; extract a value and ask for that: value: { name: true }",
                ),
            }
        } else if condition.values.is_empty() && self.faults.faults.len() == known {
            self.faults.add(
                node.place,
                "a condition needs something to ask, such as { css: a.next } or { value: { name: true } }",
            );
        }
        Some(condition)
    }

    /// `abandon: 5%`
    pub(super) fn abandon(&mut self, node: &Node) -> Option<u32> {
        let share = node.parse_with("a share such as 5%", parse_share);
        let share = self.faults.keep(share)?;
        u32::try_from(share.parts_per_billion).ok()
    }

    /// The variable that is read under this name.
    pub(super) fn used(&mut self, name: &str, place: doorbuster_notation::Place) -> Option<u16> {
        if !is_name(name, "_.-") {
            self.faults.add(place, format!("found \"{name}\", expected a variable's name without ${{ }}"));
            return None;
        }
        match self.source(name, place)? {
            crate::template::Source::Slot(slot) => Some(slot),
            _ => {
                self.faults
                    .add(place, format!("\"{name}\" is always there; ask for a variable that may differ"));
                None
            }
        }
    }
}

/// `3`, or `3..8`.
fn rounds(node: &Node) -> Result<(u32, u32), Fault> {
    let expected = format!("a number of rounds from 1 to {ROUNDS_MAX}, or two such as 3..8");
    let text = node.scalar(&expected)?;
    let number =
        |text: &str| text.trim().parse::<u32>().ok().filter(|number| (1..=ROUNDS_MAX).contains(number));
    let bounds = match text.split_once("..") {
        Some((least, most)) => number(least).zip(number(most)).filter(|(least, most)| least <= most),
        None => number(&text).map(|times| (times, times)),
    };
    bounds.ok_or_else(|| node.expected(&expected))
}
