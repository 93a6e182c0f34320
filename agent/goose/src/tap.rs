//! What one user requests, taken from the channels that Goose's users send on.
//!
//! A user says when a request starts (to its throttle), how it ended (to its logger), and what a scenario made of it
//! afterwards (to the engine's metrics). All three are its own here: nothing is shared between users, and nothing that
//! was sent can be lost while this stands.

use flume::{Receiver, Sender, unbounded};
use goose::goose::{GooseMethod, GooseUser};
use goose::logger::GooseLog;
use goose::metrics::GooseMetric;

use crate::meaning::Answered;

/// The ends that a user sends on.
#[derive(Debug)]
pub(crate) struct Mouth {
    starts: Sender<bool>,
    ends: Sender<Option<GooseLog>>,
    updates: Sender<GooseMetric>,
}

/// The ends that are listened to, and what was heard.
#[derive(Debug)]
pub(crate) struct Tap {
    starts: Receiver<bool>,
    ends: Receiver<Option<GooseLog>>,
    updates: Receiver<GooseMetric>,
    /// When the requests began that are under way.
    pub under_way_ns: Vec<u64>,
    /// Requests that are over. They are kept until their transaction is, because until then a scenario may still judge
    /// them.
    pub over: Vec<Answered>,
    /// Judgements of requests that are no longer kept.
    pub judged_too_late: u64,
    /// A stranger's URL, which a scenario requested.
    pub stranger: Option<String>,
}

/// A tap, and what it listens to.
pub(crate) fn tap() -> (Tap, Mouth) {
    let (starts, heard_starts) = unbounded();
    let (ends, heard_ends) = unbounded();
    let (updates, heard_updates) = unbounded();
    let tap = Tap {
        starts: heard_starts,
        ends: heard_ends,
        updates: heard_updates,
        under_way_ns: Vec::new(),
        over: Vec::new(),
        judged_too_late: 0,
        stranger: None,
    };
    (tap, Mouth { starts, ends, updates })
}

impl Mouth {
    /// Gives the user these ends instead of the engine's. Goose's engine then counts nothing, which is all the same to
    /// it: metrics are for its own report, and that is not asked for.
    pub(crate) fn give_to(self, user: &mut GooseUser) {
        user.throttle = Some(self.starts);
        user.is_throttled = true;
        user.logger = Some(self.ends);
        user.metrics_channel = Some(self.updates);
        // On the user alone: it decides whether the logger is told, and names no file there.
        user.config.request_log = Some("doorbuster".to_owned());
    }
}

impl Tap {
    /// Hears what was said up to now. To be called after each poll of a transaction: so a request that starts or ends
    /// in it does so at `now_ns`, to what the rest of that poll took. `is_stranger` says of a URL whether it must not be
    /// requested.
    pub(crate) fn listen(&mut self, now_ns: u64, is_stranger: impl Fn(&str) -> bool) {
        self.under_way_ns.extend(self.starts.try_iter().map(|_| now_ns));
        while let Ok(log) = self.ends.try_recv() {
            // Goose fills in what it believes was not sent for want of time: that was never requested.
            if let Some(GooseLog::Request(metric)) = log
                && metric.coordinated_omission_elapsed == 0
            {
                self.end(Answered { metric, ended_ns: now_ns, judged: false }, &is_stranger);
            }
        }
        while let Ok(metric) = self.updates.try_recv() {
            if let GooseMetric::Request(update) = metric
                && update.update
            {
                match self.over.iter_mut().rev().find(|answered| answered.is_meant_by(&update)) {
                    Some(answered) => {
                        answered.metric = *update;
                        answered.judged = true;
                    }
                    None => self.judged_too_late += 1,
                }
            }
        }
    }

    fn end(&mut self, answered: Answered, is_stranger: &impl Fn(&str) -> bool) {
        let metric = &answered.metric;
        // What scenarios record themselves passes no throttle, and has no URL.
        if metric.raw.method != GooseMethod::Custom {
            self.forget_start(answered.began_ns());
            for url in [&metric.raw.url, &metric.final_url] {
                if is_stranger(url) {
                    self.stranger.get_or_insert_with(|| url.clone());
                }
            }
        }
        self.over.push(answered);
    }

    /// The request that began last was never sent.
    pub(crate) fn never_sent(&mut self) {
        self.under_way_ns.pop();
    }

    /// Of the requests under way, the one that began nearest to `began_ns` is over: a user may have several.
    fn forget_start(&mut self, began_ns: u64) {
        let starts = self.under_way_ns.iter().enumerate();
        if let Some((nearest, _)) = starts.min_by_key(|(_, start_ns)| start_ns.abs_diff(began_ns)) {
            self.under_way_ns.swap_remove(nearest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::tap;

    #[test]
    fn the_start_that_fits_is_forgotten() {
        let (mut tap, _mouth) = tap();
        tap.under_way_ns = vec![1_000, 5_000, 9_000];
        tap.forget_start(4_800);
        tap.forget_start(20_000);
        assert_eq!(tap.under_way_ns, [1_000]);
        tap.forget_start(0);
        tap.forget_start(0);
        assert!(tap.under_way_ns.is_empty());
    }
}
