//! Objectives, the rules that watch them, and what they stand at.
//!
//! Stand-ins for the part that counts and alerts, with its fields: who exports reads them and nothing else.

use std::fmt;

use doorbuster_notation::{Faults, Fields, Node, Share, parse_duration, parse_share};

/// What is promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objective {
    /// As it was written, with single spaces: its name everywhere.
    pub text: String,
    /// The region that it is about; all of them where none is named.
    pub region: Option<String>,
    /// The journey that it is about; every journey where none is named.
    pub journey: Option<String>,
    /// The step of the journey.
    pub step: Option<String>,
    /// It is about traffic that is counted elsewhere.
    pub is_traffic: bool,
    /// What makes an event good.
    pub sli: Sli,
    /// The share of events that must be good.
    pub share: Share,
    /// Over how long, in seconds.
    pub window_s: u32,
}

/// What makes an event good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sli {
    /// It did not fail.
    Availability,
    /// It did not fail, and was answered in less than this.
    Latency {
        /// The limit in nanoseconds.
        below_ns: u64,
    },
}

/// Whose events are counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Those of all regions.
    Global,
    /// Those of one.
    Region(String),
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Global => "global",
            Self::Region(region) => region,
        })
    }
}

/// Events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// All of them.
    pub total: u64,
    /// Those that failed, and were confirmed.
    pub failed: u64,
    /// Those that failed and are not confirmed (yet); they count as good.
    pub suspected: u64,
}

/// How grave an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Somebody is woken.
    Page,
    /// Somebody looks at it on a working day.
    Ticket,
}

/// A burn rate, as an exact decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor {
    milli: u64,
}

impl fmt::Display for Factor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.milli / 1_000, format!("{:03}", self.milli % 1_000));
        match fraction.trim_end_matches('0') {
            "" => write!(formatter, "{whole}"),
            fraction => write!(formatter, "{whole}.{fraction}"),
        }
    }
}

/// When an alert fires: while both windows burn at the factor or above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// How grave it is.
    pub severity: Severity,
    /// The burn rate.
    pub factor: Factor,
    /// The long window, in seconds.
    pub long_s: u32,
    /// The short window, in seconds.
    pub short_s: u32,
}

/// Counts of real traffic, and where they are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// The AWS region.
    pub aws_region: String,
    /// The balancer, as CloudWatch names it: `app/shop/50dc6c495c0c9188`.
    pub load_balancer: String,
}

/// A plan's objectives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slo {
    /// What is promised.
    pub objectives: Vec<Objective>,
    /// When alerts fire.
    pub rules: Vec<Rule>,
    /// Confirmed failures in the long window before a rule fires; 0 switches the guard off.
    pub min_failures: u64,
    /// Within how many seconds a failure is confirmed; `None` counts every failure at once.
    pub confirm_s: Option<u32>,
    /// How long an alert goes on after its rule has ended; `None` is the rule's short window.
    pub keep_firing_for_s: Option<u32>,
    /// After how many seconds a region without a word is silent.
    pub no_data_after_s: u32,
    /// Where counts of real traffic are read.
    pub traffic: Option<Traffic>,
}

/// A window of a rule, read.
#[derive(Clone, Debug, PartialEq)]
pub struct BurnReading {
    /// The rule's name.
    pub rule: String,
    /// How grave it is.
    pub severity: Severity,
    /// The burn rate at which it fires.
    pub factor: Factor,
    /// The window, in seconds.
    pub window_s: u32,
    /// It is the rule's long window.
    pub is_long: bool,
    /// How fast the budget burns; `None` in a window without events.
    pub burn: Option<f64>,
    /// The window's events.
    pub count: Count,
}

/// What an objective stands at in a scope.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectiveStanding {
    /// The objective's text.
    pub objective: String,
    /// Whose events.
    pub scope: Scope,
    /// The share of events that must be good.
    pub share: Share,
    /// Over how long, in seconds.
    pub window_s: u32,
    /// The events of that window.
    pub count: Count,
    /// The share of the budget that is spent: 1.0 is all of it. `None` without events.
    pub budget_spent: Option<f64>,
    /// Seconds of the window, since the first event, without data.
    pub gaps_s: u64,
    /// Every window of every rule.
    pub burns: Vec<BurnReading>,
    /// Seconds until the budget is spent at this rate.
    pub exhausted_in_s: Option<u64>,
}

/// When a region was last heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionStanding {
    /// Its name.
    pub region: String,
    /// When, in seconds since 1970.
    pub last_heard_s: Option<i64>,
    /// That is too long ago.
    pub is_silent: bool,
}

/// What has become of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertStatus {
    /// Its rule holds, and it is not told yet.
    Pending,
    /// It was told.
    Firing,
    /// It is over.
    Resolved,
}

/// An alert as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertView {
    /// Its identity.
    pub incident: String,
    /// What has become of it.
    pub status: AlertStatus,
    /// How grave it is.
    pub severity: Severity,
    /// The rule's name.
    pub rule: String,
    /// The objective; none where a region is silent.
    pub objective: Option<String>,
    /// Whose.
    pub scope: Scope,
    /// Since when, in seconds since 1970.
    pub since_s: i64,
    /// A silence keeps it from being told.
    pub is_silenced: bool,
    /// A graver one keeps it from being told.
    pub is_inhibited: bool,
}

/// What everything stands at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// When, in seconds since 1970.
    pub at_s: i64,
    /// Every objective in every scope.
    pub objectives: Vec<ObjectiveStanding>,
    /// Every region.
    pub regions: Vec<RegionStanding>,
    /// Every alert.
    pub alerts: Vec<AlertView>,
}

const DAY_S: u32 = 86_400;

/// Reads a plan's `slo`.
pub(crate) fn slo(node: &Node, regions: &[String], faults: &mut Faults) -> Option<Slo> {
    let mut fields = faults.keep(Fields::of(node, "slo"))?;
    let texts = faults.keep(fields.required("objectives").and_then(|node| node.list("a list of objectives")));
    let read = |node: &Node| node.parse_with("an objective", |text| objective(text, regions));
    let objectives = texts.unwrap_or_default().iter().filter_map(|node| faults.keep(read(node))).collect();
    let rules = match fields.optional("rules") {
        Some(node) => {
            let items = faults.keep(node.list("a list of rules")).unwrap_or_default();
            items.iter().filter_map(|node| rule(node, faults)).collect()
        }
        None => default_rules(),
    };
    let min_failures = fields.optional("min_failures").and_then(|node| faults.keep(node.integer(0, 1_000)));
    let mut seconds = |name| fields.optional(name).and_then(|node| seconds(node, faults));
    let (keep_firing_for_s, no_data_after_s) = (seconds("keep_firing_for"), seconds("no_data_after"));
    let traffic = fields.optional("traffic").and_then(|node| traffic(node, faults));
    fields.finish(faults);
    Some(Slo {
        objectives,
        rules,
        min_failures: min_failures.unwrap_or(3),
        confirm_s: Some(60),
        keep_firing_for_s,
        no_data_after_s: no_data_after_s.unwrap_or(60),
        traffic,
    })
}

fn seconds(node: &Node, faults: &mut Faults) -> Option<u32> {
    let length = faults.keep(node.parse_with("a duration such as 5m", parse_duration))?;
    u32::try_from(length.as_secs()).ok()
}

fn objective(text: &str, regions: &[String]) -> Result<Objective, String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let fail =
        || format!("\"{text}\" is not an objective; write for example \"checkout availability 99.99%\"");
    let (body, window_s) = match text.rsplit_once(" over ") {
        Some((body, over)) => (body, u32::try_from(parse_duration(over)?.as_secs()).map_err(|_| fail())?),
        None => (text.as_str(), 30 * DAY_S),
    };
    let (body, share) = body.rsplit_once(' ').ok_or_else(fail)?;
    let share = parse_share(share)?;
    let (subject, sli) = match body.strip_suffix("availability") {
        Some(subject) => (subject, Sli::Availability),
        None => {
            let (subject, limit) = body.split_once("p(latency <").ok_or_else(fail)?;
            let limit = parse_duration(limit.strip_suffix(')').ok_or_else(fail)?)?;
            (subject, Sli::Latency { below_ns: u64::try_from(limit.as_nanos()).map_err(|_| fail())? })
        }
    };
    let mut words = subject.split_whitespace().peekable();
    let region = words.next_if(|word| regions.iter().any(|region| region == word)).map(str::to_owned);
    let subject = words.next();
    let (journey, step) = match subject {
        None | Some("traffic") => (None, None),
        Some(subject) => match subject.split_once('/') {
            Some((journey, step)) => (Some(journey.to_owned()), Some(step.to_owned())),
            None => (Some(subject.to_owned()), None),
        },
    };
    let is_traffic = subject == Some("traffic");
    Ok(Objective { region, journey, step, is_traffic, sli, share, window_s, text: text.clone() })
}

fn default_rules() -> Vec<Rule> {
    let rule = |name: &str, severity, milli, long_s, short_s| Rule {
        name: name.to_owned(),
        severity,
        factor: Factor { milli },
        long_s,
        short_s,
    };
    vec![
        rule("page-14.4", Severity::Page, 14_400, 3_600, 300),
        rule("page-6", Severity::Page, 6_000, 6 * 3_600, 1_800),
        rule("ticket-3", Severity::Ticket, 3_000, DAY_S, 7_200),
        rule("ticket-1", Severity::Ticket, 1_000, 3 * DAY_S, 6 * 3_600),
    ]
}

fn rule(node: &Node, faults: &mut Faults) -> Option<Rule> {
    let mut fields = faults.keep(Fields::of(node, "a rule"))?;
    let name = faults.keep(fields.required("name").and_then(|node| node.scalar("a name")));
    let severity = faults.keep(fields.required("severity").and_then(|node| {
        node.parse_with("page or ticket", |text| match text {
            "page" => Ok(Severity::Page),
            "ticket" => Ok(Severity::Ticket),
            other => Err(format!("found \"{other}\", expected page or ticket")),
        })
    }));
    let factor = faults.keep(fields.required("factor").and_then(|node| node.scalar("a number")));
    let window = |fields: &mut Fields<'_>, name, faults: &mut Faults| {
        faults.keep(fields.required(name)).and_then(|node| seconds(node, faults))
    };
    let (long_s, short_s) = (window(&mut fields, "long", faults), window(&mut fields, "short", faults));
    fields.finish(faults);
    let (whole, fraction) = factor.as_deref()?.split_once('.').unwrap_or((factor.as_deref()?, ""));
    let milli = format!("{whole}{fraction:0<3}").parse().ok()?;
    Some(Rule {
        name: name?,
        severity: severity?,
        factor: Factor { milli },
        long_s: long_s?,
        short_s: short_s?,
    })
}

fn traffic(node: &Node, faults: &mut Faults) -> Option<Traffic> {
    let mut fields = faults.keep(Fields::of(node, "traffic"))?;
    let inner = faults.keep(fields.required("cloudwatch"));
    fields.finish(faults);
    let mut fields = faults.keep(Fields::of(inner?, "cloudwatch"))?;
    let aws_region = faults.keep(fields.required("region").and_then(|node| node.scalar("an AWS region")));
    let load_balancer =
        faults.keep(fields.required("load_balancer").and_then(|node| node.scalar("a balancer")));
    fields.finish(faults);
    Some(Traffic { aws_region: aws_region?, load_balancer: load_balancer? })
}
