//! What a plan comes to, before anything is sent: how many shoppers at once, what each agent carries, what it costs.
//!
//! What nobody can know yet (how fast and how large answers are, how many assets a page has) is assumed, by figures that
//! stand here and are told beside the results. Nothing here decides what is too much.

mod cost;
mod crowd;
mod limits;
mod part;
mod price;

pub use cost::{Item, Work, cost, looks_like_cloudfront};
pub use crowd::{ANSWER_BYTES_ASSUMED, ANSWER_S_ASSUMED, Crowd, PAGE_ASSETS_ASSUMED, PAGE_S_ASSUMED};
pub use limits::{
    CAPACITY_UNITS_RESERVED_MIN, DISTRIBUTION_BITS_PER_S_MAX, DISTRIBUTION_REQUESTS_PER_S_MAX,
    EARLIER_BITS_PER_S, EARLIER_PACKETS_PER_S, EARLIER_S, ENVIRONMENT_CONNECTIONS_MAX,
    ENVIRONMENT_DESCRIPTORS_MAX, ENVIRONMENTS_AT_ONCE_MAX, ENVIRONMENTS_AT_ONCE_S, POLICY_URL, SEGMENT_BYTES,
    SHAPED_BITS_PER_S, agents_for, capacity_units, looks_like_balancer,
};
pub use part::{Connections, DESCRIPTORS_BESIDE, Part, launched_ahead, parts};
pub use price::Price;

/// A journey of a plan, as far as planning goes: what a walk through it comes to on average.
#[derive(Clone, Debug, PartialEq)]
pub struct Walk {
    /// The journey's name.
    pub journey: String,
    /// How often it is chosen, relative to the other journeys.
    pub weight: u32,
    /// How long its shopper thinks, in seconds.
    pub think_s: f64,
    /// How long a walk of a shopper who comes again takes at least, in seconds.
    pub pacing_s: f64,
    /// How many steps send their request.
    pub requests: f64,
    /// How many of them fetch their page's assets, too.
    pub pages: f64,
    /// How many requests it sends at most, assets included.
    pub requests_max: u64,
    /// The data files whose rows are dealt out, each shopper its own.
    pub rows: Vec<Rows>,
}

/// A data file whose rows are dealt out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The file, as the journey names it.
    pub file: String,
    /// How many rows it has.
    pub count: u64,
    /// Whether shoppers for whom none is left are sent away; otherwise rows are used again.
    pub stops: bool,
}

#[cfg(test)]
mod tests;
