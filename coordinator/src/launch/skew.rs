//! Coordinator and agents of different versions: who is served, who is refused, and what to do about it.
//!
//! Messages evolve by protobuf's rules: fields are added under new numbers, and none is given a new meaning. Where that is
//! not enough, [`PROTOCOL`] rises, and agents of any other protocol are refused; agents of the same protocol are served,
//! whatever their version. docs/fleet.md has the table.

use std::cmp::Ordering;
use std::path::Path;

use doorbuster_model::plan::fleet::LaunchBy;
use doorbuster_wire::PROTOCOL;

/// This build's version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why nobody can speak with an agent that speaks another protocol, and what to do, by how it was launched: `program` is
/// what serves as every local agent instead of this program.
pub(crate) fn mismatch(by: LaunchBy, program: Option<&Path>, version: &str, protocol: u32) -> String {
    let remedy = match protocol.cmp(&PROTOCOL) {
        // Who is older is to follow, wherever it is.
        Ordering::Greater => newer(by, program, version),
        Ordering::Less | Ordering::Equal => older(by, program),
    };
    format!(
        "the coordinator {VERSION} speaks protocol {PROTOCOL} and the agent {version} speaks protocol {protocol}: {remedy}"
    )
}

/// What brings an older agent here.
fn older(by: LaunchBy, program: Option<&Path>) -> String {
    match (by, program) {
        (LaunchBy::Local, Some(program)) => {
            format!("build {} again, with doorbuster-agent {VERSION}", program.display())
        }
        (LaunchBy::Local, None) => replaced(),
        (LaunchBy::Lambda, _) => {
            "bring the function to this version with `doorbuster fleet update`".to_owned()
        }
        (LaunchBy::Join, _) => format!("install Doorbuster {VERSION} on that host"),
        (LaunchBy::Ec2, _) => format!(
            "install Doorbuster {VERSION} on the group's hosts: `doorbuster fleet update`, then let the group start them anew"
        ),
    }
}

/// What brings this coordinator to a newer agent.
fn newer(by: LaunchBy, program: Option<&Path>, version: &str) -> String {
    match (by, program) {
        (LaunchBy::Local, Some(program)) => format!(
            "install Doorbuster {version} here, or build {} again with doorbuster-agent {VERSION}",
            program.display()
        ),
        (LaunchBy::Local, None) => replaced(),
        (LaunchBy::Lambda, _) => format!(
            "install Doorbuster {version} here, or take the function back to this version with `doorbuster fleet update`"
        ),
        (LaunchBy::Join | LaunchBy::Ec2, _) => {
            format!("install Doorbuster {version} here, or Doorbuster {VERSION} on that host")
        }
    }
}

/// An agent that is this very program cannot be of another version, unless its file is another one by now.
fn replaced() -> String {
    "this program was replaced while it ran; run the command again".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remedy_is_that_of_the_launcher() {
        let ours = Some(Path::new("/opt/ours"));
        for (by, program, part) in [
            (LaunchBy::Local, ours, format!("build /opt/ours again, with doorbuster-agent {VERSION}")),
            (LaunchBy::Local, None, "run the command again".to_owned()),
            (LaunchBy::Lambda, None, "`doorbuster fleet update`".to_owned()),
            (LaunchBy::Join, None, format!("install Doorbuster {VERSION} on that host")),
            (LaunchBy::Ec2, None, "let the group start them anew".to_owned()),
        ] {
            let message = mismatch(by, program, "0.0.9", PROTOCOL - 1);
            assert!(message.contains(&part), "{message}");
            for part in [
                format!("speaks protocol {PROTOCOL}"),
                format!("the agent 0.0.9 speaks protocol {}", PROTOCOL - 1),
            ] {
                assert!(message.contains(&part), "{message}");
            }
        }
    }

    #[test]
    fn a_newer_agent_is_followed() {
        for by in [LaunchBy::Lambda, LaunchBy::Join, LaunchBy::Ec2] {
            let message = mismatch(by, None, "9.9.9", PROTOCOL + 1);
            assert!(message.contains("install Doorbuster 9.9.9 here"), "{message}");
        }
        let built = mismatch(LaunchBy::Local, Some(Path::new("ours")), "9.9.9", PROTOCOL + 1);
        assert!(built.contains("install Doorbuster 9.9.9 here, or build ours again"), "{built}");
    }
}
