//! Whether the commands that messages tell people to give are commands.

use clap::{Args as _, Command};

use crate::command::FleetCommand;

/// What stands for a value in a remedy, and a value of that kind.
const VALUES: [(&str, &str); 6] = [
    ("FILE", "agent-x86-64.zip"),
    ("FOLDER", "fleet-pki"),
    ("MB", "3008"),
    ("N", "4"),
    ("REGION", "eu-west-2"),
    ("URL", "https://coordinator.example.com:7443"),
];

/// The commands about a fleet in a text, each of which is taken as it stands there, once its values are filled in.
pub(super) fn commands(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    let commands: Vec<&str> = quoted.filter_map(|quoted| quoted.strip_prefix("doorbuster ")).collect();
    for command in &commands {
        let words = command.split_whitespace().map(value);
        let taken = FleetCommand::augment_args(Command::new("fleet")).try_get_matches_from(words);
        assert!(command.starts_with("fleet ") && taken.is_ok(), "{command}: {taken:?}");
    }
    commands
}

fn value(word: &str) -> &str {
    VALUES.iter().find(|(name, _)| *name == word).map_or(word, |(_, value)| *value)
}
