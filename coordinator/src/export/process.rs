//! What this process uses of its machine, as Linux tells it.

use std::fs;

/// Clock ticks a second in `/proc` (`USER_HZ`, which is 100 on every platform that this runs on).
const TICKS_PER_SECOND: f64 = 100.0;
/// Bytes of a page of memory, unless the kernel was built otherwise.
const PAGE_BYTES: u64 = 4_096;

/// What a process uses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Process {
    /// CPU time, of user and system, in seconds.
    pub cpu_s: f64,
    /// Memory that is resident.
    pub resident_bytes: u64,
    /// Open descriptors.
    pub descriptors: u64,
}

impl Process {
    /// This process, now; `None` where the system does not tell.
    pub(crate) fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let statm = fs::read_to_string("/proc/self/statm").ok()?;
        let descriptors = fs::read_dir("/proc/self/fd").ok()?.count() as u64;
        Some(Self { cpu_s: cpu_s(&stat)?, resident_bytes: resident_bytes(&statm)?, descriptors })
    }
}

/// The 14th and 15th field of `stat` (proc(5)), counted behind the name, which may hold anything in its parentheses.
fn cpu_s(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split(' ').skip(11).take(2).map(str::parse::<u64>);
    let (user, system) = (times.next()?.ok()?, times.next()?.ok()?);
    Some((user + system) as f64 / TICKS_PER_SECOND)
}

fn resident_bytes(statm: &str) -> Option<u64> {
    Some(statm.split(' ').nth(1)?.parse::<u64>().ok()? * PAGE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_files_are_read() {
        let stat = "4242 (door ) buster) S 1 4242 4242 0 -1 4194304 900 0 0 0 150 25 0 0 20 0 4 0 100 0 0\n";
        assert_eq!(cpu_s(stat), Some(1.75));
        assert_eq!(resident_bytes("9000 250 100 10 0 500 0\n"), Some(1_024_000));
        assert_eq!((cpu_s("4242"), resident_bytes("")), (None, None));
        let this = Process::read().unwrap();
        assert!(this.resident_bytes > 1 << 20 && this.descriptors > 2, "{this:?}");
    }
}
