//! What proves a finding: the request, and the answer's head. Made only where a finding asks for it.

use std::borrow::Cow;

use doorbuster_journeys::Journey;
use doorbuster_model::Sample;
use doorbuster_model::cdn::policy::plain_path;
use doorbuster_model::cdn::{Encoding, Evidence};

use crate::client::{HeadLines, Heads};
use crate::exchange::{Order, request_head};
use crate::visit::Visitor;

/// The evidence of an answer whose head is there to be shown.
pub(crate) fn of_head(
    visitor: &Visitor,
    order: &Order<'_>,
    sample: &Sample,
    lines: HeadLines<'_>,
) -> Evidence {
    let mut answered = Vec::new();
    lines.each(|name, value| answered.push((lossy(name), lossy(value))));
    evidence(visitor, order, sample, request_head(visitor, order), answered, "")
}

/// The evidence of an answer whose head has gone by: with the heads that were kept, or else with what is known of them.
pub(crate) fn of_body(
    visitor: &Visitor,
    order: &Order<'_>,
    sample: &Sample,
    note: &str,
    heads: Option<&Heads>,
) -> Evidence {
    // By now the shopper may have other cookies than were sent.
    let mut asked = request_head(visitor, order);
    asked.retain(|(name, _)| !name.eq_ignore_ascii_case("cookie"));
    if let Some(cookies) = heads.map(|heads| &heads.cookies).filter(|cookies| !cookies.is_empty()) {
        asked.push(("Cookie".to_owned(), lossy(cookies)));
    }
    let answered = match heads {
        Some(heads) => heads.answered().map(|(name, value)| (lossy(name), lossy(value))).collect(),
        None => known_of(sample),
    };
    let note = format!("{note}; the cache said: {}", sample.head.cache.word());
    evidence(visitor, order, sample, asked, answered, &note)
}

/// What is known of an answer's head that nobody kept.
fn known_of(sample: &Sample) -> Vec<(String, String)> {
    let head = &sample.head;
    let age = head.age_s().map(|age_s| ("Age", age_s.to_string()));
    let encoding = Some(head.encoding).filter(|encoding| *encoding != Encoding::Identity);
    let encoding = encoding.map(|encoding| ("Content-Encoding", encoding.word().to_owned()));
    let pop = head.pop.map(|pop| ("X-Amz-Cf-Pop", pop.to_string()));
    let known = [age, encoding, pop].into_iter().flatten();
    known.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The path of a request as it is shown: without parameters, which may be sessions, and without the journey's secrets.
pub(crate) fn shown_path<'a>(visitor: &Visitor, order: &Order<'a>) -> Cow<'a, str> {
    let path = order.address.url.path();
    match journey_of(visitor, order).filter(|journey| journey.has_secrets()) {
        Some(journey) => Cow::Owned(plain_path(&journey.redact(path.to_owned())).into_owned()),
        None => plain_path(path),
    }
}

fn journey_of<'a>(visitor: &'a Visitor, order: &Order<'_>) -> Option<&'a Journey> {
    visitor.worker.journeys.get(usize::from(order.key.journey)).map(|journey| &**journey)
}

fn evidence(
    visitor: &Visitor,
    order: &Order<'_>,
    sample: &Sample,
    asked: Vec<(String, String)>,
    answered: Vec<(String, String)>,
    note: &str,
) -> Evidence {
    let journey = journey_of(visitor, order);
    let redacted = |text: String| match journey {
        Some(journey) => journey.redact(text),
        None => text,
    };
    let own = &visitor.worker.job.plan.http.headers;
    let asked = asked.into_iter().map(|(name, value)| {
        let value = if is_withheld(own, &name) { Evidence::HIDDEN.to_owned() } else { redacted(value) };
        (name, value)
    });
    let asked: Vec<_> = asked.collect();
    let answered: Vec<_> = answered.into_iter().map(|(name, value)| (name, redacted(value))).collect();
    let url = redacted(order.address.whole().to_owned());
    let status = sample.status.unwrap_or(0);
    Evidence::new(order.method.as_str(), &url, status, bytes(&asked), bytes(&answered), note)
}

/// Whether the plan adds this header to every request and it may be what opens a gate: those by which answers differ are
/// shown, and of cookies their names.
fn is_withheld(own: &[(String, String)], name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_shown = name.starts_with("accept") || matches!(name.as_str(), "user-agent" | "cookie");
    !is_shown && own.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn bytes(lines: &[(String, String)]) -> impl Iterator<Item = (&[u8], &[u8])> {
    lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::is_withheld;

    #[test]
    fn what_a_plan_adds_may_open_a_gate() {
        let own = ["X-Gate", "Accept-Language", "User-Agent", "Cookie"];
        let own = own.map(|name| (name.to_owned(), "gate-5512".to_owned()));
        for (name, is) in [
            ("x-gate", true),
            ("X-Gate", true),
            ("accept-language", false),
            ("user-agent", false),
            ("cookie", false),
            ("x-doorbuster-run", false),
        ] {
            assert_eq!(is_withheld(&own, name), is, "{name}");
        }
    }
}
