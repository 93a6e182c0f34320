//! Which runs go: pure, so that nothing is removed to find out.

use std::time::Duration;

/// A run without a report may be under way: it is left alone for so long.
const UNFINISHED_KEPT: Duration = Duration::from_secs(7 * 86_400);

/// What is to be kept. At least one of these says something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Retention {
    /// Runs that began longer ago go.
    pub(crate) older_than: Option<Duration>,
    /// So many of the newest stay, whatever else is said; where nothing else is said, all others go.
    pub(crate) keep: Option<usize>,
    /// The oldest go until what is left has at most so many bytes.
    pub(crate) bytes_max: Option<u64>,
}

/// What is looked at of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// When it began, in milliseconds since 1970.
    pub(crate) began_ms: i64,
    /// How many bytes it takes.
    pub(crate) bytes: u64,
    /// Whether it has a report.
    pub(crate) is_finished: bool,
}

/// Why a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is too old.
    Age,
    /// There are enough newer ones.
    Number,
    /// Together they are too large.
    Size,
}

/// A run that goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Doomed {
    /// Its position among the candidates.
    pub(crate) position: usize,
    /// Why it goes.
    pub(crate) why: Why,
}

impl Retention {
    /// Which of the candidates go; these stand in order, the newest first. The newest never goes.
    pub(crate) fn doomed(&self, candidates: &[Candidate], now_ms: i64) -> Vec<Doomed> {
        let spared = self.keep.unwrap_or(1).max(1);
        let age_ms = |candidate: &Candidate| {
            u128::from(u64::try_from(now_ms.saturating_sub(candidate.began_ms)).unwrap_or(0))
        };
        let may_go =
            |candidate: &Candidate| candidate.is_finished || age_ms(candidate) > UNFINISHED_KEPT.as_millis();
        let by_number_alone = self.older_than.is_none() && self.bytes_max.is_none();
        let mut doomed: Vec<Doomed> = Vec::new();
        let mut bytes: u64 = 0;
        for (position, candidate) in candidates.iter().enumerate() {
            let is_old = self.older_than.is_some_and(|most| age_ms(candidate) > most.as_millis());
            let why = if is_old { Some(Why::Age) } else { by_number_alone.then_some(Why::Number) };
            match why.filter(|_| position >= spared && may_go(candidate)) {
                Some(why) => doomed.push(Doomed { position, why }),
                None => bytes = bytes.saturating_add(candidate.bytes),
            }
        }
        for (position, candidate) in candidates.iter().enumerate().skip(spared).rev() {
            if self.bytes_max.is_none_or(|most| bytes <= most) {
                break;
            }
            if may_go(candidate) && doomed.iter().all(|known| known.position != position) {
                bytes = bytes.saturating_sub(candidate.bytes);
                doomed.push(Doomed { position, why: Why::Size });
            }
        }
        doomed.sort_by_key(|doomed| doomed.position);
        doomed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 86_400_000;
    const NOW_MS: i64 = 1_000 * DAY_MS;
    const DAY: Duration = Duration::from_secs(86_400);

    /// One a day, of 10 bytes each; the first began just now.
    fn daily(runs: i64) -> Vec<Candidate> {
        let run = |day: i64| Candidate { began_ms: NOW_MS - day * DAY_MS, bytes: 10, is_finished: true };
        (0..runs).map(run).collect()
    }

    fn positions(retention: Retention, candidates: &[Candidate]) -> Vec<usize> {
        retention.doomed(candidates, NOW_MS).iter().map(|doomed| doomed.position).collect()
    }

    const NOTHING: Retention = Retention { older_than: None, keep: None, bytes_max: None };

    #[test]
    fn what_is_old_goes_save_so_many_of_the_newest() {
        let runs = daily(6);
        assert_eq!(positions(Retention { older_than: Some(3 * DAY), ..NOTHING }, &runs), [4, 5]);
        let keep = Retention { older_than: Some(DAY), keep: Some(4), ..NOTHING };
        assert_eq!(positions(keep, &runs), [4, 5]);
        assert_eq!(positions(Retention { keep: Some(4), ..NOTHING }, &runs), [4, 5]);
        assert!(positions(Retention { keep: Some(9), ..NOTHING }, &runs).is_empty());
    }

    #[test]
    fn the_newest_never_goes() {
        let old = [Candidate { began_ms: 0, bytes: 1 << 40, is_finished: true }];
        for retention in [
            Retention { older_than: Some(DAY), ..NOTHING },
            Retention { keep: Some(0), ..NOTHING },
            Retention { bytes_max: Some(1), ..NOTHING },
        ] {
            assert!(positions(retention, &old).is_empty(), "{retention:?}");
            assert!(positions(retention, &[]).is_empty());
        }
    }

    #[test]
    fn the_oldest_go_until_the_rest_is_small_enough() {
        let runs = daily(6);
        assert_eq!(positions(Retention { bytes_max: Some(35), ..NOTHING }, &runs), [3, 4, 5]);
        assert!(positions(Retention { bytes_max: Some(60), ..NOTHING }, &runs).is_empty());
        let keep = Retention { bytes_max: Some(1), keep: Some(5), ..NOTHING };
        assert_eq!(positions(keep, &runs), [5]);
        let both = Retention { older_than: Some(4 * DAY), bytes_max: Some(40), ..NOTHING };
        let whys: Vec<Why> = both.doomed(&runs, NOW_MS).iter().map(|doomed| doomed.why).collect();
        assert_eq!(whys, [Why::Size, Why::Age], "what goes for its age makes room first");
    }

    #[test]
    fn what_may_be_under_way_is_left_alone_for_a_week() {
        let mut runs = daily(10);
        runs.iter_mut().for_each(|run| run.is_finished = false);
        assert_eq!(positions(Retention { keep: Some(1), ..NOTHING }, &runs), [8, 9]);
        assert_eq!(positions(Retention { bytes_max: Some(0), ..NOTHING }, &runs), [8, 9]);
    }
}
