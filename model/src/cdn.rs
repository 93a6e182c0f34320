//! The contract with a content delivery network: what it says it did, and what it was to do.
//!
//! [`Policy`] is what the edge has promised; [`CacheStatus`] is a cache's own word, in whatever way it is spelled;
//! [`Head`] is what an answer's head says of its way through the edge. [`judge()`] says which [`Rule`]s an answer breaks,
//! [`Counts`] which promises many of them break together; [`MarkSearch`] finds what belongs to other shoppers, and
//! [`Fragments`] what is kept again and again. [`Findings`] keep the proofs, and [`Layer`] is whom a failure belongs to.
//! What a crowd shows by the way, an [`audit`] proves one by one.
//!
//! Everything here is pure, and what comes from a target is hostile: what is kept of it is bounded, and nothing panics.
//! Tables say where their values come from; a value that is in none is unknown, and told apart from all that are known.

pub mod audit;
mod cookie;
mod counts;
mod encoding;
mod evidence;
mod fields;
mod finding;
mod fingerprint;
mod fragment;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod head;
mod judge;
mod kind;
mod layer;
mod mark;
pub mod policy;
mod pop;
mod redaction;
mod rfc9211;
mod rules;
mod says;
pub mod status;
mod timing;

pub use cookie::{STICKY_COOKIE, session_in};
pub use counts::{Counts, Shortfall};
pub use encoding::{Asked, Encoding};
pub use evidence::Evidence;
pub use finding::{FINDINGS_MAX, FINDINGS_PER_SECOND_MAX, Finding, FindingKey, Findings};
pub use fingerprint::fingerprint;
pub use fragment::{Fragments, content};
pub use head::{Head, Maker};
pub use judge::{ERROR_AGE_MAX_S, Observed, Verb, judge};
pub use kind::ContentKind;
pub use layer::{Failure, Layer};
pub use mark::{MarkSearch, Marks};
pub use policy::{ClassId, Policy};
pub use pop::{Airport, Pop};
pub use rfc9211::cache_status;
pub use rules::{Rule, Rules, Severity};
pub use says::Says;
pub use status::CacheStatus;
pub use timing::HitLayer;
