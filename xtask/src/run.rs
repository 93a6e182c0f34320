//! Running a command with an announced line.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::Failure;

/// Workspaces beside this one that hold to its rules. The fuzz targets want another compiler, and `bench/goose` is a
/// contender.
pub(crate) const OTHER_WORKSPACES: [&str; 2] = ["agent/goose", "journeys/examples/goose-shop"];

/// The workspace's root folder.
pub(crate) fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// Prints a line to stderr, where cargo's own progress goes, so that the order stays right in a log.
pub(crate) fn say(line: &str) {
    // A closed stderr is no reason to stop testing.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A cargo command at the workspace's root, to be given arguments and run.
///
/// It is rid of the variables that `cargo run` set for this crate: build scripts (ring's among them)
/// watch those, and would make `cargo xtask test` and a plain `cargo test` rebuild each other's work.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_of_this_crate) {
            command.env_remove(name);
        }
    }
    command
}

fn is_of_this_crate(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_")
}

/// Announces the command, runs it at the workspace's root without input, and waits for it.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let shown = shown(command);
    say(&format!("$ {shown}"));
    match command.current_dir(root()).stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::Ended { command: shown, status }),
        Err(source) => Err(Failure::Start { command: shown, source }),
    }
}

/// Whether a probe ends well; its output is dropped, and one that cannot start has not ended well.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The command as a person would type it: variables that were set (save the long `PATH`), then the words.
fn shown(command: &Command) -> String {
    let variables = command
        .get_envs()
        .filter(|(name, _)| *name != OsStr::new("PATH"))
        .filter_map(|(name, value)| Some(format!("{}={}", name.display(), quoted(value?))));
    // Cargo is run by its full path, which tells nobody anything; a virtual environment's python3 does.
    let program = match Path::new(command.get_program()) {
        path if path.ends_with("cargo") => OsStr::new("cargo"),
        path => path.as_os_str(),
    };
    let words = std::iter::once(program).chain(command.get_args()).map(quoted);
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    if word.is_empty() || word.contains(char::is_whitespace) {
        format!("'{word}'")
    } else {
        word.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_typed() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings").env("PATH", "/bin");
        command.env_remove("CARGO_PKG_NAME");
        assert_eq!(shown(&command), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
    }

    #[test]
    fn this_crates_own_variables_do_not_reach_cargo() {
        // Cargo sets CARGO_PKG_NAME for a test binary too, so that there is one to remove.
        let command = cargo(&["test"]);
        assert!(command.get_envs().any(|(name, value)| name == "CARGO_PKG_NAME" && value.is_none()));
        assert!(!is_of_this_crate("CARGO_TERM_COLOR") && !is_of_this_crate("CARGO_TARGET_DIR"));
    }

    #[test]
    fn a_failing_command_is_a_failure_and_an_absent_one_another() {
        assert!(run(&mut Command::new("true")).is_ok());
        assert!(matches!(run(&mut Command::new("false")), Err(Failure::Ended { .. })));
        assert!(matches!(run(&mut Command::new("no-such-program-here")), Err(Failure::Start { .. })));
        assert!(!succeeds(&mut Command::new("no-such-program-here")));
    }

    #[test]
    fn the_root_is_the_workspace() {
        assert!(root().join("clippy.toml").is_file() && root().join("xtask").is_dir());
    }

    #[test]
    fn no_other_workspace_is_forgotten() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        let excluded = manifest.lines().find_map(|line| line.strip_prefix("exclude = [")).unwrap();
        let excluded = excluded.split('"').skip(1).step_by(2);
        let ruled = excluded.filter(|folder| !folder.ends_with("/fuzz") && !folder.starts_with("bench/"));
        assert_eq!(ruled.collect::<Vec<_>>(), OTHER_WORKSPACES);
    }
}
