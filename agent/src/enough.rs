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
        if kept.len() < self.next_bytes {
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

    #[test]
    fn a_body_is_looked_through_as_it_doubles() {
        let text = "journey: a\nsteps: [{ step: a, get: /, read: until_found, expect: { has: x } }]";
        let journey = Arc::new(Journey::parse("a.yaml", text).unwrap());
        let run = Arc::new(Run { id: "run".into(), mark: "dbm-".into() });
        let mut walk = Walk::new(journey, Shopper { number: 0, run });
        assert!(matches!(walk.next(&mut Chance::new(1, Purpose::Walk, 1)), Next::Fetch(_)));
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
