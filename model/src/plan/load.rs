//! Reading a plan's `load`.

use doorbuster_notation::{Fault, Faults, Fields, Node, parse_duration, parse_rate_milli};

use super::{Connections, Cookies, Load, Model};
use crate::pace::{Kind, LEVEL_MAX_MILLI, PHASE_MAX_NS, Pace, Phase, Shape};
use crate::spacing::Spacing;

/// The most connections, streams or shoppers that a number may name.
const COUNT_MAX: u64 = 10_000_000;

pub(super) fn load(node: &Node, faults: &mut Faults) -> Option<Load> {
    let mut fields = faults.keep(Fields::of(node, "load"))?;
    let arrivals = fields.optional("arrivals");
    let shoppers = fields.optional("shoppers");
    let spacing = fields.optional("spacing");
    let connections = word(fields.optional("connections"), &CONNECTIONS, faults);
    let cookies = word(fields.optional("cookies"), &COOKIES, faults);
    let number = |node: &Node, faults: &mut Faults| {
        faults.keep(node.integer(1, COUNT_MAX)).and_then(|number| u32::try_from(number).ok())
    };
    let max_connections = fields.optional("max_connections").and_then(|node| number(node, faults));
    let streams = fields.optional("streams").and_then(|node| number(node, faults)).unwrap_or(1);
    fields.finish(faults);
    if connections != Connections::Shared && (max_connections.is_some() || streams > 1) {
        faults.add(
            node.place,
            "max_connections and streams are about a pool that all arrivals share; add connections: shared",
        );
    }
    let (model, phases) = match (arrivals, shoppers) {
        (Some(node), None) => {
            (Model::Open(word(spacing, &SPACINGS, faults)), phases(node, Unit::PerSecond, faults))
        }
        (None, Some(node)) => {
            if let Some(spacing) = spacing {
                faults.add(
                    spacing.place,
                    "spacing belongs to arrivals; shoppers come by their own think times",
                );
            }
            (Model::Closed, phases(node, Unit::Shoppers, faults))
        }
        _ => {
            faults.add(
                node.place,
                "load needs exactly one of \"arrivals\" (journeys per second) and \"shoppers\"",
            );
            return None;
        }
    };
    let pace = Pace::try_new(phases?);
    if pace.is_none() {
        faults.add(node.place, "load has 1 to 1,000 phases, each at most 24 h long");
    }
    Some(Load { model, pace: pace?, connections, cookies, max_connections, streams })
}

const CONNECTIONS: [(&str, Connections); 4] = [
    ("keep", Connections::Keep),
    ("per-iteration", Connections::PerIteration),
    ("per-page", Connections::PerPage),
    ("shared", Connections::Shared),
];
const COOKIES: [(&str, Cookies); 2] = [("per-iteration", Cookies::PerIteration), ("keep", Cookies::Keep)];
const SPACINGS: [(&str, Spacing); 2] = [("even", Spacing::Even), ("poisson", Spacing::Poisson)];

/// One of a few words.
pub(crate) fn word<T: Copy + Default>(node: Option<&Node>, words: &[(&str, T)], faults: &mut Faults) -> T {
    let Some(node) = node else { return T::default() };
    let known = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>();
    let read = |text: &str| {
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        found.ok_or_else(|| {
            format!(
                "found \"{text}\", expected {}{}",
                known().join(" or "),
                doorbuster_notation::nearest(text, known())
                    .map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"))
            )
        })
    };
    faults.keep(node.parse_with(&known().join(" or "), read)).unwrap_or_default()
}

#[derive(Clone, Copy)]
enum Unit {
    PerSecond,
    Shoppers,
}

impl Unit {
    fn level(self, node: &Node) -> Result<u64, Fault> {
        match self {
            Self::PerSecond => node.parse_with("a rate such as 500/s", parse_rate_milli),
            Self::Shoppers => node.integer(0, LEVEL_MAX_MILLI / 1_000).map(|shoppers| shoppers * 1_000),
        }
    }

    fn nothing(self) -> &'static str {
        match self {
            Self::PerSecond => "a rate of 0 sends nothing; give a rate above 0/s, or leave the phase out",
            Self::Shoppers => "0 shoppers send nothing; give at least 1, or leave the phase out",
        }
    }
}

fn phases(node: &Node, unit: Unit, faults: &mut Faults) -> Option<Vec<Phase>> {
    let items = faults.keep(node.list("a list of phases such as { hold: 500/s, for: 10m }"))?;
    let read: Vec<Vec<Phase>> = items.iter().filter_map(|item| phase(item, unit, faults)).collect();
    (read.len() == items.len() && !items.is_empty()).then(|| read.into_iter().flatten().collect()).or_else(
        || {
            if items.is_empty() {
                faults.add(node.place, "the list of phases is empty, so nothing would be sent");
            }
            None
        },
    )
}

fn phase(node: &Node, unit: Unit, faults: &mut Faults) -> Option<Vec<Phase>> {
    let mut fields = faults.keep(Fields::of(node, "a phase"))?;
    let kinds = [("hold", Kind::Hold), ("ramp", Kind::Ramp), ("step", Kind::Step), ("spike", Kind::Spike)];
    let found: Vec<(Kind, &Node)> = kinds
        .into_iter()
        .filter_map(|(word, kind)| fields.optional(word).map(|value| (kind, value)))
        .collect();
    let length_key = if matches!(found.first(), Some((Kind::Ramp, _))) { "over" } else { "for" };
    let length = faults.keep(fields.required(length_key)).and_then(|node| faults.keep(length_ns(node)));
    let name = fields.optional("name").and_then(|node| faults.keep(node.scalar("a name")));
    let place = fields.place();
    fields.finish(faults);
    let [(kind, value)] = found[..] else {
        faults.add(place, "a phase is exactly one of hold, ramp, step or spike");
        return None;
    };
    let shapes = faults.keep(shapes(kind, value, unit))?;
    if shapes.iter().all(|shape| matches!(shape, Shape::Flat(0) | Shape::Line(0, 0))) {
        faults.add(value.place, unit.nothing());
        return None;
    }
    let (name, length_ns) = (name.unwrap_or_else(|| kind.word().to_owned()), length?);
    Some(shapes.into_iter().map(|shape| Phase { name: name.clone(), kind, shape, length_ns }).collect())
}

fn length_ns(node: &Node) -> Result<u64, Fault> {
    let length = node.parse_with("a duration such as 10m", parse_duration)?;
    u64::try_from(length.as_nanos())
        .ok()
        .filter(|length_ns| (1..=PHASE_MAX_NS).contains(length_ns))
        .ok_or_else(|| node.expected("a duration above 0 and at most 24h (write longer phases as several)"))
}

fn shapes(kind: Kind, value: &Node, unit: Unit) -> Result<Vec<Shape>, Fault> {
    match kind {
        Kind::Hold | Kind::Spike => Ok(vec![Shape::Flat(unit.level(value)?)]),
        Kind::Ramp => match value.list("two levels such as [10/s, 500/s]")? {
            [from, to] => Ok(vec![Shape::Line(unit.level(from)?, unit.level(to)?)]),
            _ => Err(value.expected("two levels such as [10/s, 500/s]")),
        },
        Kind::Step => {
            let levels = value.list("the levels of a staircase such as [100/s, 200/s, 300/s]")?;
            levels.iter().map(|level| unit.level(level).map(Shape::Flat)).collect()
        }
    }
}
