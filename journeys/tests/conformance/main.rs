//! What the journey language does, case by case.
//!
//! `walks/*.txt` hold journeys, each with the transcript of a walk through it: what is sent, what is answered, what
//! is left. Lines that begin with `<` are the answers of a shop; all others are what the walk must do. `RENEW=1` writes
//! them anew, to be read before they are committed.

#![allow(clippy::unwrap_used, clippy::panic)]

mod chromium;
mod schema;
mod transcript;

use std::path::Path;

use transcript::Case;

/// The fewest cases that there are to be.
const CASES_MIN: usize = 150;

#[test]
fn every_walk_is_as_its_transcript_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/walks");
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let renews = std::env::var_os("RENEW").is_some();
    let (mut count, mut wrong) = (0, Vec::new());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut renewed = String::new();
        for case in Case::all(&text) {
            count += 1;
            let found = case.walk();
            if found != case.transcript && !renews {
                let name = file.file_name().unwrap().to_string_lossy().into_owned();
                let (title, expected) = (case.title, case.transcript);
                wrong.push(format!("{name}: {title}\n--- expected\n{expected}--- found\n{found}"));
            }
            renewed.push_str(&format!("## {}\n{}---\n{found}\n", case.title, case.journey));
        }
        if renews {
            std::fs::write(&file, renewed.trim_end().to_owned() + "\n").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{} of {count} cases are wrong:\n\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= CASES_MIN, "there are only {count} cases");
}
