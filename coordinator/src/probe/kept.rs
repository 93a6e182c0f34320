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

/// The plans of all probes that ran here, with what their positions are called, by name.
///
/// # Errors
/// When what is kept cannot be read.
pub(crate) fn all(data_dir: &Path) -> Result<Vec<(Plan, Names)>, Error> {
    let failed = |source| Error::System { what: "looking for the plans of probes", source };
    let entries = match fs::read_dir(folder(data_dir)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut plans = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(failed)?;
        let kept: Kept = serde_json::from_str(&text).map_err(|error| failed(error.into()))?;
        let plan = Plan::read(&path.display().to_string(), &kept.plan)?;
        let names = Names { journeys: kept.journeys, ..names(&plan, &[]) };
        plans.push((plan, names));
    }
    plans.sort_by(|one, other| one.0.name.cmp(&other.0.name));
    Ok(plans)
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
        assert!(all(&data_dir).unwrap().is_empty(), "nobody probed here");
        for (name, every) in [("shop", "1s"), ("api", "20s"), ("shop", "2s")] {
            keep(&data_dir, &prepared(name, every)).unwrap();
        }
        fs::write(data_dir.join("probes/notes.txt"), "").unwrap();
        let plans = all(&data_dir).unwrap();
        fs::remove_dir_all(&data_dir).unwrap();
        let told: Vec<(&str, u32)> =
            plans.iter().map(|(plan, _)| (plan.name.as_str(), plan.probe.unwrap().every_s)).collect();
        assert_eq!(told, [("api", 20), ("shop", 2)]);
        let names = &plans[1].1;
        assert_eq!((names.regions.len(), names.journeys[0].0.as_str()), (2, "browse"));
        assert!(names.journeys[0].1.contains(&"home".to_owned()), "{:?}", names.journeys);
    }
}
