//! Folders of runs, and nothing else: what is not called like a run, or is no folder itself, is never touched.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::UNFINISHED;
use crate::Error;
use crate::store::RunHead;

/// How an id begins: when the run began.
const BEGINNING: &str = "%Y%m%dT%H%M%SZ";
const BEGINNING_CHARS: usize = 16;
/// How it ends, after a dash: chance.
const CHANCE_CHARS: usize = 8;

/// When the run of an id began, in milliseconds since 1970; `None` where it is no run's id.
pub(super) fn began_ms(id: &str) -> Option<i64> {
    let (beginning, chance) = id.split_once('-')?;
    let is_chance =
        chance.len() == CHANCE_CHARS && chance.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if beginning.len() != BEGINNING_CHARS || !is_chance {
        return None;
    }
    let began = DateTime::strptime(BEGINNING, beginning).ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(began.timestamp().as_millisecond())
}

/// The folders of runs below the folder for data, by id.
pub(super) fn all(data_dir: &Path) -> Result<BTreeMap<String, PathBuf>, Error> {
    let path = data_dir.join("runs");
    let failed = |error: io::Error| Error::Read {
        what: "the folder of runs",
        path: path.clone(),
        why: error.to_string(),
        remedy: "check --data-dir, and that you may read it",
    };
    let entries = match fs::read_dir(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries.map_err(failed)?,
    };
    let mut folders = BTreeMap::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let Ok(id) = entry.file_name().into_string() else { continue };
        // Of the entry itself: a link to a folder is none.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && began_ms(&id).is_some() {
            folders.insert(id, entry.path());
        }
    }
    Ok(folders)
}

/// What a list shows of a report, of any version.
#[derive(Deserialize)]
struct Told {
    run: ToldRun,
    verdict: String,
    global: ToldFigures,
}

#[derive(Deserialize)]
struct ToldRun {
    name: String,
    job: String,
    started_at: Timestamp,
    finished_at: Timestamp,
}

#[derive(Deserialize)]
struct ToldFigures {
    requests: u64,
    errors: u64,
    latency_ms: ToldLatency,
}

#[derive(Deserialize)]
struct ToldLatency {
    p95: Option<f64>,
}

/// What a list shows of a run that only its folder tells of.
pub(super) fn head(id: &str, folder: &Path) -> RunHead {
    let read = |path: PathBuf| -> Option<Told> {
        serde_json::from_reader(BufReader::new(File::open(path).ok()?)).ok()
    };
    let Some(told) = read(folder.join("report.json")) else {
        return RunHead {
            id: id.to_owned(),
            began_ms: began_ms(id).unwrap_or_default(),
            verdict: UNFINISHED.to_owned(),
            ..RunHead::default()
        };
    };
    let began_ms = told.run.started_at.as_millisecond();
    let length_ms = told.run.finished_at.as_millisecond().saturating_sub(began_ms);
    let p95 = told.global.latency_ms.p95.and_then(|ms| Duration::try_from_secs_f64(ms / 1e3).ok());
    RunHead {
        id: id.to_owned(),
        name: told.run.name,
        job: told.run.job,
        began_ms,
        length_ms: u64::try_from(length_ms).unwrap_or(0),
        verdict: told.verdict,
        requests: told.global.requests,
        errors: told.global.errors,
        p95_us: p95.and_then(|p95| u64::try_from(p95.as_micros()).ok()),
    }
}

/// The bytes of all files below a folder. Links are not followed; what cannot be read counts nothing.
pub(super) fn bytes(folder: &Path) -> u64 {
    let (mut sum, mut ahead) = (0_u64, vec![folder.to_path_buf()]);
    while let Some(folder) = ahead.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => ahead.push(entry.path()),
                Ok(metadata) => sum = sum.saturating_add(metadata.len()),
                Err(_) => {}
            }
        }
    }
    sum
}

/// Removes a run's folder with all that is in it. Links in it go, and what they lead to stays.
///
/// # Errors
/// [`Error::Remove`] when it cannot be removed, or is no run's folder.
pub(super) fn remove(folder: &Path) -> Result<(), Error> {
    let failed = |source| Error::Remove { path: folder.to_owned(), source };
    let id = folder.file_name().unwrap_or_default().to_string_lossy();
    let metadata = fs::symlink_metadata(folder).map_err(failed)?;
    if !metadata.is_dir() || began_ms(&id).is_none() {
        return Err(failed(io::Error::other("it is no run's folder")));
    }
    fs::remove_dir_all(folder).map_err(failed)
}

#[cfg(test)]
pub(super) mod tests {
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    pub(in crate::runs) const ID: &str = "20261127T000000Z-0123abcd";

    /// A folder for data that is removed with its owner.
    pub(in crate::runs) struct DataFolder(pub(in crate::runs) PathBuf);

    impl DataFolder {
        pub(in crate::runs) fn new() -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("doorbuster-runs-{}-{number}", std::process::id()));
            fs::create_dir_all(path.join("runs")).unwrap();
            Self(path)
        }

        pub(in crate::runs) fn run(&self, id: &str) -> PathBuf {
            let folder = self.0.join("runs").join(id);
            fs::create_dir_all(&folder).unwrap();
            folder
        }
    }

    impl Drop for DataFolder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn an_id_tells_when_its_run_began() {
        assert_eq!(began_ms(ID), Some(1_795_737_600_000));
        let now: Timestamp = "2026-11-27T01:02:03Z".parse().unwrap();
        let made = crate::runs::new_id(now).unwrap();
        assert_eq!(began_ms(&made), Some(now.as_millisecond()), "{made}");
        for other in [
            "",
            "notes",
            "20261127T000000Z",
            "20261327T000000Z-0123abcd",
            "20261127T000000Z-0123ABCD",
            "20261127T000000Z-0123abcde",
            "20261127T000000Z-0123abc/",
            "..",
        ] {
            assert_eq!(began_ms(other), None, "{other}");
        }
    }

    #[test]
    fn only_folders_of_runs_are_seen() {
        let data = DataFolder::new();
        let run = data.run(ID);
        data.run("notes");
        fs::write(data.0.join("runs/20261127T000001Z-0123abcd"), "a file").unwrap();
        symlink(&run, data.0.join("runs/20261127T000002Z-0123abcd")).unwrap();
        let found = all(&data.0).unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [(ID.to_owned(), run)]);
        assert!(all(&data.0.join("nowhere")).unwrap().is_empty());
    }

    #[test]
    fn links_are_removed_and_what_they_lead_to_is_not() {
        let data = DataFolder::new();
        let run = data.run(ID);
        let outside = data.0.join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("precious"), "1234").unwrap();
        symlink(&outside, run.join("linked")).unwrap();
        fs::create_dir(run.join("logs")).unwrap();
        fs::write(run.join("logs/a"), "12345").unwrap();
        assert!(bytes(&run) < 5 + 200, "a link counts as itself");
        assert!(bytes(&run) >= 5);
        remove(&run).unwrap();
        assert!(!run.exists() && outside.join("precious").exists());
        let linked = data.0.join("runs/20261127T000002Z-0123abcd");
        symlink(&outside, &linked).unwrap();
        assert!(remove(&linked).unwrap_err().to_string().contains("it is no run's folder"));
        assert!(remove(&outside).is_err(), "it is not called like one");
        assert!(outside.join("precious").exists());
    }

    #[test]
    fn a_folder_without_a_report_is_unfinished() {
        let data = DataFolder::new();
        let run = data.run(ID);
        let unfinished = head(ID, &run);
        assert_eq!((unfinished.verdict.as_str(), unfinished.began_ms), (UNFINISHED, 1_795_737_600_000));
        let report = r#"{"run":{"id":"x","name":"friday","job":"gate","started_at":"2026-11-27T00:00:00.1Z",
            "finished_at":"2026-11-27T00:00:12.5Z","seed":1},"verdict":"fail","more":[1],
            "global":{"requests":9,"errors":2,"latency_ms":{"p50":1.0,"p95":12.345}}}"#;
        fs::write(run.join("report.json"), report).unwrap();
        let told = head(ID, &run);
        assert_eq!(
            (told.name.as_str(), told.job.as_str(), told.verdict.as_str()),
            ("friday", "gate", "fail")
        );
        assert_eq!((told.began_ms, told.length_ms), (1_795_737_600_100, 12_400));
        assert_eq!((told.requests, told.errors, told.p95_us), (9, 2, Some(12_345)));
    }
}
