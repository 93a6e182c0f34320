//! Whatever journey file comes: it is read or refused without a panic, and each fault has its place in the file.

#![no_main]

use doorbuster_journeys::Journey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(faults) = Journey::parse("j.yaml", text) {
        let lines = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count() as u64;
        assert!(!faults.faults.is_empty());
        assert!(faults.faults.iter().all(|fault| fault.place.line <= lines + 1), "{faults}");
    }
});
