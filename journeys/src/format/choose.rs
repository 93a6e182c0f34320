//! `choose` and `data`: variables that a shopper brings along.

use doorbuster_notation::{Fault, Fields, Kind, Node};

use super::{Reader, is_name};
use crate::data::{Order, Table};
use crate::generate::{Day, Generator, PLAIN, day};
use crate::journey::{Choice, Draw};
use crate::program::Instruction;

/// The most options of one choice.
const OPTIONS_MAX: usize = 10_000;
/// The most tables of a journey.
const TABLES_MAX: usize = 20;
/// The longest text that is made up, in characters.
const TEXT_CHARS_MAX: u64 = 10_000;
const EXPECTED: &str = "a list of options, such as [lamp, chair]";

impl Reader {
    /// `{ word: [lamp, chair] }`: draws when the walk gets here, in the order of the text.
    pub(super) fn choose(&mut self, node: &Node) {
        let entries = node.map("variables with their options, such as { word: [lamp, chair] }");
        for (key, from) in self.faults.keep(entries).unwrap_or_default() {
            let slot = self.variable(&key.name, key.place);
            let from = self.draw(from);
            if let (Some(slot), Some(from)) = (slot, from) {
                self.variables.set(slot, key.place.line);
                self.program.push(Instruction::Draw(self.choices.len()));
                self.choices.push(Choice { slot, from });
            }
        }
    }

    fn draw(&mut self, node: &Node) -> Option<Draw> {
        match &node.kind {
            Kind::List(_) => self.faults.keep(read_options(node)).map(Draw::Options),
            Kind::Text(text) => {
                let known = PLAIN.iter().find(|(name, _)| name == text);
                let names = PLAIN.map(|(name, _)| name).join(", ");
                let generator = known.map(|(_, generator)| Draw::Generated(generator.clone()));
                let generator = generator.ok_or_else(|| {
                    node.expected(&format!("{EXPECTED}, or what to make up: {names}, {{ number: 1..9 }}, {{ date: +1d..+30d }} or {{ text: 8 }}"))
                });
                self.faults.keep(generator)
            }
            Kind::Map(_) => self.drawn_by(node),
            _ => {
                self.faults.faults.push(node.expected(EXPECTED));
                None
            }
        }
    }

    /// `{ weights: { lamp: 3, chair: 1 } }`, `{ number: 1..9 }`, `{ date: +1d..+30d }`, `{ text: 8 }`
    fn drawn_by(&mut self, node: &Node) -> Option<Draw> {
        let fields = Fields::of(node, "a choice");
        let mut fields = self.faults.keep(fields)?;
        let kinds = ["weights", "number", "date", "text"].map(|kind| fields.entry(kind));
        let known = self.faults.faults.len();
        fields.finish(&mut self.faults);
        let mut kinds = kinds.into_iter().flatten();
        let (Some((key, value)), None) = (kinds.next(), kinds.next()) else {
            if self.faults.faults.len() == known {
                self.faults.add(node.place, "a choice needs one of weights, number, date or text");
            }
            return None;
        };
        let draw = match key.name.as_str() {
            "weights" => weights(value),
            "number" => {
                range(value, "two whole numbers such as 1..9", |text| text.parse().ok(), |number| number)
                    .map(|(from, to)| Draw::Generated(Generator::Number(from, to)))
            }
            "date" => {
                let expected = "two days such as +1d..+30d or 2026-12-01..2026-12-24";
                let number = |day| match day {
                    Day::Fixed(number) | Day::After(number) => number,
                };
                let same_kind = |(from, to)| match (from, to) {
                    (Day::Fixed(_), Day::After(_)) | (Day::After(_), Day::Fixed(_)) => {
                        Err(value.expected(expected))
                    }
                    _ => Ok(Draw::Generated(Generator::Date(from, to))),
                };
                range(value, expected, read_day, number).and_then(same_kind)
            }
            _ => value
                .integer(1, TEXT_CHARS_MAX)
                .map(|length| Draw::Generated(Generator::Text(usize::try_from(length).unwrap_or(1)))),
        };
        self.faults.keep(draw)
    }

    /// `{ user: { file: users.csv } }`
    pub(super) fn data(&mut self, node: &Node) {
        let entries = node.map("tables with their files, such as { user: { file: users.csv } }");
        let entries = self.faults.keep(entries).unwrap_or_default();
        if entries.len() > TABLES_MAX {
            self.faults.add(
                node.place,
                format!("found {} tables, and at most {TABLES_MAX} are read", entries.len()),
            );
        }
        for (key, node) in entries.iter().take(TABLES_MAX) {
            let reserved = ["shopper", "run", "env"].contains(&key.name.as_str());
            if !is_name(&key.name, "_-") || reserved {
                let message = format!(
                    "found the table \"{}\", expected a name of letters, digits or any of _ -",
                    key.name
                );
                self.faults.add(key.place, message);
            }
            let fields = Fields::of(node, "a table");
            let Some(mut fields) = self.faults.keep(fields) else { continue };
            let file = fields.required("file").and_then(|node| node.scalar("a file's name"));
            let word = |node: Option<&Node>, first: &str, second: &str| match node {
                None => Ok(false),
                Some(Node { kind: Kind::Text(text), .. }) if text == first => Ok(false),
                Some(Node { kind: Kind::Text(text), .. }) if text == second => Ok(true),
                Some(node) => Err(node.expected(&format!("{first} or {second}"))),
            };
            let random = word(fields.optional("rows"), "by_shopper", "random");
            let stops = word(fields.optional("at_end"), "recycle", "stop");
            fields.finish(&mut self.faults);
            let (random, stops) = (self.faults.keep(random), self.faults.keep(stops));
            let order = if random == Some(true) { Order::Random } else { Order::Shopper };
            if let Some(file) = self.faults.keep(file) {
                self.program.push(Instruction::Row(self.tables.len()));
                self.tables.push(Table::new(&key.name, file, node.place, order, stops == Some(true)));
            }
        }
    }
}

fn weights(node: &Node) -> Result<Draw, Fault> {
    let expected = "options with their weights, such as { lamp: 3, chair: 1 }";
    let entries = node.map(expected)?;
    if entries.len() > OPTIONS_MAX {
        return Err(node.expected(&format!("at most {OPTIONS_MAX} options")));
    }
    let (mut options, mut weights) = (Vec::new(), Vec::new());
    for (key, weight) in entries {
        options.push(key.name.as_str().into());
        weights.push(u32::try_from(weight.integer(0, 1_000_000)?).unwrap_or(0));
    }
    if weights.iter().all(|weight| *weight == 0) {
        return Err(node.expected(expected));
    }
    Ok(Draw::Weighted(options, weights))
}

/// `A..B`, of which the second is not below the first.
fn range<T: Copy>(
    node: &Node,
    expected: &str,
    read: impl Fn(&str) -> Option<T>,
    number: impl Fn(T) -> i64,
) -> Result<(T, T), Fault> {
    let text = node.scalar(expected)?;
    let bounds = text.split_once("..").and_then(|(from, to)| Some((read(from.trim())?, read(to.trim())?)));
    bounds.filter(|(from, to)| number(*from) <= number(*to)).ok_or_else(|| node.expected(expected))
}

fn read_day(text: &str) -> Option<Day> {
    match text.strip_suffix('d') {
        Some(days) => {
            let days: i64 = days.strip_prefix('+').unwrap_or(days).parse().ok()?;
            (days.abs() <= 36_500).then_some(Day::After(days))
        }
        None => day(text).map(Day::Fixed),
    }
}

fn read_options(node: &Node) -> Result<Vec<Box<str>>, Fault> {
    let expected = EXPECTED;
    let options = node.list(expected)?;
    if options.is_empty() {
        return Err(Fault::new(node.place, format!("found an empty list, expected {expected}")));
    }
    if options.len() > OPTIONS_MAX {
        let message = format!("found {} options, and at most {OPTIONS_MAX} are read", options.len());
        return Err(Fault::new(node.place, message));
    }
    options
        .iter()
        .map(|option| option.scalar("an option as text or number").map(String::into_boxed_str))
        .collect()
}
