//! `cargo xtask lambda`: the agent as AWS Lambda takes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::elf::{self, Machine};
use crate::failure::Failure;
use crate::run::{cargo, root, run, say};
use crate::zip::zip;

/// What a function has: Amazon Linux 2023, the system of `provided.al2023`.
const GLIBC_MAX: (u32, u32) = (2, 34);
/// A zip that starts quickly: AWS fetches it for each new environment.
const ZIP_BYTES_MAX: usize = 10_000_000;

/// A kind of machine that functions run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Target {
    /// As plans and templates call it.
    name: &'static str,
    /// As Rust calls it.
    triple: &'static str,
    machine: Machine,
    /// What links for it elsewhere.
    linker: &'static str,
    /// Where cargo is told of another one.
    linker_variable: &'static str,
}

const TARGETS: [Target; 2] = [
    Target {
        name: "x86-64",
        triple: "x86_64-unknown-linux-gnu",
        machine: Machine::X86_64,
        linker: "x86_64-linux-gnu-gcc",
        linker_variable: "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
    },
    Target {
        name: "arm64",
        triple: "aarch64-unknown-linux-gnu",
        machine: Machine::Arm64,
        linker: "aarch64-linux-gnu-gcc",
        linker_variable: "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER",
    },
];

/// Builds the agents that are named, or all that can be built here, and writes a zip of each.
pub(crate) fn lambda(names: &[String]) -> Result<(), Failure> {
    if let Some(name) = names.iter().find(|name| TARGETS.iter().all(|target| target.name != name.as_str())) {
        return Err(Failure::Usage(format!("functions run on x86-64 or arm64, not on `{name}`")));
    }
    for target in TARGETS {
        let is_named = names.iter().any(|name| name == target.name);
        match lacks(target) {
            None if names.is_empty() || is_named => build(target)?,
            Some(why) if is_named => {
                return Err(Failure::Unfit { what: format!("an agent for {}", target.name), why });
            }
            Some(why) if names.is_empty() => say(&format!("{} is left out: {why}", target.name)),
            _ => {}
        }
    }
    Ok(())
}

/// Why an agent cannot be built here, with what would help.
fn lacks(target: Target) -> Option<String> {
    if is_here(target) {
        return None;
    }
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let printed = rustc.args(["--print", "target-libdir", "--target", target.triple]).output();
    let folder = printed.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    if !folder.is_ok_and(|folder| !folder.is_empty() && Path::new(&folder).is_dir()) {
        let triple = target.triple;
        return Some(format!(
            "Rust's standard library for it is not installed (`rustup target add {triple}`)"
        ));
    }
    let has_linker =
        std::env::var_os(target.linker_variable).is_some() || crate::lookup::Lookup::new().has(target.linker);
    let (linker, variable) = (target.linker, target.linker_variable);
    (!has_linker).then(|| format!("there is no {linker}, and {variable} names no other linker"))
}

/// Whether this machine is of that kind.
fn is_here(target: Target) -> bool {
    target.triple.starts_with(std::env::consts::ARCH)
}

fn build(target: Target) -> Result<(), Failure> {
    let mut command = cargo(&["build", "--release", "--package", "doorbuster-agent", "--bin", "bootstrap"]);
    let mut folder = target_folder();
    // Without naming the target, this machine's own agent shares its dependencies with the tests' builds.
    if !is_here(target) {
        command.args(["--target", target.triple]);
        if std::env::var_os(target.linker_variable).is_none() {
            command.env(target.linker_variable, target.linker);
        }
        folder.push(target.triple);
    }
    run(&mut command)?;
    let program = folder.join("release/bootstrap");
    let bytes = fs::read(&program).map_err(|source| Failure::Read { path: program.clone(), source })?;
    check(&bytes, target).map_err(|why| Failure::Unfit { what: program.display().to_string(), why })?;
    let comment = format!("doorbuster-agent {} {}", env!("CARGO_PKG_VERSION"), target.name);
    let zipped = zip("bootstrap", &program, &comment)?;
    let path = target_folder().join("lambda").join(format!("agent-{}.zip", target.name));
    if zipped.len() >= ZIP_BYTES_MAX {
        let why = format!("it has {} bytes, and is to have less than {ZIP_BYTES_MAX}", zipped.len());
        return Err(Failure::Unfit { what: path.display().to_string(), why });
    }
    let write = |source| Failure::Write { path: path.clone(), source };
    fs::create_dir_all(target_folder().join("lambda")).map_err(write)?;
    fs::write(&path, &zipped).map_err(write)?;
    say(&format!("{}: {} KB", path.display(), zipped.len() / 1_000));
    Ok(())
}

/// Where cargo builds.
fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// Whether functions can run a program, and why not.
fn check(program: &[u8], target: Target) -> Result<(), String> {
    let needs = elf::needs(program).ok_or("it is no program of Linux, or a broken one")?;
    if needs.machine != target.machine {
        return Err(format!("it is for {:?}, and not for {}", needs.machine, target.name));
    }
    match needs.glibc {
        Some(glibc) if glibc > GLIBC_MAX => Err(format!(
            "it needs glibc {}.{}, and functions have {}.{}; build it on a system as old, such as Amazon Linux 2023 or Debian 12",
            glibc.0, glibc.1, GLIBC_MAX.0, GLIBC_MAX.1
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_functions_cannot_run_is_refused() {
        let own = fs::read(std::env::current_exe().unwrap()).unwrap();
        let [here, elsewhere] = match TARGETS {
            [first, second] if is_here(first) => [first, second],
            [first, second] => [second, first],
        };
        assert!(check(&own, elsewhere).unwrap_err().contains("and not for"));
        assert!(check(b"#!/bin/sh\n", here).unwrap_err().contains("no program"));
        if elf::needs(&own).unwrap().glibc <= Some(GLIBC_MAX) {
            assert_eq!(check(&own, here), Ok(()));
        }
        // Any version that it needs becomes one that functions lack.
        let mut newer = own;
        let marks: Vec<usize> = newer
            .windows(8)
            .enumerate()
            .filter(|(_, window)| *window == b"GLIBC_2.")
            .map(|(at, _)| at)
            .collect();
        for at in marks {
            newer[at + 6] = b'9';
        }
        assert!(check(&newer, here).unwrap_err().contains("it needs glibc 9."));
    }

    #[test]
    fn this_machine_s_agent_can_be_built_here() {
        let here: Vec<Target> = TARGETS.into_iter().filter(|target| is_here(*target)).collect();
        assert!(here.len() == 1 && lacks(here[0]).is_none());
        assert!(matches!(lambda(&["mips".to_owned()]), Err(Failure::Usage(_))));
    }
}
