//! How many may be connected: agents as many as plans have, and few who have shown no certificate, of them few from one
//! address, so that no stranger keeps an agent out.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Agents at a time: a plan's, twice, as one may come back before its last connection is seen to be gone.
const AGENTS_MAX: usize = 4_000;
/// Those at a time who have shown no certificate: whoever is still shaking hands, whoever enrols, and strangers.
const STRANGERS_MAX: usize = 400;
/// The same from one address. Agents that share one come in after one another: a handshake takes a moment.
const STRANGERS_FROM_ONE_MAX: usize = 100;

/// Who is connected. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Crowd(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    agents: usize,
    strangers: usize,
    /// How many strangers there are from each address.
    from: HashMap<IpAddr, usize>,
}

/// A place among those who are connected, which is free again once this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Crowd,
    /// Where a stranger comes from; `None` for an agent.
    stranger_from: Option<IpAddr>,
}

impl Crowd {
    /// A place for whoever has just connected from an address: a stranger's. `None` where there are too many.
    pub(super) fn let_in(&self, address: IpAddr) -> Option<Place> {
        let from = network(address);
        let mut inside = self.lock();
        let here = inside.from.get(&from).copied().unwrap_or_default();
        if inside.strangers >= STRANGERS_MAX || here >= STRANGERS_FROM_ONE_MAX {
            return None;
        }
        inside.strangers += 1;
        inside.from.insert(from, here + 1);
        Some(Place { crowd: self.clone(), stranger_from: Some(from) })
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn leave(&mut self, from: IpAddr) {
        self.strangers -= 1;
        match self.from.get_mut(&from) {
            Some(here) if *here > 1 => *here -= 1,
            _ => {
                self.from.remove(&from);
            }
        }
    }
}

impl Place {
    /// Whoever has it has shown a certificate that holds. False where there are too many agents.
    pub(super) fn is_an_agent_s(&mut self) -> bool {
        let Some(from) = self.stranger_from else { return true };
        let mut inside = self.crowd.lock();
        if inside.agents >= AGENTS_MAX {
            return false;
        }
        self.stranger_from = None;
        inside.agents += 1;
        inside.leave(from);
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.crowd.lock();
        match self.stranger_from {
            Some(from) => inside.leave(from),
            None => inside.agents -= 1,
        }
    }
}

/// What counts as one address: of IPv6 the first half, as whoever has one address of a network has them all.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn address(number: usize) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(number).unwrap()))
    }

    #[test]
    fn one_address_takes_its_own_share_and_leaves_the_rest() {
        let crowd = Crowd::default();
        let mut here: Vec<Place> = (0..1_000).filter_map(|_| crowd.let_in(address(1))).collect();
        assert_eq!(here.len(), STRANGERS_FROM_ONE_MAX);
        assert!(crowd.let_in(address(2)).is_some(), "others are let in");
        here.pop();
        assert!(crowd.let_in(address(1)).is_some(), "there is room again");
    }

    #[test]
    fn all_addresses_together_leave_room_for_agents() {
        let crowd = Crowd::default();
        let mut agents = Vec::new();
        for number in 0..AGENTS_MAX {
            let mut place = crowd.let_in(address(number)).unwrap();
            assert!(place.is_an_agent_s() && place.is_an_agent_s(), "counted once");
            agents.push(place);
        }
        let strangers: Vec<Place> = (0..10_000).filter_map(|number| crowd.let_in(address(number))).collect();
        assert_eq!(strangers.len(), STRANGERS_MAX);
        drop(strangers);
        let mut late = crowd.let_in(address(0)).unwrap();
        assert!(!late.is_an_agent_s(), "more agents than any plan has");
        agents.pop();
        assert!(late.is_an_agent_s());
        drop((agents, late));
        let inside = crowd.lock();
        assert_eq!((inside.agents, inside.strangers, inside.from.len()), (0, 0, 0));
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let network = |text: &str| super::network(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1:2:3"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.7"));
        assert_ne!(network("192.0.2.7"), network("192.0.2.8"));
    }
}
