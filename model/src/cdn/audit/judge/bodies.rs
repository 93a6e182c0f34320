//! How bodies come: compressed, and the same in every coding.

use http::header::{ACCEPT_ENCODING, ETAG, LAST_MODIFIED};

use super::super::super::counts::Counts;
use super::super::super::encoding::Encoding;
use super::super::super::policy::ClassId;
use super::super::super::rules::Rule;
use super::super::ask::Way;
use super::super::breach::Breach;
use super::super::dossier::{Dossier, Judged};
use super::super::subject::Subject;
use super::super::taken::Taken;
use super::{is_same_etag, is_weak};

/// A date that lies so far back is a strong validator (RFC 9110, section 8.8.2.2): nothing changed twice in its second.
const UNMODIFIED_MIN_S: u64 = 60;
/// In the order in which answers in them are compared with the first that there is.
const CODED: [Way; 4] = [Way::Identity, Way::Gzip, Way::Brotli, Way::Plain];

/// Text comes compressed, once, and nothing else does. Compression is best effort, and each coding has copies of its own:
/// so an address comes uncompressed only if it does in all of them.
pub(in super::super) fn compressed<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let rules = [Rule::CompressedTwice, Rule::EncodingUnsaid, Rule::CompressedImage];
    if let Some((rule, by)) = dossier.breaks(&rules) {
        let kind = by.header(&http::header::CONTENT_TYPE).unwrap_or("no type");
        let observed = match rule {
            Rule::CompressedImage => format!("{} of {kind}", by.head.encoding.word()),
            Rule::EncodingUnsaid => "gzip, and no Content-Encoding".to_owned(),
            _ => "compressed twice".to_owned(),
        };
        return dossier.broken(Breach::Rule(rule), observed, Some(by));
    }
    let (counts, texts) = texts(dossier);
    if counts.texts == 0 {
        return Judged::not_applicable("no text that an edge would compress was found");
    }
    let packed = counts.texts.saturating_sub(counts.texts_plain);
    let observed = format!("{packed} of {} texts", counts.texts);
    let plain = texts.iter().copied().find(|taken| taken.head.encoding == Encoding::Identity);
    // Over a fifth, as in a run.
    if counts.texts_plain.saturating_mul(5) > counts.texts {
        return dossier.broken(Breach::Rule(Rule::NotCompressed), observed, plain);
    }
    Judged::pass(observed, texts.first().copied())
}

/// Compression saves as much as was promised.
pub(in super::super) fn savings<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let Some(promised) = dossier.class.and_then(|class| class.savings) else {
        return Judged::not_applicable("");
    };
    let (counts, texts) = texts(dossier);
    let (wire, decoded) = (counts.text_wire, counts.text_decoded);
    if decoded == 0 {
        return Judged::not_applicable("no text that an edge would compress was found");
    }
    let saved = decoded.saturating_sub(wire);
    let percent = saved.saturating_mul(100) / decoded;
    let observed = format!("{percent} % of {decoded} bytes of text, promised {promised}");
    if promised.holds(saved, decoded) {
        return Judged::pass(observed, texts.first().copied());
    }
    dossier.broken(Breach::Rule(Rule::Savings), observed, texts.first().copied())
}

/// The texts that an edge could have compressed, counted as in a run: of each address an answer that came compressed, and
/// rather one that browsers get than one that only an audit asks for. Of several, the smallest counts.
fn texts<'a>(dossier: &Dossier<'a>) -> (Counts, Vec<&'a Taken>) {
    let policy = &dossier.script.setting.policy;
    let mut counts = Counts::default();
    let mut texts = Vec::new();
    for subject in &dossier.subjects {
        let answered = [Way::Plain, Way::Gzip, Way::Brotli].into_iter().flat_map(|way| subject.of(way));
        let good = answered.filter(|taken| taken.is_good());
        let rank = |taken: &&Taken| {
            let is_plain = taken.head.encoding == Encoding::Identity;
            let is_for_audits = taken.way() != Way::Plain;
            (is_plain, is_for_audits, taken.answer().map_or(u64::MAX, |answer| answer.bytes_wire))
        };
        let Some((taken, observed)) =
            good.min_by_key(rank).and_then(|taken| Some((taken, taken.observed()?)))
        else {
            continue;
        };
        if observed.is_text(policy) {
            counts.text(&observed.head, observed.bytes_wire, observed.bytes_decoded);
            texts.push(taken);
        }
    }
    (counts, texts)
}

/// A body is the same under br, gzip and as it is, byte for byte, and comes in no coding that was not asked for.
pub(in super::super) fn encodings<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    if let Some((rule, by)) = dossier.breaks(&[Rule::EncodingNotAsked]) {
        let observed = format!("{} was not asked for", by.head.encoding.word());
        return dossier.broken(Breach::Rule(rule), observed, Some(by));
    }
    let mut compared = 0;
    let mut changing = None;
    for subject in &dossier.subjects {
        if let Some(taken) = unreadable(subject) {
            return undecodable(dossier, taken);
        }
        let mut bodies =
            CODED.into_iter().filter_map(|way| subject.of(way).find(|taken| hash(taken).is_some()));
        let Some(first) = bodies.next() else { continue };
        for other in bodies {
            if hash(first) == hash(other) {
                compared += 1;
            } else if is_said_to_be_the_same(dossier, first, other) {
                let (one, another) = (first.head.encoding.word(), other.head.encoding.word());
                let observed = format!("{another} is another body than {one}");
                let note = format!("SHA-256 {}, and of {one} {}", shown(other), shown(first));
                return differ(dossier, &observed, other).with_note(note);
            } else {
                changing = changing.or(Some(other));
            }
        }
    }
    match (changing, compared) {
        (Some(by), _) => Judged::info("bodies differ, and none says that it may not", Some(by)),
        (None, 0) => Judged::not_applicable("nothing came in several codings"),
        (None, _) => Judged::pass(format!("{compared} of {compared} the same"), dossier.good().next()),
    }
}

fn differ<'a>(dossier: &Dossier<'a>, observed: &str, by: &'a Taken) -> Judged<'a> {
    dossier.broken(Breach::Rule(Rule::EncodingsDiffer), observed.to_owned(), Some(by))
}

/// What belongs to no class can be read, too.
pub(in super::super) fn decodable<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let subjects = dossier.subjects.iter().copied();
    match subjects.filter(|subject| subject.class == ClassId::UNCLASSIFIED).find_map(unreadable) {
        Some(taken) => undecodable(dossier, taken),
        None => Judged::not_applicable(""),
    }
}

fn unreadable(subject: &Subject) -> Option<&Taken> {
    CODED.into_iter().find_map(|way| subject.unreadable(way))
}

fn undecodable<'a>(dossier: &Dossier<'a>, taken: &'a Taken) -> Judged<'a> {
    let asked = taken.ask.header(&ACCEPT_ENCODING).unwrap_or("nothing");
    let observed = format!("asked for {asked}, a body that nobody can read");
    differ(dossier, &observed, taken).with_note(super::outcome(taken))
}

fn hash(taken: &Taken) -> Option<[u8; 32]> {
    taken.answer().filter(|_| taken.is_good()).and_then(|answer| answer.sha256)
}

/// The beginning of a hash.
fn shown(taken: &Taken) -> String {
    let hash = hash(taken).unwrap_or_default();
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether both answers are to be of the same content, byte for byte: its address is another whenever it changes, or both say
/// what they are by validators that are strong (RFC 9110, section 8.8.1). A page that is made anew for every fetch is another
/// each time, and may all the same have the ETag or the date of another that means the same.
fn is_said_to_be_the_same(dossier: &Dossier<'_>, first: &Taken, second: &Taken) -> bool {
    if dossier.class.is_some_and(|class| class.is_versioned) {
        return true;
    }
    match (first.header(&ETAG), second.header(&ETAG)) {
        // Edges weaken the ETag of what they compress, so that one of the two is enough.
        (Some(first), Some(second)) if !is_same_etag(first, second) => return false,
        (Some(first), Some(second)) if !(is_weak(first) && is_weak(second)) => return true,
        (Some(_), Some(_)) | (None, None) => {}
        _ => return false,
    }
    let date = first.header(&LAST_MODIFIED);
    date.is_some()
        && date == second.header(&LAST_MODIFIED)
        && [first, second].into_iter().all(is_long_unmodified)
}

fn is_long_unmodified(taken: &Taken) -> bool {
    taken.answer().and_then(|answer| answer.unmodified_s).is_some_and(|seconds| seconds >= UNMODIFIED_MIN_S)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue, Method};
    use url::Url;

    use super::super::super::answer::Answer;
    use super::super::super::ask::Ask;
    use super::super::super::script::{Script, Setting};
    use super::*;
    use crate::cdn::Policy;

    fn setting() -> Setting {
        Setting {
            policy: Policy::default(),
            region: String::new(),
            rate_milli: 1,
            is_patient: false,
            nonce: String::new(),
        }
    }

    fn taken(headers: &[(&'static str, &'static str)], unmodified_s: Option<u64>) -> Taken {
        let lines = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let headers: HeaderMap = lines.collect();
        let answer = Answer { status: 200, headers, unmodified_s, ..Answer::default() };
        let url = Url::parse("http://shop.test/").unwrap();
        Taken::new(Ask::of_walk(1, Method::GET, url, Vec::new()), 0, Ok(answer), None, &setting())
    }

    #[test]
    fn only_strong_validators_say_that_bodies_are_the_same() {
        const DATE: (&str, &str) = ("last-modified", "Fri, 27 Nov 2026 00:00:00 GMT");
        const LATER: (&str, &str) = ("last-modified", "Fri, 27 Nov 2026 00:00:01 GMT");
        const STRONG: (&str, &str) = ("etag", "\"1\"");
        const WEAK: (&str, &str) = ("etag", "W/\"1\"");
        const OTHER: (&str, &str) = ("etag", "\"2\"");
        let script = Script::new(setting(), &[]);
        let dossier = Dossier::of_edge(&script);
        for (first, second, unmodified_s, is_same) in [
            (&[STRONG][..], &[STRONG][..], None, true),
            // As an edge weakens what it compresses.
            (&[STRONG], &[WEAK], None, true),
            (&[WEAK], &[WEAK], None, false),
            (&[STRONG], &[OTHER], None, false),
            (&[STRONG, DATE], &[OTHER, DATE], Some(3_600), false),
            (&[STRONG], &[], None, false),
            (&[], &[], Some(3_600), false),
            (&[DATE], &[DATE], Some(60), true),
            (&[DATE], &[DATE], Some(59), false),
            (&[DATE], &[DATE], None, false),
            (&[DATE], &[LATER], Some(3_600), false),
            (&[WEAK, DATE], &[WEAK, DATE], Some(3_600), true),
            (&[WEAK, DATE], &[WEAK, DATE], Some(0), false),
        ] {
            let (one, other) = (taken(first, unmodified_s), taken(second, unmodified_s));
            let found = is_said_to_be_the_same(&dossier, &one, &other);
            assert_eq!(found, is_same, "{first:?} {second:?} {unmodified_s:?}");
        }
    }
}
