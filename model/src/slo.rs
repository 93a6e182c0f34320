//! Objectives, error budgets, and alerts on how fast they are spent.
//!
//! An [`Objective`] says which share of events must be good within a rolling window, a [`Rule`] how fast its [`Budget`] may
//! be spent before somebody must know. A [`Ledger`] counts what probes and real traffic come to and says when people are to
//! be told; a [`Backtest`] says when they would have been.
//!
//! Everything here is pure: times are unix seconds, and come from outside. Arithmetic is on integers (good, total) until
//! the last division, and objectives and factors are exact decimals.
//!
//! A count belongs to a [`Series`](SeriesKey), an objective in a scope. It lies in `cells` (packed numbers), which are the
//! pages of a `history` (buckets of one length), of which a `series` has two. `confirm` says which failures count, `alert`
//! how rules become incidents, `watch` whether a region is heard of.

mod alert;
mod backtest;
mod budget;
mod cells;
mod confirm;
mod count;
mod factor;
mod gaps;
mod history;
mod ledger;
mod notice;
mod objective;
#[cfg(test)]
mod oracle;
mod page;
mod probed;
mod rule;
mod scope;
mod section;
mod series;
mod silence;
mod standing;
mod watch;

pub use backtest::{Backtest, Backtested, Event, Incident, Transition};
pub use budget::Budget;
pub use count::Count;
pub use factor::Factor;
pub use ledger::Ledger;
pub use notice::{AlertStatus, AlertView, NO_DATA, Notice, NoticeKind};
pub use objective::{Objective, Sli, WINDOW_DEFAULT_S, WINDOW_MAX_S};
pub use page::{Page, Saved, Unsaved};
pub use probed::{Probed, ProbedStep};
pub use rule::{RULE_WINDOW_MAX_S, RULES_MAX, Rule, Severity};
pub use scope::{GLOBAL, Scope, SeriesKey};
pub use section::{MIN_FAILURES, OBJECTIVES_MAX, Slo, Traffic};
pub(crate) use section::{confirm_default_s, no_data_after_default_s};
pub use series::{BUCKET_S, FINE_S};
pub use silence::Silence;
pub use standing::{BurnReading, ObjectiveStanding, Oddities, RegionStanding, Standing};
