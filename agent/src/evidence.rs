//! What proves a finding: the request, and the answer's head. Made only where a finding asks for it.

use doorbuster_model::Sample;
use doorbuster_model::cdn::{Encoding, Evidence};

use crate::client::HeadLines;
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
    evidence(visitor, order, sample, answered, "")
}

/// The evidence of an answer whose head has gone by, with what is known of it.
pub(crate) fn of_body(visitor: &Visitor, order: &Order<'_>, sample: &Sample, note: &str) -> Evidence {
    let head = &sample.head;
    let age = head.age_s().map(|age_s| ("Age", age_s.to_string()));
    let encoding = Some(head.encoding).filter(|encoding| *encoding != Encoding::Identity);
    let encoding = encoding.map(|encoding| ("Content-Encoding", encoding.word().to_owned()));
    let pop = head.pop.map(|pop| ("X-Amz-Cf-Pop", pop.to_string()));
    let known = [age, encoding, pop].into_iter().flatten();
    let answered = known.map(|(name, value)| (name.to_owned(), value)).collect();
    let note = format!("{note}; the cache said: {}", head.cache.word());
    evidence(visitor, order, sample, answered, &note)
}

fn evidence(
    visitor: &Visitor,
    order: &Order<'_>,
    sample: &Sample,
    answered: Vec<(String, String)>,
    note: &str,
) -> Evidence {
    let journey = visitor.worker.journeys.get(usize::from(order.key.journey));
    let redacted = |text: String| match journey {
        Some(journey) => journey.redact(text),
        None => text,
    };
    let shown = |(name, value): (String, String)| (name, redacted(value));
    let url = redacted(order.address.whole().to_owned());
    let asked: Vec<_> = request_head(visitor, order).into_iter().map(shown).collect();
    let answered: Vec<_> = answered.into_iter().map(shown).collect();
    let status = sample.status.unwrap_or(0);
    Evidence::new(order.method.as_str(), &url, status, bytes(&asked), bytes(&answered), note)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn bytes(lines: &[(String, String)]) -> impl Iterator<Item = (&[u8], &[u8])> {
    lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()))
}
