//! The running shop, driven over real sockets.
//!
//! - [`pages`]: what is served, and that it hangs together
//! - [`checkout`]: carts, CSRF, orders, stock
//! - [`boutique`]: the face made of forms, with its tokens, flashes and soft failures
//! - [`graphql`]: the face without pages, with its tokens and errors
//! - [`cache`]: hits, misses, ages, collapse, revalidation, keys, compression
//! - [`faults`]: what can be broken, and the admin endpoint
//! - [`promises`]: what the edge promises, kept while nothing is broken
//! - [`contract`]: what can be broken of the edge's promises, one fault by one
//! - [`books`]: counts and the access log are exact

#![allow(clippy::panic, clippy::unwrap_used, reason = "what helps a test fails as a test does")]

mod books;
mod boutique;
mod cache;
mod checkout;
mod client;
mod contract;
mod faults;
mod graphql;
mod pages;
mod promises;
