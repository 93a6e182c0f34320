//! A post office without a store and without receivers: an outbox in memory, and receivers that are functions.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::{AlertStatus, BEGAN_S, Notice, notice};
use crate::notify::NotDelivered;
use crate::notify::outbox::Outbox;
use crate::notify::postman::{Clock, Post, Postman};
use crate::store::Letter;

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Delivered(i64),
    Refused(i64, String),
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) letter: Letter,
    pub(super) next_at_s: i64,
    pub(super) end: Option<End>,
    pub(super) failures: Vec<String>,
}

/// An outbox in memory, as the store has it.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) rows: Mutex<Vec<Row>>,
    /// While it is, nothing can be noted.
    pub(super) is_full: AtomicBool,
}

impl Memory {
    /// Writes a letter.
    pub(super) fn add(&self, notifier: &str, notice: &Notice, made_at_s: i64) {
        let mut rows = self.rows.lock().unwrap();
        let letter = Letter {
            id: i64::try_from(rows.len()).unwrap() + 1,
            notifier: notifier.to_owned(),
            incident: notice.incident.clone(),
            sequence: notice.sequence,
            payload: serde_json::to_string(notice).unwrap(),
            made_at_s,
            attempts: 0,
        };
        rows.push(Row { letter, next_at_s: made_at_s, end: None, failures: Vec::new() });
    }

    pub(super) fn ends(&self) -> Vec<Option<End>> {
        self.rows.lock().unwrap().iter().map(|row| row.end.clone()).collect()
    }

    fn change(&self, id: i64, change: impl FnOnce(&mut Row)) -> Result<(), String> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err("the disk is full".to_owned());
        }
        let mut rows = self.rows.lock().unwrap();
        let row = rows.iter_mut().find(|row| row.letter.id == id).unwrap();
        assert_eq!(row.end, None, "an end is for ever");
        change(row);
        Ok(())
    }
}

impl Outbox for Memory {
    type Error = String;

    async fn letters_due(&self, ledger: &str, now_s: i64, limit: u32) -> Result<Vec<Letter>, String> {
        assert_eq!(ledger, "shop");
        let rows = self.rows.lock().unwrap();
        let mut seen = HashSet::new();
        let waiting = rows.iter().filter(|row| row.end.is_none());
        let first =
            waiting.filter(|row| seen.insert((row.letter.notifier.clone(), row.letter.incident.clone())));
        let due = first.filter(|row| row.next_at_s <= now_s);
        Ok(due.take(usize::try_from(limit).unwrap()).map(|row| row.letter.clone()).collect())
    }

    async fn letter_delivered(&self, id: i64, at_s: i64) -> Result<(), String> {
        self.change(id, |row| row.end = Some(End::Delivered(at_s)))
    }

    async fn letter_failed(&self, id: i64, next_at_s: i64, why: &str) -> Result<(), String> {
        self.change(id, |row| {
            row.next_at_s = next_at_s;
            row.letter.attempts += 1;
            row.failures.push(why.to_owned());
        })
    }

    async fn letter_refused(&self, id: i64, at_s: i64, why: &str) -> Result<(), String> {
        self.change(id, |row| row.end = Some(End::Refused(at_s, why.to_owned())))
    }
}

/// What a receiver does with a notice.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reply {
    Takes,
    TakesAfter(Duration),
    Fails,
    AsksFor(u64),
    Refuses,
    Hangs,
}

/// A notice that came to a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// Since the office opened.
    pub(super) after: Duration,
    pub(super) notifier: String,
    pub(super) incident: String,
    pub(super) sequence: u32,
}

/// To whom, what, and how many came before it.
type Behaviour = dyn Fn(&str, &Notice, usize) -> Reply + Send + Sync;

pub(super) struct Receivers {
    opened: Instant,
    behaviour: Box<Behaviour>,
    sent: Mutex<Vec<Sent>>,
    /// Under way now, and at most.
    now: AtomicUsize,
    most: AtomicUsize,
}

/// Receivers of which `alertmanager` forgets.
impl Post for Arc<Receivers> {
    fn forgetful(&self) -> Vec<String> {
        vec!["alertmanager".to_owned()]
    }

    async fn deliver(&self, notifier: &str, notice: &Notice) -> Result<(), NotDelivered> {
        let before = {
            let mut sent = self.sent.lock().unwrap();
            let before = sent.iter().filter(|sent| sent.notifier == notifier).count();
            let (notifier, incident) = (notifier.to_owned(), notice.incident.clone());
            let after = self.opened.elapsed();
            sent.push(Sent { after, notifier, incident, sequence: notice.sequence });
            before
        };
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        let taken = match (self.behaviour)(notifier, notice, before) {
            Reply::Takes => Ok(()),
            Reply::TakesAfter(wait) => {
                sleep(wait).await;
                Ok(())
            }
            Reply::Fails => Err(NotDelivered::passing("answered 503")),
            Reply::AsksFor(seconds) => {
                Err(NotDelivered::Retry { why: "answered 429".to_owned(), after_s: Some(seconds) })
            }
            Reply::Refuses => Err(NotDelivered::Refused("answered 404".to_owned())),
            Reply::Hangs => std::future::pending().await,
        };
        self.now.fetch_sub(1, Ordering::Relaxed);
        taken
    }
}

/// An office whose clock is the runtime's, from [`BEGAN_S`] on.
pub(super) struct Office {
    pub(super) outbox: Arc<Memory>,
    pub(super) receivers: Arc<Receivers>,
    opened: Instant,
}

/// A postman at work.
pub(super) struct AtWork {
    pub(super) stop: oneshot::Sender<()>,
    pub(super) ended: JoinHandle<()>,
}

impl Office {
    pub(super) fn new(behaviour: impl Fn(&str, &Notice, usize) -> Reply + Send + Sync + 'static) -> Self {
        let opened = Instant::now();
        let receivers = Receivers {
            opened,
            behaviour: Box::new(behaviour),
            sent: Mutex::default(),
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        };
        Self { outbox: Arc::default(), receivers: Arc::new(receivers), opened }
    }

    pub(super) fn now_s(&self) -> i64 {
        BEGAN_S + i64::try_from(self.opened.elapsed().as_secs()).unwrap()
    }

    fn clock(&self) -> Clock {
        let opened = self.opened;
        Arc::new(move || BEGAN_S + i64::try_from(opened.elapsed().as_secs()).unwrap())
    }

    /// Writes a letter about an incident.
    pub(super) fn write(&self, notifier: &str, incident: &str, status: AlertStatus) {
        let at_s = self.now_s();
        let notice = Notice { incident: incident.to_owned(), at_s, ..notice(status) };
        self.outbox.add(notifier, &notice, at_s);
    }

    /// Beginning and end of an incident.
    pub(super) fn write_both(&self, notifier: &str, incident: &str) {
        self.write(notifier, incident, AlertStatus::Firing);
        self.write(notifier, incident, AlertStatus::Resolved);
    }

    pub(super) fn postman(&self, firing: &[Notice]) -> Postman<Memory, Arc<Receivers>> {
        Postman::new("shop", Arc::clone(&self.outbox), Arc::clone(&self.receivers), self.clock(), firing)
    }

    /// Sends a postman to work.
    pub(super) fn open(&self) -> AtWork {
        work(self.postman(&[]))
    }

    /// What came to a receiver: after how long, and which notice.
    pub(super) fn sent_to(&self, notifier: &str) -> Vec<Sent> {
        let sent = self.receivers.sent.lock().unwrap();
        sent.iter().filter(|sent| sent.notifier == notifier).cloned().collect()
    }

    /// The most that was under way at a time.
    pub(super) fn most_under_way(&self) -> usize {
        self.receivers.most.load(Ordering::Relaxed)
    }
}

/// Sends this postman to work.
pub(super) fn work(postman: Postman<Memory, Arc<Receivers>>) -> AtWork {
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async {
        // Nobody who forgets to say so wants it stopped.
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    AtWork { stop, ended: tokio::spawn(postman.run(stopped)) }
}
