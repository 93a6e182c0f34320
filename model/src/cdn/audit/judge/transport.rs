//! What is spoken: versions of TLS and of HTTP.

use http::header::ALT_SVC;

use super::super::answer::Declined;
use super::super::ask::Offer;
use super::super::breach::{AuditRule, Breach};
use super::super::dossier::{Dossier, Judged};
use super::super::taken::Taken;

/// HTTP/2 and TLS 1.3 are spoken.
pub(in super::super) fn current<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let offers = &dossier.script.offers;
    let took = |offer: Offer| {
        let found = offers.iter().find(|(made, _)| *made == offer);
        found.and_then(|(_, result)| result.as_ref().ok())
    };
    let Some(best) = took(Offer::Anything) else {
        return match offers.first() {
            Some((_, Err(declined))) => Judged::info(format!("no handshake: {}", declined.why()), None),
            _ => Judged::not_applicable("the target is spoken to without TLS"),
        };
    };
    let older = took(Offer::Tls12).map(|offered| offered.tls.as_str()).filter(|tls| *tls != best.tls);
    let other = took(Offer::Http1).map(|offered| offered.http.as_str()).filter(|http| *http != best.http);
    let spoken = |best: &str, other: Option<&str>| match (best, other) {
        ("", Some(other)) => other.to_owned(),
        (best, Some(other)) if !other.is_empty() => format!("{best}, {other}"),
        (best, _) => best.to_owned(),
    };
    let observed = format!("{}; {}", spoken(&best.tls, older), spoken(&best.http, other));
    if best.tls == "TLS 1.3" && best.http == "h2" {
        return Judged::pass(observed, None);
    }
    dossier.broken(Breach::Audit(AuditRule::OldTransport), observed, None)
}

/// Nothing is spoken that is older than TLS 1.2 (RFC 8996).
pub(in super::super) fn old_tls<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let offers = dossier.script.offers.iter().filter(|(offer, _)| offer.is_old());
    let (mut taken, mut refused, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for (_, result) in offers {
        let (told, what) = match result {
            Ok(offered) => (&mut taken, offered.tls.as_str()),
            Err(Declined::Refused(how)) => (&mut refused, how.as_str()),
            Err(Declined::Unknown(why)) => (&mut unknown, why.as_str()),
        };
        if !told.contains(&what) {
            told.push(what);
        }
    }
    match (taken.is_empty(), unknown.is_empty(), refused.is_empty()) {
        (false, ..) => {
            let observed = format!("speaks {}", taken.join(", "));
            dossier.broken(Breach::Audit(AuditRule::OldTls), observed, None)
        }
        (true, false, _) => Judged::not_applicable(format!("not known: {}", unknown.join(", "))),
        (true, true, false) => Judged::pass(format!("refused: {}", refused.join(", ")), None),
        (true, true, true) => Judged::not_applicable(""),
    }
}

/// Whether HTTP/3 is offered, as answers say it (RFC 7838; RFC 9114, section 3.1.1). It is not spoken here.
pub(in super::super) fn http3<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let first = dossier.subjects.iter().find(|subject| subject.is_first);
    if first.is_none_or(|first| first.url.scheme() != "https") {
        return Judged::not_applicable("");
    }
    match dossier.all().find_map(|taken| Some((taken, alternative(taken)?))) {
        Some((by, name)) => Judged::info(format!("Alt-Svc offers {name}; not probed"), Some(by)),
        None => Judged::info("no Alt-Svc offers it; not probed", dossier.good().next()),
    }
}

/// The version of HTTP/3 that an answer offers: `h3`, or a draft of it, `h3-29`.
fn alternative(taken: &Taken) -> Option<&str> {
    let lines = taken.answer()?.headers.get_all(ALT_SVC).iter().filter_map(|line| line.to_str().ok());
    let mut names = lines.flat_map(|line| line.split(',')).filter_map(|service| service.split_once('='));
    names.find_map(|(name, _)| Some(name.trim()).filter(|name| *name == "h3" || name.starts_with("h3-")))
}
