//! What belongs to one shopper.

use std::collections::BTreeSet;

use super::super::super::policy::Cached;
use super::super::super::rules::Rule;
use super::super::super::says::Says;
use super::super::ask::{Way, Who};
use super::super::breach::{AuditRule, Breach};
use super::super::dossier::{Dossier, Judged};
use super::super::subject::Subject;
use super::super::taken::Taken;

/// No cache keeps it.
pub(in super::super) fn never_kept<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    if let Some((rule, by)) = dossier.breaks(&[Rule::PrivateHit, Rule::PrivateAge]) {
        let age = by.head.age_s().map(|age_s| format!("Age {age_s} s"));
        let observed = match (rule, age) {
            (Rule::PrivateHit, None) => by.head.cache.word().to_owned(),
            (Rule::PrivateHit, Some(age)) => format!("{}, {age}", by.head.cache.word()),
            (_, age) => age.unwrap_or_default(),
        };
        return dossier.broken(Breach::Rule(rule), observed, Some(by));
    }
    let is_answer =
        |taken: &&'a Taken| taken.status().is_some_and(|status| status < 400) && shopper(taken).is_some();
    let answered: Vec<&'a Taken> = dossier.all().filter(is_answer).collect();
    let shoppers: BTreeSet<u64> = answered.iter().filter_map(|taken| shopper(taken)).collect();
    match (answered.len(), shoppers.len()) {
        (0, _) if dossier.is_empty() => {
            Judged::not_applicable("no address of this class was found; see --journey")
        }
        (0, _) => dossier.without_a_page(),
        (count, 1) => {
            Judged::pass(format!("no hit among {count} answers to a shopper"), dossier.good().next())
        }
        (count, shoppers) => {
            let observed = format!("no hit among {count} answers to {shoppers} shoppers");
            Judged::pass(observed, dossier.good().next())
        }
    }
}

/// Who was answered.
fn shopper(taken: &Taken) -> Option<u64> {
    match taken.ask.who {
        Who::Shopper(number) => Some(number),
        Who::Nobody => None,
    }
}

/// It shows nobody what another shopper entered. That can be seen only where a journey enters something, and where another
/// shopper is shown what belongs to him.
pub(in super::super) fn shares_nothing<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    if let Some((rule, by)) = dossier.breaks(&[Rule::MarkerLeaked]) {
        let shopper = by.answer().and_then(|answer| answer.foreign_mark).unwrap_or(0);
        let observed = format!("shows what shopper {shopper} entered");
        return dossier.broken(Breach::Rule(rule), observed, Some(by));
    }
    let script = dossier.script;
    if script.planted.is_empty() {
        let why = "nothing was entered that would be recognised; see --journey";
        return Judged::not_applicable(why);
    }
    let policy = &script.setting.policy;
    let is_private = |taken: &Taken| {
        let cached = policy.class(taken.class).map(|class| class.cached);
        taken.is_good() && cached == Some(Cached::Never)
    };
    let might_show = |taken: &&'a Taken| {
        let is_of_another = |(planter, planted_ns): &(u64, u64)| {
            shopper(taken).is_some_and(|shopper| shopper != *planter) && taken.ended_ns > *planted_ns
        };
        is_private(taken) && script.planted.iter().any(is_of_another)
    };
    let seen: Vec<&'a Taken> = dossier.all().filter(might_show).collect();
    match (seen.len(), seen.first().copied()) {
        (count, Some(first)) => {
            Judged::pass(format!("no marker of the other's in {count} private answers"), Some(first))
        }
        _ => Judged::not_applicable("no private page was shown to another than who entered something"),
    }
}

/// Two shoppers who entered their markers get pages of their own. Where both get the same, byte for byte, it shows nothing of
/// either: that proves less, or it belongs into a class of its own.
pub(in super::super) fn differs<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    if dossier.script.planted.len() < 2 {
        return Judged::not_applicable("");
    }
    let hash = |taken: &Taken| taken.answer().filter(|_| taken.is_good()).and_then(|answer| answer.sha256);
    let pair = |subject: &&'a Subject| {
        let mut own = subject.plain().filter_map(hash);
        let other = subject.of(Way::Other).find(|taken| hash(taken).is_some())?;
        let (own, hash_of_other) = (own.next()?, hash(other)?);
        Some((own == hash_of_other, other))
    };
    let pairs: Vec<(bool, &'a Taken)> = dossier.subjects.iter().filter_map(pair).collect();
    let same: Vec<&'a Taken> =
        pairs.iter().filter(|(is_same, _)| *is_same).map(|(_, other)| *other).collect();
    match (same.first().copied(), pairs.first().copied()) {
        (Some(by), _) => {
            let (count, all) = (same.len(), pairs.len());
            let path = by.ask.shown_path();
            let observed = format!(
                "the same to both at {count} of {all} addresses, such as {path}: nothing of either is in it"
            );
            Judged::info(observed, Some(by))
        }
        (None, Some((_, by))) => Judged::pass(format!("{} of {} differ", pairs.len(), pairs.len()), Some(by)),
        (None, None) => Judged::not_applicable("no private page was shown to both shoppers"),
    }
}

/// It says itself that no cache may keep it.
pub(in super::super) fn says_so<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let is_private = dossier.class.is_some_and(|class| class.cached == Cached::Never);
    let invites = |taken: &&Taken| {
        let head = &taken.head;
        let may_be_kept =
            !head.says.any(Says::FORBIDS) && head.lifetime_s().is_some_and(|seconds| seconds > 0);
        taken.is_good() && is_private && may_be_kept
    };
    if let Some(by) = dossier.all().find(invites) {
        let lifetime = super::ages::seconds(by.head.lifetime_s().unwrap_or(0));
        let observed = format!("may be kept for {lifetime}, it says");
        return dossier.broken(Breach::Audit(AuditRule::PrivateCacheable), observed, Some(by));
    }
    match dossier.good().next() {
        Some(good) => {
            let said = good.header(&http::header::CACHE_CONTROL).unwrap_or("no lifetime is told");
            Judged::pass(said, Some(good))
        }
        None => Judged::not_applicable(""),
    }
}
