//! Journey files: their format, their checks, and the sans-I/O walk that replays them.
//!
//! A journey is data: [`Journey::parse`] reads and checks a YAML text, and precompiles its templates, selectors and
//! patterns, so that a [`Walk`] through it costs little. A walk does no I/O and reads no clock: it says what to do
//! [`next`](Walk::next) and judges each [`answer`](Walk::answer) that the engine hands back. Everything random comes
//! from the generator that the caller passes, so the same generator and answers give the same walk.

pub mod assets;
mod built_in;
mod charset;
mod check;
mod data;
mod encoding;
mod enough;
mod expect;
mod extract;
mod failure;
mod fields;
mod form;
mod format;
mod generate;
mod html;
mod import;
mod journey;
mod judge;
mod names;
mod needle;
mod pattern;
mod program;
mod scan;
mod secrets;
mod selector;
mod slice;
mod template;
mod think;
mod value;
mod walk;

/// The JSON Schema of journey files (draft 2020-12).
pub const SCHEMA: &str = include_str!("../schema.json");

pub use built_in::{BUILT_IN, built_in};
pub use charset::{Charset, ContentType};
pub use data::data_key;
pub use failure::{Failure, FailureKind};
pub use import::{ImportError, ImportOptions, Imported, import};
pub use journey::{Journey, Step, Supplies};
pub use walk::{Answer, Ending, Fetch, Hop, Marker, Next, Run, Shopper, Target, Walk};
