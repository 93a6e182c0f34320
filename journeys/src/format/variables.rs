//! The variables of a journey: each has a number, and none is used before it is set.

use std::collections::{HashMap, HashSet};

use doorbuster_notation::{Faults, Place, did_you_mean};

use super::{NAME_CHARS_MAX, Reader, is_name};
use crate::template::{SOURCES, Source};

/// The most variables of a journey.
const VARIABLES_MAX: u16 = 1_000;

/// The variables known so far.
#[derive(Default)]
pub(super) struct Variables {
    names: Vec<Box<str>>,
    slots: HashMap<Box<str>, u16>,
    /// The line in which each variable is first set, by number.
    set_in_line: Vec<Option<u64>>,
    /// Uses of variables that had not been set before them.
    early: Vec<(Place, u16)>,
    /// Those that are read somewhere.
    used: HashSet<u16>,
    /// Whether something is read that holds the shopper's marker.
    pub(super) uses_mark: bool,
}

impl Variables {
    fn slot(&mut self, name: &str) -> Option<u16> {
        if let Some(slot) = self.slots.get(name) {
            return Some(*slot);
        }
        let slot = u16::try_from(self.names.len()).ok().filter(|slot| *slot < VARIABLES_MAX)?;
        self.names.push(name.into());
        self.slots.insert(name.into(), slot);
        self.set_in_line.push(None);
        Some(slot)
    }

    /// Notes that from here on the variable has a value.
    pub(super) fn set(&mut self, slot: u16, line: u64) {
        if let Some(first) = self.set_in_line.get_mut(usize::from(slot)) {
            first.get_or_insert(line);
        }
    }

    /// The number of a variable that is known by this name.
    pub(super) fn number(&self, name: &str) -> Option<u16> {
        self.slots.get(name).copied()
    }

    /// The variables that are set and never read, with the line of each.
    pub(super) fn unused(&self) -> Vec<(Box<str>, u64)> {
        let all = (0_u16..).zip(self.names.iter().zip(&self.set_in_line));
        let unused = all.filter(|(slot, (name, _))| !self.used.contains(slot) && !name.starts_with(' '));
        unused.filter_map(|(_, (name, line))| Some((name.clone(), (*line)?))).collect()
    }

    fn is_set(&self, slot: u16) -> bool {
        self.set_in_line.get(usize::from(slot)).is_some_and(Option::is_some)
    }

    /// The names by number; variables that are used before or without being set are faults.
    pub(super) fn finish(self, faults: &mut Faults) -> Vec<Box<str>> {
        let name_of = |slot: u16| self.names.get(usize::from(slot)).map_or("", |name| name);
        let set = (0..VARIABLES_MAX).take(self.names.len()).filter(|slot| self.is_set(*slot)).map(name_of);
        let known: Vec<&str> = set.chain(SOURCES.map(|(name, _)| name)).collect();
        for (place, slot) in &self.early {
            let name = name_of(*slot);
            let set_in_line = self.set_in_line.get(usize::from(*slot)).copied().flatten();
            let message = set_in_line.map_or_else(
                || {
                    let near = did_you_mean(name, known.iter().copied());
                    format!("\"{name}\" is never set; extract it in an earlier step or choose it{near}")
                },
                |line| {
                    format!("\"{name}\" is used before it is set in line {line}; set it in an earlier step")
                },
            );
            faults.add(*place, message);
        }
        self.names
    }
}

impl Reader {
    /// The variable that `extract` or `choose` sets under this name. It counts as set only once
    /// [`Variables::set`] says so.
    pub(super) fn variable(&mut self, name: &str, place: Place) -> Option<u16> {
        if !is_name(name, "_.-") {
            let message = format!(
                "found the variable \"{name}\", expected 1 to {NAME_CHARS_MAX} letters, digits or any of _ . -"
            );
            self.faults.add(place, message);
            return None;
        }
        if ["shopper.", "run.", "env."].iter().any(|begin| name.starts_with(begin)) {
            let message = format!(
                "\"{name}\" cannot be set: names that begin with shopper., run. or env. are built in"
            );
            self.faults.add(place, message);
            return None;
        }
        if self.table(name).is_some() {
            self.faults.add(place, format!("\"{name}\" cannot be set: it is a column of data"));
            return None;
        }
        self.slot(name, place)
    }

    /// A variable that no file can name.
    pub(super) fn hidden_variable(&mut self, name: &str, place: Place) -> Option<u16> {
        self.slot(name, place)
    }

    /// Where the value of `${name}` comes from.
    pub(super) fn source(&mut self, name: &str, place: Place) -> Option<Source> {
        if let Some((_, source)) = SOURCES.iter().find(|(known, _)| *known == name) {
            self.variables.uses_mark |= source.is_marked();
            return Some(*source);
        }
        if let Some(secret) = name.strip_prefix("env.") {
            let is_name = is_name(secret, "_") && !secret.starts_with(|first: char| first.is_ascii_digit());
            if !is_name {
                self.faults.add(place, format!("\"{secret}\" is no name of a variable of the environment"));
                return None;
            }
            return self.secrets.number(secret).map(Source::Secret);
        }
        let slot = self.slot(name, place)?;
        self.variables.used.insert(slot);
        if let Some((table, column)) = self.table(name) {
            self.tables[table].column(column, slot, place);
            return Some(Source::Slot(slot));
        }
        if !self.variables.is_set(slot) {
            self.variables.early.push((place, slot));
        }
        Some(Source::Slot(slot))
    }

    /// The table and the column that a name such as `user.email` means.
    fn table<'n>(&self, name: &'n str) -> Option<(usize, &'n str)> {
        let (table, column) = name.split_once('.')?;
        let position = self.tables.iter().position(|known| *known.name == *table)?;
        Some((position, column))
    }

    fn slot(&mut self, name: &str, place: Place) -> Option<u16> {
        let slot = self.variables.slot(name);
        if slot.is_none() {
            self.faults
                .add(place, format!("\"{name}\" is one variable too many: at most {VARIABLES_MAX} are read"));
        }
        slot
    }
}
