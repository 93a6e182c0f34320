//! Whatever head comes: it is read and judged without a panic, and what is said of it holds together.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| doorbuster_model::cdn::fuzz::head(bytes));
