//! `doorbuster demo`: the shop alone, for looking at it and for breaking it by hand.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use crate::duration;
use crate::error::Error;
use crate::fault::{CATALOGUE, Fault};
use crate::options::{Options, RegionOptions};
use crate::shop::Shop;

/// Runs the demo shop alone, behind one edge per region, until Ctrl-C.
#[derive(Args, Clone, Debug)]
pub struct DemoCommand {
    /// The first region's port; the others follow, and the admin endpoint is one below.
    #[arg(long, value_name = "PORT", default_value_t = 8091)]
    port_base: u16,
    /// Round trip between viewers and an edge, as tokyo=12ms; may be repeated.
    #[arg(long, value_name = "REGION=DURATION")]
    rtt: Vec<String>,
    /// Round trip between an edge and the origin, as tokyo=60ms; may be repeated.
    #[arg(long, value_name = "REGION=DURATION")]
    origin_rtt: Vec<String>,
    /// A fault that is on from the start, as slow=300ms@tokyo; may be repeated.
    #[arg(long, value_name = "KIND[=VALUE][@REGION]")]
    fault: Vec<Fault>,
    /// Writes one line per answer to a file: region method path status bytes.
    #[arg(long, value_name = "FILE")]
    access_log: Option<PathBuf>,
    /// How many products the catalogue has, 1 to 5000.
    #[arg(long, value_name = "N", default_value_t = 300)]
    products: usize,
    /// How many units of each product there are.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    stock: u32,
    /// Fixes the catalogue and the dice of the faults.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

impl DemoCommand {
    /// Starts the shop, prints what it serves where, and runs until Ctrl-C.
    ///
    /// # Errors
    /// Whatever keeps the shop from starting (see [`Shop::start`]), settings that cannot be read, and a
    /// standard output that cannot be written.
    pub fn run(&self) -> Result<(), Error> {
        let options = self.options()?;
        let shop = Shop::start(options.clone())?;
        let mut out = io::stdout().lock();
        announce(&shop, &options, &mut out).map_err(|source| Error::Print { source })?;
        drop(out);
        wait_for_the_end().map_err(|source| Error::Signal { source })?;
        shop.stop();
        Ok(())
    }

    /// What the shop is started with.
    ///
    /// # Errors
    /// A round trip that cannot be read, or one of a region that does not exist; ports beyond the range.
    pub fn options(&self) -> Result<Options, Error> {
        let mut options = Options {
            faults: self.fault.clone(),
            access_log: self.access_log.clone(),
            products: self.products,
            stock: self.stock,
            seed: self.seed,
            ..Options::demo().on_ports(self.port_base)?
        };
        for setting in &self.rtt {
            let (region, rtt) = round_trip(setting)?;
            options.region_mut(region)?.rtt = rtt;
        }
        for setting in &self.origin_rtt {
            let (region, rtt) = round_trip(setting)?;
            options.region_mut(region)?.origin_rtt = rtt;
        }
        Ok(options)
    }
}

fn round_trip(setting: &str) -> Result<(&str, std::time::Duration), Error> {
    let unreadable = || Error::RoundTrip { given: setting.to_owned() };
    let (region, time) = setting.split_once('=').ok_or_else(unreadable)?;
    Ok((region, duration::parse(time).map_err(|_| unreadable())?))
}

/// Prints what is served where and what one can do with it.
fn announce(shop: &Shop, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "The demo shop is open: {} products, {} of each.\n", options.products, options.stock)?;
    writeln!(out, "  {:<10} {:<26} {:>8}  {:>9}", "region", "address", "rtt", "to origin")?;
    for (edge, RegionOptions { rtt, origin_rtt, .. }) in shop.edges().iter().zip(&options.regions) {
        let address = format!("http://{}", edge.address);
        let (rtt, origin_rtt) = (duration::show(*rtt), duration::show(*origin_rtt));
        writeln!(out, "  {:<10} {address:<26} {rtt:>8}  {origin_rtt:>9}", edge.region)?;
    }
    let admin = format!("http://{}/admin", shop.admin());
    writeln!(out, "  {:<10} {admin}", "admin")?;
    if let Some(path) = &options.access_log {
        writeln!(out, "  {:<10} {}", "log", path.display())?;
    }
    for fault in &options.faults {
        writeln!(out, "  {:<10} {fault}", "fault on")?;
    }
    if let Some(edge) = shop.edges().first() {
        writeln!(out, "\nLook at it:")?;
        writeln!(out, "  curl -i --compressed http://{}/", edge.address)?;
        writeln!(out, "  curl http://{}/healthz", edge.address)?;
        writeln!(out, "  curl {admin}/counts")?;
    }
    writeln!(out, "\nBreak it, and mend it (DELETE switches off, {{\"fault\":\"all\"}} everything):")?;
    let json = "-H 'content-type: application/json'";
    for (method, fault) in [("", "errors=5%"), ("-X DELETE ", "errors=5%")] {
        writeln!(out, "  curl {method}{json} -d '{{\"fault\":\"{fault}\"}}' {admin}/faults")?;
    }
    writeln!(out, "\nFaults, each also for one region with @REGION:")?;
    for entry in &CATALOGUE {
        writeln!(out, "  {:<18} {}", entry.example, entry.does)?;
    }
    writeln!(out, "\nCtrl-C closes the shop.")?;
    out.flush()
}

/// Returns at Ctrl-C, or when asked to terminate.
fn wait_for_the_end() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let mut terminate = signal(SignalKind::terminate())?;
            tokio::select! {
                interrupted = tokio::signal::ctrl_c() => interrupted,
                _ = terminate.recv() => Ok(()),
            }
        }
        #[cfg(not(unix))]
        tokio::signal::ctrl_c().await
    })
}

#[cfg(test)]
mod tests {
    use super::{DemoCommand, announce};
    use crate::shop::Shop;
    use clap::{Args as _, FromArgMatches as _};
    use std::time::Duration;

    fn command(arguments: &[&str]) -> Result<DemoCommand, clap::Error> {
        let parser = DemoCommand::augment_args(clap::Command::new("demo"));
        let matches = parser.try_get_matches_from([&["demo"], arguments].concat())?;
        DemoCommand::from_arg_matches(&matches)
    }

    #[test]
    fn settings_reach_the_options() {
        let arguments = [
            "--rtt",
            "tokyo=20ms",
            "--origin-rtt",
            "london=0",
            "--fault",
            "down@tokyo",
            "--port-base",
            "9000",
        ];
        let options = command(&arguments).unwrap().options().unwrap();
        assert_eq!(options.regions[0].rtt, Duration::from_millis(20));
        assert_eq!(options.regions[0].origin_rtt, Duration::from_millis(60));
        assert_eq!(options.regions[1].origin_rtt, Duration::ZERO);
        assert_eq!((options.admin.port(), options.regions[2].listen.port()), (8999, 9002));
        assert_eq!(options.faults[0].to_string(), "down@tokyo");
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(command(&["--fault", "sloow"]).unwrap_err().to_string().contains("no-compression"));
        let refused = |setting| command(&["--rtt", setting]).unwrap().options().unwrap_err().to_string();
        assert!(refused("tokyo").contains("tokyo=12ms"));
        assert!(refused("tokyo=fast").contains("tokyo=fast"));
        assert!(refused("mars=1ms").contains("tokyo, london, new-york"));
    }

    #[test]
    fn the_announcement_says_where_everything_is() {
        let mut options = command(&["--fault", "errors=5%@london"]).unwrap().options().unwrap();
        options.admin.set_port(0);
        options.regions.iter_mut().for_each(|region| region.listen.set_port(0));
        let shop = Shop::start(options.clone()).unwrap();
        let mut out = Vec::new();
        announce(&shop, &options, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for edge in shop.edges() {
            assert!(text.contains(&edge.address.to_string()) && text.contains(&edge.region));
        }
        assert!(text.contains(&shop.admin().to_string()) && text.contains("errors=5%@london"));
        let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
        let (_, faults) = text.split_once("with @REGION:\n").unwrap();
        let lines: Vec<&str> = faults.lines().take_while(|line| !line.is_empty()).collect();
        assert_eq!(lines.len(), super::CATALOGUE.len());
        for (line, entry) in lines.iter().zip(&super::CATALOGUE) {
            assert!(line.contains(entry.example) && readme.contains(line), "{line} belongs into the README");
        }
    }
}
