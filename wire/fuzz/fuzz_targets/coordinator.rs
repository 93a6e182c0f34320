//! Whatever comes to a coordinator, in whatever pieces: it is read or refused without a panic, the same however it comes, and
//! what is read survives being said again.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| doorbuster_wire::fuzz::coordinator(bytes));
