//! Installing Debian packages.

use std::process::Command;

use crate::failure::Failure;
use crate::lookup::Lookup;
use crate::run::{run, say, succeeds};
use crate::services::NoServices;

/// How root's rights are had: nothing for root itself, otherwise sudo.
type Prefix = &'static [&'static str];

/// Renews the package lists and installs the packages; no service of theirs is started.
pub(crate) fn install(packages: &[&str], lookup: &Lookup) -> Result<(), Failure> {
    let prefix = rights(lookup)?;
    let no_services = NoServices::new()?;
    if let Err(failure) = run(&mut command(&apt_get(prefix, &["update"]))) {
        // One unreachable source of several fails the whole update; the packages may be known all the same.
        say(&format!("{failure}; trying with the package lists as they are"));
    }
    let path = format!("DPkg::Path={}", no_services.path());
    let mut arguments = vec!["-o", &path, "install", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    run(&mut command(&apt_get(prefix, &arguments)))
}

fn rights(lookup: &Lookup) -> Result<Prefix, Failure> {
    if !lookup.has("apt-get") {
        return Err(Failure::MayNotInstall("there is no apt-get"));
    }
    if is_root() {
        return Ok(&[]);
    }
    if succeeds(Command::new("sudo").args(["-n", "true"])) {
        return Ok(&["sudo", "-n"]);
    }
    Err(Failure::MayNotInstall("neither root nor sudo without a password"))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// The words of an apt-get command. `env` sets the variable behind sudo, which drops the caller's own;
/// on a fresh machine the lock is often held for a while by the system's first update.
fn apt_get<'a>(prefix: Prefix, arguments: &[&'a str]) -> Vec<&'a str> {
    let mut words = prefix.to_vec();
    words.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=120"]);
    words.extend(arguments);
    words
}

fn command(words: &[&str]) -> Command {
    let (program, arguments) = words.split_first().unwrap_or((&"true", &[]));
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_and_sudo_run_the_same_words() {
        let plain = "env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 update";
        assert_eq!(apt_get(&[], &["update"]).join(" "), plain);
        assert_eq!(apt_get(&["sudo", "-n"], &["update"]).join(" "), format!("sudo -n {plain}"));
    }
}
