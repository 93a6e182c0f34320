//! Content types, taken apart once: every answer says one, and a shop has a few.

use doorbuster_journeys::ContentType;
use doorbuster_model::cdn::policy::Matched;
use doorbuster_model::cdn::{ContentKind, Policy};

/// How many are remembered at a time.
const PLACES: usize = 8;
/// Longer ones are taken apart each time.
const BYTES_MAX: usize = 64;

/// What a Content-Type means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Meaning {
    /// What compression does to it.
    pub kind: ContentKind,
    /// The classes of content that it matches.
    pub matched: Matched,
    /// Whether it is that of a page.
    pub is_page: bool,
}

/// What a place remembers.
#[derive(Clone, Copy, Debug)]
struct Known {
    value: [u8; BYTES_MAX],
    length: usize,
    meaning: Meaning,
}

/// One worker's memory of what content types mean, under the one policy that it knows.
#[derive(Debug)]
pub(crate) struct Types {
    places: [Option<Known>; PLACES],
}

impl Default for Types {
    fn default() -> Self {
        Self { places: [None; PLACES] }
    }
}

impl Types {
    /// What a value of Content-Type means.
    pub(super) fn meaning(&mut self, policy: &Policy, value: &[u8]) -> Meaning {
        // Types of a shop differ in length, or in how they end.
        let last = value.last().copied().unwrap_or_default();
        let Some(place) = self.places.get_mut((value.len() + usize::from(last)) % PLACES) else {
            return meaning(policy, value);
        };
        if let Some(known) = place
            && known.value.get(..known.length) == Some(value)
        {
            return known.meaning;
        }
        let meaning = meaning(policy, value);
        let mut known = Known { value: [0; BYTES_MAX], length: value.len(), meaning };
        if let Some(room) = known.value.get_mut(..value.len()) {
            room.copy_from_slice(value);
            *place = Some(known);
        }
        meaning
    }
}

fn meaning(policy: &Policy, value: &[u8]) -> Meaning {
    Meaning {
        kind: ContentKind::of(value),
        matched: policy.of_type(value),
        is_page: ContentType::names_page(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_means_the_same_however_often_it_comes() {
        let policy = Policy::default();
        let mut types = Types::default();
        let long = format!("text/html; charset=utf-8; profile=\"{}\"", "x".repeat(BYTES_MAX));
        let all = [
            "text/html",
            "text/html; charset=utf-8",
            "text/css",
            "image/png",
            "image/PNG",
            "image/gif",
            "",
            &long,
        ];
        for _ in 0..3 {
            for value in all {
                assert_eq!(
                    types.meaning(&policy, value.as_bytes()),
                    meaning(&policy, value.as_bytes()),
                    "{value}"
                );
            }
        }
        let page = types.meaning(&policy, b"text/html; charset=utf-8");
        assert_eq!((page.kind, page.is_page), (ContentKind::Text, true));
        assert_ne!(page.matched, Matched::default());
    }

    #[test]
    fn what_is_known_is_not_taken_apart_again() {
        let mut types = Types::default();
        let known = types.meaning(&Policy::default(), b"text/html");
        // Another policy would say something else, and is not asked.
        let other = Policy::read("p", "cdn: { classes: [{ class: all, match: [\"**\"] }] }").unwrap();
        assert_eq!(types.meaning(&other, b"text/html"), known);
        assert_ne!(meaning(&other, b"text/html"), known);
        assert_eq!(types.meaning(&other, b"image/gif"), meaning(&other, b"image/gif"));
    }
}
