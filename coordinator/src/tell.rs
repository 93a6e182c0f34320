//! How a run's outcome is told: to programs as JSON, JUnit and HdrHistogram logs, to people as tables and Markdown.
//!
//! Everything is told from the same [`report::Report`], so that no two of them disagree. All modules turn values into values;
//! [`write`](mod@write) alone touches files.

mod audit;
mod colour;
mod hlog;
mod junit;
mod markdown;
mod numbers;
mod plain;
mod report;
mod rest;
mod tables;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use colour::Paint;
pub(crate) use tables::{audited, tables};
pub(crate) use write::{Destinations, write, write_audit};
