//! `choose`: variables drawn from lists.

use doorbuster_notation::{Fault, Node};

use super::Reader;
use crate::journey::{Choice, Instruction};

/// The most options of one choice.
const OPTIONS_MAX: usize = 10_000;

impl Reader {
    /// `{ word: [lamp, chair] }`: draws when the walk gets here, in the order of the text.
    pub(super) fn choose(&mut self, node: &Node) {
        let entries = node.map("variables with their options, such as { word: [lamp, chair] }");
        for (key, options) in self.faults.keep(entries).unwrap_or_default() {
            let slot = self.variable(&key.name, key.place);
            let options = self.faults.keep(read_options(options));
            if let (Some(slot), Some(options)) = (slot, options) {
                self.variables.set(slot, key.place.line);
                self.program.push(Instruction::Draw(self.choices.len()));
                self.choices.push(Choice { slot, options });
            }
        }
    }
}

fn read_options(node: &Node) -> Result<Vec<Box<str>>, Fault> {
    let expected = "a list of options, such as [lamp, chair]";
    let options = node.list(expected)?;
    if options.is_empty() {
        return Err(Fault::new(node.place, format!("found an empty list, expected {expected}")));
    }
    if options.len() > OPTIONS_MAX {
        let message = format!("found {} options, and at most {OPTIONS_MAX} are read", options.len());
        return Err(Fault::new(node.place, message));
    }
    options
        .iter()
        .map(|option| option.scalar("an option as text or number").map(String::into_boxed_str))
        .collect()
}
