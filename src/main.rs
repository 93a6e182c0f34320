//! Composes the command line, the agent and the demo shop; turns outcomes into exit codes.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use doorbuster_coordinator::Verdict;
use doorbuster_coordinator::command::{
    AlertCommand, AuditCommand, DemoTarget, FleetCommand, GateCommand, HitCommand, JourneyCommand,
    ProbeCommand, RehearseCommand, RunsCommand, SloCommand,
};
use doorbuster_shop::{DemoCommand, Options, Shop};

/// Rehearse a sale before it happens: crowds of shoppers from Tokyo, London and New York, and a verdict.
///
/// Start with `doorbuster rehearse`: it brings its own demo shop and takes half a minute.
#[derive(Parser)]
#[command(name = "doorbuster", version, max_term_width = 100)]
struct Doorbuster {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Rehearse(Box<RehearseCommand>),
    Hit(Box<HitCommand>),
    Gate(Box<GateCommand>),
    Probe(Box<ProbeCommand>),
    Audit(Box<AuditCommand>),
    Journey(JourneyCommand),
    Alert(AlertCommand),
    Runs(Box<RunsCommand>),
    Slo(SloCommand),
    Fleet(FleetCommand),
    /// Serve the demo shop alone: three regional edges, and faults to switch on
    Demo(DemoCommand),
    /// Carry out one assignment for a coordinator; started by it, not by people
    Agent(AgentCommand),
}

#[derive(Args)]
struct AgentCommand {
    /// Take the assignment on standard input and report on standard output
    #[arg(long, required = true)]
    stdio: bool,
}

fn main() -> ExitCode {
    match run(Doorbuster::parse().command) {
        Ok(code) => code,
        Err(error) => {
            report(&error);
            let known = error.downcast_ref::<doorbuster_coordinator::Error>();
            ExitCode::from(known.map_or(2, doorbuster_coordinator::Error::exit_code))
        }
    }
}

/// Says why on standard error; where that is closed, the exit code still tells.
fn report(error: &anyhow::Error) {
    let _ = writeln!(std::io::stderr().lock(), "doorbuster: {error}");
}

fn run(command: Command) -> Result<ExitCode> {
    let verdict = match command {
        Command::Rehearse(command) => rehearse(&command)?,
        Command::Hit(command) => command.run()?,
        Command::Gate(command) => command.run()?,
        Command::Probe(command) => command.run()?,
        Command::Audit(command) => command.run()?,
        Command::Journey(command) => command.run()?,
        Command::Alert(command) => command.run()?,
        Command::Runs(command) => command.run()?,
        Command::Slo(command) => command.run()?,
        Command::Fleet(command) => command.run()?,
        Command::Demo(command) => {
            command.run()?;
            Verdict::Pass
        }
        Command::Agent(AgentCommand { stdio: _ }) => {
            doorbuster_agent::stdio::serve()?;
            Verdict::Pass
        }
    };
    Ok(ExitCode::from(verdict.exit_code()))
}

/// Products of the demo shop that a built-in rehearsal visits: few enough that its caches are warm in seconds.
const DEMO_PRODUCTS: usize = 48;

fn rehearse(command: &RehearseCommand) -> Result<Verdict> {
    if !command.wants_demo_shop() {
        return Ok(command.run(&[])?);
    }
    let shop = Shop::start(Options { products: DEMO_PRODUCTS, ..Options::demo() })?;
    let edges = shop.edges().iter();
    let targets: Vec<DemoTarget> =
        edges.map(|edge| DemoTarget { region: edge.region.clone(), address: edge.address }).collect();
    let verdict = command.run(&targets)?;
    shop.stop();
    Ok(verdict)
}
