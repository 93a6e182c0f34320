//! The outbox of a probe: letters in the store, and, while the store takes nothing, those that wait to be written. People
//! are told in time then, and by the same keys, so that receivers drop what comes again should this process die.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::notify::outbox::Outbox;
use crate::store::{Letter, NewLetter, Store, StoreError, Unwritten};

/// For how long nothing can be written before letters go out all the same, in seconds.
const PATIENCE_S: i64 = 30;
/// How long a letter that the store has by now is remembered, in seconds.
const REMEMBERED_S: i64 = 86_400;
/// How many letters of the store are looked at for those that come before others.
const LOOKED_AT_MAX: u32 = 20_000;

/// Letters in the store, and those on their way there.
pub(crate) struct Letters {
    store: Store,
    unwritten: Unwritten,
    memory: Mutex<Memory>,
}

/// To whom, about which incident, and which of its letters.
type Key = (String, String, u32);
/// To whom, and about which incident.
type Pair = (String, String);

/// What is known of letters that the store does not know.
#[derive(Debug, Default)]
struct Memory {
    /// Letters that went out, or are to, before they were written.
    early: BTreeMap<Key, Early>,
    /// What became of letters in the store, where it could not be noted there.
    unnoted: BTreeMap<i64, Unnoted>,
    /// The number of the last early letter; they count down from -1, and the store's up from 1.
    last_id: i64,
    /// Early letters that were delivered.
    delivered: u64,
}

#[derive(Debug)]
struct Early {
    id: i64,
    made_at_s: i64,
    next_at_s: i64,
    attempts: u32,
    end: Option<Note>,
}

#[derive(Debug)]
struct Unnoted {
    note: Note,
    times: u32,
}

/// What became of a letter.
#[derive(Clone, Debug)]
enum Note {
    Delivered { at_s: i64 },
    Failed { next_at_s: i64, why: String },
    Refused { at_s: i64, why: String },
}

impl Letters {
    pub(crate) fn new(store: Store, unwritten: Unwritten) -> Self {
        Self { store, unwritten, memory: Mutex::default() }
    }

    /// How many letters were delivered before they were written, since this process began.
    pub(crate) fn early(&self) -> u64 {
        self.memory().delivered
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn note(&self, id: i64, note: Note) -> Result<(), StoreError> {
        if id < 0 {
            self.memory().note_early(id, note);
            return Ok(());
        }
        if self.unwritten.is_failing() {
            self.memory().note_later(id, note);
            return Ok(());
        }
        self.write(id, &note).await
    }

    async fn write(&self, id: i64, note: &Note) -> Result<(), StoreError> {
        match note {
            Note::Delivered { at_s } => self.store.letter_delivered(id, *at_s).await,
            Note::Failed { next_at_s, why } => self.store.letter_failed(id, *next_at_s, why).await,
            Note::Refused { at_s, why } => self.store.letter_refused(id, *at_s, why).await,
        }
    }

    /// Notes what could not be noted, once the store takes it again.
    async fn catch_up(&self) -> Result<(), StoreError> {
        if self.unwritten.is_failing() {
            return Ok(());
        }
        let unnoted: Vec<(i64, Note)> =
            self.memory().unnoted.iter().map(|(id, unnoted)| (*id, unnoted.note.clone())).collect();
        for (id, note) in unnoted {
            self.write(id, &note).await?;
            self.memory().unnoted.remove(&id);
        }
        Ok(())
    }

    /// Those of the store's letters that are to be delivered still; what went out early is noted.
    async fn left(&self, letters: Vec<Letter>, now_s: i64) -> Result<Vec<Letter>, StoreError> {
        let mut left = Vec::with_capacity(letters.len());
        for mut letter in letters {
            let end = self.memory().early.get(&key_of(&letter)).and_then(|early| early.end.clone());
            if let Some(end) = end {
                self.note(letter.id, end).await?;
                self.memory().early.remove(&key_of(&letter));
            } else if self.memory().is_open(&mut letter, now_s) {
                left.push(letter);
            }
        }
        Ok(left)
    }
}

impl Outbox for Letters {
    type Error = StoreError;

    async fn letters_due(&self, ledger: &str, now_s: i64, limit: u32) -> Result<Vec<Letter>, StoreError> {
        // Before the store is looked into: what is written meanwhile is then found in both rather than in neither.
        let waiting = self.unwritten.letters(now_s, PATIENCE_S);
        self.catch_up().await?;
        let found = match self.store.letters_due(ledger, now_s, limit).await {
            Err(why) if waiting.is_empty() => return Err(why),
            // That it cannot be read either, whoever writes into it says.
            found => found.unwrap_or_default(),
        };
        let mut due = self.left(found, now_s).await?;
        if !waiting.is_empty() {
            // Nothing overtakes an earlier letter of the same incident that waits in the store for its next attempt.
            let before = self.store.letters_due(ledger, i64::MAX, LOOKED_AT_MAX).await.unwrap_or_default();
            let before = self.left(before, i64::MAX).await?;
            let pairs = before.into_iter().map(|letter| (letter.notifier, letter.incident)).collect();
            due.extend(self.memory().due(waiting, pairs, now_s));
            due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        } else {
            self.memory().forget(now_s);
        }
        Ok(due)
    }

    async fn letter_delivered(&self, id: i64, at_s: i64) -> Result<(), StoreError> {
        self.note(id, Note::Delivered { at_s }).await
    }

    async fn letter_failed(&self, id: i64, next_at_s: i64, why: &str) -> Result<(), StoreError> {
        self.note(id, Note::Failed { next_at_s, why: why.to_owned() }).await
    }

    async fn letter_refused(&self, id: i64, at_s: i64, why: &str) -> Result<(), StoreError> {
        self.note(id, Note::Refused { at_s, why: why.to_owned() }).await
    }
}

impl Memory {
    /// Letters that are due though they are not written, of each incident and notifier the first that has not come to its
    /// end; none of those pairs for which an earlier one waits in the store.
    fn due(&mut self, waiting: Vec<NewLetter>, mut pairs: BTreeSet<Pair>, now_s: i64) -> Vec<Letter> {
        let mut due = Vec::new();
        for letter in waiting {
            let key = (letter.notifier.clone(), letter.incident.clone(), letter.sequence);
            let pair = (letter.notifier.clone(), letter.incident.clone());
            let last_id = &mut self.last_id;
            let early = self.early.entry(key).or_insert_with(|| {
                *last_id -= 1;
                let (made_at_s, next_at_s) = (letter.made_at_s, letter.made_at_s);
                Early { id: *last_id, made_at_s, next_at_s, attempts: 0, end: None }
            });
            if early.end.is_some() || !pairs.insert(pair) || early.next_at_s > now_s {
                continue;
            }
            due.push(Letter {
                id: early.id,
                notifier: letter.notifier,
                incident: letter.incident,
                sequence: letter.sequence,
                payload: letter.payload,
                made_at_s: letter.made_at_s,
                attempts: early.attempts,
            });
        }
        due
    }

    fn note_early(&mut self, id: i64, note: Note) {
        // One that was forgotten is the store's by now.
        let Some(early) = self.early.values_mut().find(|early| early.id == id) else { return };
        early.attempts = early.attempts.saturating_add(1);
        match note {
            Note::Failed { next_at_s, .. } => early.next_at_s = next_at_s,
            Note::Delivered { .. } => {
                self.delivered += 1;
                early.end = Some(note);
            }
            Note::Refused { .. } => early.end = Some(note),
        }
    }

    fn note_later(&mut self, id: i64, note: Note) {
        let times = self.unnoted.get(&id).map_or(0, |before| before.times);
        self.unnoted.insert(id, Unnoted { note, times: times.saturating_add(1) });
    }

    /// Whether a letter of the store has not come to its end and is due, as far as is known here; with its attempts.
    fn is_open(&self, letter: &mut Letter, now_s: i64) -> bool {
        let Some(unnoted) = self.unnoted.get(&letter.id) else { return true };
        letter.attempts = letter.attempts.saturating_add(unnoted.times);
        matches!(unnoted.note, Note::Failed { next_at_s, .. } if next_at_s <= now_s)
    }

    /// Forgets what the store took over long ago.
    fn forget(&mut self, now_s: i64) {
        let is_young = |early: &Early| now_s.saturating_sub(early.made_at_s) < REMEMBERED_S;
        // What was delivered stays until the store has it, so that nobody is told twice.
        self.early.retain(|_, early| early.end.is_some() || is_young(early));
    }
}

fn key_of(letter: &Letter) -> Key {
    (letter.notifier.clone(), letter.incident.clone(), letter.sequence)
}

#[cfg(test)]
#[path = "letters/tests.rs"]
mod tests;
