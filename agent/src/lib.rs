//! The load engine: paces arrivals, walks journeys, measures every exchange.
//!
//! An agent is one process in one region. It is handed an assignment, replays journeys until the load is over, and
//! reports once a second. Each worker is a thread with a runtime, shoppers, connections and a tally of its own;
//! nothing is shared on the path of a request. [`stdio`] serves one assignment over standard input and output, with this
//! engine or with another [`Engine`]; [`join`] dials a coordinator and serves one assignment after the other, and [`aws`]
//! does so as a function of AWS Lambda.

mod address;
mod answering;
mod audit;
pub mod aws;
mod blame;
mod cache;
mod child;
mod client;
mod clock;
mod closed;
mod contract;
mod cookies;
mod crowd;
mod engine;
mod enough;
mod epoch;
mod error;
mod evidence;
mod exchange;
mod flight;
mod health;
mod job;
pub mod join;
mod lease;
mod limit;
mod open;
mod page;
mod probe;
mod session;
pub mod stdio;
mod tallies;
mod trace;
mod turns;
mod visit;
mod worker;

pub use engine::{Engine, STOP_GRACE, Start, Stop};
pub use epoch::Epoch;
pub use error::Error;
pub use job::Job;
pub use tallies::Tallies;

#[cfg(feature = "fuzz")]
pub mod fuzz;
