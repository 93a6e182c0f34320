//! Whatever body comes, in whatever pieces: other shoppers' markers are found in it, and nothing else is.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| doorbuster_model::cdn::fuzz::marks(bytes));
