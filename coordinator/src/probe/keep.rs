//! What a probe keeps in the store, and what a rehearsal tells it there. With `letters` the only place that knows the store.

use std::collections::BTreeMap;
use std::time::Duration;

use doorbuster_model::Plan;
use doorbuster_model::slo::{AlertView, Saved, Scope, Silence, Unsaved};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use url::Url;

use super::letters::Letters;
use super::wall::Wall;
use crate::Error;
use crate::export::traffic::PERIOD_S;
use crate::store::{Excess, Keeper, NewLetter, OutboxStanding, Owner, Place, Step, Store, StoreError};

/// How often the store is asked for silences, and for what waits to be delivered.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long what is not written yet is waited for at the end.
const FINISH_WITHIN: Duration = Duration::from_secs(10);
/// How much longer than planned a rehearsal may take before probes no longer believe in it, in seconds.
const REHEARSAL_SPARE_S: i64 = 120;
/// How long it stays known that a server was rehearsed, in seconds.
const REMEMBERED_S: i64 = 86_400;

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
    /// When the plan's servers were rehearsed, or are.
    pub rehearsals: Rehearsals,
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

/// The ledger of those who load a server, by which probes of it hear of them. No plan has such a name.
fn server_ledger(target: &Url) -> Option<String> {
    Some(format!("host/{}:{}", target.host_str()?, target.port_or_known_default()?))
}

/// The ledgers of all servers that a plan's regions go to, with the names of these regions.
fn server_ledgers(plan: &Plan) -> BTreeMap<String, Vec<String>> {
    let mut ledgers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for region in &plan.regions {
        if let Some(ledger) = plan.target_of(region).and_then(server_ledger) {
            ledgers.entry(ledger).or_default().push(region.name.clone());
        }
    }
    ledgers
}

/// A rehearsal as silences of those who probe the same server: of these regions, and of all together, which they are
/// part of. Regions that go elsewhere stay loud.
fn silences_of(rehearsal: &Silence, regions: &[String]) -> Vec<Silence> {
    let global = Silence { scope: Some(Scope::Global), ..rehearsal.clone() };
    let of_region = |name: &String| Silence {
        id: format!("{}/{name}", rehearsal.id),
        scope: Some(Scope::Region(name.clone())),
        ..rehearsal.clone()
    };
    std::iter::once(global).chain(regions.iter().map(of_region)).collect()
}

/// When rehearsals of a plan's servers went on, or are to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rehearsals(Vec<(i64, i64)>);

impl Rehearsals {
    /// Whether one went on in the minute that ended then: its real traffic is no shopper's.
    pub(crate) fn cover(&self, minute_end_s: i64) -> bool {
        self.0.iter().any(|(from_s, to_s)| *from_s < minute_end_s && *to_s > minute_end_s - PERIOD_S)
    }
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
        let servers = server_ledgers(plan);
        tokio::spawn(async move {
            let mut every = interval(LOOK_EVERY);
            every.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                every.tick().await;
                // What cannot be read now is what it was.
                let Ok(mut looked) = looked(&store, &own, &servers).await else { continue };
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

async fn looked(
    store: &Store,
    own: &str,
    servers: &BTreeMap<String, Vec<String>>,
) -> Result<Looked, StoreError> {
    let now_s = Wall::system().now_s();
    let mut silences = store.silences(own).await?;
    let mut rehearsals = Rehearsals::default();
    for (ledger, regions) in servers {
        for rehearsal in store.silences(ledger).await? {
            rehearsals.0.push((rehearsal.from_s, rehearsal.to_s));
            if rehearsal.to_s > now_s {
                silences.extend(silences_of(&rehearsal, regions));
            }
        }
    }
    Ok(Looked { silences, rehearsals, outbox: store.outbox_standing(own).await? })
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
    silence: Silence,
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
    let ledgers: Vec<String> = server_ledgers(plan).into_keys().collect();
    for ledger in &ledgers {
        store.put_silence(ledger, &silence).await?;
        for old in store.silences(ledger).await? {
            if old.to_s < from_s - REMEMBERED_S {
                store.drop_silence(ledger, &old.id).await?;
            }
        }
    }
    store.close().await;
    Ok(Some(Announced { place: place.clone(), ledgers, silence }))
}

impl Announced {
    /// Tells them that it is over. Where that fails, it is over by itself once the planned time has passed.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub(crate) async fn take_back(self) -> Result<(), Error> {
        let store = Store::open(&self.place).await?;
        // It stays known for a while: real traffic of its minutes is read later.
        let over = Silence { to_s: Wall::system().now_s(), ..self.silence };
        for ledger in &self.ledgers {
            store.put_silence(ledger, &over).await?;
        }
        store.close().await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Plan {
        let load = "load: { arrivals: [{ hold: 1/s, for: 1s }] }";
        Plan::read("plan.yaml", &format!("name: shop\njourneys: [browse]\n{load}\n{text}")).unwrap()
    }

    #[test]
    fn a_server_is_a_host_and_a_port() {
        let near = plan("target: \"https://shop.example.com\"\nregions: [tokyo, london]\n");
        let both = vec!["tokyo".to_owned(), "london".to_owned()];
        assert_eq!(server_ledgers(&near), BTreeMap::from([("host/shop.example.com:443".to_owned(), both)]));
        let other = plan("target: \"http://shop.example.com:8080\"\nregions: [tokyo]\n");
        assert!(server_ledgers(&other).contains_key("host/shop.example.com:8080"));
    }

    #[test]
    fn a_rehearsal_silences_those_who_probe_the_same_server() {
        let rehearsal = Silence {
            id: "run".to_owned(),
            objective: None,
            scope: None,
            from_s: 100,
            to_s: 200,
            reason: "rehearsal".to_owned(),
        };
        let silences = silences_of(&rehearsal, &["tokyo".to_owned()]);
        let tokyo = Scope::Region("tokyo".to_owned());
        let are_silent = |scope: &Scope| silences.iter().any(|silence| silence.covers(None, scope, 150));
        assert!(are_silent(&tokyo) && are_silent(&Scope::Global));
        assert!(!are_silent(&Scope::Region("london".to_owned())), "it goes elsewhere");
        assert_ne!(silences[0].id, silences[1].id);
    }

    #[test]
    fn minutes_with_any_of_a_rehearsal_are_covered() {
        let rehearsals = Rehearsals(vec![(1_000, 1_090)]);
        for minute_end_s in [1_020, 1_080, 1_140] {
            assert!(rehearsals.cover(minute_end_s), "{minute_end_s}");
        }
        for minute_end_s in [960, 1_000, 1_150] {
            assert!(!rehearsals.cover(minute_end_s), "{minute_end_s}");
        }
    }

    #[tokio::test]
    async fn a_rehearsal_that_is_over_silences_nobody_and_stays_known() {
        let folder = std::env::temp_dir().join(format!("doorbuster-keep-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let place = Place::Sqlite(folder.join("doorbuster.db"));
        let plan = plan("target: \"https://shop.example.com\"\nregions: [tokyo]\n");
        assert!(announce(&place, &plan, "run").await.unwrap().is_none(), "there is no store");
        let store = Store::open(&place).await.unwrap();
        let announced = announce(&place, &plan, "run").await.unwrap().unwrap();
        let servers = server_ledgers(&plan);
        let during = looked(&store, "shop", &servers).await.unwrap();
        let now_s = Wall::system().now_s();
        assert_eq!(during.silences.len(), 2);
        assert!(during.rehearsals.cover(now_s + 1));
        announced.take_back().await.unwrap();
        let after = looked(&store, "shop", &servers).await.unwrap();
        assert!(after.silences.is_empty());
        assert!(after.rehearsals.cover(now_s + 1) && !after.rehearsals.cover(now_s + 600));
        store.close().await;
        let _ = std::fs::remove_dir_all(&folder);
    }
}
