//! Reading rules.

use std::time::Duration;

use doorbuster_notation::{Fault, Faults, Fields, Node, parse, parse_duration, show_duration};

use super::{Factor, RULE_WINDOW_MAX_S, RULES_MAX, Rule, Severity};
use crate::plan::{name_of, word};
use crate::slo::BUCKET_S;

const SEVERITIES: [(&str, Severity); 2] = [("page", Severity::Page), ("ticket", Severity::Ticket)];

/// Which windows can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Windows {
    /// Any whole seconds.
    OfSeconds,
    /// Whole buckets, as long as they are kept.
    OfBuckets,
}

pub(super) fn file(file: &str, text: &str) -> Result<Vec<Rule>, Faults> {
    let root = parse(text).map_err(|fault| Faults::one(file, fault))?;
    let mut faults = Faults::none(file);
    let rules = faults.keep(Fields::of(&root, "the rules' file")).and_then(|mut fields| {
        let rules = faults.keep(fields.required("rules"));
        let rules = rules.map(|node| list(node, Windows::OfSeconds, &mut faults));
        fields.finish(&mut faults);
        rules
    });
    faults.or(rules)
}

pub(super) fn list(node: &Node, windows: Windows, faults: &mut Faults) -> Vec<Rule> {
    let expected =
        "a list of rules such as { name: fast, severity: page, factor: 14.4, long: 1h, short: 5m }";
    let Some(items) = faults.keep(node.list(expected)) else { return Vec::new() };
    if items.is_empty() || items.len() > RULES_MAX {
        faults.add(node.place, format!("there are 1 to {RULES_MAX} rules"));
    }
    let mut rules: Vec<Rule> = Vec::new();
    for item in items {
        let Some(rule) = rule(item, windows, faults) else { continue };
        if rules.iter().any(|earlier| earlier.name == rule.name) {
            faults.add(item.place, format!("the rule \"{}\" is named twice", rule.name));
        }
        rules.push(rule);
    }
    rules
}

fn rule(node: &Node, windows: Windows, faults: &mut Faults) -> Option<Rule> {
    let mut fields = faults.keep(Fields::of(node, "a rule"))?;
    let name = faults.keep(fields.required("name").and_then(name_of));
    let severity = word(fields.optional("severity"), &SEVERITIES, faults);
    let factor =
        faults.keep(fields.required("factor").and_then(|node| node.parse_with("a factor", Factor::parse)));
    let mut window = |name: &'static str| {
        let node = fields.required(name);
        faults.keep(node.and_then(|node| window_s(node, windows)))
    };
    let (long_s, short_s) = (window("long"), window("short"));
    fields.finish(faults);
    let rule = Rule { name: name?, severity, factor: factor?, long_s: long_s?, short_s: short_s? };
    if rule.short_s > rule.long_s {
        faults.add(node.place, "the short window is longer than the long one; write long: 1h, short: 5m");
    }
    Some(rule)
}

fn window_s(node: &Node, windows: Windows) -> Result<u32, Fault> {
    let duration = node.parse_with("a duration such as 1h", parse_duration)?;
    let whole = u32::try_from(duration.as_secs()).ok().filter(|_| duration.subsec_nanos() == 0);
    let window_s = whole
        .filter(|window_s| *window_s > 0)
        .ok_or_else(|| Fault::new(node.place, "a window has whole seconds, at least 1s"))?;
    if windows == Windows::OfSeconds {
        return Ok(window_s);
    }
    if i64::from(window_s) % BUCKET_S != 0 {
        return Err(Fault::new(
            node.place,
            format!("counts are kept by {BUCKET_S} s; write a multiple of that"),
        ));
    }
    if window_s > RULE_WINDOW_MAX_S {
        let most = show_duration(Duration::from_secs(u64::from(RULE_WINDOW_MAX_S)));
        return Err(Fault::new(node.place, format!("a rule's window has at most {most}")));
    }
    Ok(window_s)
}
