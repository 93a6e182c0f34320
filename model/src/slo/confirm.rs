//! Which failures count: those that a second probe saw.
//!
//! A probe may fail by what lies between it and the shop. So a failure is suspected until another region's probe of the
//! same journey or step, begun about the same time, failed too, or until the region's own next two did.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

/// The most subjects that are followed; failures of any other count at once, so that none is hidden.
const SUBJECTS_MAX: usize = 20_000;
/// The most outcomes of a subject that are remembered per region.
const OUTCOMES_MAX: usize = 256;
/// For how long a failure waits for probes that began when it did, beyond the time within which they confirm it: a probe
/// is told about when it has ended.
const LATE_S: i64 = 900;

/// What probes are compared about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Subject {
    /// The objective's position.
    pub(super) objective: usize,
    pub(super) journey: String,
    /// None for the journey as a whole.
    pub(super) step: Option<String>,
}

/// What became of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Outcome {
    #[serde(rename = "g")]
    Good,
    #[serde(rename = "s")]
    Suspected,
    #[serde(rename = "f")]
    Failed,
}

/// The last probes of a subject from one region, in the order in which they began.
pub(super) type Track = VecDeque<(i64, Outcome)>;

/// The last probes of every subject.
#[derive(Clone, Debug)]
pub(super) struct Confirm {
    /// How far apart two probes may begin and still confirm each other.
    within_s: i64,
    regions: usize,
    tracks: BTreeMap<Subject, Vec<Track>>,
}

impl Confirm {
    /// Nothing seen yet, from so many regions.
    pub(super) fn new(within_s: i64, regions: usize) -> Self {
        Self { within_s, regions, tracks: BTreeMap::new() }
    }

    /// Notes a probe. The failures that it confirms, its own among them, by region and begin; `None` where it cannot be
    /// followed.
    pub(super) fn note(
        &mut self,
        subject: Subject,
        region: usize,
        at_s: i64,
        is_good: bool,
    ) -> Option<Vec<(usize, i64)>> {
        if self.tracks.len() >= SUBJECTS_MAX && !self.tracks.contains_key(&subject) {
            return None;
        }
        let tracks = self.tracks.entry(subject).or_insert_with(|| vec![Track::new(); self.regions]);
        let track = tracks.get_mut(region)?;
        let place = track.partition_point(|(earlier_s, _)| *earlier_s <= at_s);
        track.insert(place, (at_s, if is_good { Outcome::Good } else { Outcome::Suspected }));
        tidy(track, self.within_s + LATE_S);
        if is_good {
            return Some(Vec::new());
        }
        let mut confirmed = by_others(tracks, region, at_s, self.within_s);
        if let Some(track) = tracks.get_mut(region) {
            confirmed.extend(by_the_next(track).into_iter().map(|at_s| (region, at_s)));
        }
        Some(confirmed)
    }

    /// Takes a step of the clock back: what is in the future now would keep the present from being followed.
    pub(super) fn step_back(&mut self, now_s: i64) {
        for track in self.tracks.values_mut().flatten() {
            track.retain(|(at_s, _)| *at_s <= now_s);
        }
    }

    /// What is remembered.
    pub(super) fn tracks(&self) -> impl Iterator<Item = (&Subject, &[Track])> {
        self.tracks.iter().map(|(subject, tracks)| (subject, tracks.as_slice()))
    }

    /// Puts back what was remembered of a region.
    pub(super) fn restore(&mut self, subject: Subject, region: usize, track: Track) {
        let tracks = self.tracks.entry(subject).or_insert_with(|| vec![Track::new(); self.regions]);
        if let Some(place) = tracks.get_mut(region) {
            *place = track;
        }
    }

    /// About how much memory this takes.
    pub(super) fn memory_bytes(&self) -> usize {
        let of_track = |track: &Track| size_of::<Track>() + track.capacity() * size_of::<(i64, Outcome)>();
        let of_subject = |(subject, tracks): (&Subject, &Vec<Track>)| {
            let names = subject.journey.capacity() + subject.step.as_ref().map_or(0, String::capacity);
            2 * size_of::<Subject>() + names + tracks.iter().map(of_track).sum::<usize>()
        };
        self.tracks.iter().map(of_subject).sum()
    }
}

/// Forgets what can confirm nothing any more. Of good outcomes at the front the last one is enough: whatever comes late
/// and began before it has a good one next.
fn tidy(track: &mut Track, horizon_s: i64) {
    let newest_s = track.back().map_or(0, |(at_s, _)| *at_s);
    while track.len() > OUTCOMES_MAX
        || (track.len() > 1 && track.front().is_some_and(|(at_s, _)| *at_s < newest_s - horizon_s))
    {
        track.pop_front();
    }
    while matches!((track.front(), track.get(1)), (Some((_, Outcome::Good)), Some((_, Outcome::Good)))) {
        track.pop_front();
    }
}

/// Failures of other regions that began about the same time as this one: each confirms the other.
fn by_others(tracks: &mut [Track], region: usize, at_s: i64, within_s: i64) -> Vec<(usize, i64)> {
    let (mut confirmed, mut is_confirmed) = (Vec::new(), false);
    for (other, track) in tracks.iter_mut().enumerate().filter(|(other, _)| *other != region) {
        for (other_s, outcome) in track.iter_mut() {
            if *outcome == Outcome::Good || other_s.abs_diff(at_s) > within_s.unsigned_abs() {
                continue;
            }
            is_confirmed = true;
            if *outcome == Outcome::Suspected {
                *outcome = Outcome::Failed;
                confirmed.push((other, *other_s));
            }
        }
    }
    let own = tracks.get_mut(region).filter(|_| is_confirmed).and_then(|track| {
        track.iter_mut().find(|(own_s, outcome)| *own_s == at_s && *outcome == Outcome::Suspected)
    });
    if let Some((_, outcome)) = own {
        *outcome = Outcome::Failed;
        confirmed.push((region, at_s));
    }
    confirmed
}

/// Failures that the region's next two probes confirm.
fn by_the_next(track: &mut Track) -> Vec<i64> {
    let mut confirmed = Vec::new();
    for place in 0..track.len().saturating_sub(2) {
        let failed = |nth: usize| track.get(nth).is_some_and(|(_, outcome)| *outcome != Outcome::Good);
        if !(failed(place + 1) && failed(place + 2)) {
            continue;
        }
        if let Some((at_s, outcome)) = track.get_mut(place)
            && *outcome == Outcome::Suspected
        {
            *outcome = Outcome::Failed;
            confirmed.push(*at_s);
        }
    }
    confirmed
}

#[cfg(test)]
mod tests {
    use super::{Confirm, Outcome, SUBJECTS_MAX, Subject};

    fn subject(objective: usize) -> Subject {
        Subject { objective, journey: "checkout".to_owned(), step: None }
    }

    /// What a row of probes confirms, each by region and begin, a failure where it says so.
    fn confirmed(probes: &[(usize, i64, bool)]) -> Vec<Vec<(usize, i64)>> {
        let mut confirm = Confirm::new(60, 3);
        let note =
            |(region, at_s, failed): &(usize, i64, bool)| confirm.note(subject(0), *region, *at_s, !failed);
        probes.iter().map(note).map(Option::unwrap).collect()
    }

    #[test]
    fn another_region_confirms_within_the_time() {
        assert_eq!(confirmed(&[(0, 0, true), (1, 60, true)]), [vec![], vec![(0, 0), (1, 60)]]);
        assert_eq!(confirmed(&[(0, 0, true), (1, 61, true)]), [vec![], vec![]]);
        assert_eq!(
            confirmed(&[(0, 60, true), (1, 0, true)])[1],
            [(0, 60), (1, 0)],
            "told the other way round"
        );
        assert_eq!(confirmed(&[(0, 0, true), (1, 20, false), (2, 40, true)])[2], [(0, 0), (2, 40)]);
        let third = &confirmed(&[(0, 0, true), (1, 20, true), (2, 40, true)])[2];
        assert_eq!(*third, [(2, 40)], "the others were confirmed before");
    }

    #[test]
    fn the_region_s_next_two_confirm() {
        let told =
            confirmed(&[(0, 0, true), (0, 300, true), (0, 600, true), (0, 900, true), (0, 1_200, false)]);
        assert_eq!(told, [vec![], vec![], vec![(0, 0)], vec![(0, 300)], vec![]]);
        let told = confirmed(&[(0, 0, true), (0, 20, false), (0, 40, true), (0, 60, true)]);
        assert!(told.iter().all(Vec::is_empty), "{told:?}");
        // The one that took longest is told about last.
        let told = confirmed(&[(0, 20, true), (0, 40, true), (0, 0, true)]);
        assert_eq!(told[2], [(0, 0)]);
        let told = confirmed(&[(0, 20, false), (0, 40, true), (0, 60, true), (0, 0, true)]);
        assert!(told[3].is_empty(), "a good one came next: {told:?}");
    }

    #[test]
    fn subjects_are_apart() {
        let mut confirm = Confirm::new(60, 2);
        let step = |step: &str| Subject { step: Some(step.to_owned()), ..subject(0) };
        for (subject, region) in [(subject(0), 0), (subject(1), 1), (step("home"), 1), (step("pay"), 0)] {
            assert_eq!(confirm.note(subject, region, 0, false), Some(vec![]));
        }
        assert_eq!(confirm.note(step("pay"), 1, 0, false), Some(vec![(0, 0), (1, 0)]));
    }

    #[test]
    fn a_clock_that_goes_back_is_followed() {
        let mut confirm = Confirm::new(60, 2);
        for at_s in [100_000, 100_020] {
            confirm.note(subject(0), 0, at_s, false);
        }
        assert_eq!(confirm.note(subject(0), 0, 10, false), Some(vec![]), "it is too old to be followed");
        confirm.step_back(20);
        confirm.note(subject(0), 0, 20, false);
        assert_eq!(confirm.note(subject(0), 1, 30, false), Some(vec![(0, 20), (1, 30)]));
    }

    #[test]
    fn little_is_remembered() {
        let mut confirm = Confirm::new(60, 2);
        for at_s in 0..10_000 {
            confirm.note(subject(0), 0, at_s * 20, at_s % 1_000 != 0);
        }
        let remembered: Vec<usize> =
            confirm.tracks().flat_map(|(_, tracks)| tracks).map(|t| t.len()).collect();
        assert_eq!(remembered, [1, 0], "one good outcome stands for all before it");
        for at_s in 0..10_000 {
            confirm.note(subject(0), 1, at_s, at_s % 2 == 0);
        }
        assert!(confirm.tracks().flat_map(|(_, tracks)| tracks).all(|track| track.len() <= 256));
        for objective in 1..SUBJECTS_MAX {
            assert!(confirm.note(subject(objective), 0, 0, true).is_some());
        }
        assert_eq!(confirm.note(subject(SUBJECTS_MAX), 0, 0, false), None);
        assert!(confirm.note(subject(0), 0, 200_000, false).is_some(), "known subjects are followed on");
        let memory_bytes = confirm.memory_bytes();
        assert!(memory_bytes < 20_000_000, "{memory_bytes}");
        assert!(
            confirm
                .tracks()
                .all(|(_, tracks)| tracks[0].iter().all(|(_, outcome)| *outcome != Outcome::Failed))
        );
    }
}
