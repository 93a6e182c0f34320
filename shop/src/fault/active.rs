//! Which faults are on, as flags that one answer can read at once.

use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::{Fault, FaultKind, Share};
use crate::shared::Shared;

/// Distinct switches are 40 kinds × 33 places at most; this only bounds what is named for no region of ours.
const SWITCHED_ON_MAX: usize = 2_000;

/// All faults of one region as plain flags, copied once per answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Switches {
    pub(crate) slow: Duration,
    pub(crate) errors: Share,
    pub(crate) frozen_until: Option<Instant>,
    pub(crate) cold_cache: bool,
    pub(crate) no_compression: bool,
    pub(crate) api_cached: bool,
    pub(crate) cart_leaked: bool,
    pub(crate) ttl_max: Option<Duration>,
    pub(crate) lost_cart: Share,
    pub(crate) oversell: bool,
    pub(crate) down: bool,
    pub(crate) html_year: bool,
    pub(crate) stale_html: Option<Duration>,
    pub(crate) no_store_html: bool,
    pub(crate) no_lifetime: bool,
    pub(crate) error_ttl: Duration,
    pub(crate) vary_cookie: bool,
    pub(crate) vary_agent: bool,
    pub(crate) session_cached: bool,
    pub(crate) cookie_sent: bool,
    pub(crate) sticky_cached: bool,
    pub(crate) query_key: bool,
    pub(crate) cookie_key: bool,
    pub(crate) age_leaked: bool,
    pub(crate) unsticky: Share,
    pub(crate) images_compressed: bool,
    pub(crate) double_gzip: bool,
    pub(crate) forced_gzip: bool,
    pub(crate) no_vary: bool,
    pub(crate) broken_brotli: bool,
    pub(crate) corrupt_brotli: bool,
    pub(crate) weak_compression: bool,
    pub(crate) no_304: bool,
    pub(crate) no_range: bool,
    pub(crate) head_lies: bool,
    pub(crate) wrong_edge: bool,
    pub(crate) challenge: Share,
}

/// The switchboard that edges and origin read and that the admin endpoint writes.
#[derive(Debug)]
pub(crate) struct Faults {
    regions: Vec<Region>,
    switched_on: Shared<Vec<SwitchedOn>>,
    changed: Notify,
}

#[derive(Debug)]
struct Region {
    name: String,
    switches: Shared<Switches>,
}

#[derive(Debug)]
struct SwitchedOn {
    fault: Fault,
    since: Instant,
}

impl SwitchedOn {
    fn is_over(&self, now: Instant) -> bool {
        matches!(self.fault.kind(), FaultKind::Freeze(time) if now >= self.since + time)
    }
}

impl Faults {
    pub(crate) fn new(region_names: impl IntoIterator<Item = String>) -> Faults {
        let regions = region_names.into_iter().map(|name| Region { name, switches: Shared::default() });
        Faults { regions: regions.collect(), switched_on: Shared::default(), changed: Notify::new() }
    }

    /// Switches a fault on; one of the same kind for the same place is replaced.
    pub(crate) fn switch_on(&self, fault: Fault, now: Instant) {
        self.change(|switched_on| {
            switched_on.retain(|other| !other.fault.same_switch(&fault) && !other.is_over(now));
            if switched_on.len() < SWITCHED_ON_MAX {
                switched_on.push(SwitchedOn { fault, since: now });
            }
        });
    }

    /// Switches a fault off, whatever its value. Says whether it was on.
    pub(crate) fn switch_off(&self, fault: &Fault) -> bool {
        let mut was_on = false;
        self.change(|switched_on| {
            let before = switched_on.len();
            switched_on.retain(|other| !other.fault.same_switch(fault));
            was_on = switched_on.len() < before;
        });
        was_on
    }

    /// Switches everything off.
    pub(crate) fn clear(&self) {
        self.change(Vec::clear);
    }

    /// What is on, in the order in which it was switched on.
    pub(crate) fn list(&self, now: Instant) -> Vec<Fault> {
        let switched_on = self.switched_on.lock();
        switched_on.iter().filter(|one| !one.is_over(now)).map(|one| one.fault.clone()).collect()
    }

    /// The flags of a region, by its index.
    pub(crate) fn switches(&self, region: usize) -> Switches {
        self.regions.get(region).map(|region| *region.switches.lock()).unwrap_or_default()
    }

    /// Whether the shop serves a region of that name.
    pub(crate) fn knows(&self, region_name: &str) -> bool {
        self.regions.iter().any(|region| region.name == region_name)
    }

    /// Returns once the region is not frozen (any more).
    pub(crate) async fn thaw(&self, region: usize) {
        loop {
            // Registered before the flag is read, so that no change in between is missed.
            let changed = self.changed.notified();
            match self.switches(region).frozen_until {
                Some(until) if until > Instant::now() => {
                    tokio::select! {
                        () = tokio::time::sleep_until(until.into()) => {}
                        () = changed => {}
                    }
                }
                _ => return,
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut Vec<SwitchedOn>)) {
        let mut switched_on = self.switched_on.lock();
        change(&mut switched_on);
        for region in &self.regions {
            *region.switches.lock() = switches_of(&region.name, &switched_on);
        }
        drop(switched_on);
        self.changed.notify_waiters();
    }
}

/// The flags of one region: what is on everywhere, overridden by what is on there alone.
fn switches_of(region: &str, switched_on: &[SwitchedOn]) -> Switches {
    let mut switches = Switches::default();
    let everywhere = switched_on.iter().filter(|one| one.fault.region().is_none());
    let here = switched_on.iter().filter(|one| one.fault.region() == Some(region));
    for one in everywhere.chain(here) {
        match one.fault.kind() {
            FaultKind::Slow(time) => switches.slow = time,
            FaultKind::Errors(share) => switches.errors = share,
            FaultKind::Freeze(time) => switches.frozen_until = Some(one.since + time),
            FaultKind::ColdCache => switches.cold_cache = true,
            FaultKind::NoCompression => switches.no_compression = true,
            FaultKind::ApiCached => switches.api_cached = true,
            FaultKind::CartLeaked => switches.cart_leaked = true,
            FaultKind::ShortTtl(time) => switches.ttl_max = Some(time),
            FaultKind::LostCart(share) => switches.lost_cart = share,
            FaultKind::Oversell => switches.oversell = true,
            FaultKind::Down => switches.down = true,
            FaultKind::HtmlYear => switches.html_year = true,
            FaultKind::StaleHtml(time) => switches.stale_html = Some(time),
            FaultKind::NoStoreHtml => switches.no_store_html = true,
            FaultKind::NoLifetime => switches.no_lifetime = true,
            FaultKind::ErrorTtl(time) => switches.error_ttl = time,
            FaultKind::VaryCookie => switches.vary_cookie = true,
            FaultKind::VaryAgent => switches.vary_agent = true,
            FaultKind::SessionCached => switches.session_cached = true,
            FaultKind::CookieSent => switches.cookie_sent = true,
            FaultKind::StickyCached => switches.sticky_cached = true,
            FaultKind::QueryKey => switches.query_key = true,
            FaultKind::CookieKey => switches.cookie_key = true,
            FaultKind::AgeLeaked => switches.age_leaked = true,
            FaultKind::Unsticky(share) => switches.unsticky = share,
            FaultKind::ImagesCompressed => switches.images_compressed = true,
            FaultKind::DoubleGzip => switches.double_gzip = true,
            FaultKind::ForcedGzip => switches.forced_gzip = true,
            FaultKind::NoVary => switches.no_vary = true,
            FaultKind::BrokenBrotli => switches.broken_brotli = true,
            FaultKind::CorruptBrotli => switches.corrupt_brotli = true,
            FaultKind::WeakCompression => switches.weak_compression = true,
            FaultKind::No304 => switches.no_304 = true,
            FaultKind::NoRange => switches.no_range = true,
            FaultKind::HeadLies => switches.head_lies = true,
            FaultKind::WrongEdge => switches.wrong_edge = true,
            FaultKind::Challenge(share) => switches.challenge = share,
        }
    }
    switches
}

#[cfg(test)]
mod tests {
    use super::{Faults, Switches};
    use crate::fault::{CATALOGUE, Fault};
    use std::time::{Duration, Instant};

    fn faults() -> Faults {
        Faults::new(["tokyo".to_owned(), "london".to_owned()])
    }

    fn fault(text: &str) -> Fault {
        text.parse().unwrap()
    }

    #[test]
    fn a_region_overrides_what_is_on_everywhere() {
        let (faults, now) = (faults(), Instant::now());
        faults.switch_on(fault("slow=300ms@tokyo"), now);
        faults.switch_on(fault("slow=100ms"), now);
        assert_eq!(faults.switches(0).slow, Duration::from_millis(300));
        assert_eq!(faults.switches(1).slow, Duration::from_millis(100));
        assert!(faults.switch_off(&fault("slow=1ms@tokyo")));
        assert!(!faults.switch_off(&fault("slow=1ms@tokyo")));
        assert_eq!(faults.switches(0).slow, Duration::from_millis(100));
        faults.clear();
        assert_eq!(faults.switches(1), Switches::default());
    }

    #[test]
    fn every_fault_turns_a_switch_in_its_region_alone() {
        for entry in &CATALOGUE {
            let (faults, now) = (faults(), Instant::now());
            let everywhere = entry.example.split('@').next().unwrap();
            faults.switch_on(fault(&format!("{everywhere}@tokyo")), now);
            assert_ne!(faults.switches(0), Switches::default(), "{}", entry.name);
            assert_eq!(faults.switches(1), Switches::default(), "{}", entry.name);
            assert!(faults.switch_off(&fault(&format!("{everywhere}@tokyo"))), "{}", entry.name);
            assert_eq!(faults.switches(0), Switches::default(), "{}", entry.name);
            faults.switch_on(fault(everywhere), now);
            assert_ne!(faults.switches(1), Switches::default(), "{}", entry.name);
        }
    }

    #[test]
    fn the_same_switch_is_listed_once_and_a_freeze_leaves_the_list() {
        let (faults, now) = (faults(), Instant::now());
        faults.switch_on(fault("errors=5%"), now);
        faults.switch_on(fault("errors=6%"), now);
        faults.switch_on(fault("freeze=2s"), now);
        assert_eq!(faults.list(now), [fault("errors=6%"), fault("freeze=2s")]);
        assert_eq!(faults.list(now + Duration::from_secs(2)), [fault("errors=6%")]);
    }

    #[tokio::test]
    async fn a_freeze_ends_with_its_time_or_when_it_is_switched_off() {
        let faults = faults();
        let started = Instant::now();
        faults.switch_on(fault("freeze=60ms@tokyo"), started);
        faults.thaw(1).await;
        assert!(started.elapsed() < Duration::from_millis(60));
        faults.thaw(0).await;
        assert!(started.elapsed() >= Duration::from_millis(60));

        faults.switch_on(fault("freeze=1m"), Instant::now());
        let off = async {
            tokio::task::yield_now().await;
            faults.clear();
        };
        tokio::time::timeout(Duration::from_secs(5), async { tokio::join!(faults.thaw(0), off) })
            .await
            .unwrap();
    }
}
