//! What belongs to one shopper.

use super::super::super::policy::Cached;
use super::super::super::rules::Rule;
use super::super::super::says::Says;
use super::super::breach::{AuditRule, Breach};
use super::super::dossier::{Dossier, Judged};
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
    let answered = dossier.all().filter(|taken| taken.status().is_some_and(|status| status < 400));
    match answered.count() {
        0 if dossier.is_empty() => {
            Judged::not_applicable("no address of this class was found; see --journey")
        }
        0 => dossier.without_a_page(),
        count => Judged::pass(format!("no hit among {count} answers to 2 shoppers"), dossier.good().next()),
    }
}

/// It shows nobody what another shopper entered. That can be seen only where a journey enters something.
pub(in super::super) fn shares_nothing<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    if let Some((rule, by)) = dossier.breaks(&[Rule::MarkerLeaked]) {
        let shopper = by.answer().and_then(|answer| answer.foreign_mark).unwrap_or(0);
        let observed = format!("shows what shopper {shopper} entered");
        return dossier.broken(Breach::Rule(rule), observed, Some(by));
    }
    if !dossier.script.has_planted {
        let why = "nothing was entered that would be recognised; see --journey";
        return Judged::not_applicable(why);
    }
    let seen = dossier.all().filter(|taken| taken.answer().is_some()).count();
    match seen {
        0 => Judged::not_applicable("no address of this class was found; see --journey"),
        seen => Judged::pass(format!("no marker of the other's in {seen} answers"), dossier.good().next()),
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
