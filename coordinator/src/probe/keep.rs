//! What a probe keeps in the store, and what a rehearsal tells it there. With `letters` the only place that knows the store.

use std::time::Duration;

use doorbuster_model::Plan;
use doorbuster_model::plan::Region;
use doorbuster_model::slo::{AlertView, Saved, Silence, Unsaved};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::letters::Letters;
use super::wall::Wall;
use crate::Error;
use crate::store::{Excess, Keeper, NewLetter, OutboxStanding, Owner, Place, Step, Store, StoreError};

/// How often the store is asked for silences, and for what waits to be delivered.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long what is not written yet is waited for at the end.
const FINISH_WITHIN: Duration = Duration::from_secs(10);
/// How much longer than planned a rehearsal may take before probes no longer believe in it, in seconds.
const REHEARSAL_SPARE_S: i64 = 120;

/// A probe's part of the store.
pub(crate) struct Keep {
    store: Store,
    keeper: Keeper,
    owner: Owner,
    ledger: String,
}

/// What the store has that somebody else may have put there.
#[derive(Clone, Debug)]
pub(crate) struct Looked {
    /// What nobody wants to hear of.
    pub silences: Vec<Silence>,
    /// What waits to be delivered.
    pub outbox: OutboxStanding,
}

/// How it goes with writing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Writing {
    /// Why nothing is written, and since when (seconds since 1970), while that is so.
    pub failing: Option<(String, i64)>,
    /// What waits to be written, in bytes.
    pub waiting_bytes: u64,
    /// What there was no room for.
    pub excess: Excess,
}

/// The ledger of those who load a host, by which probes of it hear of them. No plan has such a name.
fn host_ledger(host: &str) -> String {
    format!("host/{host}")
}

/// The ledgers of all hosts that a plan's regions go to.
fn host_ledgers(plan: &Plan) -> Vec<String> {
    let host = |region: &Region| plan.target_of(region)?.host_str().map(host_ledger);
    let mut ledgers: Vec<String> = plan.regions.iter().filter_map(host).collect();
    ledgers.sort_unstable();
    ledgers.dedup();
    ledgers
}

/// Whether it is a file that nobody has made yet.
fn is_missing(place: &Place) -> bool {
    matches!(place, Place::Sqlite(file) if !file.exists())
}

/// What was saved of a plan's ledger; `None` where nothing was.
///
/// # Errors
/// When the store cannot be read.
pub(crate) async fn saved(place: &Place, ledger: &str) -> Result<Option<Saved>, Error> {
    if is_missing(place) {
        return Ok(None);
    }
    let store = Store::open(place).await?;
    let saved = store.load(ledger).await;
    store.close().await;
    Ok(saved?)
}

impl Keep {
    /// Opens the store for this run, and reads what was saved of the ledger.
    ///
    /// # Errors
    /// When the store cannot be opened or read: without what was counted before, budgets would be wrong. When another
    /// probe counts into the same ledger.
    pub(crate) async fn open(place: &Place, ledger: &str, run: &str) -> Result<(Self, Option<Saved>), Error> {
        let store = Store::open(place).await?;
        let owner = store.own(ledger, run).await?;
        let saved = store.load(ledger).await?;
        let keeper = Keeper::start(store.clone(), owner.clone());
        Ok((Self { store, keeper, owner, ledger: ledger.to_owned() }, saved))
    }

    /// Why this probe must end: another one counts into its ledger.
    pub(crate) fn lost(&self) -> Option<Error> {
        self.keeper.lost().map(Error::from)
    }

    /// Letters that are to be delivered, written or not.
    pub(crate) fn letters(&self) -> Letters {
        Letters::new(self.store.clone(), self.keeper.unwritten())
    }

    /// Keeps what changed with the letters about it: all of it, or nothing. Never waits.
    pub(crate) fn keep(&self, unsaved: Unsaved, letters: Vec<NewLetter>, alerts: Vec<AlertView>) {
        let Unsaved { pages, dropped, memo } = unsaved;
        self.keeper.keep(Step { pages, dropped, memo, letters, alerts });
    }

    /// How it goes with writing.
    pub(crate) fn writing(&self) -> Writing {
        let standing = self.keeper.standing();
        let failing = standing.failing.map(|failing| (failing.why.to_string(), failing.since.as_second()));
        Writing { failing, waiting_bytes: standing.waiting_bytes, excess: standing.excess }
    }

    /// Looks into the store now and then, as often as it can be read. `plan` says which hosts' rehearsals are of interest,
    /// and what is planned.
    pub(crate) fn look(&self, plan: &Plan) -> mpsc::Receiver<Looked> {
        let (sender, receiver) = mpsc::channel(1);
        let (store, own, planned) = (self.store.clone(), self.ledger.clone(), planned(plan));
        let mut ledgers = host_ledgers(plan);
        ledgers.push(own.clone());
        tokio::spawn(async move {
            let mut every = interval(LOOK_EVERY);
            every.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                every.tick().await;
                // What cannot be read now is what it was.
                let Ok(mut looked) = looked(&store, &own, &ledgers).await else { continue };
                looked.silences.extend(planned.iter().cloned());
                if sender.send(looked).await.is_err() {
                    return;
                }
            }
        });
        receiver
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// When that takes too long: then the last seconds are lost.
    pub(crate) async fn finish(self) -> Result<(), Error> {
        let standing = self.keeper.finish(FINISH_WITHIN).await;
        if standing.kept < standing.given {
            let why = standing
                .failing
                .map_or_else(|| "it takes too long".to_owned(), |failing| failing.why.to_string());
            let source = std::io::Error::other(why);
            return Err(Error::System { what: "saving the last seconds of the probe", source });
        }
        // Where that fails, it is free by itself once this process has ended.
        let _ = self.store.disown(&self.owner).await;
        self.store.close().await;
        Ok(())
    }
}

async fn looked(store: &Store, own: &str, ledgers: &[String]) -> Result<Looked, StoreError> {
    let mut silences = Vec::new();
    for ledger in ledgers {
        silences.extend(store.silences(ledger).await?);
    }
    Ok(Looked { silences, outbox: store.outbox_standing(own).await? })
}

/// The plan's own maintenance windows.
fn planned(plan: &Plan) -> Vec<Silence> {
    let windows = plan.alerts.maintenance.iter().enumerate();
    windows
        .map(|(number, window)| Silence {
            id: format!("plan-{number}"),
            objective: None,
            scope: None,
            from_s: window.from_s,
            to_s: window.to_s,
            reason: window.reason.clone(),
        })
        .collect()
}

/// A rehearsal that probes of the same hosts were told of, so that nobody is woken by it.
pub(crate) struct Announced {
    place: Place,
    ledgers: Vec<String>,
    id: String,
}

/// Tells probes of a plan's hosts that it is loaded from now on. `None` where nobody ever kept anything: there is no store.
///
/// # Errors
/// When there is a store that cannot be written.
pub(crate) async fn announce(place: &Place, plan: &Plan, run: &str) -> Result<Option<Announced>, Error> {
    if is_missing(place) {
        return Ok(None);
    }
    let store = Store::open(place).await?;
    let from_s = Wall::system().now_s();
    let planned_s = plan.load.pace.length_ns().div_ceil(1_000_000_000) + plan.graceful.as_secs();
    let length_s = i64::try_from(planned_s).unwrap_or(i64::MAX).saturating_add(REHEARSAL_SPARE_S);
    let silence = Silence {
        id: run.to_owned(),
        objective: None,
        scope: None,
        from_s,
        to_s: from_s.saturating_add(length_s),
        reason: format!("rehearsal {run} of \"{}\"", plan.name),
    };
    let ledgers = host_ledgers(plan);
    for ledger in &ledgers {
        store.put_silence(ledger, &silence).await?;
    }
    store.close().await;
    Ok(Some(Announced { place: place.clone(), ledgers, id: run.to_owned() }))
}

impl Announced {
    /// Tells them that it is over. Where that fails, it is over by itself once the planned time has passed.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub(crate) async fn take_back(self) -> Result<(), Error> {
        let store = Store::open(&self.place).await?;
        for ledger in &self.ledgers {
            store.drop_silence(ledger, &self.id).await?;
        }
        store.close().await;
        Ok(())
    }
}
