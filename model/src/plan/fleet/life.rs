//! What fits into the life of a function: its start before, its part of the run, its draining after.
//!
//! ```text
//!   begins with the run   | within | 3 s ahead | first generation | drains | 5 s |
//!   relieves another             | 20 s ahead  | generation       | drains | 5 s |
//!                         0                                                      15 min
//! ```

use std::time::Duration;

use doorbuster_notation::show_duration;

use super::{Fleet, GENERATION_MIN, LaunchBy};
use crate::Generation;
use crate::generation::{DRAIN_MAX, generations, generations_after};
use crate::preflight::launched_ahead;

/// How far ahead a start is told to functions: it is read from an object that is looked at every half second.
pub const LAMBDA_START_AHEAD: Duration = Duration::from_secs(3);
/// How long a function lives at most.
const FUNCTION_LIVES: Duration = Duration::from_secs(15 * 60);
/// It ends itself so long before somebody else does, and says so.
const FUNCTION_SPARE: Duration = Duration::from_secs(5);

/// How long a function's part of a run may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Room {
    /// Where it is the whole run.
    alone: Duration,
    /// Where it begins with the run, and is relieved.
    first: Duration,
    /// Where it relieves another.
    later: Duration,
}

impl Fleet {
    /// The parts of a run of `length_ns`, whose journeys may go on for `graceful` after it, by agents of this launcher. A
    /// function that begins with the run waits for the others before, so that its part is shorter than those that follow.
    pub fn relay(&self, launch: LaunchBy, length_ns: u64, graceful: Duration) -> Vec<Generation> {
        let longest = self.longest_generation(launch);
        let Some(longest) = longest.filter(|_| launch == LaunchBy::Lambda) else {
            return generations(length_ns, longest);
        };
        let room = self.room(graceful);
        if Duration::from_nanos(length_ns) <= longest.min(room.alone) {
            return generations(length_ns, None);
        }
        generations_after(length_ns, longest.min(room.first).min(room.later), Some(longest.min(room.later)))
    }

    /// Why functions cannot carry a run of `length_ns` with such a grace, in parts however short; `None` where they can.
    pub(in crate::plan) fn unfit(&self, length_ns: u64, graceful: Duration) -> Option<String> {
        let room = self.room(graceful);
        let is_alone = Duration::from_nanos(length_ns) <= room.alone;
        if is_alone || room.first.min(room.later) >= GENERATION_MIN {
            return None;
        }
        Some(format!(
            "a function lives for {}, and this leaves no generation of {} in it: {} until all are ready, {} until the start, {} for journeys to end and {} to spare; shorten fleet: {{ start: {{ within }} }} or graceful",
            show_duration(FUNCTION_LIVES),
            show_duration(GENERATION_MIN),
            show_duration(self.ready_within(LaunchBy::Lambda)),
            show_duration(LAMBDA_START_AHEAD),
            show_duration(graceful.max(DRAIN_MAX)),
            show_duration(FUNCTION_SPARE),
        ))
    }

    fn room(&self, graceful: Duration) -> Room {
        let room = |before: Duration, after: Duration| {
            (FUNCTION_LIVES - FUNCTION_SPARE).saturating_sub(before).saturating_sub(after)
        };
        let begins = self.ready_within(LaunchBy::Lambda) + LAMBDA_START_AHEAD;
        // Which part is the last, and has the plan's own grace, is not known before.
        let drains = graceful.max(DRAIN_MAX);
        Room {
            alone: room(begins, graceful),
            first: room(begins, drains),
            later: room(launched_ahead(LaunchBy::Lambda), drains),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// How long each part is, in seconds, of a load of so many.
    fn lengths(fleet: &Fleet, launch: LaunchBy, length_s: u64, graceful_s: u64) -> Vec<u64> {
        let parts = fleet.relay(launch, length_s * SECOND_NS, seconds(graceful_s));
        parts.iter().map(|part| (part.to_ns - part.from_ns) / SECOND_NS).collect()
    }

    #[test]
    fn the_first_generation_is_shorter_by_what_it_waits() {
        let fleet = Fleet::default();
        // 30 + 3 + 772 + 90 + 5 s, and 20 + 780 + 90 + 5 s.
        assert_eq!(lengths(&fleet, LaunchBy::Lambda, 3_600, 10), [772, 780, 780, 780, 488]);
        let patient = Fleet { start_within: Some(seconds(300)), ..Fleet::default() };
        assert_eq!(lengths(&patient, LaunchBy::Lambda, 3_600, 10), [502, 780, 780, 780, 758]);
        let short = Fleet { generation: Some(seconds(60)), ..Fleet::default() };
        assert_eq!(lengths(&short, LaunchBy::Lambda, 150, 10), [60, 60, 30], "no shorter than it has to be");
        assert_eq!(lengths(&fleet, LaunchBy::Local, 3_600, 10), [3_600], "what lives on has no such bound");
        assert_eq!(lengths(&short, LaunchBy::Join, 150, 10), [60, 60, 30]);
    }

    #[test]
    fn what_fits_as_a_whole_is_not_cut() {
        let fleet = Fleet::default();
        assert_eq!(lengths(&fleet, LaunchBy::Lambda, 780, 10), [780], "30 + 3 + 780 + 10 + 5 s");
        assert_eq!(lengths(&fleet, LaunchBy::Lambda, 780, 90), [772, 8], "30 + 3 + 780 + 90 + 5 s are 908");
        assert_eq!(lengths(&fleet, LaunchBy::Lambda, 781, 10), [772, 9]);
        assert_eq!(
            lengths(&fleet, LaunchBy::Lambda, 700, 300),
            [562, 138],
            "a long grace takes of the load's time"
        );
    }

    #[test]
    fn no_function_outlives_its_time() {
        for within_s in [1, 30, 45, 400, 790] {
            for graceful_s in [0, 10, 90, 100] {
                let fleet = Fleet { start_within: Some(seconds(within_s)), ..Fleet::default() };
                for length_s in [1, 700, 779, 780, 781, 800, 1_560, 7_200] {
                    let (length_ns, graceful) = (length_s * SECOND_NS, seconds(graceful_s));
                    if fleet.unfit(length_ns, graceful).is_some() {
                        assert!(within_s > 700, "{within_s} {graceful_s}");
                        continue;
                    }
                    for part in fleet.relay(LaunchBy::Lambda, length_ns, graceful) {
                        let before_s = if part.number == 0 { within_s + 3 } else { 20 };
                        let there_ns = part.cut_ns(length_ns, graceful_s * SECOND_NS) - part.from_ns;
                        assert!(
                            before_s + there_ns / SECOND_NS + 5 <= 900,
                            "{within_s} {graceful_s} {length_s}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_leaves_no_time_for_load_is_told_with_the_sum() {
        let fleet = Fleet { start_within: Some(seconds(900)), ..Fleet::default() };
        let why = fleet.unfit(SECOND_NS, seconds(10)).unwrap();
        for part in
            ["lives for 15m", "15m until all are ready", "3s until the start", "1m30s for journeys to end"]
        {
            assert!(why.contains(part), "{why}");
        }
        let nearly = Fleet { start_within: Some(seconds(797)), ..Fleet::default() };
        assert_eq!(nearly.unfit(7_200 * SECOND_NS, seconds(10)), None, "797 + 3 + 5 + 90 + 5 s");
        let over = Fleet { start_within: Some(seconds(798)), ..Fleet::default() };
        assert!(over.unfit(7_200 * SECOND_NS, seconds(10)).is_some());
        assert_eq!(over.unfit(60 * SECOND_NS, seconds(10)), None, "that much fits as a whole");
    }
}
