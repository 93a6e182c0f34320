//! Thirty agents in three networks, each behind a way of its own that can be cut.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use doorbuster_shop::{Options, Shop};

use super::{REGIONS, Site, is_exact, logged};
use crate::util::{Folder, count, kinds, start, turn, without};

/// One way's delay, in milliseconds, and its loss, in per cent, as wirefilter takes them.
const DELAYS_MS: [u32; 3] = [90, 15, 45];
const LOSS: &str = "0.1";
/// So long after its lease was renewed for the last time nothing of an assignment is left: a lease is good for 15 s.
const ENDED_WITHIN: Duration = Duration::from_secs(16);

/// Three networks, one for each region, and this machine's side of them. Made anew, and gone with it.
struct Networks {
    /// The beginning of the names of all that there is.
    name: String,
    here: Ipv4Addr,
    folder: Folder,
    /// The ways with delay and loss, where this machine has them.
    ways: Vec<Child>,
}

fn done(words: &str) -> Result<(), String> {
    let mut words = words.split(' ');
    let output = Command::new(words.next().unwrap()).args(words).stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl Networks {
    /// Makes them; the error says what this machine lacks.
    fn new(is_far: bool) -> Result<Self, String> {
        let id = std::process::id();
        let here = Ipv4Addr::new(10, 213, u8::try_from(id % 250).unwrap(), 1);
        let networks =
            Self { name: format!("db{}", id % 100_000), here, folder: Folder::new(), ways: Vec::new() };
        if is_far { networks.far() } else { networks.near() }
    }

    fn namespace(&self, region: usize) -> String {
        format!("{}-{region}", self.name)
    }

    /// An agent's link in its network.
    fn link(&self, region: usize) -> String {
        format!("{}v{region}", self.name)
    }

    fn inside(&self, region: usize, words: &str) -> Result<(), String> {
        done(&format!("ip netns exec {} {words}", self.namespace(region)))
    }

    /// Gives a network its address, and sets it up.
    fn settle(&self, region: usize) -> Result<(), String> {
        let [a, b, c, _] = self.here.octets();
        let link = self.link(region);
        self.inside(region, "ip link set lo up")?;
        self.inside(region, &format!("ip addr add {a}.{b}.{c}.{}/24 dev {link}", 10 + region))?;
        self.inside(region, &format!("ip link set {link} up"))
    }

    /// Pairs of devices on a bridge.
    fn near(self) -> Result<Self, String> {
        let (name, here) = (&self.name, self.here);
        done(&format!("ip link add {name}b type bridge"))?;
        done(&format!("ip addr add {here}/24 dev {name}b"))?;
        done(&format!("ip link set {name}b up"))?;
        for region in 0..3 {
            let (link, outside) = (self.link(region), format!("{name}o{region}"));
            done(&format!("ip netns add {}", self.namespace(region)))?;
            done(&format!(
                "ip link add {outside} type veth peer name {link} netns {}",
                self.namespace(region)
            ))?;
            done(&format!("ip link set {outside} master {name}b up"))?;
            self.settle(region)?;
        }
        Ok(self)
    }

    /// Switches in user space, and between each network's and this machine's a way with delay and loss.
    fn far(mut self) -> Result<Self, String> {
        let (name, here) = (self.name.clone(), self.here);
        let folder = self.folder.path("").display().to_string();
        let folder = folder.trim_end_matches('/').to_owned();
        done(&format!("vde_switch --daemon --sock {folder}/hub --tap {name}b --pidfile {folder}/hub.pid"))?;
        done(&format!("ip addr add {here}/24 dev {name}b"))?;
        done(&format!("ip link set {name}b up"))?;
        for (region, delay) in DELAYS_MS.into_iter().enumerate() {
            done(&format!("ip netns add {}", self.namespace(region)))?;
            let link = self.link(region);
            let switch = format!("{folder}/sw{region}");
            self.inside(
                region,
                &format!("vde_switch --daemon --sock {switch} --tap {link} --pidfile {switch}.pid"),
            )?;
            self.settle(region)?;
            let way = Command::new("wirefilter")
                .args(["-v", &format!("{folder}/hub:{switch}"), "-d", &delay.to_string(), "-l", LOSS])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            self.ways.push(way.map_err(|error| error.to_string())?);
        }
        Ok(self)
    }

    /// Cuts a region off; nobody is told.
    fn cut(&self, region: usize) {
        self.inside(region, &format!("ip link set {} down", self.link(region))).unwrap();
    }

    /// Lets it in again.
    fn heal(&self, region: usize) {
        self.inside(region, &format!("ip link set {} up", self.link(region))).unwrap();
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        // The switches before their networks: one that loses its device spins.
        for way in &mut self.ways {
            let _ = way.kill();
            let _ = way.wait();
        }
        for name in ["hub", "sw0", "sw1", "sw2"] {
            let pid = fs::read_to_string(self.folder.path(&format!("{name}.pid"))).unwrap_or_default();
            if !pid.trim().is_empty() {
                let _ = done(&format!("kill {}", pid.trim()));
            }
        }
        thread::sleep(Duration::from_millis(200));
        for region in 0..3 {
            let _ = done(&format!("ip netns del {}", self.namespace(region)));
        }
        let _ = done(&format!("ip link del {}b", self.name));
    }
}

/// The demo shop where all networks reach it.
fn reachable_shop(here: Ipv4Addr) -> Shop {
    let mut options = Options { products: 48, ..Options::default() };
    for region in &mut options.regions {
        region.listen = SocketAddr::new(IpAddr::V4(here), 0);
    }
    Shop::start(options).unwrap()
}

/// Who started a process that is still at work, by its line in `/proc`. The name in parentheses may hold anything.
fn parent_at_work(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut words = rest.split(' ');
    // Whoever has ended, and was not waited for yet, does nothing any more.
    if matches!(words.next()?, "Z" | "X") {
        return None;
    }
    words.next()?.parse().ok()
}

/// How many assignments these agents carry out: each has a process of its own below its agent's.
fn at_work(agents: &[u32]) -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let stats = processes.filter_map(|process| fs::read_to_string(process.path().join("stat")).ok());
    stats.filter_map(|stat| parent_at_work(&stat)).filter(|parent| agents.contains(parent)).count()
}

#[test]
fn whoever_has_ended_is_not_at_work() {
    assert_eq!(parent_at_work("71 (door) buster) S 12 71 71 0"), Some(12));
    assert_eq!(parent_at_work("71 (doorbuster) Z 12 71 71 0"), None);
    assert_eq!(parent_at_work(""), None);
    let own = std::process::id();
    let mut child = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
    let below = at_work(&[own]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(below >= 1);
}

#[test]
fn thirty_agents_in_three_networks_of_which_one_is_cut_off_for_twenty_seconds() {
    if without("ip") || without("network-namespaces") {
        return;
    }
    let _turn = turn();
    let is_far = !without("wirefilter") && !without("network-taps");
    if !is_far {
        eprintln!("the networks are near: without delay and loss");
    }
    let networks = Networks::new(is_far).unwrap_or_else(|why| {
        panic!(
            "no networks can be made here ({why}); `cargo xtask test` finds out which tests this leaves out"
        )
    });
    let shop = reachable_shop(networks.here);
    let mut site = Site::new(IpAddr::V4(networks.here), 30);
    for number in 0..30 {
        let namespace = networks.namespace(number % 3);
        site.agent(&["ip", "netns", "exec", &namespace], REGIONS[number % 3]);
    }
    let plan = site.plan(&shop, 10, "{ hold: 30/s, for: 60s }");
    let host = networks.here.to_string();
    let running = start(&["rehearse", &plan, "--quiet", "--allow-host", &host]);
    let deadline = Instant::now() + Duration::from_secs(90);
    while logged(&shop, REGIONS[0]) < 100 {
        assert!(Instant::now() < deadline, "no load: {}", site.logs());
        thread::sleep(Duration::from_millis(100));
    }
    let ids = |is_meant: fn(usize) -> bool| -> Vec<u32> {
        let agents = site.agents.iter().enumerate().filter(|(number, _)| is_meant(number % 3));
        agents.map(|(_, agent)| agent.id()).collect()
    };
    let (cut_off, others) = (ids(|region| region == 0), ids(|region| region != 0));
    assert_eq!((at_work(&cut_off), at_work(&others)), (10, 20), "{}", site.logs());
    let cut = Instant::now();
    networks.cut(0);
    thread::sleep(Duration::from_secs(1));
    let sent = logged(&shop, REGIONS[0]);
    thread::sleep(ENDED_WITHIN.saturating_sub(cut.elapsed()));
    assert_eq!((at_work(&cut_off), at_work(&others)), (0, 20), "without a lease: {}", site.logs());
    thread::sleep(Duration::from_secs(20).saturating_sub(cut.elapsed()));
    networks.heal(0);
    // By their lease they have stopped while nobody could tell them to. What they had written before lies in their
    // machines' queues, and comes late: a request for each shopper at most, where load would be hundreds.
    thread::sleep(Duration::from_secs(10));
    let late = logged(&shop, REGIONS[0]) - sent;
    assert!(late < 100, "{late} requests without a lease");
    let finished = running.finish();
    let report = &finished.report;
    assert_eq!(finished.code, 3, "{}\n{}", finished.stderr, site.logs());
    assert!(kinds(report).contains(&"agent_lost"), "{}", finished.stderr);
    assert_eq!(count(report, "validity.agents_lost"), 10, "{}", finished.stderr);
    // The rest is right to the request, and nothing of the lost region is counted twice.
    is_exact(report, &shop, &REGIONS[1..], &[0, 0]);
    for region in &REGIONS[1..] {
        assert_eq!(count(report, &format!("regions.{region}.journeys.browse.started")), 600, "{region}");
    }
    assert!(
        count(report, &format!("regions.{}.requests_sent", REGIONS[0])) <= logged(&shop, REGIONS[0]) + 20
    );
    // Healed, the lost ones are there for the next run.
    let before = REGIONS.map(|region| logged(&shop, region));
    let plan = site.plan(&shop, 10, "{ hold: 30/s, for: 4s }");
    let finished = start(&["rehearse", &plan, "--quiet", "--allow-host", &host]).finish();
    assert_eq!(count(&finished.report, "validity.agents_lost"), 0, "{}\n{}", finished.stderr, site.logs());
    is_exact(&finished.report, &shop, &REGIONS, &before);
}
