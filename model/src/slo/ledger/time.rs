//! What the time does: windows move, rules and alerts follow.

use super::events::FUTURE_S;
use super::tell::Ended;
use super::{Entry, Ledger, Terms, place_of};
use crate::slo::alert::{Signal, step};
use crate::slo::notice::Notice;
use crate::slo::rule::{Rule, Severity};
use crate::slo::scope::SeriesKey;
use crate::slo::series::{BUCKET_S, TIME_MAX_S};

/// How much is caught up with, at most: what a longer absence missed is left out, and counted.
pub(super) const CATCH_UP_MAX_S: i64 = 6 * 3_600;
/// For how long the time must hold after a leap before anything is dropped for being old: a clock may be wrong once.
const HELD_S: i64 = 600;
/// Who evaluates later than this was away.
const AWAY_S: i64 = 2 * BUCKET_S;

/// Is told of every rule that begins or ceases to fire, before anything is grouped or silenced.
pub(super) type Noted<'a> = dyn FnMut(&SeriesKey, &Rule, bool, i64) + 'a;

impl Ledger {
    /// Moves everything on to `now_s`, over every multiple of 10 s since the last time: what people are to be told.
    ///
    /// After more than 6 hours it begins 6 hours before now ([`Oddities::skipped_s`](super::super::Oddities::skipped_s)).
    /// A clock that went back by more than a minute is followed; by less, it is waited for. Until the time has held for ten
    /// minutes after either, nothing is dropped for being old.
    pub fn evaluate(&mut self, now_s: i64) -> Vec<Notice> {
        self.evaluate_noting(now_s, &mut |_, _, _, _| ())
    }

    pub(super) fn evaluate_noting(&mut self, now_s: i64, noted: &mut Noted<'_>) -> Vec<Notice> {
        let now_s = now_s.clamp(-TIME_MAX_S, TIME_MAX_S);
        let until_s = now_s.div_euclid(BUCKET_S) * BUCKET_S;
        let mut at_s = self.arrive(until_s);
        self.now_s = Some(now_s);
        self.counting_from_s = Some(self.counting_from_s.map_or(until_s, |from_s| from_s.min(until_s)));
        self.admit_early(now_s);
        let mut notices = Vec::new();
        while at_s < until_s {
            at_s += BUCKET_S;
            self.evaluated_s = Some(at_s);
            self.doubted_until_s = self.doubted_until_s.filter(|until_s| at_s < *until_s);
            let ended = self.judge(at_s, noted);
            self.tell(at_s, ended, &mut notices);
            if at_s == until_s {
                self.tell_of_silence(at_s, &mut notices);
            }
        }
        notices
    }

    /// The evaluation from which to go on to `until_s`.
    fn arrive(&mut self, until_s: i64) -> i64 {
        let Some(evaluated_s) = self.evaluated_s else {
            self.listening_since_s = until_s;
            self.doubted_until_s = Some(until_s + HELD_S);
            return self.jump(until_s - BUCKET_S);
        };
        let ahead_s = until_s - evaluated_s;
        if ahead_s < -FUTURE_S {
            self.oddities.clock_steps_back += 1;
            self.listening_since_s = until_s;
            self.watches.iter_mut().for_each(|watch| watch.step_back(until_s));
            self.confirm.iter_mut().for_each(|confirm| confirm.step_back(until_s));
            for entry in &mut self.entries {
                entry.alerts.iter_mut().flatten().for_each(|alert| alert.hold_until_s += ahead_s);
                entry.paged_s = entry.paged_s.map(|paged_s| paged_s.min(until_s));
                entry.counted.step_back(until_s);
            }
            self.doubted_until_s = Some(until_s + HELD_S);
            return self.jump(until_s - BUCKET_S);
        }
        if ahead_s > AWAY_S {
            // That nothing was heard is no region's fault, and no good time either.
            self.listening_since_s = until_s;
            self.watches.iter_mut().for_each(|watch| watch.away(evaluated_s, until_s));
        }
        if ahead_s > CATCH_UP_MAX_S {
            self.oddities.skipped_s += (ahead_s - CATCH_UP_MAX_S).unsigned_abs();
            self.doubted_until_s = Some(until_s + HELD_S);
            return self.jump(until_s - CATCH_UP_MAX_S);
        }
        evaluated_s
    }

    /// Moves all windows anywhere.
    pub(super) fn jump(&mut self, to_s: i64) -> i64 {
        self.evaluated_s = Some(to_s);
        for entry in &mut self.entries {
            entry.series.jump(to_s, &self.terms.windows);
            if self.doubted_until_s.is_none() {
                entry.series.trim(to_s);
            }
        }
        to_s
    }

    /// Moves all windows on by a bucket, and carries rules and alerts on. The alerts that are over.
    fn judge(&mut self, at_s: i64, noted: &mut Noted<'_>) -> Vec<Ended> {
        let terms = &self.terms;
        let mut ended = Vec::new();
        let mut signals = Vec::with_capacity(terms.rules.len());
        for (place, entry) in self.entries.iter_mut().enumerate() {
            entry.series.advance(at_s, &terms.windows);
            if self.doubted_until_s.is_none() {
                entry.series.trim(at_s);
            }
            signals.clear();
            read_signals(entry, terms, at_s, noted, &mut signals);
            if !entry.is_alerting {
                continue;
            }
            for severity in Severity::ALL {
                let alert = &mut entry.alerts[place_of(severity)];
                let known = alert.as_ref().map(|alert| (alert.status, alert.since_s));
                let over = step(alert, severity, at_s, &signals);
                if let Some(alert) = alert
                    && known != Some((alert.status, alert.since_s))
                {
                    alert.since_s = entry.begun[place_of(severity)].next(at_s);
                }
                if let Some(alert) = over {
                    ended.push(Ended { place, severity, alert });
                }
            }
        }
        ended
    }
}

/// What every rule shows of an entry.
fn read_signals<'a>(
    entry: &mut Entry,
    terms: &'a Terms,
    at_s: i64,
    noted: &mut Noted<'_>,
    signals: &mut Vec<Signal<'a>>,
) {
    let sums = entry.series.sums();
    for (nth, (rule, (long, short))) in terms.rules.iter().zip(&terms.places).enumerate() {
        let (long, short) = (sums[*long], sums[*short]);
        let bit = 1_u32 << nth;
        let before = entry.firing & bit != 0;
        let is_firing = rule.fires(before, entry.share, terms.failures_min, long.certain(), short.certain());
        if is_firing != before {
            entry.firing ^= bit;
            noted(&entry.key, rule, is_firing, at_s);
        }
        let would_fire = is_firing || rule.fires(false, entry.share, 0, long.feared(), short.feared());
        let has_data = short.total > 0;
        signals.push(Signal { rule, is_firing, would_fire, has_data, keep_s: terms.keep_s(rule) });
    }
}
