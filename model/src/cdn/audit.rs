//! The audit: what an edge has promised, proved promise by promise with the fewest requests.
//!
//! A [`Script`] says what to fetch and when, and is told what came: [`Script::next`] and [`Script::answer`], until nothing is
//! left to ask. Then [`Script::proofs`] says of every promise what was seen. It does no I/O and reads no clock, so that
//! an agent, which fetches, and a test, which pretends, see the same.
//!
//! An edge location has many caches: a second fetch may miss, and Age may fall, though nothing is wrong. So what is to be
//! a hit is asked for up to five times, and the best answer counts; an Age that runs backwards is told, and no fault.
//! Whoever looks for fragments must write an address in a new way each time: the same way twice would be a hit of its own.
//!
//! Ways of asking are data (`course`), and so are promises (`promise`): each is a title and a judge over all answers, so that
//! a fetch serves every promise that it says something about.

mod address;
mod answer;
mod ask;
mod breach;
mod course;
mod dossier;
mod judge;
mod left_out;
mod promise;
mod proof;
mod script;
mod subject;
mod taken;

#[cfg(test)]
mod tests;

pub use address::named_in;
pub use answer::{Answer, Broken, Declined, Found, Offered};
pub use ask::{Ask, HANDSHAKES, Offer, Who};
pub use proof::{Proof, Ruling};
pub use script::{Next, Script, Setting};
