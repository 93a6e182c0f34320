//! What a developer or CI runs: `cargo xtask check`, `test`, `long` and `lambda`.
//!
//! It has no dependencies, so that it compiles in a second on a machine that has nothing but cargo.

mod check;
mod debian;
mod elf;
mod failure;
mod install;
mod lambda;
mod long;
mod lookup;
mod needs;
mod rights;
mod run;
mod services;
mod test;
mod zip;

use std::process::ExitCode;

use failure::Failure;

const USAGE: &str = "\
usage: cargo xtask <task>

  check         formatting, clippy, documentation, licences and bans (cargo deny), tests
  test [ARGS]   installs what the tests need, then formatting and all tests; ARGS go to `cargo test`
  long [ARGS]   the long tests, which `test` leaves out; ARGS go to the test binary
  lambda [KIND] the agent as AWS Lambda takes it, in target/lambda/agent-KIND.zip, for x86-64 and arm64 where they can be
                built here

Exit codes: 0 all is well, 1 something failed, 2 usage.";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Task {
    Check,
    Test { arguments: Vec<String> },
    Long { arguments: Vec<String> },
    Lambda { kinds: Vec<String> },
    Help,
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(perform) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            run::say(&format!("xtask: {failure}"));
            failure.exit_code()
        }
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Task, Failure> {
    let Some(task) = words.next() else {
        return Err(Failure::Usage(format!("no task was named\n\n{USAGE}")));
    };
    let arguments: Vec<String> = words.collect();
    match task.as_str() {
        "check" if arguments.is_empty() => Ok(Task::Check),
        "check" => Err(Failure::Usage(format!("`check` takes no arguments\n\n{USAGE}"))),
        "test" => Ok(Task::Test { arguments }),
        "long" => Ok(Task::Long { arguments }),
        "lambda" => Ok(Task::Lambda { kinds: arguments }),
        "help" | "--help" | "-h" => Ok(Task::Help),
        other => Err(Failure::Usage(format!("there is no task `{other}`\n\n{USAGE}"))),
    }
}

fn perform(task: Task) -> Result<(), Failure> {
    match task {
        Task::Check => check::check(),
        Task::Test { arguments } => test::test(&arguments),
        Task::Long { arguments } => long::long(&arguments),
        Task::Lambda { kinds } => lambda::lambda(&kinds),
        Task::Help => {
            run::say(USAGE);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, Failure> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn tasks_are_told_apart_and_keep_their_arguments() {
        assert_eq!(parsed("check").unwrap(), Task::Check);
        assert_eq!(parsed("test").unwrap(), Task::Test { arguments: vec![] });
        assert_eq!(
            parsed("long --nocapture").unwrap(),
            Task::Long { arguments: vec!["--nocapture".to_owned()] }
        );
        assert_eq!(parsed("lambda arm64").unwrap(), Task::Lambda { kinds: vec!["arm64".to_owned()] });
        assert_eq!(parsed("--help").unwrap(), Task::Help);
    }

    #[test]
    fn a_wrong_command_line_is_a_usage_error() {
        for line in ["", "tset", "check now"] {
            assert!(matches!(parsed(line), Err(Failure::Usage(_))), "{line:?} was accepted");
        }
    }
}
