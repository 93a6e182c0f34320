//! Providing what the tests need: look, install, look again, and say what is still missing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian;
use crate::failure::Failure;
use crate::lookup::Lookup;
use crate::needs::{self, Installer, NEEDS, Need};
use crate::run::{root, run, say, succeeds};

/// The variable that tells the tests which programs are missing; a test that needs one skips and says so.
const WITHOUT: &str = "DOORBUSTER_WITHOUT";

/// What tests are to be run with.
pub(crate) struct Provision {
    path: OsString,
    without: Option<String>,
}

impl Provision {
    /// Sets the tests' environment. A `DOORBUSTER_WITHOUT` of the caller's is removed: it would leave out
    /// tests that could run.
    pub(crate) fn apply<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("PATH", &self.path);
        match &self.without {
            Some(programs) => command.env(WITHOUT, programs),
            None => command.env_remove(WITHOUT),
        }
    }
}

/// Installs what is missing, as far as this user may. What stays missing is said, and under `CI=true` is a
/// failure, where it can be installed at all.
pub(crate) fn provide() -> Result<Provision, Failure> {
    let lookup = Lookup::new();
    let missing = needs::missing(NEEDS, |program| lookup.has(program));
    for installer in Installer::ALL {
        if let Err(failure) = install(installer, &missing, &lookup) {
            say(&failure.to_string());
        }
    }
    let still_missing = needs::missing(NEEDS, |program| lookup.has(program));
    let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    let without = judge(&still_missing, in_ci)?;
    if without.is_some() {
        say(&needs::left_out(&still_missing));
    }
    Ok(Provision { path: lookup.path(), without })
}

/// The value of `DOORBUSTER_WITHOUT`, if any is needed; in CI no program may be missing.
fn judge(missing: &[&Need], in_ci: bool) -> Result<Option<String>, Failure> {
    if missing.is_empty() {
        return Ok(None);
    }
    if in_ci && missing.iter().any(|need| need.installer != Installer::Nobody) {
        return Err(Failure::LeftOut(needs::left_out(missing)));
    }
    Ok(Some(needs::without(missing)))
}

fn install(installer: Installer, missing: &[&Need], lookup: &Lookup) -> Result<(), Failure> {
    let of = |installer| missing.iter().filter(move |need| need.installer == installer);
    let mut packages: Vec<&str> = of(installer).flat_map(|need| need.packages).copied().collect();
    if installer == Installer::Debian {
        packages
            .extend(Installer::ALL.into_iter().filter(|other| of(*other).count() > 0).filter_map(groundwork));
    }
    if packages.is_empty() {
        return Ok(());
    }
    for need in of(installer) {
        say(&need.announcement());
    }
    match installer {
        Installer::Debian => debian::install(&packages, lookup),
        Installer::Pip => pip(&python_folder(), &packages),
        Installer::PipApart => pip(&python_folder_apart(), &packages),
        Installer::Npm => npm(&packages),
        Installer::Nobody => Ok(()),
    }
}

/// The Debian package without which an installer cannot work, when it is not there.
fn groundwork(installer: Installer) -> Option<&'static str> {
    let (probe, package): (&[&str], _) = match installer {
        Installer::Debian | Installer::Nobody => return None,
        Installer::Pip | Installer::PipApart => (&["python3", "-c", "import ensurepip"], "python3-venv"),
        Installer::Npm => (&["npm", "--version"], "npm"),
    };
    if succeeds(Command::new(probe[0]).args(&probe[1..])) {
        return None;
    }
    say(&format!("installing {package} (Debian) for: installing other packages"));
    Some(package)
}

/// The virtual environment for what comes from pip.
pub(crate) fn python_folder() -> PathBuf {
    root().join("target/xtask/python")
}

/// Another one, for what wants other versions of the same libraries.
pub(crate) fn python_folder_apart() -> PathBuf {
    root().join("target/xtask/python-apart")
}

/// The folder for what comes from npm.
pub(crate) fn node_folder() -> PathBuf {
    root().join("target/xtask/node")
}

fn pip(folder: &Path, packages: &[&str]) -> Result<(), Failure> {
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let python = folder.join("bin/python3");
    run(Command::new(python).args(["-m", "pip", "install", "--disable-pip-version-check"]).args(packages))
}

fn npm(packages: &[&str]) -> Result<(), Failure> {
    run(Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--prefix"])
        .arg(node_folder())
        .args(packages))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_missing_leaves_nothing_out() {
        assert_eq!(judge(&[], true).unwrap(), None);
        assert_eq!(judge(&[], false).unwrap(), None);
    }

    #[test]
    fn what_is_missing_goes_to_the_tests_but_fails_in_ci() {
        let missing = needs::missing(NEEDS, |program| program != "nginx");
        assert_eq!(judge(&missing, false).unwrap().as_deref(), Some("nginx"));
        let failure = judge(&missing, true).unwrap_err();
        assert!(failure.to_string().contains("nginx, from nginx-light (Debian)"), "{failure}");
    }

    #[test]
    fn a_right_that_nobody_installs_leaves_out_tests_and_is_no_failure() {
        let missing = needs::missing(NEEDS, |program| program != "network-namespaces");
        assert_eq!(judge(&missing, true).unwrap().as_deref(), Some("network-namespaces"));
        assert!(needs::left_out(&missing).contains("leaves out: thirty_agents_in_three_networks"));
        let more = needs::missing(NEEDS, |program| !["network-namespaces", "nginx"].contains(&program));
        assert!(judge(&more, true).is_err());
    }

    #[test]
    fn a_stale_without_is_removed_and_a_true_one_set() {
        let value = |without: Option<&str>| {
            let provision = Provision { path: "/bin".into(), without: without.map(str::to_owned) };
            let mut command = Command::new("true");
            provision.apply(&mut command);
            let found = command.get_envs().find(|(name, _)| *name == WITHOUT);
            found.map(|(_, value)| value.map(|value| value.to_owned()))
        };
        assert_eq!(value(None), Some(None), "removed");
        assert_eq!(value(Some("nginx")), Some(Some("nginx".into())));
    }
}
