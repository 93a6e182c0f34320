//! Who a process is, so that another can tell whether it still lives.

use std::fs;

/// A process of some machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    /// The boot of the machine and the namespace that the number is from; empty where the system does not tell.
    pub(super) machine: String,
    /// The machine's name, for people.
    pub(super) host: String,
    pub(super) number: u32,
    /// When it began, in the kernel's ticks since the machine did; 0 where the system does not tell.
    pub(super) began: u64,
}

impl Process {
    /// This one.
    pub(super) fn own() -> Self {
        let number = std::process::id();
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self {
            machine: machine().unwrap_or_default(),
            host: host.trim().to_owned(),
            number,
            began: began(number).unwrap_or(0),
        }
    }

    /// Whether it has certainly ended, as far as can be told from this machine.
    pub(super) fn has_ended(&self) -> bool {
        let is_here = !self.machine.is_empty() && machine().as_ref() == Some(&self.machine);
        is_here && began(self.number) != Some(self.began)
    }
}

/// The boot of this machine, and the namespace of this process's number: two containers count their processes apart.
fn machine() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.display()))
}

/// When a process began that still runs.
fn began(number: u32) -> Option<u64> {
    began_of(&fs::read_to_string(format!("/proc/{number}/stat")).ok()?)
}

/// The 3rd and the 22nd field of `stat` (proc(5)), counted behind the name. One that was killed and that nobody has taken
/// leave of yet has ended.
fn began_of(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?;
    let has_ended = matches!(state, "Z" | "X" | "x");
    fields.nth(18).filter(|_| !has_ended)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_kernel_s_line_is_read() {
        let stat = |state: &str| {
            format!(
                "42 (door ) buster) {state} 1 42 42 0 -1 4194304 900 0 0 0 150 25 0 0 20 0 4 0 7777 0 0\n"
            )
        };
        assert_eq!(began_of(&stat("S")), Some(7_777));
        assert_eq!((began_of(&stat("Z")), began_of("42 (x) S 1"), began_of("")), (None, None, None));
    }

    #[test]
    fn a_process_has_ended_once_it_is_killed() {
        let own = Process::own();
        assert!(!own.has_ended() && own.began > 0, "{own:?}");
        assert!(Process { began: own.began - 1, ..own.clone() }.has_ended(), "its number was given anew");
        let elsewhere = Process { machine: "another boot".to_owned(), began: 1, ..own.clone() };
        assert!(!elsewhere.has_ended(), "nobody here can tell");
        assert!(!Process { machine: String::new(), began: 1, ..own.clone() }.has_ended());

        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let number = child.id();
        let other = Process { number, began: began(number).unwrap(), ..own };
        assert!(!other.has_ended());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(other.has_ended());
    }
}
