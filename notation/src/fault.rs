//! What is wrong with a file, and where.

use std::fmt;

/// A place in a text: line and column, both counted from 1. `0:0` means "the file as a whole".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
}

/// One fault: where it is, and a sentence that says what was found, what was expected and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where the fault is.
    pub place: Place,
    /// What was found, what was expected, what to do.
    pub message: String,
}

impl Fault {
    /// A fault at `place`.
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place, message: message.into() }
    }
}

/// All faults of one file, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The file's name as the user gave it.
    pub file: String,
    /// The faults; at least one once this is returned as an error.
    pub faults: Vec<Fault>,
}

impl Faults {
    /// No fault yet in `file`.
    pub fn none(file: impl Into<String>) -> Self {
        Self { file: file.into(), faults: Vec::new() }
    }

    /// A single fault as the error of a whole file.
    pub fn one(file: impl Into<String>, fault: Fault) -> Self {
        Self { file: file.into(), faults: vec![fault] }
    }

    /// Notes a fault.
    pub fn add(&mut self, place: Place, message: impl Into<String>) {
        self.faults.push(Fault::new(place, message));
    }

    /// The value of `result`; its fault is noted and `None` returned when it failed.
    pub fn keep<T>(&mut self, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.faults.push(fault)).ok()
    }

    /// `Ok(value)` when nothing was noted, otherwise all faults, ordered by place.
    ///
    /// # Errors
    /// The faults themselves, when there is at least one.
    pub fn or<T>(mut self, value: Option<T>) -> Result<T, Self> {
        self.faults.sort_by_key(|fault| fault.place);
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(self),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                writeln!(formatter)?;
            }
            match fault.place {
                Place { line: 0, .. } => write!(formatter, "{}: {}", self.file, fault.message)?,
                Place { line, column } => {
                    write!(formatter, "{}:{line}:{column}: {}", self.file, fault.message)?
                }
            }
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
