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
/// What gives functions the agent of this build's version.
const UPDATE: &str = "`doorbuster fleet update --zip FILE`, where FILE is the agent of this version (`cargo xtask lambda` makes it)";
/// What gives a group on EC2 the program that gives the command.
const REPLACE: &str = "`doorbuster fleet up --region REGION --agents-ec2 0` ends those that there are, `doorbuster fleet up --region REGION --agents-ec2 N --join URL` starts others with the program that gives the command";

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
            format!("bring the function to this version with {UPDATE}")
        }
        (LaunchBy::Join, _) => format!("install Doorbuster {VERSION} on that host"),
        (LaunchBy::Ec2, _) => format!("give the group hosts with Doorbuster {VERSION}: {REPLACE}"),
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
            "install Doorbuster {version} here, or take the function back to this version with {UPDATE}"
        ),
        (LaunchBy::Join, _) => {
            format!("install Doorbuster {version} here, or Doorbuster {VERSION} on that host")
        }
        (LaunchBy::Ec2, _) => {
            format!(
                "install Doorbuster {version} here, or give the group hosts with Doorbuster {VERSION}: {REPLACE}"
            )
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
    use crate::launch::remedies::commands;

    #[test]
    fn the_remedy_is_that_of_the_launcher() {
        let ours = Some(Path::new("/opt/ours"));
        for (by, program, part) in [
            (LaunchBy::Local, ours, format!("build /opt/ours again, with doorbuster-agent {VERSION}")),
            (LaunchBy::Local, None, "run the command again".to_owned()),
            (LaunchBy::Lambda, None, "`doorbuster fleet update --zip FILE`".to_owned()),
            (LaunchBy::Join, None, format!("install Doorbuster {VERSION} on that host")),
            (LaunchBy::Ec2, None, "--agents-ec2 N --join URL`".to_owned()),
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
    fn what_is_to_be_given_can_be_given() {
        for (by, count) in [(LaunchBy::Lambda, 1), (LaunchBy::Ec2, 2), (LaunchBy::Join, 0)] {
            for protocol in [PROTOCOL - 1, PROTOCOL + 1] {
                let message = mismatch(by, None, "0.0.9", protocol);
                assert_eq!(commands(&message).len(), count, "{message}");
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
