//! Whatever an agent is handed or told: it is read or refused without a panic, and what is read survives being said again.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| doorbuster_wire::fuzz::agent(bytes));
