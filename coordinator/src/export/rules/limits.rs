//! AWS's limits on alarms, checked before any is put: half of a set of alarms is worse than none.
//!
//! Source: Amazon CloudWatch API reference, `PutMetricAlarm` and `PutCompositeAlarm`, and "CloudWatch service quotas".

use std::collections::{BTreeMap, BTreeSet};

use super::alarms::{Alarms, CompositeAlarm, MetricAlarm};

/// The longest name of an alarm, in characters.
const NAME_CHARACTERS_MAX: usize = 255;
/// The longest description, in characters.
const DESCRIPTION_CHARACTERS_MAX: usize = 1_024;
/// The longest rule of a composite alarm, in characters.
pub(super) const RULE_CHARACTERS_MAX: usize = 10_240;
/// The most alarms that a composite alarm is made of.
const CHILDREN_MAX: usize = 100;
/// The most elements of a rule: alarms, constants and parentheses.
const ELEMENTS_MAX: usize = 500;
/// The most composite alarms that an alarm is part of.
const PARENTS_MAX: usize = 150;
/// The most actions for a change of state.
const ACTIONS_MAX: usize = 5;
/// The most dimensions of an alarm's metric.
const DIMENSIONS_MAX: usize = 30;
/// How far back an alarm may look whose periods are shorter than an hour, in seconds.
const EVALUATION_MAX_S: u64 = 86_400;

/// A name, cut to what AWS takes; a hash of the whole keeps cut ones apart.
pub(super) fn fit(name: &str) -> String {
    if name.chars().count() <= NAME_CHARACTERS_MAX {
        return name.to_owned();
    }
    // FNV-1a, 64 bits.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in name.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let kept: String = name.chars().take(NAME_CHARACTERS_MAX - 17).collect();
    format!("{kept} {hash:016x}")
}

/// Whether AWS takes all of these alarms, as far as it can be known here.
///
/// # Errors
/// A sentence for each limit that is broken.
pub(crate) fn check(alarms: &Alarms) -> Result<(), Vec<String>> {
    let mut breaches = Vec::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let mut parents: BTreeMap<&str, usize> = BTreeMap::new();
    for alarm in &alarms.metric_alarms {
        let name = alarm.alarm_name.as_str();
        check_metric_alarm(alarm, &mut |why| breaches.push(format!("the alarm \"{name}\" {why}")));
        if !known.insert(name) {
            breaches.push(format!("two alarms are called \"{name}\""));
        }
    }
    for alarm in &alarms.composite_alarms {
        let name = alarm.alarm_name.as_str();
        check_composite_alarm(alarm, &mut |why| breaches.push(format!("the alarm \"{name}\" {why}")));
        for child in children(&alarm.alarm_rule) {
            *parents.entry(child).or_default() += 1;
            if !known.contains(child) {
                breaches.push(format!(
                    "the alarm \"{name}\" is made of \"{child}\", which comes after it or nowhere"
                ));
            }
        }
        if !known.insert(name) {
            breaches.push(format!("two alarms are called \"{name}\""));
        }
    }
    for (name, count) in parents.into_iter().filter(|(_, count)| *count > PARENTS_MAX) {
        breaches.push(format!("the alarm \"{name}\" is part of {count} others, of at most {PARENTS_MAX}"));
    }
    if breaches.is_empty() { Ok(()) } else { Err(breaches) }
}

fn check_metric_alarm(alarm: &MetricAlarm, breach: &mut dyn FnMut(String)) {
    check_texts(&alarm.alarm_name, &alarm.alarm_description, breach);
    let count = alarm.dimensions.len();
    if count > DIMENSIONS_MAX {
        breach(format!("has {count} dimensions, of at most {DIMENSIONS_MAX}"));
    }
    let looks_back_s = u64::from(alarm.period) * u64::from(alarm.evaluation_periods);
    if looks_back_s == 0 || looks_back_s > EVALUATION_MAX_S || !alarm.period.is_multiple_of(60) {
        breach(format!(
            "looks at {} periods of {} s; they are multiples of 60 s, and together at most a day",
            alarm.evaluation_periods, alarm.period
        ));
    }
    if alarm.datapoints_to_alarm == 0 || alarm.datapoints_to_alarm > alarm.evaluation_periods {
        breach(format!("wants {} of {} periods", alarm.datapoints_to_alarm, alarm.evaluation_periods));
    }
    if !alarm.threshold.is_finite() {
        breach("has a threshold that is no number".to_owned());
    }
}

fn check_composite_alarm(alarm: &CompositeAlarm, breach: &mut dyn FnMut(String)) {
    check_texts(&alarm.alarm_name, &alarm.alarm_description, breach);
    let rule = &alarm.alarm_rule;
    let characters = rule.chars().count();
    if characters == 0 || characters > RULE_CHARACTERS_MAX {
        breach(format!("has a rule of {characters} characters, of 1 to {RULE_CHARACTERS_MAX}"));
    }
    let count = children(rule).count();
    if count > CHILDREN_MAX {
        breach(format!("is made of {count} alarms, of at most {CHILDREN_MAX}"));
    }
    // Names are in quotes and hold no parentheses: the others are two for each alarm.
    let elements = count + rule.matches(['(', ')']).count().saturating_sub(2 * count);
    if elements > ELEMENTS_MAX {
        breach(format!("has a rule of {elements} elements, of at most {ELEMENTS_MAX}"));
    }
    for actions in [&alarm.alarm_actions, &alarm.ok_actions] {
        if actions.len() > ACTIONS_MAX {
            breach(format!("has {} actions, of at most {ACTIONS_MAX}", actions.len()));
        }
        for action in actions.iter().filter(|action| !action.starts_with("arn:") || action.len() > 1_024) {
            breach(format!("has the action \"{action}\", which is no ARN"));
        }
    }
}

fn check_texts(name: &str, description: &str, breach: &mut dyn FnMut(String)) {
    let characters = name.chars().count();
    let is_plain = !name.chars().any(|c| c.is_control() || matches!(c, '"' | '\\' | '(' | ')'));
    if characters == 0 || characters > NAME_CHARACTERS_MAX || !is_plain {
        breach(format!(
            "has a name of {characters} characters, of 1 to {NAME_CHARACTERS_MAX} without quotes, parentheses and control characters"
        ));
    }
    let characters = description.chars().count();
    if characters > DESCRIPTION_CHARACTERS_MAX {
        breach(format!(
            "has a description of {characters} characters, of at most {DESCRIPTION_CHARACTERS_MAX}"
        ));
    }
}

/// The alarms that a rule names.
fn children(rule: &str) -> impl Iterator<Item = &str> {
    rule.split("ALARM(\"").skip(1).filter_map(|rest| rest.split_once("\")").map(|(name, _)| name))
}
