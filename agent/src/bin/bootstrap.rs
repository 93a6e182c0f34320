//! The agent that goes to AWS: a function of Lambda, and with `--stdio` the agent that carries out one of its assignments.

use std::env;
use std::io::Write;
use std::process::ExitCode;

use doorbuster_agent::{Error, aws, stdio};

/// Where AWS says how a function hears of its invocations.
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match (words.as_slice(), env::var(RUNTIME_API)) {
        (["--stdio"], _) => end(stdio::serve()),
        ([], Ok(runtime_api)) => end(aws::serve(&runtime_api)),
        _ => {
            say(&format!(
                "bootstrap runs as a function of AWS Lambda, which sets {RUNTIME_API}, or with --stdio as an agent"
            ));
            ExitCode::from(2)
        }
    }
}

fn end(ended: Result<(), Error>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::from(2)
        }
    }
}

/// Says something on standard error; where that is closed, the exit code still tells.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "bootstrap: {text}");
}
