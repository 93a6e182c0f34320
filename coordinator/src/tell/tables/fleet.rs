//! A fleet, at a glance.

use super::super::colour::Paint;
use super::super::plain::plain;
use super::layout::{Grid, indented};
use crate::fleet::status::Standing;

/// A row per stack and region; then the alarms that are on, and why stacks are not well.
pub(crate) fn fleet(standings: &[Standing], colour: bool) -> String {
    let paint = Paint { on: colour };
    let mut grid = Grid::new("Fleet")
        .words("region")
        .words("stack")
        .words("status")
        .words("agent")
        .number("memory")
        .number("EC2");
    let mut notes = String::new();
    for standing in standings {
        if standing.stacks.is_empty() {
            let nothing = paint.red("there is no fleet");
            grid.row(vec![
                standing.region.clone(),
                String::new(),
                nothing,
                String::new(),
                String::new(),
                String::new(),
            ]);
        }
        for (number, (name, found)) in standing.stacks.iter().enumerate() {
            let is_fleet = number == 0;
            let of_fleet = |text: String| if is_fleet { text } else { String::new() };
            grid.row(vec![
                of_fleet(standing.region.clone()),
                plain(name),
                status(&found.status, paint),
                of_fleet(plain(&standing.agent())),
                of_fleet(format!("{} MB", plain(standing.parameter("MemoryMb")))),
                of_fleet(plain(standing.parameter("AgentsEc2"))),
            ]);
            if let Some(reason) = &found.reason {
                notes.push_str(&indented("", &format!("{} {name}: {}", standing.region, plain(reason))));
            }
        }
        if !standing.stacks.is_empty() && !standing.has_agent() {
            let why = format!(
                "{}: there is no agent yet; `doorbuster fleet up --zip FILE` gives the fleet one",
                standing.region
            );
            notes.push_str(&indented("", &why));
        }
        for alarm in &standing.alarms {
            notes.push_str(&indented("", &format!("{}: the alarm {} is on", standing.region, plain(alarm))));
        }
    }
    format!("{}{notes}", grid.render())
}

fn status(status: &str, paint: Paint) -> String {
    let told = plain(&status.replace('_', " ").to_lowercase());
    match status {
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => paint.green(&told),
        _ if status.ends_with("_IN_PROGRESS") || status == "UPDATE_ROLLBACK_COMPLETE" => paint.yellow(&told),
        _ => paint.red(&told),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::fleet::stack::Found;

    #[test]
    fn a_fleet_is_shown_by_region() {
        let parameters = [
            ("AgentKey", "agent/0.1.0-x86-64-0123456789abcdef.zip"),
            ("MemoryMb", "1769"),
            ("AgentsEc2", "0"),
        ];
        let parameters: BTreeMap<String, String> =
            parameters.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let found = |status: &str, reason: Option<&str>| Found {
            status: status.to_owned(),
            reason: reason.map(str::to_owned),
            parameters: parameters.clone(),
            ..Found::default()
        };
        let stacks = vec![
            ("shop".to_owned(), found("UPDATE_COMPLETE", None)),
            ("shop-alarms".to_owned(), found("ROLLBACK_COMPLETE", Some("no topic"))),
        ];
        let standings = [
            Standing { region: "eu-west-2".to_owned(), stacks, alarms: vec!["shop-agent-errors".to_owned()] },
            Standing { region: "us-east-1".to_owned(), stacks: Vec::new(), alarms: Vec::new() },
        ];
        let shown = fleet(&standings, false);
        for expected in [
            "update complete    0.1.0 x86-64  1769 MB",
            "rollback complete",
            "eu-west-2 shop-alarms: no topic",
            "eu-west-2: the alarm shop-agent-errors is on",
            "us-east-1",
            "there is no fleet",
        ] {
            assert!(shown.contains(expected), "{expected}\n{shown}");
        }
        assert!(!shown.contains("there is no agent yet"), "{shown}");
        let empty = Standing { stacks: vec![("shop".to_owned(), Found::default())], ..standings[0].clone() };
        assert!(fleet(&[empty], false).contains("eu-west-2: there is no agent yet; `doorbuster fleet up"));
        assert!(shown.lines().all(|line| line.chars().count() <= super::super::WIDTH_MAX), "{shown}");
    }
}
