//! Variables that a shopper brings along: drawn, made up, or a row of data.

use rand_core::Rng;

use super::{Ending, Next, Walk};
use crate::extract::by_weight;
use crate::journey::Draw;
use crate::think::below;
use crate::value::Value;

impl Walk {
    /// Draws the choice of this number.
    pub(super) fn draw(&mut self, number: usize, rng: &mut dyn Rng) {
        let choice = &self.journey.choices[number];
        let drawn: Option<Box<str>> = match &choice.from {
            Draw::Options(options) => {
                let number = below(options.len() as u64, rng);
                usize::try_from(number).ok().and_then(|number| options.get(number)).cloned()
            }
            Draw::Weighted(options, weights) => {
                let total = weights.iter().copied().map(u64::from).sum();
                by_weight(weights, below(total, rng)).and_then(|number| options.get(number)).cloned()
            }
            Draw::Generated(generator) => Some(generator.draw(self.journey.today, rng).into()),
        };
        let slot = choice.slot;
        if let Some(value) = drawn {
            self.bind(slot, Value::Text(value));
        }
    }

    /// Takes this shopper's row of the table of this number.
    pub(super) fn take_row(&mut self, number: usize, rng: &mut dyn Rng) -> Option<Next> {
        let table = &self.journey.tables[number];
        let Some(row) = table.row(self.shopper.number, rng) else {
            return Some(self.over(Ending::OutOfData));
        };
        let slots = table.columns.iter().map(|(_, slot, _)| *slot);
        let bound: Vec<_> = slots.zip(row.iter().cloned().map(Value::Text)).collect();
        bound.into_iter().for_each(|(slot, value)| self.bind(slot, value));
        None
    }
}
