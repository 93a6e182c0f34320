//! Whatever a target sends, however it is split: no panic, and one reading.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| doorbuster_agent::fuzz::answer(bytes));
