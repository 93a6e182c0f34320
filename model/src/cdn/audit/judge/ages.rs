//! For how long what is kept is kept, as its Age tells it.

use std::time::Duration;

use doorbuster_notation::show_duration;

use super::super::super::rules::Rule;
use super::super::super::says::Says;
use super::super::ask::Way;
use super::super::breach::Breach;
use super::super::course::PATIENCE_MAX_S;
use super::super::dossier::{Dossier, Judged};
use super::super::subject::Subject;
use super::super::taken::Taken;
use super::outcome;

/// So many seconds must lie between two answers, or a rise tells nothing.
const APART_S: u64 = 2;
/// What two ages and the time between them are rounded by, together.
const ROUNDING_S: u64 = 2;
/// What an Age is rounded by.
const AGE_ROUNDING_S: u32 = 1;
const SECOND_NS: u64 = 1_000_000_000;

/// How the Age of one hit is to that of another.
struct Pace<'a> {
    from_s: u32,
    to_s: u32,
    passed_s: u64,
    later: &'a Taken,
}

impl Pace<'_> {
    /// Whether it rose by the time that passed.
    fn is_right(&self) -> bool {
        let expected_s = u64::from(self.from_s).saturating_add(self.passed_s);
        u64::from(self.to_s).abs_diff(expected_s) <= ROUNDING_S
    }
}

/// Hits that are far enough apart, each with the next.
fn paces(subject: &Subject) -> Vec<Pace<'_>> {
    let aged: Vec<(&Taken, u32)> = subject.aged().collect();
    let mut paces = Vec::new();
    for (position, &(earlier, from_s)) in aged.iter().enumerate() {
        for &(later, to_s) in &aged[position + 1..] {
            let passed_s = later.ended_ns.saturating_sub(earlier.ended_ns) / SECOND_NS;
            if passed_s >= APART_S {
                paces.push(Pace { from_s, to_s, passed_s, later });
            }
        }
    }
    paces
}

/// Whether an Age rose by the time that passed between two hits.
pub(in super::super) fn has_risen(subject: &Subject) -> bool {
    paces(subject).iter().any(Pace::is_right)
}

/// Age rises with time, and stays within the lifetime. An edge location has many caches: one that fell is only told.
pub(in super::super) fn age<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    if let Some((rule, by)) = dossier.breaks(&[Rule::AgePastLifetime]) {
        let (age_s, promised_s) = (by.head.age_s().unwrap_or(0), dossier.promised_s().unwrap_or(0));
        let observed = format!("Age {age_s} s, promised {}", seconds(promised_s));
        return dossier.broken(Breach::Rule(rule), observed, Some(by));
    }
    let Some(subject) = dossier.primary() else { return dossier.without_a_page() };
    let paces = paces(subject);
    if let Some(pace) = paces.iter().find(|pace| pace.is_right()) {
        let observed = format!("from {} to {} s within {} s", pace.from_s, pace.to_s, pace.passed_s);
        return Judged::pass(observed, Some(pace.later));
    }
    match paces.last() {
        Some(pace) => {
            let Pace { from_s, to_s, passed_s, .. } = pace;
            let observed =
                format!("from {from_s} to {to_s} s within {passed_s} s: another cache of the edge");
            Judged::info(observed, Some(pace.later))
        }
        None => Judged::not_applicable("no two hits tell an Age"),
    }
}

/// It says that it may be kept for as long as was promised.
pub(in super::super) fn lifetime<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let Some(good) = dossier.good().next() else { return dossier.without_a_page() };
    let promised = seconds(dossier.promised_s().unwrap_or(0));
    let rules = [Rule::LifetimeDiffers, Rule::CachingForbidden, Rule::LifetimeUnsaid];
    match dossier.breaks(&rules) {
        Some((rule, by)) => {
            let observed = format!("{}, promised {promised}", told(by));
            dossier.broken(Breach::Rule(rule), observed, Some(by))
        }
        None => Judged::pass(told(good), Some(good)),
    }
}

/// What an answer says of its lifetime.
fn told(taken: &Taken) -> String {
    let head = &taken.head;
    if head.says.any(Says::FORBIDS) {
        let said = taken.header(&http::header::CACHE_CONTROL);
        return said.map_or_else(|| "Vary: *".to_owned(), |said| format!("Cache-Control: {said}"));
    }
    match head.lifetime_s() {
        Some(lifetime_s) => seconds(lifetime_s),
        None if head.says.any(Says::EXPIRES) => "Expires".to_owned(),
        None => "no lifetime is told".to_owned(),
    }
}

/// Once its lifetime is over, no copy is left of it.
pub(in super::super) fn expires<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let Some(promised_s) = dossier.promised_s() else { return Judged::not_applicable("") };
    if promised_s > PATIENCE_MAX_S {
        return Judged::not_applicable(format!("{} is too long to wait for", seconds(promised_s)));
    }
    let setting = &dossier.script.setting;
    // What is promised of the class is what its address says; only that tells how long a copy may be served beyond it.
    let outlived_s = dossier.primary().and_then(|subject| subject.outlived_s(setting)).unwrap_or(promised_s);
    if outlived_s > PATIENCE_MAX_S {
        let (promised, beyond) = (seconds(promised_s), seconds(outlived_s - promised_s));
        let why = format!("{promised} and {beyond} of stale-while-revalidate are too long to wait for");
        return Judged::not_applicable(why);
    }
    if !setting.is_patient {
        return Judged::not_applicable(format!("not waited for: --patient waits {}", seconds(outlived_s)));
    }
    let waited = dossier.subjects.iter().find_map(|subject| subject.of(Way::Expired).last());
    let Some(waited) = waited else { return Judged::not_applicable("nothing is kept") };
    let age_max_s = outlived_s.saturating_add(AGE_ROUNDING_S);
    let is_past = waited.is_good() && waited.head.age_s().is_some_and(|age_s| age_s > age_max_s);
    if is_past || waited.broken.contains(Rule::AgePastLifetime) {
        let observed =
            format!("Age {} s, promised {}", waited.head.age_s().unwrap_or(0), seconds(promised_s));
        return dossier.broken(Breach::Rule(Rule::AgePastLifetime), observed, Some(waited));
    }
    match (waited.is_good(), waited.is_fresh_hit(), waited.head.age_s()) {
        (false, ..) => Judged::not_applicable(format!("answered {}", outcome(waited))),
        (true, false, _) => Judged::pass(format!("fetched anew after {}", seconds(promised_s)), Some(waited)),
        (true, true, Some(age_s)) => Judged::pass(format!("another copy, of Age {age_s} s"), Some(waited)),
        (true, true, None) => Judged::info("a hit that does not say how old it is", Some(waited)),
    }
}

/// `5m`
pub(super) fn seconds(seconds: u32) -> String {
    show_duration(Duration::from_secs(u64::from(seconds)))
}
