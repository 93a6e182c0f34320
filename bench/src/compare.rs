//! `bench/compare`: every case with all its contenders, alternating, as ratios to the first.

mod cases;

use std::fmt::Write as _;

use self::cases::{CASES, Case, Place};
use crate::measure::{Cost, median, run as measure};
use crate::server::Server;
use crate::table::markdown;
use crate::tools::Tools;
use crate::{freeze, memory, root};

/// What is asked for.
struct Options {
    rounds: usize,
    seconds: u32,
    only: Option<Vec<String>>,
    write: Option<String>,
}

fn options(words: &[String]) -> Result<Options, String> {
    let mut options = Options { rounds: 7, seconds: 5, only: None, write: None };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} wants a value"))?;
        let number = || value.parse().map_err(|_| format!("{word} wants a number, not {value}"));
        match word.as_str() {
            "--rounds" => options.rounds = usize::try_from(number()?).unwrap_or(7).max(1),
            "--seconds" => options.seconds = number()?,
            "--only" => options.only = Some(value.split(',').map(str::to_owned).collect()),
            "--write" => options.write = Some(value.clone()),
            _ => return Err(format!("there is no option {word}")),
        }
    }
    Ok(options)
}

/// Runs the comparison that the words ask for.
///
/// # Errors
/// What was attempted and why it failed.
pub fn run(words: &[String]) -> Result<(), String> {
    let options = options(words)?;
    let tools = Tools::gather()?;
    let server = Server::start(&tools)?;
    let mut report = format!("{}\n\nMachine: {}\n\nVersions: {}\n\n", today(), machine(), tools.versions());
    let wanted = |name: &str| options.only.as_ref().is_none_or(|only| only.iter().any(|one| one == name));
    for case in CASES.iter().filter(|case| wanted(case.name)) {
        report.push_str(&compare(case, &options, &tools, &server)?);
        keep(&options, &report)?;
    }
    if wanted("memory") {
        report.push_str(&memory::report(&tools, &server)?);
    }
    if wanted("freeze") {
        report.push_str(&freeze::report(&tools, &server)?);
    }
    println!("{report}");
    keep(&options, &report)
}

/// Writes what there is so far, where that was asked for.
fn keep(options: &Options, report: &str) -> Result<(), String> {
    let Some(file) = &options.write else { return Ok(()) };
    std::fs::write(root().join(file), report).map_err(|why| format!("writing {file}: {why}"))
}

fn today() -> String {
    let output = std::process::Command::new("date").arg("+%Y-%m-%d").output();
    output.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// One case: its contenders take turns, and each is compared with the first of the same round.
fn compare(case: &Case, options: &Options, tools: &Tools, server: &Server) -> Result<String, String> {
    let place = Place { server, seconds: options.seconds };
    let contenders: Vec<_> = case.contenders.iter().filter(|one| tools.has(one.program)).collect();
    let mut costs: Vec<Vec<Cost>> = vec![Vec::new(); contenders.len()];
    let mut notes: Vec<String> = vec![String::new(); contenders.len()];
    for round in 0..options.rounds {
        for (position, contender) in contenders.iter().enumerate() {
            let mut program = vec![contender.program.to_owned()];
            program.extend((contender.arguments)(&place)?);
            let (cost, said) = measure(tools, server, &program, contender.paths)?;
            eprintln!("{} {round}: {} {:.2} µs", case.name, contender.label, cost.per_request_us());
            costs[position].push(cost);
            let note = (contender.note)(&said);
            if !note.is_empty() {
                // Of all rounds: the worst is among them.
                notes[position] = if round == 0 { note } else { format!("{}; {note}", notes[position]) };
            }
        }
    }
    let rows: Vec<Vec<String>> = contenders
        .iter()
        .enumerate()
        .map(|(position, contender)| {
            let of = |figure: fn(&Cost) -> f64| median(costs[position].iter().map(figure).collect());
            let ratios = costs[position].iter().zip(&costs[0]);
            let mut ratios: Vec<f64> =
                ratios.map(|(own, first)| own.per_request_us() / first.per_request_us()).collect();
            ratios.sort_by(f64::total_cmp);
            vec![
                contender.label.to_owned(),
                format!("{:.2} µs", of(Cost::per_request_us)),
                format!("{:.2} µs", of(|cost| cost.system_us / cost.requests)),
                format!("{:.2}", median(ratios.clone())),
                format!("{:.2} – {:.2}", ratios[0], ratios[ratios.len() - 1]),
                format!("{:.0}", of(|cost| cost.requests)),
                notes[position].clone(),
            ]
        })
        .collect();
    let against = format!("ratio to {}", contenders.first().map_or("", |one| one.label));
    let head = ["", "CPU per request", "of it system", &against, "from – to", "requests", "says of itself"];
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write!(text, "## {}\n\n{}\n\n{}\n", case.title, case.about, markdown(&head, &rows));
    Ok(text)
}

fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("");
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} cores ({}), Linux {}", model.trim_start_matches(['\t', ' ', ':']), kernel.trim())
}
