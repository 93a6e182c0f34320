//! The pages that an audit begins with, and what it did not ask for.

use http::header::LOCATION;

use super::super::super::says::Says;
use super::super::ask::Way;
use super::super::dossier::{Dossier, Judged};
use super::super::subject::{Role, Subject};
use super::super::taken::Taken;
use super::outcome;

/// The most hosts that are shown.
const SHOWN_MAX: usize = 3;

/// The first page is there. Without it nothing is proved; where it is there, nothing is to be said.
pub(in super::super) fn first<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let first = dossier.subjects.iter().copied().find(|subject| subject.is_first);
    match first.filter(|first| !is_there(first)).and_then(last_of) {
        Some(last) => Judged { by: Some(last), ..Judged::not_applicable(why(last)) },
        None => Judged::not_applicable(""),
    }
}

/// So are the others that somebody named, or that a page leads to.
pub(in super::super) fn others<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let is_other = |subject: &&'a Subject| subject.role == Role::Page && !subject.is_first;
    let others: Vec<&'a Subject> = dossier.subjects.iter().copied().filter(is_other).collect();
    let missing: Vec<&'a Subject> = others.iter().copied().filter(|subject| !is_there(subject)).collect();
    match missing.iter().find_map(|subject| last_of(subject)) {
        Some(last) => {
            let (count, path) = (missing.len(), last.ask.shown_path());
            Judged::info(
                format!("{count} of {} was not seen: {path} {}", others.len(), why(last)),
                Some(last),
            )
        }
        None => Judged::not_applicable(""),
    }
}

/// What pages need is asked for, as far as it may be.
pub(in super::super) fn hosts<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let hosts = dossier.script.left_out.elsewhere.by_host();
    if hosts.is_empty() {
        return Judged::not_applicable("");
    }
    let some = hosts.iter().take(SHOWN_MAX).map(|(host, count)| match count {
        1 => format!("a file on {host}"),
        count => format!("{count} files on {host}"),
    });
    let some = some.collect::<Vec<_>>().join(", ");
    let more = if hosts.len() > SHOWN_MAX {
        format!(" and {} hosts more", hosts.len() - SHOWN_MAX)
    } else {
        String::new()
    };
    Judged::info(format!("not asked: {some}{more}; name a host with --allow-host to ask it"), None)
}

/// Nothing is left out for want of room.
pub(in super::super) fn limits<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let left_out = &dossier.script.left_out;
    let answers = usize::try_from(dossier.script.walked_not_kept).unwrap_or(usize::MAX);
    let parts = [
        (left_out.pages, "pages"),
        (left_out.assets.count(), "files of other kinds"),
        (left_out.private.count(), "private addresses"),
        (answers, "answers of walks"),
    ];
    let told = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let told: Vec<String> = told.collect();
    if told.is_empty() {
        return Judged::not_applicable("");
    }
    Judged::info(
        format!("there was no room for {}; audit pages one by one to see them", told.join(", ")),
        None,
    )
}

/// Whether it was ever seen, in whatever form.
fn is_there(subject: &Subject) -> bool {
    subject.taken.iter().any(|taken| taken.way() != Way::Clear && taken.is_good())
}

fn last_of(subject: &Subject) -> Option<&Taken> {
    subject.taken.iter().rfind(|taken| taken.way() != Way::Clear)
}

/// What came instead of a page, and what to do.
fn why(taken: &Taken) -> String {
    let Some(status) = taken.status() else { return outcome(taken) };
    match status {
        _ if taken.head.says.any(Says::CHALLENGED) => {
            format!(
                "answered {status}, a firewall's challenge: let this run's addresses or User-Agent through"
            )
        }
        300..=399 => match place(taken) {
            Some(place) => format!("answered {status} to {place}: name that URL"),
            None => format!("answered {status}, which leads nowhere"),
        },
        401 | 403 | 407 => {
            format!("answered {status}: give it what lets shoppers in, by --header or the plan's http")
        }
        404 | 410 => format!("answered {status}: name a page that is there"),
        _ => format!("answered {status}: see that the shop is up"),
    }
}

/// Where a redirect leads, without what may be a secret.
fn place(taken: &Taken) -> Option<String> {
    let url = taken.ask.url.join(taken.header(&LOCATION)?).ok()?;
    Some(format!("{}{}", url.origin().ascii_serialization(), url.path()))
}
