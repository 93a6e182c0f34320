//! What the shop is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::error::Error;
use crate::fault::Fault;

const PRODUCTS_MAX: usize = 5_000;
const REGIONS_MAX: usize = 32;

/// The regions of the demo: name, round trip viewer ↔ edge and edge ↔ origin in milliseconds. The
/// origin stands near London, which is what makes Tokyo's misses dear.
const DEMO_REGIONS: [(&str, u64, u64); 3] = [("tokyo", 12, 60), ("london", 5, 10), ("new-york", 9, 40)];

/// What the shop is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// One listener with its own cache each; 1 to 32, names distinct.
    pub regions: Vec<RegionOptions>,
    /// Where the admin endpoint listens; must be loopback. Port 0: any.
    pub admin: SocketAddr,
    /// Faults that are on from the start.
    pub faults: Vec<Fault>,
    /// A file that receives one line per answer: `region method path status bytes`.
    pub access_log: Option<PathBuf>,
    /// How many products the catalogue has, 1 to 5,000.
    pub products: usize,
    /// How many units of each product there are.
    pub stock: u32,
    /// Fixes the catalogue and the dice of the faults; session tokens are always random.
    pub seed: u64,
}

/// One region: a listener and its distances.
#[derive(Clone, Debug)]
pub struct RegionOptions {
    /// The name, as `tokyo`; also chooses the edge's airport.
    pub name: String,
    /// Where it listens. Port 0: any.
    pub listen: SocketAddr,
    /// Round trip between viewer and edge, added to every answer.
    pub rtt: Duration,
    /// Round trip between edge and origin, added to every answer that the origin had to give.
    pub origin_rtt: Duration,
}

impl Default for Options {
    /// Tokyo, London and New York on any loopback port, without round trips or faults, 300 products
    /// that do not sell out.
    fn default() -> Options {
        let regions =
            DEMO_REGIONS.iter().map(|(name, ..)| RegionOptions::new(name, Duration::ZERO, Duration::ZERO));
        Options {
            regions: regions.collect(),
            admin: loopback(0),
            faults: Vec::new(),
            access_log: None,
            products: 300,
            stock: 1_000_000,
            seed: 1,
        }
    }
}

impl Options {
    /// The default with pleasant round trips, for the demo and the built-in rehearsal.
    pub fn demo() -> Options {
        let regions = DEMO_REGIONS.iter().map(|(name, rtt_ms, origin_rtt_ms)| {
            RegionOptions::new(name, Duration::from_millis(*rtt_ms), Duration::from_millis(*origin_rtt_ms))
        });
        Options { regions: regions.collect(), ..Options::default() }
    }

    /// Puts the regions on consecutive loopback ports from `port_base` and the admin endpoint one below.
    ///
    /// # Errors
    /// [`Error::Options`] when a port would leave the range 1 to 65535.
    pub fn on_ports(mut self, port_base: u16) -> Result<Options, Error> {
        let outside = || Error::Options {
            reason: format!("no room for its ports around {port_base}; choose another base"),
        };
        let admin_port = port_base.checked_sub(1).filter(|port| *port > 0).ok_or_else(outside)?;
        self.admin = loopback(admin_port);
        for (region, offset) in self.regions.iter_mut().zip(0..) {
            region.listen = loopback(port_base.checked_add(offset).ok_or_else(outside)?);
        }
        Ok(self)
    }

    /// The region of that name.
    pub(crate) fn region_mut(&mut self, name: &str) -> Result<&mut RegionOptions, Error> {
        let known = self.region_names();
        let found = self.regions.iter_mut().find(|region| region.name == name);
        found.ok_or_else(|| Error::UnknownRegion { given: name.to_owned(), known })
    }

    /// Refuses what could not work, before anything is started.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |reason: String| Err(Error::Options { reason });
        if self.regions.is_empty() || self.regions.len() > REGIONS_MAX {
            return refuse(format!("{} regions; give 1 to {REGIONS_MAX}", self.regions.len()));
        }
        for (index, region) in self.regions.iter().enumerate() {
            if !is_region_name(&region.name) {
                return refuse(format!(
                    "the region `{}`: use letters, digits and hyphens, at most 64",
                    region.name
                ));
            }
            if self.regions.iter().take(index).any(|earlier| earlier.name == region.name) {
                return refuse(format!("the region `{}` is named twice; name each once", region.name));
            }
        }
        if self.products == 0 || self.products > PRODUCTS_MAX {
            return refuse(format!("{} products; give 1 to {PRODUCTS_MAX}", self.products));
        }
        if !self.admin.ip().is_loopback() {
            return Err(Error::AdminNotLoopback { address: self.admin });
        }
        self.faults.iter().try_for_each(|fault| self.check_region_of(fault))
    }

    fn check_region_of(&self, fault: &Fault) -> Result<(), Error> {
        match fault.region() {
            Some(name) if !self.regions.iter().any(|region| region.name == name) => {
                Err(Error::UnknownRegion { given: name.to_owned(), known: self.region_names() })
            }
            _ => Ok(()),
        }
    }

    fn region_names(&self) -> String {
        self.regions.iter().map(|region| region.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl RegionOptions {
    /// A region on any loopback port.
    pub fn new(name: &str, rtt: Duration, origin_rtt: Duration) -> RegionOptions {
        RegionOptions { name: name.to_owned(), listen: loopback(0), rtt, origin_rtt }
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn is_region_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn the_demo_stands_on_consecutive_ports() {
        let options = Options::demo().on_ports(8091).unwrap();
        let ports: Vec<u16> = options.regions.iter().map(|region| region.listen.port()).collect();
        assert_eq!((ports, options.admin.port()), (vec![8091, 8092, 8093], 8090));
        assert!(options.check().is_ok());
        assert!(Options::demo().on_ports(1).is_err());
        assert!(Options::demo().on_ports(65534).is_err());
    }

    #[test]
    fn contradictions_are_refused() {
        let refused = |change: fn(&mut Options)| {
            let mut options = Options::default();
            change(&mut options);
            options.check().unwrap_err().to_string()
        };
        assert!(refused(|options| options.regions.clear()).contains("0 regions"));
        assert!(refused(|options| options.products = 0).contains("0 products"));
        assert!(refused(|options| options.products = 5_001).contains("1 to 5000"));
        assert!(refused(|options| options.admin = ([192, 0, 2, 1], 0).into()).contains("loopback"));
        assert!(refused(|options| options.regions[1].name = "tokyo".to_owned()).contains("twice"));
        assert!(refused(|options| options.regions[1].name = "a b".to_owned()).contains("letters"));
        assert!(
            refused(|options| options.faults = vec!["down@mars".parse().unwrap()]).contains("tokyo, london")
        );
    }
}
