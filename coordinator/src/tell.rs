//! How a run's outcome is told: to programs as JSON, JUnit and HdrHistogram logs, to people as tables and Markdown.
//!
//! Everything is told from the same [`report::Report`], so that no two of them disagree. All modules turn values into values;
//! [`write`](mod@write) alone touches files.

mod audit;
mod backtest;
mod colour;
mod hlog;
mod junit;
mod markdown;
mod numbers;
mod plain;
mod preflight;
mod report;
mod rest;
mod seconds;
mod slo;
mod tables;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use colour::Paint;
pub(crate) use numbers::{bits_per_s, count, dollars, figure, rate};
pub(crate) use plain::plain;
pub(crate) use report::{Report, report as report_on};
pub(crate) use seconds::{Logs, lines};
pub(crate) use slo::Budgets;
pub(crate) use tables::{
    audited, backtested, bar, budget_left, budgets, deliveries, fleet, planned, pruned, runs, shortened,
    silences, tables, told,
};
#[cfg(test)]
pub(crate) use tests::golden;
pub(crate) use write::{Destinations, write, write_audit, write_backtest, write_budgets, write_preflight};
