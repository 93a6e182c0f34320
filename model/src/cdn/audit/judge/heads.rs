//! What heads say to caches and to those who ask for nothing else.

use http::HeaderName;
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, ETAG, LAST_MODIFIED, SET_COOKIE,
    VARY,
};

use super::super::super::cookie::session_in;
use super::super::super::rules::Rule;
use super::super::ask::{Way, Who};
use super::super::breach::{AuditRule, Breach};
use super::super::dossier::{Dossier, Judged};
use super::super::subject::Subject;
use super::super::taken::Taken;
use super::{is_same_etag, outcome};

/// Answers vary on what changes them, and on nothing else.
pub(in super::super) fn vary<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let Some(good) = dossier.good().next() else { return dossier.without_a_page() };
    let told = |taken: &Taken| {
        let lines = taken.answer().into_iter().flat_map(|answer| answer.headers.get_all(VARY));
        let names: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
        if names.is_empty() { "no Vary".to_owned() } else { format!("Vary: {}", names.join(", ")) }
    };
    match dossier.breaks(&[Rule::VariesOnUserAgent, Rule::VaryEncodingMissing]) {
        Some((Rule::VariesOnUserAgent, by)) => {
            dossier.broken(Breach::Rule(Rule::VariesOnUserAgent), "Vary: User-Agent".to_owned(), Some(by))
        }
        Some((rule, by)) => {
            let observed = format!("{}, and it is {}", told(by), by.head.encoding.word());
            dossier.broken(Breach::Rule(rule), observed, Some(by))
        }
        None => match dossier.good().find(|taken| others(taken).next().is_some()) {
            Some(by) => {
                let names = others(by).collect::<Vec<_>>().join(", ");
                Judged::info(format!("varies on {names}, too: a copy for each"), Some(by))
            }
            None => Judged::pass(told(good), Some(good)),
        },
    }
}

/// What an answer varies on besides encodings, and cookies, which are looked at by themselves.
fn others(taken: &Taken) -> impl Iterator<Item = &str> {
    let lines = taken.answer().into_iter().flat_map(|answer| answer.headers.get_all(VARY));
    let names = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).map(str::trim);
    let is_known =
        |name: &str| [ACCEPT_ENCODING, COOKIE].iter().any(|known| name.eq_ignore_ascii_case(known.as_str()));
    names.filter(move |name| !name.is_empty() && !is_known(name))
}

/// What is kept sets no cookie.
pub(in super::super) fn sets_cookies<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    if let Some((name, by)) = handed_out(dossier) {
        let observed = format!("sets {name} out of the cache, the same again");
        return dossier.broken(Breach::Rule(Rule::CookieFromCache), observed, Some(by));
    }
    let rules = [Rule::CookieOnCacheable, Rule::StickyFromCache];
    if let Some((rule, by)) = dossier.breaks(&rules) {
        let line = by.header(&SET_COOKIE).unwrap_or_default();
        let name = line.split(['=', ';']).next().unwrap_or_default().trim();
        let from = if rule == Rule::CookieOnCacheable { "" } else { " out of the cache" };
        return dossier.broken(Breach::Rule(rule), format!("sets {name}{from}"), Some(by));
    }
    match dossier.good().next() {
        Some(good) => Judged::pass("none", Some(good)),
        None => dossier.without_a_page(),
    }
}

/// The name of a cookie that two were given out of a cache, and the answer that gave it to the second.
fn handed_out<'a>(dossier: &Dossier<'a>) -> Option<(String, &'a Taken)> {
    let mut given: Vec<(&[u8], &[u8], Who)> = Vec::new();
    for taken in dossier.all().filter(|taken| taken.is_hit()) {
        let who = taken.ask.who;
        let lines = taken.answer().into_iter().flat_map(|answer| answer.headers.get_all(SET_COOKIE));
        for (name, value) in lines.filter_map(|line| session_in(line.as_bytes())) {
            // Who is nobody in particular is somebody else each time.
            let is_another = |other: Who| other != who || who == Who::Nobody;
            if given.iter().any(|known| (known.0, known.1) == (name, value) && is_another(known.2)) {
                return Some((String::from_utf8_lossy(name).into_owned(), taken));
            }
            given.push((name, value, who));
        }
    }
    None
}

/// What must be the same in the answers to HEAD and GET (RFC 9110, section 9.3.2).
static COMPARED: [HeaderName; 3] = [CONTENT_TYPE, CONTENT_ENCODING, LAST_MODIFIED];

/// How the answer to a HEAD is to those to GET.
enum Comparison<'a> {
    /// One of them says the same.
    Same,
    /// This header is another in that answer, which is of the same copy.
    Differs(HeaderName, &'a Taken),
    /// It is of a copy that no GET gave: caches may call theirs otherwise, and have got them at other times.
    Elsewhere,
}

/// HEAD says what GET says.
pub(in super::super) fn head<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let Some(subject) = dossier.primary() else { return Judged::not_applicable("") };
    let heads: Vec<&'a Taken> = subject.of(Way::Head).collect();
    let Some(last) = heads.last().copied() else { return Judged::not_applicable("") };
    let broken = |observed: String, head: &'a Taken| {
        let judged = dossier.broken(Breach::Audit(AuditRule::HeadDiffers), observed, Some(head));
        judged.with_note("compared with GET")
    };
    let answered: Vec<&'a Taken> = heads.into_iter().filter(|head| head.is_answered()).collect();
    if answered.is_empty() {
        return Judged::not_applicable(format!("answered {}", outcome(last)));
    }
    let good = || answered.iter().copied().filter(|head| head.is_good());
    if let Some(same) = good().find(|head| matches!(compare(subject, head), Comparison::Same)) {
        return Judged::pass("the same", Some(same));
    }
    if let Some(refused) = answered.iter().copied().find(|head| !head.is_good()) {
        return broken(format!("HEAD answered {}", outcome(refused)), refused);
    }
    for head in good() {
        if let Comparison::Differs(name, get) = compare(subject, head) {
            let observed = format!("{name}: {} and not {}", value(head, &name), value(get, &name));
            return broken(observed, head);
        }
    }
    Judged::info("each is of a copy that no GET gave", Some(last))
}

/// Whether a HEAD said what a GET said.
pub(in super::super) fn is_matched(subject: &Subject) -> bool {
    let mut good = subject.of(Way::Head).filter(|head| head.is_good());
    good.any(|head| matches!(compare(subject, head), Comparison::Same))
}

/// Compares a HEAD with the GETs that gave the same copy.
fn compare<'a>(subject: &'a Subject, head: &Taken) -> Comparison<'a> {
    let is_get = |taken: &&Taken| matches!(taken.way(), Way::Plain | Way::Later) && taken.is_good();
    let gets: Vec<&Taken> = subject.taken.iter().filter(is_get).collect();
    // What is not kept is made anew, and may change.
    let is_kept = subject.is_kept();
    let copies = || gets.iter().copied().filter(move |get| !is_kept || is_of_same_copy(head, get));
    if copies().any(|get| difference(head, get, is_kept).is_none()) {
        return Comparison::Same;
    }
    let differs = |get: &'a Taken| Some(Comparison::Differs(difference(head, get, is_kept)?, get));
    let lacks = |name: HeaderName| {
        let is_lacking = head.header(&name).is_none() && gets.iter().all(|get| get.header(&name).is_some());
        gets.first().filter(|_| is_lacking).map(|get| Comparison::Differs(name, get))
    };
    let found = copies().find_map(differs).or_else(|| lacks(ETAG)).or_else(|| lacks(LAST_MODIFIED));
    found.unwrap_or(Comparison::Elsewhere)
}

/// Whether both are called the same: by their ETags, or their dates where they have none.
fn is_of_same_copy(head: &Taken, get: &Taken) -> bool {
    match (head.header(&ETAG), get.header(&ETAG)) {
        (Some(head), Some(get)) => is_same_etag(head, get),
        (None, None) => head.header(&LAST_MODIFIED) == get.header(&LAST_MODIFIED),
        _ => false,
    }
}

/// The header that is another. A length that nobody told says nothing.
fn difference(head: &Taken, get: &Taken, is_kept: bool) -> Option<HeaderName> {
    let compared: &[HeaderName] = if is_kept { &COMPARED } else { &COMPARED[..1] };
    let found = compared.iter().find(|name| head.header(name) != get.header(name));
    let lengths = (head.header(&CONTENT_LENGTH), get.header(&CONTENT_LENGTH));
    let is_other_length = is_kept && matches!(lengths, (Some(head), Some(get)) if head != get);
    found.cloned().or(is_other_length.then_some(CONTENT_LENGTH))
}

fn value<'a>(taken: &'a Taken, name: &HeaderName) -> &'a str {
    taken.header(name).unwrap_or("none")
}
