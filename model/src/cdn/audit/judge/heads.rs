//! What heads say to caches and to those who ask for nothing else.

use http::HeaderName;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED, SET_COOKIE, VARY};

use super::super::super::cookie::session_in;
use super::super::super::rules::Rule;
use super::super::ask::{Way, Who};
use super::super::breach::{AuditRule, Breach};
use super::super::dossier::{Dossier, Judged};
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
        None => Judged::pass(told(good), Some(good)),
    }
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

/// What must be the same in the answers to HEAD and GET (RFC 9110, section 9.3.2), save what may differ between copies.
static COMPARED: [HeaderName; 3] = [CONTENT_TYPE, CONTENT_ENCODING, LAST_MODIFIED];

/// HEAD says what GET says.
pub(in super::super) fn head<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let Some(subject) = dossier.primary() else { return Judged::not_applicable("") };
    let (Some(head), Some(get)) = (subject.of(Way::Head).last(), subject.last_good()) else {
        return Judged::not_applicable("");
    };
    let differ = |observed: String| {
        let judged = dossier.broken(Breach::Audit(AuditRule::HeadDiffers), observed, Some(head));
        judged.with_note("compared with GET")
    };
    if !head.is_answered() {
        return Judged::not_applicable(format!("answered {}", outcome(head)));
    }
    if !head.is_good() {
        return differ(format!("HEAD answered {}", outcome(head)));
    }
    // What is not kept is made anew, and may change.
    let compared: &[HeaderName] = if subject.is_kept() { &COMPARED } else { &COMPARED[..1] };
    for name in compared {
        if head.header(name) != get.header(name) {
            return differ(format!("{name}: {} and not {}", value(head, name), value(get, name)));
        }
    }
    if subject.is_kept() && !is_same(head, get) {
        let name = if head.header(&ETAG) == get.header(&ETAG) { CONTENT_LENGTH } else { ETAG };
        return differ(format!("{name}: {} and not {}", value(head, &name), value(get, &name)));
    }
    Judged::pass("the same", Some(head))
}

/// Whether ETag and length are the same. A length that nobody told says nothing.
fn is_same(head: &Taken, get: &Taken) -> bool {
    let etags = match (head.header(&ETAG), get.header(&ETAG)) {
        (Some(head), Some(get)) => is_same_etag(head, get),
        (None, None) => true,
        _ => false,
    };
    let lengths = match (head.header(&CONTENT_LENGTH), get.header(&CONTENT_LENGTH)) {
        (Some(head), Some(get)) => head == get,
        _ => true,
    };
    etags && lengths
}

fn value<'a>(taken: &'a Taken, name: &HeaderName) -> &'a str {
    taken.header(name).unwrap_or("none")
}
