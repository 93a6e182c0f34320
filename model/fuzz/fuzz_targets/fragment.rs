//! Whatever queries come: only what is the same content is fragmented.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| doorbuster_model::cdn::fuzz::fragments(text));
