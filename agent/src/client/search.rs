//! A body's search for what other shoppers entered.

use std::rc::Rc;

use doorbuster_model::cdn::{MarkSearch, Marks};

/// Looks through a decoded body as it comes.
#[derive(Debug)]
pub(crate) struct Search {
    marks: Rc<Marks>,
    looking: MarkSearch,
}

impl Search {
    /// Looks for the markers of all shoppers but `own`.
    pub(crate) fn new(marks: &Rc<Marks>, own: u64) -> Self {
        Self { marks: Rc::clone(marks), looking: MarkSearch::new(own) }
    }

    /// Looks through the next piece.
    pub(super) fn look(&mut self, piece: &[u8]) {
        self.looking.look(&self.marks, piece);
    }

    /// Whose marker was found, if anybody's but the own.
    pub(super) fn foreign(&self) -> Option<u64> {
        self.looking.foreign()
    }
}
