//! Where a plan's agents come from, what holds for all of them, and what is to happen when one is missing or lost.

mod life;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use doorbuster_notation::{Fault, Faults, Fields, Node, parse_duration, show_duration};

pub use life::LAMBDA_START_AHEAD;

use super::export::aws_region;
use super::{Region, word};

/// The stack of a plan that names none.
const STACK: &str = "doorbuster";
/// How long a stack's name may be: what stands before an account and a region must leave room for both in a bucket's name
/// of 63 characters.
const STACK_BYTES_MAX: usize = 32;
/// Where agents that join dial, unless the plan says otherwise.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 7_443);
/// The folder of certificates of a plan that names none.
const PKI: &str = "fleet-pki";
/// The shortest generation that is worth its start.
const GENERATION_MIN: Duration = Duration::from_secs(5);
/// The longest generation of a function: with its start before and its draining after, it stays within the 15 minutes that a
/// function may run. Whoever begins with the run has less, as it waits for the others ([`Fleet::relay`]).
pub const LAMBDA_GENERATION_MAX: Duration = Duration::from_secs(13 * 60);
/// How long agents may take to be ready at most.
const START_WITHIN_MAX: Duration = Duration::from_secs(15 * 60);
/// The memory of a function that has one virtual CPU.
const MEMORY_MB: u32 = 1_769;
/// What a function may have of it.
const MEMORY_MB_MIN: u64 = 128;
const MEMORY_MB_MAX: u64 = 10_240;

/// How a region's agents are reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LaunchBy {
    /// Child processes on this machine.
    #[default]
    Local,
    /// The agent function in the region's AWS region is invoked.
    Lambda,
    /// Agents that dial in.
    Join,
    /// As [`Join`](Self::Join), by agents that an Auto Scaling group starts.
    Ec2,
}

impl LaunchBy {
    /// The word that plans use.
    pub fn word(self) -> &'static str {
        LAUNCHES.iter().find(|(_, launch)| *launch == self).map_or("local", |(word, _)| *word)
    }

    /// Whether its agents dial in, whoever started them.
    pub fn joins(self) -> bool {
        matches!(self, Self::Join | Self::Ec2)
    }
}

/// What is to happen when an agent is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLoss {
    /// The run goes on without it; the loss is declared.
    #[default]
    Declare,
    /// The run ends.
    Abort,
}

/// What is to happen when not all agents are ready in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenMissing {
    /// They are waited for.
    Wait,
    /// The run starts without them; the loss is declared.
    #[default]
    Declare,
    /// The run ends before it begins.
    Abort,
}

/// How functions answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Responses {
    /// While they run.
    #[default]
    Streamed,
    /// At their end, as a whole: for AWS regions without response streaming.
    Whole,
}

/// What holds for all agents of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fleet {
    /// The CloudFormation stack, and what the names of its function and buckets begin with.
    pub stack: String,
    /// The longest generation of every launcher, where the plan says so; see [`longest_generation`](Self::longest_generation).
    pub generation: Option<Duration>,
    /// How functions answer.
    pub responses: Responses,
    /// Where agents that join dial.
    pub listen: SocketAddr,
    /// The folder of their certificates, relative to the plan.
    pub pki: String,
    /// How long agents may take to be ready, where the plan says so; see [`ready_within`](Self::ready_within).
    pub start_within: Option<Duration>,
    /// What is to happen when they are not.
    pub when_missing: WhenMissing,
    /// The memory that the function is to have, where the plan says so; see [`function`](Self::function).
    pub memory_mb: Option<u32>,
    /// Whether the function is to run on arm64 instead of x86-64, where the plan says so.
    pub arm64: Option<bool>,
}

/// What a function of AWS Lambda is made of: what its CPUs and its price follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its memory in MB.
    pub memory_mb: u32,
    /// Whether it runs on arm64 instead of x86-64.
    pub arm64: bool,
}

impl Function {
    /// The word that plans use for its processors.
    pub fn architecture(self) -> &'static str {
        ARCHITECTURES.iter().find(|(_, arm64)| *arm64 == self.arm64).map_or("x86-64", |(word, _)| *word)
    }
}

impl Default for Fleet {
    fn default() -> Self {
        Self {
            stack: STACK.to_owned(),
            generation: None,
            responses: Responses::default(),
            listen: LISTEN,
            pki: PKI.to_owned(),
            start_within: None,
            when_missing: WhenMissing::default(),
            memory_mb: None,
            arm64: None,
        }
    }
}

impl Fleet {
    /// How long an assignment of this launcher may be; `None` where one carries the whole run.
    pub fn longest_generation(&self, launch: LaunchBy) -> Option<Duration> {
        self.generation.or((launch == LaunchBy::Lambda).then_some(LAMBDA_GENERATION_MAX))
    }

    /// What the function is made of, as far as the plan goes.
    pub fn function(&self) -> Function {
        Function { memory_mb: self.memory_mb.unwrap_or(MEMORY_MB), arm64: self.arm64.unwrap_or(false) }
    }

    /// How long agents of this launcher may take to be ready.
    pub fn ready_within(&self, launch: LaunchBy) -> Duration {
        self.start_within.unwrap_or(match launch {
            LaunchBy::Local => Duration::from_secs(10),
            LaunchBy::Lambda => Duration::from_secs(30),
            LaunchBy::Join | LaunchBy::Ec2 => Duration::from_secs(60),
        })
    }
}

const LAUNCHES: [(&str, LaunchBy); 4] = [
    ("local", LaunchBy::Local),
    ("lambda", LaunchBy::Lambda),
    ("join", LaunchBy::Join),
    ("ec2", LaunchBy::Ec2),
];
const LOSSES: [(&str, OnLoss); 2] = [("declare", OnLoss::Declare), ("abort", OnLoss::Abort)];
const MISSING: [(&str, WhenMissing); 3] =
    [("wait", WhenMissing::Wait), ("declare", WhenMissing::Declare), ("abort", WhenMissing::Abort)];
const RESPONSES: [(&str, Responses); 2] = [("streamed", Responses::Streamed), ("whole", Responses::Whole)];
const ARCHITECTURES: [(&str, bool); 2] = [("x86-64", false), ("arm64", true)];

/// A region's `launch`, beside its `aws`.
pub(super) fn launch(node: &Node, aws: Option<&Node>, faults: &mut Faults) -> LaunchBy {
    let launch = word(Some(node), &LAUNCHES, faults);
    if launch != LaunchBy::Lambda {
        return launch;
    }
    match aws {
        // What is a note for people elsewhere is where requests go to here.
        Some(aws) => drop(faults.keep(aws_region(aws))),
        None => faults.add(
            node.place,
            "launch: lambda needs the AWS region whose function is invoked; add for example aws: eu-west-2",
        ),
    }
    launch
}

/// A plan's `on_agent_loss`.
pub(super) fn on_loss(node: Option<&Node>, faults: &mut Faults) -> OnLoss {
    word(node, &LOSSES, faults)
}

/// A plan's `fleet`, for these regions.
pub(super) fn fleet(node: &Node, regions: &[Region], faults: &mut Faults) -> Fleet {
    let default = Fleet::default();
    let Some(mut fields) = faults.keep(Fields::of(node, "fleet")) else { return default };
    let invokes = regions.iter().any(|region| region.launch == LaunchBy::Lambda);
    let stack = fields.optional("stack").and_then(|node| faults.keep(stack(node)));
    let generation = fields.optional("generation").and_then(|node| faults.keep(generation(node, invokes)));
    let responses = word(fields.optional("responses"), &RESPONSES, faults);
    let listen = fields.optional("listen").and_then(|node| faults.keep(listen(node)));
    let pki = fields.optional("pki").and_then(|node| faults.keep(folder(node)));
    let start = fields.optional("start").map(|node| start(node, faults));
    let (start_within, when_missing) = start.unwrap_or_default();
    let memory = fields.optional("memory");
    let memory = memory.and_then(|node| faults.keep(node.integer(MEMORY_MB_MIN, MEMORY_MB_MAX)));
    let arm64 = fields.optional("architecture").map(|node| word(Some(node), &ARCHITECTURES, faults));
    fields.finish(faults);
    Fleet {
        stack: stack.unwrap_or(default.stack),
        generation,
        responses,
        listen: listen.unwrap_or(default.listen),
        pki: pki.unwrap_or(default.pki),
        start_within,
        when_missing,
        memory_mb: memory.and_then(|memory| u32::try_from(memory).ok()),
        arm64,
    }
}

/// A name that CloudFormation, Lambda and S3 all take, as the beginning of longer ones.
fn stack(node: &Node) -> Result<String, Fault> {
    let text = node.scalar("a stack's name")?;
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
    if begins && text.len() <= STACK_BYTES_MAX && text.chars().all(is_plain) {
        Ok(text)
    } else {
        Err(node.expected(
            "a stack's name of a to z, 0 to 9 and - (at most 32, beginning with a letter), as its buckets are named by it",
        ))
    }
}

/// The longest generation of a fleet, which may invoke functions.
fn generation(node: &Node, invokes: bool) -> Result<Duration, Fault> {
    let longest = node.parse_with("a duration such as 13m", parse_duration)?;
    if longest < GENERATION_MIN || longest.subsec_nanos() != 0 {
        return Err(node.expected(&format!("whole seconds, {} or more", show_duration(GENERATION_MIN))));
    }
    if invokes && longest > LAMBDA_GENERATION_MAX {
        let most = show_duration(LAMBDA_GENERATION_MAX);
        return Err(node.expected(&format!(
            "at most {most}, because a function ends after 15 minutes, its start and its draining included"
        )));
    }
    Ok(longest)
}

fn listen(node: &Node) -> Result<SocketAddr, Fault> {
    node.parse_with("an address such as \"0.0.0.0:7443\"", |text| {
        text.parse().map_err(|_| {
            format!("\"{text}\" is not an address with a port; write for example \"0.0.0.0:7443\" or \"[::]:7443\"")
        })
    })
}

fn folder(node: &Node) -> Result<String, Fault> {
    let text = node.scalar("a folder")?;
    if text.is_empty() { Err(node.expected("a folder")) } else { Ok(text) }
}

/// How long agents may take to be ready, and what is to happen when they are not.
fn start(node: &Node, faults: &mut Faults) -> (Option<Duration>, WhenMissing) {
    let Some(mut fields) = faults.keep(Fields::of(node, "start")) else { return Default::default() };
    let within = fields.optional("within").and_then(|node| faults.keep(within(node)));
    let when_missing = word(fields.optional("when_missing"), &MISSING, faults);
    fields.finish(faults);
    (within, when_missing)
}

fn within(node: &Node) -> Result<Duration, Fault> {
    let within = node.parse_with("a duration such as 60s", parse_duration)?;
    if (Duration::from_secs(1)..=START_WITHIN_MAX).contains(&within) {
        Ok(within)
    } else {
        Err(node.expected(&format!("a duration from 1s to {}", show_duration(START_WITHIN_MAX))))
    }
}

#[cfg(test)]
mod tests;
