//! How people write things in plan and journey files.
//!
//! YAML whose every value knows its place, durations, rates, sizes and shares with their units, and faults that
//! name the place, what was found, what was expected, and the nearest known word. Plans (`doorbuster-model`) and
//! journeys (`doorbuster-journeys`) are both written in this notation; nothing here knows what they mean.

mod fault;
mod fields;
mod nearest;
mod time;
mod units;
mod yaml;

pub use fault::{Fault, Faults, Place};
pub use fields::Fields;
pub use nearest::{did_you_mean, nearest};
pub use time::parse_time;
pub use units::{
    Share, parse_duration, parse_duration_range, parse_rate_milli, parse_share, parse_size, show_duration,
    show_rate_milli,
};
pub use yaml::{BYTES_MAX, Key, Kind, Node, parse};
