//! What a probe leaves in the folder for data, so that how it stands can be told without its plan and journeys.

use std::fs;
use std::path::{Path, PathBuf};

use doorbuster_model::Plan;
use doorbuster_model::threshold::Names;
use serde::{Deserialize, Serialize};

use crate::prepare::{Prepared, names};
use crate::{Error, runs};

/// A probe as it was started last.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// The plan's text.
    plan: String,
    /// Its journeys with the names of their steps, in the plan's order.
    journeys: Vec<(String, Vec<String>)>,
}

fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("probes")
}

/// Keeps what objectives are known by: a file for each plan, by its name.
///
/// # Errors
/// [`Error::Write`] when it cannot be written.
pub(crate) fn keep(data_dir: &Path, prepared: &Prepared) -> Result<(), Error> {
    let folder = folder(data_dir);
    fs::create_dir_all(&folder).map_err(|source| Error::Write { path: folder.clone(), source })?;
    let path = folder.join(format!("{}.json", prepared.plan.name));
    let kept = Kept { plan: prepared.text.clone(), journeys: prepared.names.journeys.clone() };
    let text = serde_json::to_string_pretty(&kept)
        .map_err(|error| Error::Write { path: path.clone(), source: error.into() })?;
    // Whoever reads it meanwhile finds the one before, and so does whoever comes after a crash.
    let new = folder.join(format!("{}.json.new", prepared.plan.name));
    runs::write(&new, &text)?;
    fs::rename(&new, &path).map_err(|source| Error::Write { path, source })
}

/// What is known of the probes that ran here.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Their plans with what their positions are called, by name.
    pub plans: Vec<(Plan, Names)>,
    /// Why others cannot be read: each would hide all of them.
    pub problems: Vec<String>,
}

/// The probes that ran here.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn all(data_dir: &Path) -> Result<Known, Error> {
    let failed = |source| Error::System { what: "looking for the plans of probes", source };
    let entries = match fs::read_dir(folder(data_dir)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Known::default()),
        entries => entries.map_err(failed)?,
    };
    let mut known = Known::default();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        match one(&path) {
            Ok(plan) => known.plans.push(plan),
            Err(why) => known.problems.push(format!("{}: {why}", path.display())),
        }
    }
    known.plans.sort_by(|one, other| one.0.name.cmp(&other.0.name));
    known.problems.sort_unstable();
    Ok(known)
}

fn one(path: &Path) -> Result<(Plan, Names), String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let kept: Kept = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let plan = Plan::read(&path.display().to_string(), &kept.plan).map_err(|faults| faults.to_string())?;
    let names = Names { journeys: kept.journeys, ..names(&plan, &[]) };
    Ok((plan, names))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use doorbuster_model::{Overrides, Task};

    use super::*;
    use crate::prepare::Source;

    fn prepared(name: &str, every: &str) -> Prepared {
        let text = format!(
            "name: {name}\ntarget: http://127.0.0.1:1\nregions: [a, b]\njourneys: [browse]\nprobe: {{ every: {every} }}\n"
        );
        let source = Source {
            name: "plan.yaml".to_owned(),
            folder: PathBuf::from("/nowhere"),
            text,
            files: BTreeMap::new(),
        };
        Prepared::with_task(source, Overrides::default(), Task::Probe { every_ms: 1_000 }).unwrap()
    }

    #[test]
    fn a_probe_is_known_without_its_plan_and_journeys() {
        let data_dir = std::env::temp_dir().join(format!("doorbuster-kept-{}", std::process::id()));
        assert!(all(&data_dir).unwrap().plans.is_empty(), "nobody probed here");
        for (name, every) in [("shop", "1s"), ("api", "20s"), ("shop", "2s")] {
            keep(&data_dir, &prepared(name, every)).unwrap();
        }
        fs::write(data_dir.join("probes/notes.txt"), "").unwrap();
        fs::write(data_dir.join("probes/later.json"), "{\"plan\": 7}").unwrap();
        let Known { plans, problems } = all(&data_dir).unwrap();
        fs::remove_dir_all(&data_dir).unwrap();
        let told: Vec<(&str, u32)> =
            plans.iter().map(|(plan, _)| (plan.name.as_str(), plan.probe.unwrap().every_s)).collect();
        assert_eq!(told, [("api", 20), ("shop", 2)]);
        assert!(matches!(&problems[..], [one] if one.contains("later.json: ")), "{problems:?}");
        let names = &plans[1].1;
        assert_eq!((names.regions.len(), names.journeys[0].0.as_str()), (2, "browse"));
        assert!(names.journeys[0].1.contains(&"home".to_owned()), "{:?}", names.journeys);
    }
}
