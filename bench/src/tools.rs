//! The programs that are compared: what is there, and how the rest is built.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{folder, root};

/// The version of oha that is built.
const OHA: &str = "1.16.0";

/// Programs, by name; those that cannot be had here are left out, with a word why.
#[derive(Debug)]
pub(crate) struct Tools {
    found: Vec<(&'static str, PathBuf)>,
}

impl Tools {
    /// Finds or builds what there is.
    pub(crate) fn gather() -> Result<Self, String> {
        std::fs::create_dir_all(folder()).map_err(|why| format!("creating {}: {why}", folder().display()))?;
        let mut tools = Self { found: Vec::new() };
        for name in ["floor", "open", "measure"] {
            let to = folder().join(name);
            let from = root().join(format!("bench/reference/{name}.c"));
            build(Command::new("cc").arg("-O2").arg("-o").arg(&to).arg(from), name)?;
            tools.found.push((name, to));
        }
        tools.found.push(("doorbuster", root().join("target/release/doorbuster")));
        for (name, package) in
            [("nginx", "nginx-light"), ("wrk", "wrk"), ("hey", "hey"), ("h2load", "nghttp2-client")]
        {
            match on_path(name) {
                Some(path) => tools.found.push((name, path)),
                None => eprintln!("without {name}: apt-get install {package} brings it"),
            }
        }
        tools.built("oha", &folder().join("oha/bin/oha"), || {
            let mut command = Command::new("cargo");
            command
                .args(["install", "oha", "--locked", "--version", OHA, "--root"])
                .arg(folder().join("oha"));
            command
        });
        tools.built("goose", &folder().join("goose/release/goose-peer"), || {
            let mut command = Command::new("cargo");
            command
                .args(["build", "--release", "--manifest-path"])
                .arg(root().join("bench/goose/Cargo.toml"));
            command.arg("--target-dir").arg(folder().join("goose"));
            command
        });
        Ok(tools)
    }

    /// Takes what is built already, or builds it; what does not build is left out.
    fn built(&mut self, name: &'static str, path: &Path, command: impl FnOnce() -> Command) {
        if !path.exists() {
            eprintln!("building {name}; this takes minutes, once");
            if let Err(why) = build(&mut command(), name) {
                return eprintln!("without {name}: {why}");
            }
        }
        self.found.push((name, path.to_owned()));
    }

    /// The path of a program.
    pub(crate) fn path(&self, name: &str) -> Result<&Path, String> {
        let found = self.found.iter().find(|(known, _)| *known == name);
        found.map(|(_, path)| path.as_path()).ok_or_else(|| format!("{name} is not there"))
    }

    /// Whether a program is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).is_ok()
    }

    /// The versions of what is compared, for the record.
    pub(crate) fn versions(&self) -> String {
        let ask = |name: &str, flag: &str| {
            let path = self.path(name).ok()?;
            let output = Command::new(path).arg(flag).stdin(Stdio::null()).output().ok()?;
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text);
            Some(text.lines().next().unwrap_or("").trim().to_owned())
        };
        let mut versions: Vec<String> =
            [("doorbuster", "--version"), ("oha", "--version"), ("h2load", "--version"), ("nginx", "-v")]
                .iter()
                .filter_map(|(name, flag)| ask(name, flag))
                .collect();
        versions.extend(ask("wrk", "-v").map(|text| text.split('[').next().unwrap_or("").trim().to_owned()));
        let debian = |package: &str| {
            let output =
                Command::new("dpkg-query").args(["-W", "-f", "${Version}", package]).output().ok()?;
            Some(format!("{package} {}", String::from_utf8_lossy(&output.stdout)))
        };
        versions.extend(self.has("hey").then(|| debian("hey")).flatten());
        versions.extend(self.has("goose").then(|| "goose 0.19".to_owned()));
        versions.join(", ")
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let more = [PathBuf::from("/usr/sbin")];
    std::env::split_paths(&folders).chain(more).map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn build(command: &mut Command, what: &str) -> Result<(), String> {
    let status = command.stdout(Stdio::null()).status().map_err(|why| format!("building {what}: {why}"))?;
    if status.success() { Ok(()) } else { Err(format!("building {what} failed: {status}")) }
}
