//! The case of truth: a server that stands still for two seconds, and what each client makes of it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::measure::median;
use crate::server::{CORES, Server};
use crate::table::markdown;
use crate::tools::Tools;
use crate::{folder, write};

const ROUNDS: usize = 3;
const SECONDS: u32 = 10;
/// What is told of each run.
const FIGURES: [&str; 4] = ["p90", "p99", "p99.9", "max"];
/// What arithmetic says of a fifth of all arrivals that wait from 2 s down to nothing, in seconds.
const ARITHMETIC: [f64; 4] = [1.0, 1.9, 1.99, 2.0];

/// Long enough for a freeze of its own, which opens the connections, and for what that holds up.
const WARMUP_S: u32 = 5;

/// A client: the reference over so many connections, or Doorbuster with a plan.
enum Client {
    Reference(u32),
    Doorbuster(String),
}

/// Runs the reference and Doorbuster in turn; figures in seconds.
pub(crate) fn report(tools: &Tools, server: &Server) -> Result<String, String> {
    let plan = |scheme: &str, port: u16, http: &str, load: &str| {
        let length = SECONDS + WARMUP_S;
        Client::Doorbuster(format!(
            "name: freeze\ntarget: {scheme}://127.0.0.1:{port}\nregions: [here]\njourneys: [journey.yaml]\nwarmup: {WARMUP_S}s\n\
             load: {{ arrivals: [{{ hold: 1000/s, for: {length}s }}], connections: shared{load} }}\nhttp: {{ insecure: true{http} }}\n"
        ))
    };
    let bound = ", max_connections: 64";
    let contenders = [
        ("the reference in C, 64 connections", Client::Reference(64)),
        ("Doorbuster, 64 connections", plan("http", server.plain, "", bound)),
        ("… over TLS", plan("https", server.tls, ", version: '1.1'", bound)),
        ("… over HTTP/2", plan("https", server.http2, ", version: '2'", bound)),
        ("the reference in C, 2,200 connections", Client::Reference(2_200)),
        ("Doorbuster, no bound", plan("http", server.plain, "", "")),
        ("… over TLS", plan("https", server.tls, ", version: '1.1'", "")),
        ("… over HTTP/2", plan("https", server.http2, ", version: '2'", "")),
    ];
    let mut seen: Vec<[Vec<f64>; 4]> = contenders.iter().map(|_| Default::default()).collect();
    for round in 0..ROUNDS {
        for (position, (label, client)) in contenders.iter().enumerate() {
            let figures = freeze(tools, server, client)?;
            eprintln!("freeze {round}: {label} {figures:.3?}");
            seen[position].iter_mut().zip(figures).for_each(|(all, figure)| all.push(figure));
        }
    }
    let medians: Vec<[f64; 4]> = seen.into_iter().map(|figures| figures.map(median)).collect();
    let mut reference = ARITHMETIC;
    let mut rows = vec![row("arithmetic", ARITHMETIC, ARITHMETIC)];
    for ((label, client), figures) in contenders.iter().zip(&medians) {
        if let Client::Reference(_) = client {
            reference = *figures;
        }
        rows.push(row(label, *figures, reference));
    }
    let head: Vec<&str> = std::iter::once("").chain(FIGURES).collect();
    let mut text = String::from("## Truth: frozen for 2.0 s in 10 s at 1,000 arrivals/s\n\n");
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "Latency from the intended start, median of {ROUNDS} rounds, and in brackets how far that is from the reference above it (of the reference itself: from arithmetic). The reference has all its connections from the beginning; Doorbuster's were opened by a freeze in the warm-up, which is not counted.\n\n{}\n",
        markdown(&head, &rows)
    );
    Ok(text)
}

fn row(label: &str, figures: [f64; 4], reference: [f64; 4]) -> Vec<String> {
    let cells = figures.iter().zip(reference).map(|(figure, reference)| {
        let off = (figure / reference - 1.0) * 100.0;
        if off == 0.0 { format!("{figure:.3} s") } else { format!("{figure:.3} s ({off:+.1} %)") }
    });
    std::iter::once(label.to_owned()).chain(cells).collect()
}

/// One run with the server stopped for two seconds, some four seconds into what is counted.
fn freeze(tools: &Tools, server: &Server, client: &Client) -> Result<[f64; 4], String> {
    let json = folder().join("freeze/report.json");
    let mut command = Command::new("taskset");
    command.args(["-c", CORES.1]);
    let freezes = match client {
        Client::Reference(connections) => {
            let numbers =
                [u32::from(server.plain), *connections, SECONDS, 1_000].map(|number| number.to_string());
            command.arg(tools.path("open")?).arg("127.0.0.1").args(numbers);
            vec![Duration::from_secs(4)]
        }
        Client::Doorbuster(plan) => {
            write("freeze", "journey.yaml", "journey: one\nsteps:\n  - { step: one, get: / }\n")?;
            let plan = write("freeze", "plan.yaml", plan)?;
            command.arg(tools.path("doorbuster")?).arg("rehearse").arg(plan);
            command.args(["--quiet", "--json"]).arg(&json);
            vec![Duration::from_millis(700), Duration::from_secs(u64::from(WARMUP_S) + 4)]
        }
    };
    // What an earlier run left must not be taken for this one's.
    let _ = fs::remove_file(&json);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let child = child.map_err(|why| format!("running a client of the freeze: {why}"))?;
    let worker = server.worker()?.to_string();
    let signal = |name: &str| {
        Command::new("kill").args([name, &worker]).status().map_err(|why| format!("kill: {why}"))
    };
    let begin = Instant::now();
    for at in freezes {
        std::thread::sleep(at.saturating_sub(begin.elapsed()));
        signal("-STOP")?;
        std::thread::sleep(Duration::from_secs(2));
        signal("-CONT")?;
    }
    let output =
        child.wait_with_output().map_err(|why| format!("waiting for a client of the freeze: {why}"))?;
    if !output.status.success() {
        return Err(format!("a client of the freeze ended with {}", output.status));
    }
    let figures = match client {
        Client::Reference(_) => by_reference(&String::from_utf8_lossy(&output.stdout)),
        Client::Doorbuster(_) => by_report(&json)?,
    };
    figures.ok_or_else(|| format!("{} lacks a figure of {FIGURES:?}", json.display()))
}

/// What the reference printed.
fn by_reference(said: &str) -> Option<[f64; 4]> {
    let figure = |name: &&str| {
        let (_, rest) = said.split_once(&format!(" {name} "))?;
        rest.split_whitespace().next()?.parse::<f64>().ok().map(|ms| ms / 1e3)
    };
    FIGURES.iter().map(figure).collect::<Option<Vec<f64>>>()?.try_into().ok()
}

/// What a report says of the phase that is counted.
fn by_report(json: &Path) -> Result<Option<[f64; 4]>, String> {
    let say = |why: &dyn std::fmt::Display| format!("reading {}: {why}", json.display());
    let text = fs::read_to_string(json).map_err(|why| say(&why))?;
    let report: Value = serde_json::from_str(&text).map_err(|why| say(&why))?;
    let phases = report["phases"].as_array().ok_or_else(|| say(&"it has no phases"))?;
    let counted = phases.iter().find(|phase| phase["warmup"] == false);
    let counted = counted.ok_or_else(|| say(&"it has only a warm-up"))?;
    if counted["requests"] != SECONDS * 1_000 || counted["errors"] != 0 {
        return Err(say(&format!("{} requests, {} errors", counted["requests"], counted["errors"])));
    }
    let times = &counted["latency_ms"];
    let figure = |name: &&str| times[name.replace('.', "_")].as_f64().map(|ms| ms / 1e3);
    Ok(FIGURES.iter().map(figure).collect::<Option<Vec<f64>>>().and_then(|all| all.try_into().ok()))
}
