//! Which instances of EC2 run which programs.
//!
//! Source: Amazon EC2 User Guide, "Amazon EC2 instance type naming conventions": letters are the series, digits the generation,
//! and a `g` among what follows these is a Graviton processor.

use std::collections::BTreeMap;

use super::elf::Machine;
use super::place::Part;
use super::stack::Found;
use super::template;
use crate::Error;

/// What templates and plans call a kind of processors.
pub(super) fn architecture(machine: Machine) -> &'static str {
    match machine {
        Machine::X86_64 => "x86-64",
        Machine::Arm64 => "arm64",
    }
}

/// The processors of an instance type.
fn machine(instance_type: &str) -> Machine {
    let family = instance_type.split(['.', '-']).next().unwrap_or_default();
    let generation = family.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    let rest = generation.trim_start_matches(|digit: char| digit.is_ascii_digit());
    // The first Graviton is older than the convention.
    if rest.contains('g') || family == "a1" { Machine::Arm64 } else { Machine::X86_64 }
}

/// The processors of the instances that there will be, which are those that their program is for: `program` says it of a new
/// one, `wanted` are parameters of the stack that is `there`.
///
/// # Errors
/// [`Error::Usage`] with an instance type that would do, where they are not.
pub(super) fn agreed(
    program: Option<&str>,
    wanted: &BTreeMap<&'static str, String>,
    there: Option<&Found>,
) -> Result<&'static str, Error> {
    let parameter = |name: &str| {
        let known = || there.and_then(|found| found.parameters.get(name));
        let given = wanted.get(name).or_else(known).map(String::as_str);
        given.or_else(|| template::default(template::text(Part::Fleet), name)).unwrap_or_default()
    };
    let (instance_type, key) = (parameter("InstanceType"), parameter("ProgramKey"));
    let deployed = || (!key.is_empty()).then(|| parameter("ProgramArchitecture"));
    let has = architecture(machine(instance_type));
    let Some(program) = program.or_else(deployed).filter(|program| *program != has) else { return Ok(has) };
    let suited = if program == architecture(Machine::Arm64) { "c7g.large" } else { "c7i.large" };
    Err(Error::Usage(format!(
        "--instance-type: {instance_type} does not run the program for EC2, which is for {program}; name another, such as {suited}, or another --program"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_processors() {
        for name in
            ["c7g.large", "c7gn.16xlarge", "t4g.nano", "x2gd.medium", "im4gn.large", "g5g.xlarge", "a1.large"]
        {
            assert_eq!(machine(name), Machine::Arm64, "{name}");
        }
        for name in [
            "c7i.large",
            "m7i-flex.large",
            "g4dn.xlarge",
            "g6.xlarge",
            "t3a.nano",
            "u-6tb1.metal",
            "hpc6id.32xlarge",
        ] {
            assert_eq!(machine(name), Machine::X86_64, "{name}");
        }
    }

    #[test]
    fn instances_and_their_program_are_of_one_kind() {
        let wanted = |pairs: &[(&'static str, &str)]| {
            pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<BTreeMap<_, _>>()
        };
        let there = |pairs: &[(&'static str, &str)]| Found {
            parameters: wanted(pairs).into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            ..Found::default()
        };
        let graviton = wanted(&[("InstanceType", "c7g.large")]);
        let nothing = wanted(&[]);
        // A new fleet has the template's type.
        assert_eq!(agreed(Some("x86-64"), &nothing, None).unwrap(), "x86-64");
        assert_eq!(agreed(Some("arm64"), &graviton, None).unwrap(), "arm64");
        let refused = agreed(Some("arm64"), &nothing, None).unwrap_err();
        assert_eq!(refused.exit_code(), 2);
        assert!(refused.to_string().contains("such as c7g.large"), "{refused}");
        // One that is there has its own type, and its own program.
        let arm = [
            ("InstanceType", "c7g.large"),
            ("ProgramKey", "ec2/0/doorbuster"),
            ("ProgramArchitecture", "arm64"),
        ];
        let arm = there(&arm);
        assert_eq!(agreed(Some("arm64"), &nothing, Some(&arm)).unwrap(), "arm64");
        let refused = agreed(Some("x86-64"), &nothing, Some(&arm)).unwrap_err();
        assert!(refused.to_string().contains("c7g.large does not run"), "{refused}");
        assert!(agreed(None, &wanted(&[("InstanceType", "c7i.xlarge")]), Some(&arm)).is_err());
        // Where nobody runs anything, any type will do.
        let ended = [("InstanceType", "c7i.xlarge"), ("ProgramKey", "")];
        assert_eq!(agreed(None, &wanted(&ended), Some(&arm)).unwrap(), "x86-64");
        assert_eq!(agreed(None, &graviton, Some(&there(&[("ProgramKey", "")]))).unwrap(), "arm64");
    }
}
