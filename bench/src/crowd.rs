//! `bench/crowd`: as many shoppers as this machine holds.

use std::time::Duration;

use crate::memory::{Standing, one_page, plan};
use crate::server::Server;
use crate::tools::Tools;

/// Half of the ports that Linux hands out by default (32768 to 60999): it takes the odd ones first, and searches all of
/// them in vain for each connection to the same address beyond.
const PORTS_FOUND_AT_ONCE: u32 = 14_000;

/// Runs the crowd that the words ask for.
///
/// # Errors
/// What was attempted and why it failed.
pub fn run(words: &[String]) -> Result<(), String> {
    let shoppers = |default| match words.get(1) {
        Some(word) => word.replace([',', '_'], "").parse().map_err(|_| format!("{word} is no number")),
        None => Ok(default),
    };
    match words.first().map(String::as_str) {
        Some("thinking") => thinking(shoppers(500_000)?),
        Some("connected") => connected(shoppers(500_000)?),
        _ => Err("which crowd: thinking or connected?".to_owned()),
    }
}

/// Shoppers who think for 10 min and hold no connection, in one process.
fn thinking(shoppers: u32) -> Result<(), String> {
    let tools = Tools::gather()?;
    let server = Server::start(&tools)?;
    let target = format!("http://127.0.0.1:{}", server.plain);
    let text = plan(&target, shoppers, ", connections: per-page").replace("over: 10s", "over: 60s");
    let before = baseline(&tools, &plan(&target, 10, ", connections: per-page"))?;
    let mut standing = Standing::start(&tools, "crowd", &text, &one_page("10m"))?;
    std::thread::sleep(Duration::from_secs(70));
    let each = (standing.memory()? - before) / f64::from(shoppers);
    let cpu = standing.cpu()?;
    std::thread::sleep(Duration::from_secs(10));
    let cpu = (standing.cpu()? - cpu) * 10.0;
    println!(
        "{shoppers} shoppers who think, in one process: {each:.0} bytes each, {cpu:.1} % of a core; nginx counted {} requests",
        server.requests()?
    );
    standing.stop()
}

/// Shoppers who keep their connections, over as many agents (and servers) as the descriptors need.
fn connected(shoppers: u32) -> Result<(), String> {
    let tools = Tools::gather()?;
    let each = descriptors()?.saturating_sub(1_000).min(PORTS_FOUND_AT_ONCE);
    let agents = shoppers.div_ceil(each);
    let servers = (0..agents as usize)
        .map(|number| Server::start_beside(&tools, number))
        .collect::<Result<Vec<_>, _>>()?;
    let regions: Vec<String> = servers
        .iter()
        .enumerate()
        .map(|(number, server)| {
            format!("r{number}: {{ target: \"http://127.0.0.{}:{}\" }}", number % 200 + 2, server.plain)
        })
        .collect();
    let text = format!(
        "name: crowd\nregions: {{ {} }}\njourneys: [journey.yaml]\nload: {{ shoppers: [{{ ramp: [0, {shoppers}], over: 210s }}, {{ hold: {shoppers}, for: 10m }}] }}\n",
        regions.join(", ")
    );
    let before = baseline(
        &tools,
        &text
            .replace(&format!("hold: {shoppers}"), "hold: 100")
            .replace(&format!("[0, {shoppers}]"), "[0, 100]"),
    )?;
    let mut standing = Standing::start(&tools, "crowd", &text, &one_page("10m"))?;
    std::thread::sleep(Duration::from_secs(232));
    let memory = standing.memory()? - before;
    // Each server counts the one that asks.
    let open: u64 =
        servers.iter().filter_map(|server| server.connections().ok()).map(|count| count - 1).sum();
    println!(
        "{open} of {shoppers} shoppers are connected over {agents} agents: {:.0} bytes each",
        memory / open.max(1) as f64
    );
    standing.stop()
}

/// What the agents of a plan with hardly anybody hold.
fn baseline(tools: &Tools, plan: &str) -> Result<f64, String> {
    let mut standing = Standing::start(tools, "crowd", plan, &one_page("10m"))?;
    std::thread::sleep(Duration::from_secs(8));
    let memory = standing.memory()?;
    standing.stop()?;
    Ok(memory)
}

/// The most descriptors of a process.
fn descriptors() -> Result<u32, String> {
    let limits = std::fs::read_to_string("/proc/self/limits")
        .map_err(|why| format!("this process's limits: {why}"))?;
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap_or("");
    line.split_whitespace().nth(4).and_then(|word| word.parse().ok()).ok_or_else(|| format!("it says {line}"))
}
