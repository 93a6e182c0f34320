//! Whether one copy serves everybody.

use http::header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};

use super::super::super::rules::Rule;
use super::super::address;
use super::super::ask::Way;
use super::super::breach::{AuditRule, Breach};
use super::super::dossier::{Dossier, Judged};
use super::super::subject::Subject;
use super::super::taken::Taken;
use super::outcome;

/// What is kept for less may have left the cache while an audit still asks for it.
const LASTING_MIN_S: u32 = 30;
const SECOND_NS: u64 = 1_000_000_000;

/// Whoever asks again gets a copy, without the origin being asked.
pub(in super::super) fn kept<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let is_asked = |subject: &&'a Subject| subject.plain().any(|taken| taken.is_good());
    let asked: Vec<&'a Subject> = dossier.subjects.iter().copied().filter(is_asked).collect();
    if asked.is_empty() {
        return dossier.without_a_page();
    }
    let tells = |subject: &&'a Subject| subject.plain().any(|taken| taken.tells_of_a_cache());
    let telling: Vec<&'a Subject> = asked.into_iter().filter(tells).collect();
    let Some(first) = telling.first().copied() else {
        return Judged::info("no answer says whether it came from a cache", dossier.good().next());
    };
    let missed = telling.iter().copied().filter(|subject| !subject.is_kept());
    let (untold, missed): (Vec<&'a Subject>, Vec<&'a Subject>) =
        missed.partition(|subject| subject.tells_by_age_alone());
    if let Some(subject) = missed.first() {
        let refreshed = subject.plain().any(|taken| taken.is_hit());
        let what = if refreshed { "no hit without asking the origin" } else { "no hit" };
        let fetches = subject.plain().count();
        let of = format!("{} of {} addresses", missed.len(), telling.len());
        let observed = format!("{what} in {fetches} fetches ({of})");
        return dossier.broken(Breach::Rule(Rule::HitRatio), observed, subject.plain().last());
    }
    if let Some(subject) = untold.first() {
        // A hit may be as young as that, and some caches say it of what they fetched.
        let fetches = subject.plain().count();
        let observed = format!("Age 0 in {fetches} fetches, and nothing else tells a hit from a miss");
        return Judged::info(observed, subject.plain().last());
    }
    let hit_at =
        |subject: &Subject| subject.plain().position(|taken| taken.is_good() && taken.is_fresh_hit());
    let slowest = telling.iter().copied().max_by_key(|subject| hit_at(subject)).unwrap_or(first);
    let fetch = hit_at(slowest).map_or(0, |position| position + 1);
    let observed = format!("{} of {} hit by fetch {fetch}", telling.len(), telling.len());
    Judged::pass(observed, slowest.plain().last())
}

/// A parameter that follows visits makes no copy of its own.
pub(in super::super) fn tracking<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let Some(subject) = dossier.primary() else { return Judged::not_applicable("") };
    shared(dossier, subject, Way::Tracking, Rule::Fragmented, "?utm_source=…")
}

/// A parameter that nobody knows makes no copy of its own. Which parameters there are, only the shop knows, so that this
/// was promised by nobody.
pub(in super::super) fn unknown<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let Some(subject) = dossier.primary() else { return Judged::not_applicable("") };
    let judged = shared(dossier, subject, Way::Unknown, Rule::Fragmented, "an unknown parameter");
    match judged.breach {
        Some(_) => {
            let observed = format!("{}: whoever adds one gets past the cache", judged.observed);
            Judged::info(observed, judged.by)
        }
        None => judged,
    }
}

/// The order of parameters makes no copy of its own.
pub(in super::super) fn order<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let subjects = dossier.subjects.iter().copied();
    let several: Vec<&'a Subject> = subjects.filter(|subject| address::orders(&subject.url) > 0).collect();
    let kept = several.iter().copied().find(|subject| subject.is_kept());
    let Some(subject) = kept.or(several.first().copied()) else {
        return Judged::not_applicable("no address with several parameters was found");
    };
    let judged = shared(dossier, subject, Way::Order, Rule::Fragmented, "another order");
    if subject.of(Way::Order).all(|taken| !taken.is_hit()) || !subject.is_kept() {
        return judged;
    }
    if let Some(hit) = shares_order(subject) {
        return Judged::pass("a hit with another order", Some(hit));
    }
    // It was asked for again in an order that had missed: hits on what that left behind. What is kept for a moment only
    // may have gone before.
    let tells = |taken: &Taken| !taken.is_hit() || taken.head.age_s().is_some();
    let lifetime_s = subject.last_good().and_then(|good| good.head.lifetime_s());
    if subject.of(Way::Order).all(tells) && lifetime_s.is_none_or(|lifetime_s| lifetime_s >= LASTING_MIN_S) {
        let observed = "another order missed, and made a copy of its own".to_owned();
        return dossier.broken(Breach::Rule(Rule::Fragmented), observed, subject.of(Way::Order).next());
    }
    Judged::info("the only one with another order missed", subject.of(Way::Order).next())
}

/// The hit with another order that shows that the order makes no copy of its own: in an order that was not asked for before,
/// or out of a copy that is older than that.
pub(in super::super) fn shares_order(subject: &Subject) -> Option<&Taken> {
    let tries: Vec<&Taken> = subject.of(Way::Order).collect();
    let is_proof = |position: usize, hit: &Taken| {
        let same = tries.iter().take(position).find(|earlier| earlier.ask.url == hit.ask.url);
        hit.is_hit() && same.is_none_or(|earlier| is_from_before(hit, earlier))
    };
    tries.iter().enumerate().find(|(position, hit)| is_proof(*position, hit)).map(|(_, hit)| *hit)
}

/// Whether the copy of a hit was there before an earlier answer, as far as its Age tells; both times are rounded.
fn is_from_before(hit: &Taken, earlier: &Taken) -> bool {
    let passed_s = hit.ended_ns.saturating_sub(earlier.ended_ns) / SECOND_NS;
    hit.head.age_s().is_some_and(|age_s| u64::from(age_s) > passed_s + 1)
}

/// A cookie makes no copy of its own.
pub(in super::super) fn cookies<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    if let Some((rule, by)) = dossier.breaks(&[Rule::VariesOnCookie]) {
        return dossier.broken(Breach::Rule(rule), "Vary: Cookie".to_owned(), Some(by));
    }
    let Some(subject) = dossier.primary() else { return Judged::not_applicable("") };
    shared(dossier, subject, Way::Cookies, Rule::VariesOnCookie, "a cookie")
}

/// Whether what differs in a way from what is kept is a hit all the same: each time in a way that nobody used before, so
/// that only a copy that is shared can be one.
fn shared<'a>(dossier: &Dossier<'a>, subject: &'a Subject, way: Way, rule: Rule, what: &str) -> Judged<'a> {
    if !subject.is_kept() {
        return Judged::not_applicable("nothing is kept");
    }
    if let Some(hit) = subject.of(way).find(|taken| taken.is_hit()) {
        return Judged::pass(format!("a hit with {what}"), Some(hit));
    }
    let good: Vec<&'a Taken> = subject.of(way).filter(|taken| taken.is_good()).collect();
    match (good.last().copied(), subject.of(way).last()) {
        (Some(last), _) if good.len() > 1 => {
            let observed = format!("{} of {} with {what} missed", good.len(), good.len());
            dossier.broken(Breach::Rule(rule), observed, Some(last))
        }
        // An edge location has many caches: a single miss tells little.
        (Some(last), _) => Judged::info(format!("the only one with {what} missed"), Some(last)),
        (None, Some(last)) => Judged::not_applicable(format!("with {what} answered {}", outcome(last))),
        (None, None) => Judged::not_applicable(""),
    }
}

/// What did not change is not sent again.
pub(in super::super) fn revalidates<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let Some(subject) = dossier.primary() else { return dossier.without_a_page() };
    let asked: Vec<&'a Taken> = subject.of(Way::Conditional).collect();
    let Some(last) = asked.last().copied() else {
        return Judged::info("neither ETag nor Last-Modified is told", subject.last_good());
    };
    if let Some(unchanged) = asked.iter().copied().find(|taken| taken.status() == Some(304)) {
        return Judged::pass("304", Some(unchanged));
    }
    let answered: Vec<&'a Taken> = asked.into_iter().filter(|taken| taken.is_answered()).collect();
    match (answered.iter().copied().find(|taken| !is_of_another(taken)), answered.last().copied()) {
        (Some(resent), _) => {
            let observed = format!("answered {}, not 304", outcome(resent));
            dossier.broken(Breach::Audit(AuditRule::NeverRevalidates), observed, Some(resent))
        }
        (None, Some(other)) => {
            let observed = "200: it changed meanwhile, or each cache calls its copy otherwise";
            Judged::info(observed, Some(other))
        }
        (None, None) => Judged::not_applicable(format!("answered {}", outcome(last))),
    }
}

/// Whether what came is called otherwise than what was asked about: by its ETag, or where it was asked by that, its date.
fn is_of_another(taken: &Taken) -> bool {
    if taken.status() != Some(200) {
        return false;
    }
    if let Some(asked) = taken.ask.header(&IF_NONE_MATCH) {
        return taken.header(&ETAG).is_some_and(|came| !super::is_same_etag(asked, came));
    }
    let asked = taken.ask.header(&IF_MODIFIED_SINCE);
    taken.header(&LAST_MODIFIED).is_some_and(|came| asked != Some(came))
}
