//! Clocks of agents on other machines, against this machine's: how far they are certainly apart.
//!
//! Agents are told by the wall clock when second 0 is, so that one whose clock is off sends its load at another time than the
//! others. It says what its clock shows when it is ready, which is after its assignment was handed over, and before that was
//! heard. Between the two lies what its clock may show; what is beyond either is no delay of the way but the clock's.
//! Source: F. Cristian, "Probabilistic clock synchronization", Distributed Computing 3 (1989).

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Clocks that are apart by more are worth a word.
pub(crate) const SHOWN_MS: f64 = 100.0;
/// Clocks that are apart by more make a load invalid.
pub(crate) const APART_MAX_MS: f64 = 1_000.0;
/// What to do about it.
pub(crate) const REMEDY: &str =
    "set both by NTP (`timedatectl` says whether a machine's clock is; AWS sets those of functions)";

/// A moment by both clocks of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    at: Instant,
    wall: Timestamp,
}

impl Moment {
    /// This one.
    pub(crate) fn now() -> Self {
        Self { at: Instant::now(), wall: Timestamp::now() }
    }

    /// How long ago another one was, by the monotonic clock.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        self.at.saturating_duration_since(earlier.at)
    }

    /// When another one was, in nanoseconds since 1970 by what the wall clock shows now, or earlier than that: a machine that
    /// slept counts too little by its monotonic clock, and one whose wall clock was set has shown another time.
    fn earlier_ns(self, earlier: Self) -> i128 {
        let since_ns = i128::try_from(self.since(earlier).as_nanos()).unwrap_or(i128::MAX);
        let (now_ns, then_ns) = (self.wall.as_nanosecond(), earlier.wall.as_nanosecond());
        now_ns.saturating_sub(since_ns).min(then_ns)
    }
}

/// By how many milliseconds at least an agent's clock is ahead of this machine's, or behind it (negative); 0 where it may be
/// right. It showed `clock_unix_ns` when the agent was ready, after its assignment was handed over and before it was heard.
pub(crate) fn apart_ms(handed: Moment, clock_unix_ns: u64, heard: Moment) -> f64 {
    let clock_ns = i128::from(clock_unix_ns);
    let ahead_ns = (clock_ns - heard.wall.as_nanosecond()).max(0);
    let behind_ns = (heard.earlier_ns(handed) - clock_ns).max(0);
    // One of them is 0.
    (ahead_ns - behind_ns) as f64 / 1e6
}

/// On which side of this machine's clock one is that is so far apart.
pub(crate) fn side(apart_ms: f64) -> &'static str {
    if apart_ms < 0.0 { "behind" } else { "ahead of" }
}

/// What is said of an agent of a region whose clock is so far apart; nothing where that is little.
pub(crate) fn warning(region: &str, apart_ms: f64) -> Option<String> {
    let by = match apart_ms.abs() {
        apart if apart > APART_MAX_MS => "1 s",
        apart if apart > SHOWN_MS => "100 ms",
        _ => return None,
    };
    let which = side(apart_ms);
    let so = if apart_ms.abs() > APART_MAX_MS { ", which makes a load invalid" } else { "" };
    Some(format!("{region}: an agent's clock is over {by} {which} this machine's{so}; {REMEDY}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NS_PER_MS: u64 = 1_000_000;

    /// A moment so long after another one by each clock, in milliseconds.
    fn moment(from: Instant, at_ms: u64, wall_ms: i64) -> Moment {
        let wall = Timestamp::from_millisecond(wall_ms).unwrap();
        Moment { at: from + Duration::from_millis(at_ms), wall }
    }

    #[test]
    fn a_clock_within_the_way_there_and_back_may_be_right() {
        let from = Instant::now();
        let (handed, heard) = (moment(from, 0, 1_000_000), moment(from, 40, 1_000_040));
        for (clock_ms, apart) in [
            (1_000_000, 0.0),
            (1_000_015, 0.0),
            (1_000_040, 0.0),
            (1_000_041, 1.0),
            (1_002_040, 2_000.0),
            (999_999, -1.0),
            (995_000, -5_000.0),
            (0, -1_000_000.0),
        ] {
            assert_eq!(apart_ms(handed, clock_ms * NS_PER_MS, heard), apart, "{clock_ms}");
        }
    }

    #[test]
    fn a_machine_that_slept_or_whose_clock_was_set_accuses_nobody() {
        let from = Instant::now();
        let handed = moment(from, 0, 1_000_000);
        // It slept for 30 s after the agent was ready, at 1_000_010.
        assert_eq!(apart_ms(handed, 1_000_010 * NS_PER_MS, moment(from, 20, 1_030_020)), 0.0);
        // Its clock was put back by 30 s, or forward.
        assert_eq!(apart_ms(handed, 970_010 * NS_PER_MS, moment(from, 20, 970_020)), 0.0);
        assert_eq!(apart_ms(handed, 1_030_010 * NS_PER_MS, moment(from, 20, 1_030_020)), 0.0);
    }

    #[test]
    fn only_what_is_certain_is_warned_of() {
        for little in [0.0, 100.0, -100.0] {
            assert_eq!(warning("tokyo", little), None);
        }
        let little = warning("tokyo", -100.5).unwrap();
        assert!(
            little.starts_with("tokyo: an agent's clock is over 100 ms behind this machine's; set"),
            "{little}"
        );
        let much = warning("tokyo", 1_000.5).unwrap();
        assert!(much.contains("over 1 s ahead of this machine's, which makes a load invalid; set"), "{much}");
    }
}
