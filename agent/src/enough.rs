//! Whether enough of a body has come, for steps that read on only until then.

use doorbuster_journeys::{ContentType, Walk};

/// Looks at a body as it grows.
pub(crate) struct Enough<'a> {
    walk: &'a Walk,
    /// It is looked through again once it is so long.
    next_bytes: usize,
}

impl<'a> Enough<'a> {
    /// For the step whose answer `walk` waits for.
    pub(crate) fn new(walk: &'a Walk) -> Self {
        Self { walk, next_bytes: 1 }
    }

    /// Whether nothing more is wanted than `kept`, what came so far with a status.
    ///
    /// Each look is from the beginning: so there is another one only when the body is twice as long, and all of them
    /// together cost no more than twice the last.
    pub(crate) fn is_in(&mut self, status: u16, content_type: ContentType, kept: &[u8]) -> bool {
        // In another encoding it would be another text.
        if kept.len() < self.next_bytes || !content_type.is_certain(kept) {
            return false;
        }
        self.next_bytes = kept.len().saturating_mul(2);
        self.walk.has_enough(status, &content_type.text(kept))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use doorbuster_journeys::{ContentType, Journey, Next, Run, Shopper, Walk};
    use doorbuster_model::Chance;
    use doorbuster_model::chance::Purpose;

    use super::Enough;

    /// A walk that waits for an answer, of which it wants no more than this.
    fn waiting(wanted: &str) -> Walk {
        let text = format!("journey: a\nsteps: [{{ step: a, get: /, read: until_found, {wanted} }}]");
        let journey = Arc::new(Journey::parse("a.yaml", &text).unwrap());
        let run = Arc::new(Run { id: "run".into(), mark: "dbm-".into() });
        let mut walk = Walk::new(journey, Shopper { number: 0, run });
        assert!(matches!(walk.next(&mut Chance::new(1, Purpose::Walk, 1)), Next::Fetch(_)));
        walk
    }

    #[test]
    fn nothing_is_found_before_it_is_known_how_to_read_it() {
        let walk = waiting("extract: { t: { css: title } }");
        let begin = b"<title>\x93d\x8bC</title>".as_slice();
        let page = [begin, b"<meta charset=shift_jis>"].concat();
        for (content_type, needed, body) in [
            ("text/html", page.len(), page.clone()),
            ("", page.len(), page.clone()),
            ("text/html", 1_024, [begin, &[b' '; 1_100]].concat()),
            ("text/html; charset=Shift_JIS", begin.len(), page.clone()),
        ] {
            let mut enough = Enough::new(&walk);
            let content_type = ContentType::of(content_type.as_bytes());
            // Short of what is needed, and then as much.
            assert!(!enough.is_in(200, content_type, &body[..needed - 1]), "{content_type:?}");
            enough.next_bytes = 0;
            assert!(enough.is_in(200, content_type, &body[..needed]), "{content_type:?}");
        }
    }

    #[test]
    fn a_body_is_looked_through_as_it_doubles() {
        let walk = waiting("expect: { has: x }");
        let mut enough = Enough::new(&walk);
        let content_type = ContentType::of(b"text/plain; charset=shift_jis");
        let mut body = Vec::new();
        assert!(!enough.is_in(200, content_type, &body));
        let mut looks = 0;
        for _ in 0..1_000 {
            body.push(b'-');
            let before = enough.next_bytes;
            assert!(!enough.is_in(200, content_type, &body));
            looks += u32::from(enough.next_bytes > before);
        }
        assert_eq!(looks, 10, "at 1, 2, 4 bytes and so on");
        body.push(b'x');
        assert!(!enough.is_in(200, content_type, &body), "it is not looked at now");
        body.resize(1_024, b'-');
        assert!(enough.is_in(200, content_type, &body));
    }
}
