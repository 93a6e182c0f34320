//! Whatever stands around secrets: no evidence shows them.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| doorbuster_model::cdn::fuzz::secrets(text));
