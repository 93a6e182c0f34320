//! What is about the edge as a whole.

use std::collections::BTreeSet;

use http::header::LOCATION;

use super::super::super::policy::ClassId;
use super::super::super::rules::Rule;
use super::super::ask::Way;
use super::super::breach::{AuditRule, Breach};
use super::super::dossier::{Dossier, Judged};
use super::super::subject::Role;
use super::super::taken::Taken;
use super::outcome;
use crate::cdn::ERROR_AGE_MAX_S;

/// The most edges, or addresses, that are shown.
const SHOWN_MAX: usize = 3;

/// An edge of the region answers.
pub(in super::super) fn near<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    if let Some((rule, by)) = dossier.breaks(&[Rule::OtherRegion]) {
        let pop = by.head.pop.map(|pop| pop.to_string()).unwrap_or_default();
        return dossier.broken(Breach::Rule(rule), format!("{pop} answered"), Some(by));
    }
    let pops: BTreeSet<String> =
        dossier.all().filter_map(|taken| taken.head.pop).map(|pop| pop.to_string()).collect();
    let by = dossier.all().find(|taken| taken.head.pop.is_some());
    let shown = pops.iter().take(SHOWN_MAX).cloned().collect::<Vec<_>>().join(", ");
    let setting = &dossier.script.setting;
    match (by, setting.policy.edges_of(&setting.region)) {
        (None, _) => Judged::not_applicable("no answer says which edge it came from"),
        (by, Some(_)) => Judged::pass(shown, by),
        (by, None) => Judged::info(format!("{shown}; the policy names no edges of this region"), by),
    }
}

/// Errors are kept for some seconds and no longer. What cannot be there was asked for by nobody else, so that a hit on it
/// is the audit's own first answer.
pub(in super::super) fn errors<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    if let Some((rule, by)) = dossier.breaks(&[Rule::ErrorCached]) {
        let age = by.head.age_s().map(|age_s| format!(" of Age {age_s} s")).unwrap_or_default();
        return dossier.broken(Breach::Rule(rule), format!("{}{age}", outcome(by)), Some(by));
    }
    let missing = dossier.subjects.iter().find(|subject| subject.role == Role::Missing);
    let answered = |way: Way| {
        let mut all = missing.into_iter().flat_map(move |subject| subject.of(way));
        all.find(|taken| taken.is_answered())
    };
    // Of what was asked for later, the first alone can be a hit on nothing but the audit's own first answer. A hit after it
    // may be on the copy that it left; of those an Age tells how old they are, which was looked at above.
    let (first, later) = (answered(Way::Plain), answered(Way::Later));
    match (first, later) {
        (_, Some(later)) if later.is_hit() => {
            let observed = format!("{} is a hit over {ERROR_AGE_MAX_S} s later", outcome(later));
            dossier.broken(Breach::Rule(Rule::ErrorCached), observed, Some(later))
        }
        (_, Some(later)) => {
            let observed = format!("{}, gone after {ERROR_AGE_MAX_S} s", outcome(later));
            Judged::pass(observed, Some(later))
        }
        (Some(first), None) => {
            Judged::info(format!("what cannot be there answers {}", outcome(first)), Some(first))
        }
        (None, None) => Judged::not_applicable(""),
    }
}

/// Without TLS there is nothing but the way to it.
pub(in super::super) fn https<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let first = dossier.subjects.iter().find(|subject| subject.is_first);
    let Some(first) = first.filter(|first| first.url.scheme() == "https") else {
        return Judged::not_applicable("the target is spoken to without TLS");
    };
    // Asked for in order to see, or met on the way to the first page.
    let is_clear = |taken: &&'a Taken| {
        let is_passed = taken.status().is_some_and(|status| (300..400).contains(&status));
        taken.ask.url.scheme() == "http" && (taken.way() == Way::Clear || is_passed)
    };
    let Some(clear) = dossier.all().find(is_clear) else {
        let has_port = first.url.port().is_some();
        return Judged::not_applicable(if has_port {
            "the target has a port of its own"
        } else {
            "was not asked"
        });
    };
    let location = clear.header(&LOCATION).and_then(|location| clear.ask.url.join(location).ok());
    match (&clear.result, location) {
        (Err(_), _) => Judged::pass("nothing answers without TLS", Some(clear)),
        (Ok(answer), Some(url)) if (300..400).contains(&answer.status) && url.scheme() == "https" => {
            Judged::pass(format!("{} to https", answer.status), Some(clear))
        }
        (Ok(answer), _) if (200..300).contains(&answer.status) => {
            let observed = format!("{} without TLS", answer.status);
            dossier.broken(Breach::Audit(AuditRule::PlainHttp), observed, Some(clear))
        }
        (Ok(answer), _) => Judged::info(format!("{} without TLS", answer.status), Some(clear)),
    }
}

/// No answer is a firewall's challenge.
pub(in super::super) fn challenges<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let is_challenge = |taken: &&'a Taken| taken.broken.contains(Rule::ChallengeAsPage);
    let count = dossier.all().filter(is_challenge).count();
    match dossier.all().find(is_challenge) {
        Some(by) => {
            let observed = format!("{count} of {} answers are challenges", dossier.all().count());
            dossier.broken(Breach::Rule(Rule::ChallengeAsPage), observed, Some(by))
        }
        None => Judged::not_applicable(""),
    }
}

/// What caches say is known here.
pub(in super::super) fn words<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    match dossier.breaks(&[Rule::CacheWordUnknown]) {
        Some((rule, by)) => dossier.broken(Breach::Rule(rule), "an unknown word".to_owned(), Some(by)),
        None => Judged::not_applicable(""),
    }
}

/// Every address has a class.
pub(in super::super) fn classes<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let is_unclassified = |taken: &&'a Taken| taken.is_good() && taken.class == ClassId::UNCLASSIFIED;
    let paths: BTreeSet<&str> =
        dossier.all().filter(is_unclassified).map(|taken| taken.ask.shown_path()).collect();
    let Some(by) = dossier.all().find(is_unclassified) else { return Judged::not_applicable("") };
    let some: Vec<&str> = paths.iter().copied().take(SHOWN_MAX).collect();
    let more = if paths.len() > some.len() { ", …" } else { "" };
    Judged::info(format!("{} in no class: {}{more}", paths.len(), some.join(", ")), Some(by))
}

/// Shoppers get as far as their journey says.
pub(in super::super) fn walks<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let script = dossier.script;
    let count = script.stumbles.len().saturating_add(script.stumbles_not_kept);
    match (script.stumbles.first(), count) {
        (Some(why), 1) => Judged::info(why.clone(), None),
        (Some(why), count) => Judged::info(format!("{count} times not, first {why}"), None),
        (None, _) => Judged::not_applicable(""),
    }
}

/// Every request is answered.
pub(in super::super) fn answers<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let is_broken = |taken: &&'a Taken| {
        let is_server_error = taken.status().is_some_and(|status| status >= 500);
        // Nobody need answer without TLS.
        (is_server_error || taken.result.is_err()) && taken.way() != Way::Clear
    };
    let count = dossier.all().filter(is_broken).count();
    match dossier.all().find(is_broken) {
        Some(by) => {
            let observed = format!("{count} of {} failed: {}", dossier.all().count(), outcome(by));
            Judged::info(observed, Some(by))
        }
        None => Judged::not_applicable(""),
    }
}
