//! `bench/compare` and `bench/crowd`: see bench/README.md.

// A tool for developers: it speaks to a terminal.
#![allow(clippy::print_stderr)]

use std::process::ExitCode;

use doorbuster_bench::{compare, crowd};

const USAGE: &str = "\
usage: bench/compare [--rounds N] [--seconds N] [--only CASE,CASE…] [--write FILE]
       bench/crowd thinking|connected [SHOPPERS]";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let result = match words.split_first() {
        Some((task, rest)) if task == "compare" => compare::run(rest),
        Some((task, rest)) if task == "crowd" => crowd::run(rest),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("bench: {why}");
            ExitCode::FAILURE
        }
    }
}
