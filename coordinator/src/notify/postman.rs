//! The postman: takes due letters from the outbox, delivers them and notes what became of them.
//!
//! Of each notifier and incident one letter is under way at a time, so that nobody hears of an end before its beginning.
//! A notifier has a few letters under way at a time, so that a slow one holds up no other. A letter that was delivered
//! but could not be noted, because the coordinator died, is delivered again, under the same key.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use doorbuster_model::slo::{AlertStatus, Notice};
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::answer::NotDelivered;
use super::backoff::next_at_s;
use super::outbox::Outbox;
use super::reminders::{Pair, Reminders};
use super::{Notifier, Notifiers};
use crate::store::Letter;

/// How often the outbox is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How soon it is looked at again when a letter has made room for another.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How long letters under way may take to end when the postman is told to stop.
const END_WITHIN: Duration = Duration::from_millis(1_500);
/// How long to wait before noting something again that the outbox did not take.
const NOTE_AGAIN: Duration = Duration::from_secs(1);
/// The most letters of a notifier that are under way.
const UNDER_WAY_MAX: usize = 4;
/// How many due letters are looked at, at first and at most.
const DUE: u32 = 200;
const DUE_MAX: u32 = 20_000;
/// A letter that was written longer ago than this is given up when its delivery fails.
const OLD_S: i64 = 86_400;

/// Unix seconds, now.
pub(crate) type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The way to receivers.
pub(crate) trait Post: Send + Sync + 'static {
    /// The notifiers that forget what fires unless they are told anew.
    fn forgetful(&self) -> Vec<String>;

    /// Hands a notice to a notifier, once.
    fn deliver(
        &self,
        notifier: &str,
        notice: &Notice,
    ) -> impl Future<Output = Result<(), NotDelivered>> + Send;
}

impl Post for Notifiers {
    fn forgetful(&self) -> Vec<String> {
        let forgetful = self.iter().filter(|notifier| notifier.forgets());
        forgetful.map(Notifier::name).map(str::to_owned).collect()
    }

    async fn deliver(&self, notifier: &str, notice: &Notice) -> Result<(), NotDelivered> {
        self.send(notifier, notice, false).await.map(|_status| ())
    }
}

/// The postman of one ledger.
pub(crate) struct Postman<O, P> {
    round: Arc<Round<O, P>>,
    /// What fires and has to be repeated.
    reminders: Reminders,
    under_way: JoinSet<Option<Notice>>,
    /// What each task is about.
    pairs: HashMap<Id, Pair>,
    /// How many due letters are looked at.
    due: u32,
}

/// What every letter under way needs.
struct Round<O, P> {
    ledger: String,
    outbox: Arc<O>,
    post: P,
    clock: Clock,
    trouble: watch::Sender<Trouble>,
}

/// Why the outbox cannot be used, while it cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// Why letters cannot be read.
    pub(crate) reading: Option<String>,
    /// Why what became of letters cannot be noted.
    pub(crate) writing: Option<String>,
}

/// What became of a letter.
enum Outcome {
    Delivered,
    Failed { next_at_s: i64, why: String },
    Refused(String),
}

impl<O: Outbox, P: Post> Postman<O, P> {
    /// A postman for the letters of `ledger`. `firing` is what fires already: of a ledger that was restored, the notices
    /// that it would send if it fired now, because who forgets must be told anew; summaries and details may differ from
    /// what was sent.
    pub(crate) fn new(ledger: &str, outbox: Arc<O>, post: P, clock: Clock, firing: &[Notice]) -> Self {
        let reminders = Reminders::new(post.forgetful(), firing);
        let trouble = watch::Sender::new(Trouble::default());
        let round = Round { ledger: ledger.to_owned(), outbox, post, clock, trouble };
        let (under_way, pairs) = (JoinSet::new(), HashMap::new());
        Self { round: Arc::new(round), reminders, under_way, pairs, due: DUE }
    }

    /// Reminds at other intervals.
    #[cfg(test)]
    pub(super) fn reminding_every(self, every: Duration) -> Self {
        Self { reminders: self.reminders.every(every), ..self }
    }

    /// Why the outbox cannot be used, while it cannot.
    pub(crate) fn trouble(&self) -> watch::Receiver<Trouble> {
        self.round.trouble.subscribe()
    }

    /// Delivers letters until `stop` is over, and then for 1.5 s those that are under way.
    pub(crate) async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = stop => {}
            () = self.work() => {}
        }
        let ending = async { while self.under_way.join_next().await.is_some() {} };
        // What has not ended by then is delivered again by the next postman.
        let _ = timeout(END_WITHIN, ending).await;
    }

    async fn work(&mut self) {
        loop {
            self.look().await;
            let (mut next, soonest) = (Instant::now() + LOOK_EVERY, Instant::now() + LOOK_AGAIN);
            loop {
                tokio::select! {
                    () = sleep_until(next) => break,
                    Some(ended) = self.under_way.join_next_with_id() => {
                        self.ended(ended);
                        next = next.min(soonest);
                    }
                }
            }
        }
    }

    /// Begins with the letters that are due, and reminds.
    async fn look(&mut self) {
        let now_s = (self.round.clock)();
        let due = self.round.outbox.letters_due(&self.round.ledger, now_s, self.due).await;
        self.round.say(|trouble| &mut trouble.reading, due.as_ref().err());
        for letter in self.room(due.unwrap_or_default()) {
            let pair = (letter.notifier.clone(), letter.incident.clone());
            let notice = serde_json::from_str::<Notice>(&letter.payload).map_err(|error| error.to_string());
            if notice.as_ref().is_ok_and(|notice| notice.status == AlertStatus::Resolved) {
                self.reminders.end(&pair);
            }
            let task = self.under_way.spawn(Arc::clone(&self.round).letter(letter, notice));
            self.pairs.insert(task.id(), pair);
        }
        for (pair, notice) in self.reminders.due() {
            if self.has_room(&pair) {
                self.reminders.reminded(&pair);
                let task = self.under_way.spawn(Arc::clone(&self.round).reminder(pair.0.clone(), notice));
                self.pairs.insert(task.id(), pair);
            }
        }
    }

    /// Those of the due letters that may begin. Where all that were looked at have to wait, more are looked at next time,
    /// so that letters to whom nobody hangs are found behind those to somebody who does.
    fn room(&mut self, due: Vec<Letter>) -> Vec<Letter> {
        let found = u32::try_from(due.len()).unwrap_or(u32::MAX);
        let mut beginning: Vec<Letter> = Vec::new();
        for letter in due {
            let of_notifier = beginning.iter().filter(|other| other.notifier == letter.notifier).count();
            let pair = (letter.notifier.clone(), letter.incident.clone());
            if self.has_room_beside(&pair, of_notifier) {
                beginning.push(letter);
            }
        }
        if found >= self.due {
            self.due = self.due.saturating_mul(2).min(DUE_MAX);
        } else if found < self.due / 4 {
            self.due = DUE;
        }
        beginning
    }

    fn has_room(&self, pair: &Pair) -> bool {
        self.has_room_beside(pair, 0)
    }

    /// Whether one more may be under way to a notifier, besides `more` that are about to be.
    fn has_room_beside(&self, pair: &Pair, more: usize) -> bool {
        let of_notifier = self.pairs.values().filter(|known| known.0 == pair.0).count();
        of_notifier + more < UNDER_WAY_MAX && self.pairs.values().all(|known| known != pair)
    }

    /// Notes that a task has ended, and what it leaves to be repeated.
    fn ended(&mut self, ended: Result<(Id, Option<Notice>), JoinError>) {
        let (id, firing) = ended.unwrap_or_else(|error| (error.id(), None));
        if let (Some(pair), Some(notice)) = (self.pairs.remove(&id), firing) {
            self.reminders.begin(pair, notice);
        }
    }
}

impl<O: Outbox, P: Post> Round<O, P> {
    /// Delivers a letter and notes what became of it. The notice, if it was delivered and fires.
    async fn letter(self: Arc<Self>, letter: Letter, notice: Result<Notice, String>) -> Option<Notice> {
        let notice = match notice {
            Ok(notice) => notice,
            Err(why) => {
                self.note(letter.id, &Outcome::Refused(format!("the letter cannot be read: {why}"))).await;
                return None;
            }
        };
        let delivered = self.post.deliver(&letter.notifier, &notice).await;
        let outcome = self.outcome(&letter, delivered);
        self.note(letter.id, &outcome).await;
        let is_firing = notice.status == AlertStatus::Firing;
        (matches!(outcome, Outcome::Delivered) && is_firing).then_some(notice)
    }

    /// Tells a notifier anew what it was told.
    async fn reminder(self: Arc<Self>, notifier: String, notice: Notice) -> Option<Notice> {
        // Whether it arrived makes no difference: the next one comes soon.
        let _ = self.post.deliver(&notifier, &notice).await;
        None
    }

    fn outcome(&self, letter: &Letter, delivered: Result<(), NotDelivered>) -> Outcome {
        let now_s = (self.clock)();
        match delivered {
            Ok(()) => Outcome::Delivered,
            Err(NotDelivered::Refused(why)) => Outcome::Refused(why),
            Err(NotDelivered::Retry { why, .. }) if now_s - letter.made_at_s >= OLD_S => {
                Outcome::Refused(format!("given up after {} h: {why}", OLD_S / 3_600))
            }
            Err(NotDelivered::Retry { why, after_s }) => {
                let attempt = letter.attempts.saturating_add(1);
                Outcome::Failed { next_at_s: next_at_s(now_s, letter.id, attempt, after_s), why }
            }
        }
    }

    /// Notes an outcome, however often it takes: until then the letter stays under way, so that it is not sent again.
    async fn note(&self, id: i64, outcome: &Outcome) {
        loop {
            let now_s = (self.clock)();
            let noted = match outcome {
                Outcome::Delivered => self.outbox.letter_delivered(id, now_s).await,
                Outcome::Failed { next_at_s, why } => self.outbox.letter_failed(id, *next_at_s, why).await,
                Outcome::Refused(why) => self.outbox.letter_refused(id, now_s, why).await,
            };
            self.say(|trouble| &mut trouble.writing, noted.as_ref().err());
            if noted.is_ok() {
                return;
            }
            sleep(NOTE_AGAIN).await;
        }
    }

    /// Says why one side of the outbox cannot be used, or that it can.
    fn say(&self, side: fn(&mut Trouble) -> &mut Option<String>, error: Option<&O::Error>) {
        let why = error.map(ToString::to_string);
        self.trouble.send_if_modified(|trouble| {
            let said = side(trouble);
            let is_new = *said != why;
            *said = why;
            is_new
        });
    }
}
