//! Alarms for CloudWatch, over the metrics that Doorbuster publishes there.
//!
//! An alarm for each window of each rule is a plain threshold on its burn rate. A composite alarm per rule wants both, and
//! as many failures in the long window as the plan asks for; one per severity wants any of its rules, in any scope, and is
//! the only one with actions. What is silent has alarms of its own: a region, and this process, whose sign of life is
//! missing.
//!
//! Missing data leaves a burn-rate alarm as it is (`ignore`): no news neither starts an incident nor ends one. A sign of
//! life that is missing is what its alarm is about (`breaching`).

use doorbuster_model::slo::{Rule, Scope, Severity, Slo};
use serde::Serialize;

use super::limits;
use crate::export::cloudwatch::{MetricId, metric};
use crate::export::severity_word;

/// The length of a period: Doorbuster publishes once a minute.
const PERIOD_S: u32 = 60;
/// How many periods without a sign of life are too many.
const LIFELESS_PERIODS: u32 = 3;
/// How many alarms a composite alarm of many is made of, at most: AWS takes 100.
const CHILDREN_MAX: usize = 100;

/// A dimension, as the AWS command line takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AlarmDimension {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// An alarm of a metric, as `aws cloudwatch put-metric-alarm --cli-input-json` takes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MetricAlarm {
    /// Its name.
    pub alarm_name: String,
    /// What it means.
    pub alarm_description: String,
    /// Its actions are on; it has none, and so nobody wonders.
    pub actions_enabled: bool,
    /// The metric's namespace.
    pub namespace: String,
    /// The metric's name.
    pub metric_name: String,
    /// The metric's dimensions.
    pub dimensions: Vec<AlarmDimension>,
    /// Which of a period's values counts.
    pub statistic: &'static str,
    /// The length of a period, in seconds.
    pub period: u32,
    /// How many periods are looked at.
    pub evaluation_periods: u32,
    /// How many of them must be beyond the threshold.
    pub datapoints_to_alarm: u32,
    /// The threshold.
    pub threshold: f64,
    /// On which side of it is bad.
    pub comparison_operator: &'static str,
    /// What a period without data is.
    pub treat_missing_data: &'static str,
}

/// A composite alarm, as `aws cloudwatch put-composite-alarm --cli-input-json` takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CompositeAlarm {
    /// Its name.
    pub alarm_name: String,
    /// What it means.
    pub alarm_description: String,
    /// Of which alarms it is made.
    pub alarm_rule: String,
    /// Its actions are on.
    pub actions_enabled: bool,
    /// What is done when it begins, as ARNs.
    pub alarm_actions: Vec<String>,
    /// What is done when it ends, as ARNs.
    #[serde(rename = "OKActions")]
    pub ok_actions: Vec<String>,
}

/// All alarms of a plan, each after those that it is made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Alarms {
    /// Alarms of metrics.
    pub metric_alarms: Vec<MetricAlarm>,
    /// Composite alarms.
    pub composite_alarms: Vec<CompositeAlarm>,
}

/// What alarms do, as ARNs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Actions {
    /// For those that wake somebody.
    pub page: Vec<String>,
    /// For the others.
    pub ticket: Vec<String>,
}

impl Actions {
    fn of(&self, severity: Severity) -> &[String] {
        match severity {
            Severity::Page => &self.page,
            Severity::Ticket => &self.ticket,
        }
    }
}

/// Makes the alarms of a plan whose metrics are published in `namespace`.
pub(crate) fn alarms(
    plan: &str,
    namespace: &str,
    slo: &Slo,
    regions: &[String],
    actions: &Actions,
) -> Alarms {
    let mut made = Maker { plan, namespace, slo, metric_alarms: Vec::new(), composite_alarms: Vec::new() };
    let mut of_severity: [(Severity, Vec<String>); 2] =
        [(Severity::Page, Vec::new()), (Severity::Ticket, Vec::new())];
    for objective in &slo.objectives {
        for scope in objective.scopes(regions) {
            for rule in &slo.rules {
                let name = made.rule(&objective.text, &scope, rule);
                for (severity, names) in &mut of_severity {
                    if *severity == rule.severity {
                        names.push(name.clone());
                    }
                }
            }
        }
    }
    for (severity, names) in of_severity {
        let word = severity_word(severity);
        let told = format!("A rule of severity \"{word}\" fires, for any objective in any scope.");
        made.many(&[word], &told, names, " OR ", actions.of(severity));
    }
    made.silence(regions, actions);
    Alarms { metric_alarms: made.metric_alarms, composite_alarms: made.composite_alarms }
}

struct Maker<'a> {
    plan: &'a str,
    namespace: &'a str,
    slo: &'a Slo,
    metric_alarms: Vec<MetricAlarm>,
    composite_alarms: Vec<CompositeAlarm>,
}

impl Maker<'_> {
    /// The alarms of a rule; returns the name of the composite one.
    fn rule(&mut self, objective: &str, scope: &Scope, rule: &Rule) -> String {
        let shown = scope.to_string();
        let parts = [objective, &shown, &rule.name];
        let mut children = Vec::new();
        for (word, window_s) in [("long", rule.long_s), ("short", rule.short_s)] {
            let name = self.name(&[&parts[..], &[word]].concat());
            let told = format!("The error budget burns {} times as fast as it may, or faster.", rule.factor);
            let metric = metric::of_burn(objective, scope, &rule.name, window_s);
            // What is shown by a factor is a decimal.
            let threshold = rule.factor.to_string().parse().unwrap_or(f64::MAX);
            self.threshold(&name, told, metric, threshold);
            children.push(name);
        }
        if self.slo.min_failures > 0 {
            let name = self.name(&[&parts[..], &["failures"]].concat());
            let told = format!("The rule's long window holds {} failures or more.", self.slo.min_failures);
            let metric = metric::of_failures(objective, scope, &rule.name);
            self.threshold(&name, told, metric, self.slo.min_failures as f64);
            children.push(name);
        }
        let name = self.name(&parts);
        let told = "The error budget burns in both windows of the rule.".to_owned();
        self.composite(name.clone(), told, &children, " AND ", &[]);
        name
    }

    /// The alarms about missing data: one silent region is a ticket, all of them are a page, and so is nobody who probes.
    fn silence(&mut self, regions: &[String], actions: &Actions) {
        let mut names = Vec::new();
        for region in regions {
            let name = self.name(&["no data", region]);
            let told = "No probe of the region has reported for too long.".to_owned();
            self.threshold(&name, told, metric::of_silence(region), 1.0);
            names.push(name);
        }
        let name = self.name(&["no data", "heartbeat"]);
        let told = "Nobody probes: the sign of life is missing.".to_owned();
        self.threshold(&name, told, metric::of_life(), 1.0);
        if let Some(heartbeat) = self.metric_alarms.last_mut() {
            heartbeat.comparison_operator = "LessThanThreshold";
            heartbeat.treat_missing_data = "breaching";
            heartbeat.evaluation_periods = LIFELESS_PERIODS;
            heartbeat.datapoints_to_alarm = LIFELESS_PERIODS;
        }
        let told = "A region is silent.";
        self.many(&["silent region"], told, names.clone(), " OR ", &actions.ticket);
        let all = ["no data", "every region"];
        self.many(&all, "Every region is silent.", names, " AND ", &[]);
        let told = "Every region is silent, or nobody probes any more.";
        self.many(&["no data"], told, vec![self.name(&all), name], " OR ", &actions.page);
    }

    /// An alarm while a metric is at a threshold or above.
    fn threshold(&mut self, name: &str, told: String, metric: MetricId, threshold: f64) {
        let dimension = |(name, value)| AlarmDimension { name, value };
        self.metric_alarms.push(MetricAlarm {
            alarm_name: name.to_owned(),
            alarm_description: told,
            actions_enabled: true,
            namespace: self.namespace.to_owned(),
            metric_name: metric.name,
            dimensions: metric.dimensions.into_iter().map(dimension).collect(),
            statistic: "Maximum",
            period: PERIOD_S,
            evaluation_periods: 1,
            datapoints_to_alarm: 1,
            threshold,
            comparison_operator: "GreaterThanOrEqualToThreshold",
            treat_missing_data: "ignore",
        });
    }

    /// A composite alarm while any of many is on, or all of them: where there are more than AWS takes, of composite alarms
    /// of as many as it takes. There is none of nothing.
    fn many(
        &mut self,
        parts: &[&str],
        told: &str,
        mut names: Vec<String>,
        operator: &str,
        actions: &[String],
    ) {
        let mut level = 0;
        while characters_of(&names, operator) > limits::RULE_CHARACTERS_MAX || names.len() > CHILDREN_MAX {
            level += 1;
            let mut groups = Vec::new();
            for (number, group) in groups_of(&names, operator).into_iter().enumerate() {
                let part = format!("part {level}.{}", number + 1);
                let name = self.name(&[parts, &[part.as_str()]].concat());
                self.composite(name.clone(), told.to_owned(), &group, operator, &[]);
                groups.push(name);
            }
            names = groups;
        }
        if !names.is_empty() {
            self.composite(self.name(parts), told.to_owned(), &names, operator, actions);
        }
    }

    fn composite(
        &mut self,
        name: String,
        told: String,
        children: &[String],
        operator: &str,
        actions: &[String],
    ) {
        self.composite_alarms.push(CompositeAlarm {
            alarm_name: name,
            alarm_description: told,
            alarm_rule: rule_of(children, operator),
            actions_enabled: true,
            alarm_actions: actions.to_vec(),
            ok_actions: actions.to_vec(),
        });
    }

    /// `doorbuster shop / checkout availability 99.99% over 30d / global / page-14.4 / long`. What cannot stand in a rule's
    /// quotes, or might be taken for a part of it, is left out.
    fn name(&self, parts: &[&str]) -> String {
        let whole = format!("doorbuster {} / {}", self.plan, parts.join(" / "));
        let plain = whole.replace(['(', '<'], " ").replace([')', '"', '\\'], "");
        limits::fit(&plain.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// Names in groups of which each fits a rule.
fn groups_of(names: &[String], operator: &str) -> Vec<Vec<String>> {
    let mut groups: Vec<Vec<String>> = Vec::new();
    for name in names {
        match groups.last_mut() {
            Some(group) if fits(group, name, operator) => group.push(name.clone()),
            _ => groups.push(vec![name.clone()]),
        }
    }
    groups
}

/// Whether one name more fits the rule of a group.
fn fits(group: &[String], name: &str, operator: &str) -> bool {
    let more = operator.len() + "ALARM(\"\")".len() + name.chars().count();
    group.len() < CHILDREN_MAX && characters_of(group, operator) + more <= limits::RULE_CHARACTERS_MAX
}

fn characters_of(names: &[String], operator: &str) -> usize {
    rule_of(names, operator).chars().count()
}

fn rule_of(names: &[String], operator: &str) -> String {
    names.iter().map(|name| format!("ALARM(\"{name}\")")).collect::<Vec<_>>().join(operator)
}

#[cfg(test)]
mod tests;
