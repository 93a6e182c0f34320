//! Parts of answers.

use http::header::{ACCEPT_RANGES, CONTENT_RANGE};

use super::super::ask::{RANGE_BYTES, Way};
use super::super::breach::{AuditRule, Breach};
use super::super::dossier::{Dossier, Judged};
use super::super::subject::Subject;
use super::super::taken::Taken;
use super::outcome;

/// Whether parts are offered of something that is long enough.
pub(in super::super) fn are_offered(subject: &Subject) -> bool {
    subject.last_good().is_some_and(|taken| {
        let says = taken.header(&ACCEPT_RANGES).unwrap_or_default();
        let is_long = taken.answer().is_some_and(|answer| answer.bytes_decoded > Some(RANGE_BYTES));
        is_long && says.split(',').any(|unit| unit.trim().eq_ignore_ascii_case("bytes"))
    })
}

/// Who asks for a part gets it.
pub(in super::super) fn ranges<'a>(dossier: &Dossier<'a>) -> Judged<'a> {
    let taken = dossier.primary().and_then(|subject| subject.of(Way::Range).last());
    let Some(taken) = taken else { return Judged::not_applicable("no parts are offered") };
    let broken =
        |observed: String| dossier.broken(Breach::Audit(AuditRule::RangesIgnored), observed, Some(taken));
    match taken.status() {
        _ if !taken.is_answered() => Judged::not_applicable(format!("answered {}", outcome(taken))),
        Some(206) => match whole_of(taken) {
            Some(whole) => Judged::pass(format!("206: {RANGE_BYTES} of {whole} bytes"), Some(taken)),
            None => broken("206, and not the bytes that were asked for".to_owned()),
        },
        _ => broken(format!("answered {}, not 206", outcome(taken))),
    }
}

/// How long the whole is of which the first bytes came; `None` where others came.
fn whole_of(taken: &Taken) -> Option<&str> {
    let range = taken.header(&CONTENT_RANGE)?.trim().strip_prefix("bytes ")?;
    let (bytes, whole) = range.split_once('/')?;
    let is_right = bytes.trim() == format!("0-{}", RANGE_BYTES - 1)
        && taken.answer().is_some_and(|answer| answer.bytes_wire == RANGE_BYTES);
    is_right.then_some(whole)
}
