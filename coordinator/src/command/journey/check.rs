//! `doorbuster journey check`: all faults of journey files at once.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use doorbuster_journeys::{Journey, built_in};

use crate::command::print::print;
use crate::prepare::read_text;
use crate::{Error, Verdict};

/// Check journey files: every fault with its line and column, and variables that nobody uses.
///
/// Exit codes: 0 all are good, 2 one is not. What the files need beside them (data, secrets) is checked when they run.
#[derive(Args, Clone, Debug)]
pub(super) struct CheckCommand {
    /// The journey files, or names of built-in journeys
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl CheckCommand {
    pub(super) fn run(&self) -> Result<Verdict, Error> {
        let mut failed = None;
        for file in &self.files {
            match check(file) {
                Ok(told) => print(&told)?,
                // All files are read; the last one's faults are the error, those before are told here.
                Err(error) => {
                    if let Some(earlier) = failed.replace(error) {
                        let _ = writeln!(std::io::stderr().lock(), "{earlier}");
                    }
                }
            }
        }
        failed.map_or(Ok(Verdict::Pass), Err)
    }
}

/// Reads a journey by its path, or by its name when it is built in.
fn read(file: &Path) -> Result<Journey, Error> {
    let shown = file.display().to_string();
    let text = match built_in(&shown) {
        Some(text) => text.to_owned(),
        None => {
            let remedy = "check the path, or name a built-in journey: browse, cart, checkout";
            read_text(file, "the journey", remedy)?
        }
    };
    Ok(Journey::parse(&shown, &text)?)
}

/// `login.yaml: good, 3 steps`, and what is worth a look.
fn check(file: &Path) -> Result<String, Error> {
    let journey = read(file)?;
    let shown = file.display();
    let steps = journey.steps().len();
    let mut told = format!("{shown}: good, {steps} step{}\n", if steps == 1 { "" } else { "s" });
    for (name, line) in journey.unused() {
        told.push_str(&format!("{shown}:{line}: nobody uses \"{name}\"\n"));
    }
    let needs: Vec<String> = journey
        .data_files()
        .map(str::to_owned)
        .chain(journey.secret_names().map(|name| format!("${name}")))
        .collect();
    if !needs.is_empty() {
        told.push_str(&format!("{shown}: needs {}\n", needs.join(", ")));
    }
    Ok(told)
}
