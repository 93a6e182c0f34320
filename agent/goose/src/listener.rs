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
pub(crate) struct Senders {
    starts: Sender<bool>,
    ends: Sender<Option<GooseLog>>,
    updates: Sender<GooseMetric>,
}

/// The ends that are listened to, and what was heard.
#[derive(Debug)]
pub(crate) struct Listener {
    starts: Receiver<bool>,
    ends: Receiver<Option<GooseLog>>,
    updates: Receiver<GooseMetric>,
    /// When the requests began that are under way, in their order.
    pub under_way_ns: Vec<u64>,
    /// Requests that are over. They are kept until their transaction is, because until then a scenario may still judge
    /// them.
    pub over: Vec<Answered>,
    /// Requests that the scenario gave up: it dropped them, so Goose says nothing of their end.
    pub given_up: Vec<GivenUp>,
    /// Judgements of requests that are no longer kept.
    pub judged_too_late: u64,
    /// A stranger's URL, which a scenario requested.
    pub stranger: Option<String>,
    /// When it was last listened.
    heard_ns: u64,
}

/// A request without an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GivenUp {
    /// When it began.
    pub began_ns: u64,
    /// When it was given up, as far as that shows: at the user's next request, or with the transaction.
    pub ended_ns: u64,
}

/// A listener, and what it listens to.
pub(crate) fn listener() -> (Listener, Senders) {
    let (starts, heard_starts) = unbounded();
    let (ends, heard_ends) = unbounded();
    let (updates, heard_updates) = unbounded();
    let listener = Listener {
        starts: heard_starts,
        ends: heard_ends,
        updates: heard_updates,
        under_way_ns: Vec::new(),
        over: Vec::new(),
        given_up: Vec::new(),
        judged_too_late: 0,
        stranger: None,
        heard_ns: 0,
    };
    (listener, Senders { starts, ends, updates })
}

impl Senders {
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

impl Listener {
    /// Hears what was said up to now. To be called after each poll of a transaction: so a request that starts or ends
    /// in it does so at `now_ns`, to what the rest of that poll took. `is_stranger` says of a URL whether it must not be
    /// requested.
    pub(crate) fn listen(&mut self, now_ns: u64, is_stranger: impl Fn(&str) -> bool) {
        self.heard_ns = now_ns;
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
        // A user requests one thing at a time, so whatever began before the last was given up.
        self.give_up(self.under_way_ns.len().saturating_sub(1));
    }

    /// Its transaction is over, and with it whatever was under way.
    pub(crate) fn call_ended(&mut self) {
        self.give_up(self.under_way_ns.len());
    }

    /// The first `count` requests under way were given up. Not where clones of the user request, too, whose requests may
    /// go on; nor where the user has gone, whose requests the run's end cuts off.
    fn give_up(&mut self, count: usize) {
        let is_alone = self.starts.sender_count() == 1;
        if count == 0 || !is_alone {
            return;
        }
        let ended_ns = self.heard_ns;
        let dropped = self.under_way_ns.drain(..count);
        // What began and ended within one poll was never sent: it could not be written, and the scenario went on.
        let sent = dropped.filter(|began_ns| *began_ns < ended_ns);
        self.given_up.extend(sent.map(|began_ns| GivenUp { began_ns, ended_ns }));
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
            self.under_way_ns.remove(nearest);
        }
    }
}

#[cfg(test)]
mod tests {
    use goose::logger::GooseLog;
    use goose::metrics::{GooseMetric, GooseRequestMetric};

    use super::{GivenUp, Listener, Senders, listener};
    use crate::meaning::tests::metric;

    const MS: u64 = 1_000_000;

    fn listen(listener: &mut Listener, now_ms: u64) {
        listener.listen(now_ms * MS, |url| url.contains("stranger"));
    }

    fn start(senders: &Senders) {
        senders.starts.send(true).unwrap();
    }

    fn end(senders: &Senders, metric: &GooseRequestMetric) {
        senders.ends.send(Some(GooseLog::Request(metric.clone()))).unwrap();
    }

    fn judge(senders: &Senders, metric: &GooseRequestMetric, success: bool) {
        let update = GooseRequestMetric { update: true, success, ..metric.clone() };
        senders.updates.send(GooseMetric::Request(Box::new(update))).unwrap();
    }

    #[test]
    fn the_start_that_fits_is_forgotten() {
        let (mut listener, _senders) = listener();
        listener.under_way_ns = vec![1_000, 5_000, 9_000];
        listener.forget_start(4_800);
        listener.forget_start(20_000);
        assert_eq!(listener.under_way_ns, [1_000]);
        listener.forget_start(0);
        listener.forget_start(0);
        assert!(listener.under_way_ns.is_empty());
    }

    #[test]
    fn a_request_is_under_way_until_it_is_over() {
        let (mut listener, senders) = listener();
        start(&senders);
        listen(&mut listener, 10);
        assert_eq!(listener.under_way_ns, [10 * MS]);
        end(&senders, &metric("home", 200, 5));
        listen(&mut listener, 15);
        assert!(listener.under_way_ns.is_empty());
        assert_eq!((listener.over[0].began_ns(), listener.over[0].ended_ns), (10 * MS, 15 * MS));
        listener.call_ended();
        assert!(listener.given_up.is_empty() && listener.stranger.is_none());
    }

    #[test]
    fn what_is_dropped_is_given_up_at_the_next_request_or_with_the_call() {
        let (mut listener, senders) = listener();
        start(&senders);
        listen(&mut listener, 10);
        listen(&mut listener, 40);
        assert!(listener.given_up.is_empty());
        start(&senders);
        listen(&mut listener, 110);
        end(&senders, &metric("home", 200, 10));
        start(&senders);
        listen(&mut listener, 120);
        listen(&mut listener, 220);
        listener.call_ended();
        let given_up = |began_ms, ended_ms| GivenUp { began_ns: began_ms * MS, ended_ns: ended_ms * MS };
        assert_eq!(listener.given_up, [given_up(10, 110), given_up(120, 220)]);
        assert_eq!((listener.over.len(), listener.under_way_ns.len()), (1, 0));
    }

    #[test]
    fn what_could_not_be_written_is_no_request() {
        let (mut listener, senders) = listener();
        // Tried twice, and given up by the scenario, all in one poll.
        start(&senders);
        start(&senders);
        listen(&mut listener, 10);
        listener.call_ended();
        assert!(listener.given_up.is_empty() && listener.under_way_ns.is_empty());
    }

    #[test]
    fn requests_of_clones_go_on_beside_each_other_and_after_the_call() {
        let (mut listener, senders) = listener();
        let clone = senders.starts.clone();
        start(&senders);
        clone.send(true).unwrap();
        listen(&mut listener, 10);
        listen(&mut listener, 20);
        listener.call_ended();
        assert_eq!((listener.under_way_ns.len(), listener.given_up.len()), (2, 0));
        end(&senders, &metric("home", 200, 20));
        drop(clone);
        listen(&mut listener, 30);
        listener.call_ended();
        assert_eq!(listener.given_up, [GivenUp { began_ns: 10 * MS, ended_ns: 30 * MS }]);
        // The user has gone, in the midst of two requests: that is for the run's end to judge.
        listener.under_way_ns = vec![MS, 2 * MS];
        drop(senders);
        listen(&mut listener, 50);
        assert_eq!(listener.under_way_ns.len(), 2);
    }

    #[test]
    fn a_scenario_judges_what_is_still_kept() {
        let (mut listener, senders) = listener();
        let [missing, found] =
            [("missing", 404), ("found", 200)].map(|(name, status)| metric(name, status, 5));
        for metric in [&missing, &found] {
            start(&senders);
            end(&senders, metric);
        }
        judge(&senders, &missing, true);
        judge(&senders, &found, false);
        listen(&mut listener, 10);
        let judged: Vec<_> =
            listener.over.iter().map(|answered| (answered.metric.success, answered.judged)).collect();
        assert_eq!(judged, [(true, true), (false, true)]);
        listener.over.clear();
        judge(&senders, &found, true);
        listen(&mut listener, 20);
        assert_eq!((listener.judged_too_late, listener.over.len()), (1, 0));
    }

    #[test]
    fn strangers_are_seen_and_what_was_made_up_is_not() {
        let (mut listener, senders) = listener();
        let made_up = GooseRequestMetric { coordinated_omission_elapsed: 7, ..metric("home", 200, 5) };
        end(&senders, &made_up);
        listen(&mut listener, 10);
        assert!(listener.over.is_empty() && listener.stranger.is_none());
        let redirected =
            GooseRequestMetric { final_url: "http://stranger/".to_owned(), ..metric("home", 200, 5) };
        end(&senders, &redirected);
        listen(&mut listener, 20);
        assert_eq!(listener.stranger.as_deref(), Some("http://stranger/"));
    }
}
