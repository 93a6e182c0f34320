//! Where answers come from, as far as hits are counted apart, and the bound on how many such places there are.

use std::collections::{BTreeMap, BTreeSet};

use crate::cdn::{ClassId, Counts, Pop};

/// The most edge locations of a tally. Answers of more count as those of an edge location that is not told, and under
/// the counter `pops_not_kept`.
pub const POPS_MAX: usize = 32;

/// What answers are told apart by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The class of content.
    pub class: ClassId,
    /// Position among the run's sections, by intended start.
    pub section: u16,
    /// The edge location, where it is told.
    pub pop: Option<Pop>,
}

/// Keeps [`POPS_MAX`] edge locations; returns how many answers are of others. Which are kept follows from what they are
/// called and not from the order in which they came, so that merging stays associative.
pub(super) fn bound(caching: &mut BTreeMap<Place, Counts>) -> u64 {
    if caching.len() <= POPS_MAX {
        return 0;
    }
    let pops: BTreeSet<Pop> = caching.keys().filter_map(|place| place.pop).collect();
    let Some(first_left_out) = pops.into_iter().nth(POPS_MAX) else { return 0 };
    let mut left_out = Vec::new();
    caching.retain(|place, counts| {
        let is_kept = place.pop.is_none_or(|pop| pop < first_left_out);
        if !is_kept {
            left_out.push((*place, *counts));
        }
        is_kept
    });
    let mut answers = 0;
    for (place, counts) in left_out {
        answers += counts.answers();
        caching.entry(Place { pop: None, ..place }).or_default().merge(&counts);
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(class: u8, pop: &str) -> Place {
        Place { class: ClassId(class), section: 0, pop: Pop::parse(pop.as_bytes()) }
    }

    #[test]
    fn edge_locations_beyond_the_limit_count_without_one() {
        let counts = Counts { hits: 1, others: 2, ..Counts::default() };
        let pops = (0..POPS_MAX).map(|number| place(0, &format!("NRT{number}")));
        let mut caching: BTreeMap<Place, Counts> = pops.map(|place| (place, counts)).collect();
        caching.insert(place(1, "NRT0"), counts);
        caching.insert(place(1, ""), counts);
        assert_eq!(
            (bound(&mut caching), caching.len()),
            (0, POPS_MAX + 2),
            "a class more is no location more"
        );
        caching.insert(place(0, "AMS50"), counts);
        assert_eq!((bound(&mut caching), caching.len()), (3, POPS_MAX + 3));
        assert_eq!(caching.get(&place(0, "NRT31")), None, "the last of the alphabet is left out");
        assert_eq!(caching[&place(0, "")].answers(), 3, "what it counted is not");
    }
}
