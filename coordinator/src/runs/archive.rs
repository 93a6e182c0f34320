//! All runs that are known: those of the store, and those that only a folder tells of.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;

use super::spool::Seconds;
use super::{Kept, UNFINISHED, folders};
use crate::Error;
use crate::store::{Place, RunHead, Store, StoreError, TickRow};

/// The shortest prefix of an id that is shown: when the run began, to the second.
const PREFIX_CHARS_MIN: usize = 16;
/// How many seconds are read at once.
const SECONDS_AT_ONCE: u32 = 60;

/// A run that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// What a list shows.
    pub(crate) head: RunHead,
    /// Its folder, where that is here.
    pub(crate) folder: Option<PathBuf>,
    /// Whether the store has it.
    pub(crate) is_stored: bool,
}

/// The runs of a data folder and of a store.
pub(crate) struct Archive {
    kept: Kept,
    store: Option<Store>,
    /// Why the store cannot be used.
    pub(crate) trouble: Option<StoreError>,
}

impl Archive {
    /// Opens what there is; nothing is made. Where the store cannot be used, the folders are still there.
    pub(crate) async fn open(kept: &Kept) -> Self {
        let is_there = match &kept.place {
            Place::Sqlite(path) => path.exists(),
            Place::Postgres(_) => true,
        };
        let (store, trouble) = match is_there {
            true => Store::open(&kept.place)
                .await
                .map_or_else(|why| (None, Some(why)), |store| (Some(store), None)),
            false => (None, None),
        };
        Self { kept: kept.clone(), store, trouble }
    }

    /// Closes the store.
    pub(crate) async fn close(self) {
        if let Some(store) = &self.store {
            store.close().await;
        }
    }

    /// All runs that began at a time or later, the newest first.
    pub(crate) async fn runs(&self, since_ms: i64) -> Result<Vec<Known>, Error> {
        let mut folders = folders::all(&self.kept.data_dir)?;
        let mut known = Vec::new();
        if let Some(store) = &self.store {
            for head in store.runs(since_ms).await? {
                let folder = folders.remove(&head.id);
                known.push(Known { head, folder, is_stored: true });
            }
        }
        // An id is drawn before its run begins: what the store leaves out as too old is so by its folder as well.
        for (id, folder) in folders {
            if folders::began_ms(&id).is_some_and(|began_ms| began_ms >= since_ms) {
                let head = folders::head(&id, &folder);
                known.push(Known { head, folder: Some(folder), is_stored: false });
            }
        }
        known.sort_by(|one, other| {
            (other.head.began_ms, &other.head.id).cmp(&(one.head.began_ms, &one.head.id))
        });
        Ok(known)
    }

    /// The run whose id begins so, when it is the only one.
    pub(crate) async fn find(&self, prefix: &str) -> Result<Known, Error> {
        let mut found = self.runs(i64::MIN).await?;
        found.retain(|known| known.head.id.starts_with(prefix));
        match (found.len(), &self.trouble) {
            (1, _) => Ok(found.remove(0)),
            (0, Some(trouble)) => Err(trouble.clone().into()),
            (0, None) => Err(Error::Usage(format!(
                "no run's id begins with \"{prefix}\"; `doorbuster runs list` shows those that are kept"
            ))),
            (count, _) => {
                let some: Vec<&str> = found.iter().take(3).map(|known| known.head.id.as_str()).collect();
                Err(Error::Usage(format!(
                    "{count} runs' ids begin with \"{prefix}\", such as {}; write more of the id",
                    some.join(", ")
                )))
            }
        }
    }

    /// A run's JSON report.
    pub(crate) async fn report(&self, known: &Known) -> Result<Vec<u8>, Error> {
        if let Some(store) = self.store.as_ref().filter(|_| known.is_stored)
            && let Some((report, _)) = store.run(&known.head.id).await?
        {
            return Ok(report);
        }
        let folder = known.folder.clone().unwrap_or_default();
        if known.head.verdict == UNFINISHED {
            return Err(Error::Usage(format!(
                "the run {} has no report: it is still under way, or was stopped before it ended; its plan is in {}",
                known.head.id,
                folder.display()
            )));
        }
        let path = folder.join("report.json");
        fs::read(&path).map_err(|error| Error::Read {
            what: "the report",
            path,
            why: error.to_string(),
            remedy: "check the run's folder",
        })
    }

    /// What each second of a run came to; `None` where that was not kept.
    pub(crate) async fn recorded(&self, known: &Known) -> Result<Option<Recorded<'_>>, Error> {
        if let Some(store) = self.store.as_ref().filter(|_| known.is_stored) {
            let id = known.head.id.clone();
            let seconds = 0..store.seconds(&id).await?;
            let run = store.run(&id).await?;
            return Ok(run.filter(|_| !seconds.is_empty()).map(|(_, journeys)| {
                let from = Source::Store { store, run: id, seconds };
                Recorded { journeys, from }
            }));
        }
        let seconds = known.folder.as_deref().map(Seconds::open).transpose();
        let seconds =
            seconds.map_err(|source| Error::System { what: "reading the seconds of the run", source })?;
        Ok(seconds.flatten().map(|seconds| {
            let journeys = seconds.journeys.clone();
            Recorded { journeys, from: Source::File(seconds) }
        }))
    }

    /// How many bytes each of the runs takes, here and in the store.
    pub(crate) async fn bytes(&self, runs: &[Known]) -> Result<Vec<u64>, Error> {
        let stored = match &self.store {
            Some(store) => store.run_bytes().await?,
            None => Default::default(),
        };
        let bytes = |known: &Known| {
            let folder = known.folder.as_deref().map_or(0, folders::bytes);
            folder.saturating_add(stored.get(&known.head.id).copied().unwrap_or(0))
        };
        Ok(runs.iter().map(bytes).collect())
    }

    /// Removes runs: first from the store, all or none, then their folders.
    pub(crate) async fn remove(&self, runs: &[&Known]) -> Result<(), Error> {
        if let Some(store) = &self.store {
            let ids: Vec<&str> =
                runs.iter().filter(|known| known.is_stored).map(|known| known.head.id.as_str()).collect();
            store.remove_runs(&ids).await?;
        }
        runs.iter().filter_map(|known| known.folder.as_deref()).try_for_each(folders::remove)
    }
}

/// What each second of a run came to.
pub(crate) struct Recorded<'a> {
    /// The names of journeys and of their steps by position, as JSON.
    pub(crate) journeys: String,
    from: Source<'a>,
}

enum Source<'a> {
    Store { store: &'a Store, run: String, seconds: Range<u32> },
    File(Seconds),
}

impl Recorded<'_> {
    /// Some further seconds, in order; none at the end.
    pub(crate) async fn more(&mut self) -> Result<Vec<TickRow>, Error> {
        let mut rows: Vec<TickRow> = match &mut self.from {
            Source::File(seconds) => seconds.take(SECONDS_AT_ONCE as usize).collect(),
            Source::Store { store, run, seconds } => {
                let mut rows = Vec::new();
                while rows.is_empty() && seconds.start < seconds.end {
                    let to = seconds.end.min(seconds.start.saturating_add(SECONDS_AT_ONCE));
                    rows = store.ticks(run, seconds.start..to).await?;
                    seconds.start = to;
                }
                rows
            }
        };
        rows.sort_by(|one, other| (one.second, &one.region).cmp(&(other.second, &other.region)));
        Ok(rows)
    }
}

/// As much of an id as tells it from all others.
pub(crate) fn unique_prefix<'a>(id: &'a str, all: &[Known]) -> &'a str {
    let shared = |other: &str| id.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    let others = all.iter().map(|known| known.head.id.as_str()).filter(|other| *other != id);
    let needed = others.map(|other| shared(other) + 1).max().unwrap_or(0).max(PREFIX_CHARS_MIN);
    id.get(..needed).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::folders::tests::{DataFolder, ID};
    use crate::runtime::block_on;
    use crate::store::RunRow;

    fn row(id: &str) -> RunRow {
        let began_ms = folders::began_ms(id).unwrap();
        let verdict = "pass".to_owned();
        let head = RunHead { id: id.to_owned(), began_ms, verdict, ..RunHead::default() };
        RunRow { head, report: b"{}".to_vec(), journeys: "[]".to_owned() }
    }

    const LATER: &str = "20261127T000001Z-0123abcd";
    const TWIN: &str = "20261127T000001Z-0123abce";

    fn kept(data: &DataFolder) -> Kept {
        Kept { data_dir: data.0.clone(), place: Place::Sqlite(data.0.join("doorbuster.db")) }
    }

    #[test]
    fn runs_of_the_store_and_runs_of_folders_stand_together() {
        let data = DataFolder::new();
        let (old, later) = (data.run(ID), data.run(LATER));
        block_on(async {
            let kept = kept(&data);
            let store = Store::open(&kept.place).await?;
            for id in [LATER, TWIN] {
                store.put_run(&row(id), &[], &mut std::iter::empty()).await?;
            }
            store.close().await;
            let archive = Archive::open(&kept).await;
            let runs = archive.runs(i64::MIN).await?;
            let seen: Vec<_> =
                runs.iter().map(|run| (run.head.id.as_str(), run.folder.clone(), run.is_stored)).collect();
            assert_eq!(
                seen,
                [(TWIN, None, true), (LATER, Some(later), true), (ID, Some(old.clone()), false)],
                "the newest first"
            );
            assert_eq!(unique_prefix(LATER, &runs), LATER);
            assert_eq!(unique_prefix(ID, &runs), &ID[..16]);
            assert_eq!(archive.find(&ID[..15]).await?.head.verdict, UNFINISHED);
            let several = archive.find("20261127T000001").await.unwrap_err().to_string();
            assert!(several.contains("2 runs' ids begin") && several.contains(TWIN), "{several}");
            let none = archive.find("2025").await.unwrap_err();
            assert_eq!(none.exit_code(), 2);
            let unfinished = archive.report(&runs[2]).await.unwrap_err().to_string();
            assert!(unfinished.contains("still under way"), "{unfinished}");
            assert_eq!(archive.report(&runs[0]).await?, b"{}");
            archive.remove(&[&runs[1], &runs[2]]).await?;
            assert!(!old.exists());
            let left: Vec<String> =
                archive.runs(i64::MIN).await?.into_iter().map(|run| run.head.id).collect();
            assert_eq!(left, [TWIN]);
            archive.close().await;
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn nothing_is_made_by_looking_and_a_damaged_store_leaves_the_folders() {
        let data = DataFolder::new();
        data.run(ID);
        block_on(async {
            let kept = kept(&data);
            let archive = Archive::open(&kept).await;
            assert_eq!((archive.runs(i64::MIN).await?.len(), &archive.trouble), (1, &None));
            assert!(!data.0.join("doorbuster.db").exists());
            fs::write(data.0.join("doorbuster.db"), "nothing of ours ".repeat(1_000)).unwrap();
            let archive = Archive::open(&kept).await;
            assert!(archive.trouble.is_some());
            assert_eq!(archive.runs(i64::MIN).await?.len(), 1);
            let unknown = archive.find("2025").await.unwrap_err().to_string();
            assert!(unknown.contains("doorbuster.db is damaged"), "it may be in there: {unknown}");
            Ok(())
        })
        .unwrap();
    }
}
