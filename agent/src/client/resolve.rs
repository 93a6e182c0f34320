//! Names to addresses: answers are kept for their TTL, and all addresses are used in turn.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;
use std::time::Instant;

use hickory_resolver::TokioResolver;

/// The most names that are kept.
const NAMES_MAX: usize = 1_000;

/// A worker's resolver.
pub(crate) struct Resolver {
    /// `host:port` → address, from the plan or the command line.
    fixed: BTreeMap<String, IpAddr>,
    known: RefCell<BTreeMap<String, Known>>,
    system: RefCell<Option<Rc<TokioResolver>>>,
}

struct Known {
    addresses: Vec<IpAddr>,
    next: usize,
    until: Instant,
}

impl Known {
    /// The addresses, beginning with the one whose turn it is; the next has its turn then.
    fn turn(&mut self) -> Vec<IpAddr> {
        let turn = self.next % self.addresses.len().max(1);
        self.next = turn + 1;
        let mut addresses = self.addresses.clone();
        addresses.rotate_left(turn);
        addresses
    }
}

/// Addresses to try, first the one whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// At least one.
    pub addresses: Vec<IpAddr>,
    /// Whether a name server was asked for this one.
    pub asked: bool,
}

impl Resolver {
    /// A resolver with the plan's fixed answers. The system's name servers are asked only once a name needs them.
    pub(crate) fn new(fixed: &[(String, IpAddr)]) -> Self {
        Self { fixed: fixed.iter().cloned().collect(), known: RefCell::default(), system: RefCell::default() }
    }

    /// The addresses of `host`, beginning with the next in turn. The error says why there is none.
    pub(crate) async fn resolve(&self, host: &str, port: u16) -> Result<Addresses, String> {
        let own = |addresses: Vec<IpAddr>| Ok(Addresses { addresses, asked: false });
        if let Some(address) = self.fixed.get(&format!("{host}:{port}")) {
            return own(vec![*address]);
        }
        if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse() {
            return own(vec![address]);
        }
        // RFC 6761, section 6.3: these names are this machine, whatever a name server says.
        if host == "localhost" || host.ends_with(".localhost") {
            return own(vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]);
        }
        if let Some(addresses) = self.kept(host) {
            return own(addresses);
        }
        let system = self.system()?;
        let found = system.lookup_ip(host).await.map_err(|error| error.to_string())?;
        let addresses: Vec<IpAddr> = found.iter().collect();
        if addresses.is_empty() {
            return Err("the name has no address".to_owned());
        }
        let mut known = self.known.borrow_mut();
        if known.len() >= NAMES_MAX && !known.contains_key(host) {
            known.clear();
        }
        // Whose turn it is outlives the answer, so that a short TTL does not make everybody begin with the first.
        let next = known.get(host).map_or(0, |earlier| earlier.next);
        let mut fresh = Known { addresses, next, until: found.valid_until() };
        let addresses = fresh.turn();
        known.insert(host.to_owned(), fresh);
        Ok(Addresses { addresses, asked: true })
    }

    fn kept(&self, host: &str) -> Option<Vec<IpAddr>> {
        let mut known = self.known.borrow_mut();
        known.get_mut(host).filter(|entry| entry.until > Instant::now()).map(Known::turn)
    }

    fn system(&self) -> Result<Rc<TokioResolver>, String> {
        let mut system = self.system.borrow_mut();
        if let Some(resolver) = &*system {
            return Ok(Rc::clone(resolver));
        }
        let built = TokioResolver::builder_tokio().and_then(hickory_resolver::ResolverBuilder::build);
        let resolver =
            Rc::new(built.map_err(|error| format!("the system's name servers cannot be read: {error}"))?);
        *system = Some(Rc::clone(&resolver));
        Ok(resolver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn fixed_names_literals_and_localhost_ask_nobody() {
        let resolver =
            Resolver::new(&[("shop.example.com:443".to_owned(), IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9)))]);
        let first = |found: Result<Addresses, String>| {
            found.map(|found| (found.addresses[0].to_string(), found.asked))
        };
        assert_eq!(
            first(resolver.resolve("shop.example.com", 443).await),
            Ok(("127.0.0.9".to_owned(), false))
        );
        assert_eq!(first(resolver.resolve("127.0.0.7", 80).await), Ok(("127.0.0.7".to_owned(), false)));
        assert_eq!(first(resolver.resolve("[::1]", 80).await), Ok(("::1".to_owned(), false)));
        assert_eq!(first(resolver.resolve("shop.localhost", 80).await), Ok(("127.0.0.1".to_owned(), false)));
    }

    #[test]
    fn addresses_are_used_in_turn_until_their_time_is_over() {
        let resolver = Resolver::new(&[]);
        let addresses = vec![IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2))];
        let until = Instant::now() + std::time::Duration::from_secs(60);
        let known = Known { addresses: addresses.clone(), next: 1, until };
        resolver.known.borrow_mut().insert("a".to_owned(), known);
        let firsts: Vec<IpAddr> = (0..4).map(|_| resolver.kept("a").unwrap()[0]).collect();
        assert_eq!(firsts, [addresses[1], addresses[0], addresses[1], addresses[0]]);
        resolver.known.borrow_mut().get_mut("a").unwrap().until = Instant::now();
        assert_eq!(resolver.kept("a"), None);
    }
}
