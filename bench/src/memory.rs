//! What a shopper takes of memory, and of a core while it does nothing.

use std::fmt::Write as _;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::server::Server;
use crate::table::markdown;
use crate::tools::Tools;
use crate::{folder, write};

/// A rehearsal that stands: shoppers who have sent a request, and think.
pub(crate) struct Standing {
    process: Child,
    agents: Vec<u32>,
}

impl Standing {
    /// Starts one from a plan's text.
    pub(crate) fn start(tools: &Tools, name: &str, plan: &str, journey: &str) -> Result<Self, String> {
        write(name, "journey.yaml", journey)?;
        let plan = write(name, "plan.yaml", plan)?;
        let process = Command::new(tools.path("doorbuster")?)
            .arg("rehearse")
            .arg(plan)
            .args(["--quiet", "--insecure", "--json"])
            .arg(folder().join(name).join("report.json"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|why| format!("starting doorbuster: {why}"))?;
        Ok(Self { process, agents: Vec::new() })
    }

    /// The agents' process ids, once they are there.
    fn agents(&mut self) -> Result<&[u32], String> {
        if self.agents.is_empty() {
            let id = self.process.id();
            for task in fs::read_dir(format!("/proc/{id}/task"))
                .map_err(|why| format!("its threads: {why}"))?
                .flatten()
            {
                let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
                self.agents.extend(children.split_whitespace().filter_map(|word| word.parse::<u32>().ok()));
            }
        }
        if self.agents.is_empty() {
            Err("doorbuster has no agent: it has ended".to_owned())
        } else {
            Ok(&self.agents)
        }
    }

    /// What all agents hold in memory, in bytes.
    pub(crate) fn memory(&mut self) -> Result<f64, String> {
        let mut sum = 0.0;
        for agent in self.agents()?.to_vec() {
            let status = fs::read_to_string(format!("/proc/{agent}/status"))
                .map_err(|why| format!("an agent: {why}"))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("");
            sum += line.split_whitespace().next().and_then(|word| word.parse::<f64>().ok()).unwrap_or(0.0)
                * 1_024.0;
        }
        Ok(sum)
    }

    /// The CPU time that all agents have used, in seconds.
    pub(crate) fn cpu(&mut self) -> Result<f64, String> {
        let mut sum = 0.0;
        for agent in self.agents()?.to_vec() {
            let stat = fs::read_to_string(format!("/proc/{agent}/stat"))
                .map_err(|why| format!("an agent: {why}"))?;
            let after = stat.rsplit(')').next().unwrap_or("");
            // proc(5): utime and stime are the 14th and 15th fields, in ticks of 10 ms.
            let ticks = after.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<f64>().ok());
            sum += ticks.sum::<f64>() / 100.0;
        }
        Ok(sum)
    }

    /// Stops it, and waits until it has ended.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        let id = self.process.id().to_string();
        // Asked twice, it stops at once.
        for _ in 0..2 {
            Command::new("kill").args(["-INT", &id]).status().map_err(|why| format!("kill: {why}"))?;
            std::thread::sleep(Duration::from_millis(500));
        }
        self.process.wait().map(drop).map_err(|why| format!("waiting for doorbuster: {why}"))
    }
}

/// A journey that sends one request with a cookie to keep, and thinks.
pub(crate) fn one_page(think: &str) -> String {
    format!(
        "journey: one\nsteps:\n  - {{ step: first, get: /first, expect: {{ status: 200 }}, think: {think} }}\n"
    )
}

/// A plan of so many shoppers, who come within 10 s.
pub(crate) fn plan(target: &str, shoppers: u32, more: &str) -> String {
    format!(
        "name: standing\ntarget: {target}\nregions: [here]\njourneys: [journey.yaml]\nload: {{ shoppers: [{{ ramp: [0, {shoppers}], over: 10s }}, {{ hold: {shoppers}, for: 10m }}]{more} }}\n"
    )
}

const SHOPPERS: u32 = 10_000;

/// Memory and CPU of 10,000 shoppers, above what an agent with ten takes.
pub(crate) fn report(tools: &Tools, server: &Server) -> Result<String, String> {
    let plain = format!("http://127.0.0.1:{}", server.plain);
    let tls = format!("https://127.0.0.1:{}", server.tls);
    let mut rows = Vec::new();
    for (label, target, think, more) in [
        ("connected, think time 10 s", &plain, "10s", ""),
        ("connected over TLS, think time 10 s", &tls, "10s", ""),
        ("connected, think time 10 min", &plain, "10m", ""),
        ("thinking without a connection, 10 min", &plain, "10m", ", connections: per-page"),
    ] {
        let mut memory = [0.0; 2];
        let (mut cpu, mut sent, mut connections) = (0.0, 0, 0);
        for (position, shoppers) in [10, SHOPPERS].into_iter().enumerate() {
            let mut standing =
                Standing::start(tools, "standing", &plan(target, shoppers, more), &one_page(think))?;
            std::thread::sleep(Duration::from_secs(17));
            memory[position] = standing.memory()?;
            let (before, requests) = (standing.cpu()?, server.requests()?);
            std::thread::sleep(Duration::from_secs(10));
            cpu = (standing.cpu()? - before) * 10.0;
            sent = server.requests()? - requests - 1;
            connections = server.connections()? - 1;
            standing.stop()?;
        }
        let each = (memory[1] - memory[0]) / f64::from(SHOPPERS - 10);
        eprintln!("memory: {label} {each:.0} bytes");
        rows.push(vec![
            label.to_owned(),
            format!("{each:.0} bytes"),
            format!("{cpu:.1} % of a core"),
            sent.to_string(),
            connections.to_string(),
        ]);
    }
    let head = ["", "memory per shopper", "CPU over 10 s", "requests meanwhile", "open connections"];
    let mut text = String::from("## Memory of 10,000 shoppers in one process\n\n");
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "Resident memory of the agent above that with ten shoppers; each has a cookie.\n\n{}\n",
        markdown(&head, &rows)
    );
    Ok(text)
}
