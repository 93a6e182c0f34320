//! How the generator itself fares.

use std::fs;
use std::time::{Duration, Instant};

use doorbuster_model::{Health, Tally};
use rustix::process::{Resource, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Reads CPU time and descriptors of this process, once a second.
#[derive(Debug)]
pub(crate) struct Watch {
    cpu: Duration,
    read_at: Instant,
    cpu_limit_milli: u32,
    descriptors_max: u32,
}

/// Raises the limit on descriptors as far as it goes, and returns it.
pub(crate) fn raise_descriptors() -> u32 {
    let mut limit = getrlimit(Resource::Nofile);
    if let (Some(current), Some(maximum)) = (limit.current, limit.maximum)
        && current < maximum
    {
        limit.current = Some(maximum);
        // A limit that cannot be raised stays as it is, and is reported as it is.
        let _ = setrlimit(Resource::Nofile, limit);
    }
    getrlimit(Resource::Nofile).current.map_or(u32::MAX, |current| u32::try_from(current).unwrap_or(u32::MAX))
}

impl Watch {
    /// Begins to watch; `workers` threads may each use a core.
    pub(crate) fn new(workers: u32, descriptors_max: u32) -> Self {
        Self {
            cpu: cpu_time(),
            read_at: Instant::now(),
            cpu_limit_milli: workers.saturating_mul(1_000),
            descriptors_max,
        }
    }

    /// How the process fared since the last call, about a second ago.
    pub(crate) fn read(&mut self, shoppers: u32, connections: u32) -> Health {
        let cpu = cpu_time();
        let now = Instant::now();
        let elapsed = now.duration_since(std::mem::replace(&mut self.read_at, now));
        let used = cpu.saturating_sub(std::mem::replace(&mut self.cpu, cpu));
        Health {
            cpu_milli: u32::try_from(used.as_micros() * 1_000 / elapsed.as_micros().max(1))
                .unwrap_or(u32::MAX),
            cpu_limit_milli: self.cpu_limit_milli,
            descriptors: descriptors(connections),
            descriptors_max: self.descriptors_max,
            shoppers,
            connections,
        }
    }
}

/// Past these shares of what it may use, in percent, the generator says so.
const CPU_LIMIT_PERCENT: u64 = 90;
const DESCRIPTORS_LIMIT_PERCENT: u64 = 90;

/// Notes in a second's tally where the generator came close to its own limits.
pub(crate) fn note_limits(health: &Health, tally: &mut Tally) {
    let past = |used: u32, limit: u32, percent: u64| u64::from(used) * 100 > u64::from(limit) * percent;
    if past(health.cpu_milli, health.cpu_limit_milli, CPU_LIMIT_PERCENT) {
        tally.count("generator_cpu_over_90_percent_s", 1);
    }
    if past(health.descriptors, health.descriptors_max, DESCRIPTORS_LIMIT_PERCENT) {
        tally.count("generator_descriptors_over_90_percent_s", 1);
    }
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Open descriptors: counted where that is cheap, otherwise taken from the connections.
fn descriptors(connections: u32) -> u32 {
    const CHEAP: u32 = 2_000;
    const OTHERS: u32 = 32;
    if connections > CHEAP {
        return connections + OTHERS;
    }
    fs::read_dir("/proc/self/fd")
        .map_or(connections + OTHERS, |entries| u32::try_from(entries.count()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::note_limits;
    use doorbuster_model::{Health, Tally};

    #[test]
    fn limits_are_said_once_they_are_near() {
        let health = Health {
            cpu_milli: 1_801,
            cpu_limit_milli: 2_000,
            descriptors: 900,
            descriptors_max: 1_000,
            ..Health::default()
        };
        let mut tally = Tally::default();
        note_limits(&health, &mut tally);
        assert_eq!(tally.counters.keys().collect::<Vec<_>>(), ["generator_cpu_over_90_percent_s"]);
    }
}
