//! What one run of one program cost.

use std::process::{Command, Stdio};

use crate::folder;
use crate::server::{CORES, Server};
use crate::tools::Tools;

/// CPU time of a program with all its children, and what the server counted meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// User and system time.
    pub cpu_us: f64,
    /// System time alone.
    pub system_us: f64,
    /// Requests that the server counted.
    pub requests: f64,
}

impl Cost {
    /// Microseconds of CPU for each request that the server counted.
    pub(crate) fn per_request_us(&self) -> f64 {
        self.cpu_us / self.requests.max(1.0)
    }
}

/// Runs a program on the client's core and says what it cost, and what it said. `paths` are for Goose's.
pub(crate) fn run(
    tools: &Tools,
    server: &Server,
    program: &[String],
    paths: &str,
) -> Result<(Cost, String), String> {
    let out = folder().join("cost");
    let before = server.requests()?;
    // What an earlier run left must not be taken for this one's.
    let _ = std::fs::remove_file(&out);
    let (name, arguments) = program.split_first().ok_or("no program")?;
    let output = Command::new(tools.path("measure")?)
        .arg(&out)
        .args(["taskset", "-c", CORES.1])
        .arg(tools.path(name)?)
        .args(arguments)
        .env("GOOSE_PATHS", paths)
        .stdin(Stdio::null())
        .output()
        .map_err(|why| format!("running {name}: {why}"))?;
    // Asking is a request, too.
    let requests = server.requests()? - before - 1;
    let text = std::fs::read_to_string(&out).map_err(|why| format!("reading {}: {why}", out.display()))?;
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [user_us, system_us, _, _, exit] = numbers[..] else {
        return Err(format!("{} holds \"{text}\"", out.display()));
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if exit != 0.0 {
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("{name} {} ended with {exit}: {said}{errors}", arguments.join(" ")));
    }
    Ok((Cost { cpu_us: user_us + system_us, system_us, requests: requests as f64 }, said))
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => f64::midpoint(values[even / 2 - 1], values[even / 2]),
    }
}
