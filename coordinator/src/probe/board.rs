//! How objectives, regions and alerts stand, as it is shown: on the screen, in tables, as JSON.

use serde::Serialize;

/// How everything stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Board {
    /// When it stood so, in seconds since 1970.
    pub at_s: i64,
    /// When anybody looked last whether an alert fires, in seconds since 1970.
    pub evaluated_s: Option<i64>,
    /// Objectives in the plan's order, each in all its scopes.
    pub objectives: Vec<ObjectiveRow>,
    /// Regions in the plan's order.
    pub regions: Vec<RegionRow>,
    /// Alerts that are not over.
    pub alerts: Vec<AlertRow>,
}

/// An objective in a scope.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ObjectiveRow {
    /// The objective's text.
    pub objective: String,
    /// `global`, or a region.
    pub scope: String,
    /// The share of events that must be good.
    pub share: f64,
    /// The window of its budget, in seconds.
    pub window_s: u32,
    /// Events in that window.
    pub total: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that only one probe saw failing.
    pub suspected: u64,
    /// What is left of the budget: 1.0 is all of it, below 0 it is overspent. `None` where nothing is allowed or nothing
    /// happened.
    pub budget_left: Option<f64>,
    /// When nothing is left of it, at the rate of now.
    pub exhausted_in_s: Option<u64>,
    /// Seconds of the window, since its first event, of which nobody knows anything.
    pub gaps_s: u64,
    /// How fast it burns, by the rules' windows.
    pub burns: Vec<BurnRow>,
}

/// How fast a budget burns in one window of a rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct BurnRow {
    /// The rule.
    pub rule: String,
    /// `page` or `ticket`.
    pub severity: String,
    /// From which burn rate on the rule holds.
    pub factor: String,
    /// The window, in seconds.
    pub window_s: u32,
    /// Whether it is the rule's long window.
    #[serde(rename = "long")]
    pub is_long: bool,
    /// The burn rate: 1 spends the budget in exactly its window. `None` without events.
    pub burn: Option<f64>,
    /// Whether it is as high as the rule's factor.
    #[serde(rename = "burning")]
    pub is_burning: bool,
}

/// A region.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct RegionRow {
    /// Its name.
    pub region: String,
    /// When it was heard last, in seconds since 1970.
    pub last_heard_s: Option<i64>,
    /// Whether that is too long ago.
    #[serde(rename = "silent")]
    pub is_silent: bool,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct AlertRow {
    /// The incident that it belongs to.
    pub incident: String,
    /// `pending`, `firing` or `resolved`.
    pub status: String,
    /// `page` or `ticket`.
    pub severity: String,
    /// The rule, or `no data`.
    pub rule: String,
    /// The objective, where it is about one.
    pub objective: Option<String>,
    /// `global`, or a region.
    pub scope: String,
    /// Since when it stands so, in seconds since 1970.
    pub since_s: i64,
    /// Whether somebody does not want to hear of it.
    #[serde(rename = "silenced")]
    pub is_silenced: bool,
    /// Whether another alert speaks for it.
    #[serde(rename = "inhibited")]
    pub is_inhibited: bool,
}

impl Board {
    /// How old the newest data is at `now_s`; `None` where there is none.
    pub(crate) fn age_s(&self, now_s: i64) -> Option<u64> {
        let heard_s = self.regions.iter().filter_map(|region| region.last_heard_s).max()?;
        Some(u64::try_from(now_s.saturating_sub(heard_s)).unwrap_or(0))
    }

    /// Whether nobody knows how an objective stands: its region is silent, or all of them are.
    pub(crate) fn is_blind(&self, row: &ObjectiveRow) -> bool {
        // Real traffic is counted elsewhere.
        if row.objective.starts_with("traffic ") {
            return false;
        }
        match self.regions.iter().find(|region| region.region == row.scope) {
            Some(region) => region.is_silent,
            None => !self.regions.is_empty() && self.regions.iter().all(|region| region.is_silent),
        }
    }

    /// The windows that rules look through, from the shortest, each once.
    pub(crate) fn windows(&self) -> Vec<u32> {
        let burns = self.objectives.iter().flat_map(|row| &row.burns);
        let mut windows: Vec<u32> = burns.map(|burn| burn.window_s).collect();
        windows.sort_unstable();
        windows.dedup();
        windows
    }
}

impl ObjectiveRow {
    /// Its burn rate in a window, and whether that is enough for a rule which looks through it.
    pub(crate) fn burn(&self, window_s: u32) -> Option<(f64, bool)> {
        let mut burns = self.burns.iter().filter(|burn| burn.window_s == window_s);
        let first = burns.next()?;
        let is_burning = first.is_burning || burns.any(|burn| burn.is_burning);
        first.burn.map(|burn| (burn, is_burning))
    }

    /// The rule that is nearest to firing, and how fast the budget burns in that of its windows where it burns less: one
    /// failure alone makes a short window burn as much as an outage does.
    pub(crate) fn worst(&self) -> Option<(&str, f64)> {
        let readings = self.burns.iter().filter(|burn| burn.is_long).filter_map(|long| {
            let short = self.burns.iter().find(|burn| !burn.is_long && burn.rule == long.rule)?;
            let burn = long.burn?.min(short.burn?);
            // A factor is a decimal, and above 0.
            let factor = long.factor.parse::<f64>().ok()?;
            Some((long.rule.as_str(), burn, burn / factor))
        });
        let worst = readings.max_by(|one, other| one.2.total_cmp(&other.2));
        worst.map(|(rule, burn, _)| (rule, burn))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A shop that burns in Tokyo, and has heard nothing from London for a while.
    pub(crate) fn burning() -> Board {
        let burn = |rule: &str, window_s, is_long, burn: f64, factor: &str| BurnRow {
            rule: rule.to_owned(),
            severity: rule.split('-').next().unwrap_or_default().to_owned(),
            factor: factor.to_owned(),
            window_s,
            is_long,
            burn: Some(burn),
            is_burning: burn >= factor.parse::<f64>().unwrap(),
        };
        let row = |scope: &str, failed, left: f64, rate: f64| ObjectiveRow {
            objective: "checkout availability 99.99% over 30d".to_owned(),
            scope: scope.to_owned(),
            share: 0.9999,
            window_s: 2_592_000,
            total: 129_600,
            failed,
            suspected: 1,
            budget_left: Some(left),
            exhausted_in_s: (rate > 0.0).then_some(7_200),
            gaps_s: 95,
            burns: vec![
                burn("page-14.4", 3_600, true, rate, "14.4"),
                burn("page-14.4", 300, false, rate * 2.0, "14.4"),
                burn("ticket-1", 259_200, true, rate / 4.0, "1"),
                burn("ticket-1", 21_600, false, 0.0, "1"),
            ],
        };
        let region = |region: &str, last_heard_s: i64, is_silent| RegionRow {
            region: region.to_owned(),
            last_heard_s: Some(last_heard_s),
            is_silent,
        };
        Board {
            at_s: 1_795_000_000,
            evaluated_s: Some(1_795_000_000),
            objectives: vec![
                row("global", 7, 0.46, 8.0),
                row("tokyo", 7, -0.62, 20.0),
                row("london", 0, 1.0, 0.0),
            ],
            regions: vec![region("tokyo", 1_794_999_997, false), region("london", 1_794_999_700, true)],
            alerts: vec![
                AlertRow {
                    incident: "7f3a".to_owned(),
                    status: "firing".to_owned(),
                    severity: "page".to_owned(),
                    rule: "page-14.4".to_owned(),
                    objective: Some("checkout availability 99.99% over 30d".to_owned()),
                    scope: "tokyo".to_owned(),
                    since_s: 1_794_999_400,
                    is_silenced: false,
                    is_inhibited: false,
                },
                AlertRow {
                    incident: "90bc".to_owned(),
                    status: "firing".to_owned(),
                    severity: "page".to_owned(),
                    rule: "no data".to_owned(),
                    objective: None,
                    scope: "london".to_owned(),
                    since_s: 1_794_999_880,
                    is_silenced: true,
                    is_inhibited: false,
                },
            ],
        }
    }

    #[test]
    fn windows_are_those_of_all_rules_once() {
        let board = burning();
        assert_eq!(board.windows(), [300, 3_600, 21_600, 259_200]);
        assert_eq!(board.objectives[1].burn(300), Some((40.0, true)));
        assert_eq!(board.objectives[1].burn(259_200), Some((5.0, true)));
        assert_eq!(board.objectives[0].burn(3_600), Some((8.0, false)));
        assert_eq!(board.objectives[0].burn(60), None);
        assert_eq!(board.objectives[1].worst(), Some(("page-14.4", 20.0)), "40 is its short window's alone");
        let mut unknown = board.objectives[1].clone();
        unknown.burns.iter_mut().for_each(|burn| burn.burn = None);
        assert_eq!(unknown.worst(), None);
    }

    #[test]
    fn what_a_silent_region_saw_last_says_nothing() {
        let mut board = burning();
        let blind =
            |board: &Board| board.objectives.iter().map(|row| board.is_blind(row)).collect::<Vec<bool>>();
        assert_eq!(blind(&board), [false, false, true]);
        board.regions[0].is_silent = true;
        board.objectives[1].objective = "traffic availability 99.99% over 30d".to_owned();
        assert_eq!(blind(&board), [true, false, true]);
    }

    #[test]
    fn data_is_as_old_as_the_region_that_was_heard_last() {
        let mut board = burning();
        assert_eq!(board.age_s(1_795_000_000), Some(3));
        assert_eq!(board.age_s(1_794_999_000), Some(0), "a clock that was set back");
        board.regions.clear();
        assert_eq!(board.age_s(1_795_000_000), None);
    }
}
