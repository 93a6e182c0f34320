//! Whatever Set-Cookie lines come: no panic, and a jar that keeps to its limits.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|lines: &str| doorbuster_agent::fuzz::cookies(lines));
