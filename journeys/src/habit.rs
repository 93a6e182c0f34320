//! What a walk through a journey comes to on average, as far as its file tells: for planning, before anything is sent.

use std::time::Duration;

use crate::data::Order;
use crate::journey::Journey;
use crate::program::Instruction;

/// Parts of a probability.
const BILLION: f64 = 1e9;

/// A walk on average: what is drawn counts by its chance. Nobody knows yet what the target will answer, so conditions are
/// taken as met, loops as left only when they have run out, lists as having one item, and nothing as failing: more is
/// rarely done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Habit {
    /// How long the shopper thinks, all pauses together.
    pub think: Duration,
    /// How many steps send their request.
    pub requests: f64,
    /// How many of them fetch their page's assets, too.
    pub pages: f64,
}

/// A file whose rows are dealt out, each shopper its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnRows<'a> {
    /// The file, as the journey names it.
    pub file: &'a str,
    /// How many rows it has.
    pub rows: u64,
    /// Whether shoppers for whom none is left are sent away; otherwise rows are used again.
    pub stops: bool,
}

impl Journey {
    /// What a walk comes to on average.
    pub fn habit(&self) -> Habit {
        let visits = visits(&self.program, usize::from(self.counters));
        let (mut think_s, mut requests, mut pages) = (0.0, 0.0, 0.0);
        for (instruction, visits) in self.program.iter().zip(visits) {
            match instruction {
                Instruction::Think(think) => think_s += visits * think.mean().as_secs_f64(),
                Instruction::Fetch(step) => {
                    requests += visits;
                    if self.steps.get(*step).is_some_and(|step| step.fetches_assets) {
                        pages += visits;
                    }
                }
                _ => {}
            }
        }
        let think = Duration::try_from_secs_f64(think_s).unwrap_or(Duration::MAX);
        Habit { think, requests, pages }
    }

    /// The files whose rows are dealt out by the shoppers' numbers. Without rows before the journey was
    /// [supplied](Self::supply).
    pub fn own_rows(&self) -> impl Iterator<Item = OwnRows<'_>> {
        let own = self.tables.iter().filter(|table| table.order == Order::Shopper && table.is_used());
        own.map(|table| OwnRows { file: &table.file, rows: table.rows(), stops: table.stops })
    }
}

/// How often a walk comes by each instruction. Blocks stand within each other, and only loops lead back, so that one pass is
/// enough: what is within a loop counts for all its rounds at once.
fn visits(program: &[Instruction], counters: usize) -> Vec<f64> {
    let mut visits = vec![0.0; program.len() + 1];
    let mut rounds = vec![1.0; counters];
    visits[0] = 1.0;
    for (at, instruction) in program.iter().enumerate() {
        let here: f64 = visits[at];
        let mut goes_on = here;
        match instruction {
            Instruction::Begin(counter, (least, most)) => {
                // A list's loop begins to count at 0.
                let mean = f64::midpoint(f64::from(*least), f64::from(*most)).max(1.0);
                if let Some(rounds) = rounds.get_mut(usize::from(*counter)) {
                    *rounds = mean;
                }
                goes_on = here * mean;
            }
            Instruction::Again(counter, _) => {
                goes_on = here / rounds.get(usize::from(*counter)).copied().unwrap_or(1.0);
            }
            Instruction::Each(.., end) => add(&mut visits, *end, here),
            Instruction::Jump(to) => {
                // The way back of a list's loop was counted where it began.
                if *to > at {
                    add(&mut visits, *to, here);
                }
                goes_on = 0.0;
            }
            Instruction::Either(ways) => {
                let total: f64 = ways.iter().map(|(weight, _)| f64::from(*weight)).sum();
                for (weight, to) in ways.iter() {
                    add(&mut visits, *to, here * f64::from(*weight) / total.max(1.0));
                }
                goes_on = 0.0;
            }
            Instruction::Abandon(parts) => goes_on = here * (1.0 - f64::from(*parts) / BILLION),
            Instruction::Finish | Instruction::Leave | Instruction::Fail(..) => goes_on = 0.0,
            _ => {}
        }
        visits[at + 1] += goes_on;
    }
    visits
}

fn add(visits: &mut [f64], to: usize, more: f64) {
    if let Some(visits) = visits.get_mut(to) {
        *visits += more;
    }
}

#[cfg(test)]
mod tests {
    use crate::{Journey, Supplies};

    fn journey(head: &str, steps: &str) -> Journey {
        Journey::parse("test.yaml", &format!("journey: test\n{head}steps:\n{steps}")).unwrap()
    }

    /// Thinking in seconds, requests and pages.
    fn habit(head: &str, steps: &str) -> (f64, f64, f64) {
        let habit = journey(head, steps).habit();
        // To the thousandth: chances are no whole numbers.
        let rounded = |value: f64| (value * 1e3).round() / 1e3;
        (rounded(habit.think.as_secs_f64()), rounded(habit.requests), rounded(habit.pages))
    }

    #[test]
    fn what_is_drawn_counts_by_its_chance() {
        let plain = "  - { step: a, get: /, assets: true }\n  - { think: 5s..15s }\n  - { step: b, get: /b }\n  - { think: 2s }\n";
        assert_eq!(habit("", plain), (12.0, 2.0, 1.0));
        let loops = "  - { repeat: 3..5, steps: [{ step: a, get: / }, { think: 1s }, { repeat: 2, steps: [{ step: b, get: /b, assets: true }] }] }\n  - { step: c, get: /c }\n";
        assert_eq!(habit("", loops), (4.0, 13.0, 8.0), "4 rounds of 1 + 2, and 1");
        let either = "  - { either: [{ weight: 3, steps: [{ step: a, get: / }, { think: 4s }] }, { weight: 1, steps: [{ finish: completed }] }] }\n  - { step: b, get: /b }\n";
        assert_eq!(habit("", either), (3.0, 1.5, 0.0), "three in four go on");
        let attempts = "  - { try: [{ steps: [{ step: a, get: / }] }, { steps: [{ step: b, get: /b }, { think: 9s }] }] }\n  - { step: c, get: /c }\n";
        assert_eq!(habit("", attempts), (0.0, 2.0, 0.0), "nothing fails");
    }

    #[test]
    fn conditions_are_met_and_lists_have_an_item() {
        let guarded = "  - { step: a, get: /, extract: { items: { css: li, pick: all } } }\n  - { when: { value: { items: true } }, think: 3s }\n  - { for_each: { item: items }, steps: [{ step: b, get: \"/${item}\" }, { think: 2s }] }\n  - { step: c, get: /c }\n";
        assert_eq!(habit("", guarded), (5.0, 3.0, 0.0));
        let until = "  - { repeat: 10, until: { css: h1 }, steps: [{ step: a, get: / }, { think: 1s }] }\n  - { step: b, get: /b }\n";
        assert_eq!(habit("", until), (10.0, 11.0, 0.0), "until nothing is left");
    }

    #[test]
    fn rows_of_shoppers_own_are_told() {
        let mut journey = journey(
            "data: { user: { file: users.csv }, once: { file: once.csv, at_end: stop }, any: { file: any.csv, rows: random }, idle: { file: idle.csv } }\n",
            "  - { step: a, get: \"/${user.name}/${once.name}/${any.name}\" }\n",
        );
        let file = |name: &str| -> Result<String, String> {
            Ok(if name == "users.csv" { "name\na\nb\nc\n" } else { "name\na\n" }.to_owned())
        };
        journey.supply(&Supplies { file: &file, secret: &|_| None, today: 0 }).unwrap();
        let rows: Vec<(&str, u64, bool)> =
            journey.own_rows().map(|own| (own.file, own.rows, own.stops)).collect();
        assert_eq!(rows, [("users.csv", 3, false), ("once.csv", 1, true)]);
    }
}
