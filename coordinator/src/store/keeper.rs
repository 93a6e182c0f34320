//! The keeper stands between a probe and its store. The probe hands steps over and goes on at once; the keeper writes them,
//! tries again for as long as it takes, and says how it stands. What waits meanwhile is merged into one step, so that
//! a store that is away for hours costs little more than what changed.

mod waiting;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::{NewLetter, Owner, Step, Store, StoreError, Trouble};
use waiting::{Waiting, step_bytes};

pub(crate) use waiting::Excess;

/// How long it waits after a failure, first and at most; it doubles in between.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// Writes steps of one ledger in the background, in order.
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// That nothing could be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failing {
    /// Since when.
    pub(crate) since: Timestamp,
    /// How often it was tried since then.
    pub(crate) attempts: u64,
    /// Why it failed last.
    pub(crate) why: StoreError,
}

/// How a keeper stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeeperStanding {
    /// Steps that were handed over.
    pub(crate) given: u64,
    /// Steps that were written: what they say is there after a crash.
    pub(crate) kept: u64,
    /// About how many bytes wait.
    pub(crate) waiting_bytes: u64,
    /// Set while nothing can be written.
    pub(crate) failing: Option<Failing>,
    /// What there was no room for.
    pub(crate) excess: Excess,
}

/// What a keeper has to write still, for those who cannot wait until it is written. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Unwritten(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Wakes the task.
    given: Notify,
    /// How many steps were written.
    kept: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    waiting: Waiting,
    /// Bytes of the step that is being written.
    writing_bytes: usize,
    /// Its letters.
    writing_letters: Vec<NewLetter>,
    given: u64,
    failing: Option<Failing>,
    excess: Excess,
}

impl Keeper {
    /// A keeper of the owner's ledger, on the runtime that this is called on.
    pub(crate) fn start(store: Store, owner: Owner) -> Self {
        let shared =
            Arc::new(Shared { state: Mutex::default(), given: Notify::new(), kept: watch::Sender::new(0) });
        let task = tokio::spawn(write(Arc::clone(&shared), store, owner));
        Self { shared, task }
    }

    /// Hands a step over. It is written soon; [`standing`](Self::standing) says when it is.
    pub(crate) fn keep(&self, step: Step) {
        let mut state = self.shared.state();
        state.given += 1;
        let State { waiting, excess, .. } = &mut *state;
        waiting.add(step, excess);
        drop(state);
        self.shared.given.notify_one();
    }

    /// What it has to write still.
    pub(crate) fn unwritten(&self) -> Unwritten {
        Unwritten(Arc::clone(&self.shared))
    }

    /// How it stands.
    pub(crate) fn standing(&self) -> KeeperStanding {
        let kept = *self.shared.kept.borrow();
        let state = self.shared.state();
        KeeperStanding {
            given: state.given,
            kept,
            waiting_bytes: (state.waiting.bytes() + state.writing_bytes) as u64,
            failing: state.failing.clone(),
            excess: state.excess,
        }
    }

    /// Why nothing will be written any more: the ledger is somebody else's.
    pub(crate) fn lost(&self) -> Option<StoreError> {
        let state = self.shared.state();
        let why = state.failing.as_ref().map(|failing| &failing.why);
        why.filter(|why| why.trouble == Trouble::Owned).cloned()
    }

    /// Waits until everything that was handed over so far is written.
    pub(crate) async fn settled(&self) {
        let given = self.shared.state().given;
        let mut kept = self.shared.kept.subscribe();
        // It fails only when the sender is gone, which lives as long as this keeper.
        let _ = kept.wait_for(|kept| *kept >= given).await;
    }

    /// Waits for the end of what is to be written, for so long at most. What is not kept by then, the standing says.
    pub(crate) async fn finish(self, within: Duration) -> KeeperStanding {
        // Late or not: the standing tells.
        let _ = timeout(within, self.settled()).await;
        self.standing()
    }
}

impl Unwritten {
    /// Whether nothing can be written at present.
    pub(crate) fn is_failing(&self) -> bool {
        self.0.state().failing.is_some()
    }

    /// Letters that are not written, the oldest first, once nothing could be written for so many seconds; none before.
    pub(crate) fn letters(&self, now_s: i64, after_s: i64) -> Vec<NewLetter> {
        let state = self.0.state();
        let is_late = |failing: &Failing| now_s.saturating_sub(failing.since.as_second()) >= after_s;
        // What is somebody else's ledger by now is told by them.
        let is_own = |failing: &&Failing| failing.why.trouble != Trouble::Owned;
        if !state.failing.as_ref().filter(is_own).is_some_and(is_late) {
            return Vec::new();
        }
        state.writing_letters.iter().chain(state.waiting.letters()).cloned().collect()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next step to write, and how many are merged in it.
    fn take(&self) -> Option<(Step, u64)> {
        let mut state = self.state();
        let taken = state.waiting.take();
        state.writing_bytes = taken.as_ref().map_or(0, |(step, _)| step_bytes(step));
        state.writing_letters = taken.as_ref().map_or_else(Vec::new, |(step, _)| step.letters.clone());
        taken
    }

    fn succeeded(&self, steps: u64) {
        let mut state = self.state();
        state.writing_bytes = 0;
        state.writing_letters.clear();
        state.failing = None;
        drop(state);
        self.kept.send_modify(|kept| *kept += steps);
    }

    fn failed(&self, step: Step, steps: u64, why: StoreError) {
        let mut state = self.state();
        let State { waiting, writing_bytes, writing_letters, failing, excess, .. } = &mut *state;
        *writing_bytes = 0;
        writing_letters.clear();
        waiting.put_back(step, steps, excess);
        let failing =
            failing.get_or_insert_with(|| Failing { since: Timestamp::now(), attempts: 0, why: why.clone() });
        failing.attempts += 1;
        failing.why = why;
    }
}

async fn write(shared: Arc<Shared>, store: Store, owner: Owner) {
    let mut pause = PAUSE_FIRST;
    loop {
        let Some((step, steps)) = shared.take() else {
            shared.given.notified().await;
            continue;
        };
        match store.save_as(&owner, &step).await {
            Ok(()) => {
                shared.succeeded(steps);
                pause = PAUSE_FIRST;
            }
            Err(why) if why.trouble == Trouble::Owned => {
                // For good: to take it back would be to destroy what the other counts.
                shared.failed(step, steps, why);
                return;
            }
            Err(why) => {
                shared.failed(step, steps, why);
                sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}
