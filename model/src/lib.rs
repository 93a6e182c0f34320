//! The pure nouns and arithmetic of a run.
//!
//! What is to be sent ([`Plan`], [`Pace`], [`Segment`], [`Generation`], [`Rota`], [`Assignment`]), what was measured ([`Sample`], [`Tally`],
//! [`Report`]) and how it is judged ([`Threshold`], [`slo`], [`cdn`]). No I/O, no clock, no runtime: time and
//! randomness are arguments, so an agent, the coordinator and a test all compute the same thing.

pub mod assignment;
pub mod cdn;
pub mod chance;
pub mod generation;
pub mod histogram;
pub mod pace;
pub mod plan;
pub mod report;
pub mod rota;
pub mod sample;
pub mod segment;
pub mod slo;
pub mod spacing;
pub mod tally;
pub mod target;
pub mod threshold;

pub use assignment::{Assignment, Overrides, Task};
pub use chance::Chance;
pub use generation::Generation;
pub use histogram::Histogram;
pub use pace::{Pace, Phase, Shape};
pub use plan::Plan;
pub use report::{Health, Report, Tick};
pub use rota::Rota;
pub use sample::{ErrorClass, Sample};
pub use segment::Segment;
pub use tally::{Key, Part, Tally};
pub use threshold::Threshold;
