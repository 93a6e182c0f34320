//! A plan's journeys, read and checked with all that they need: data files, the environment's secrets.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use doorbuster_journeys::{BUILT_IN, Journey, Supplies, built_in, data_key};
use doorbuster_model::Plan;
use doorbuster_model::assignment::Secrets;
use doorbuster_notation::{Fault, Faults};

use crate::Error;
use crate::prepare::{ASSIGNMENT_BYTES_MAX, Source, read_text, read_text_up_to};

/// Reads the journeys of a plan. What agents need of it goes into `files` and `secrets`; `today` is in days since
/// 1970-01-01.
///
/// # Errors
/// All faults of the first journey that has any.
pub(crate) fn read(
    plan: &Plan,
    source: &Source,
    today: i64,
    files: &mut BTreeMap<String, String>,
    secrets: &mut Secrets,
) -> Result<Vec<Journey>, Error> {
    let mut journeys: Vec<Journey> = Vec::new();
    for used in &plan.journeys {
        let name = &used.journey;
        let at_place = |message: String| Faults::one(&source.name, Fault::new(used.place, message));
        if !files.contains_key(name) && built_in(name).is_none() {
            let path = source.folder.join(name);
            let text = read_text(&path, "a journey", "check the path").map_err(|error| {
                at_place(format!(
                    "the journey \"{name}\" is neither built in ({}) nor a file that can be read ({error})",
                    BUILT_IN.join(", ")
                ))
            })?;
            files.insert(name.clone(), text);
        }
        let text = files.get(name).map(String::as_str).or_else(|| built_in(name)).unwrap_or_default();
        let path = source.folder.join(name);
        let shown = if files.contains_key(name) { path.display().to_string() } else { name.clone() };
        let mut journey = Journey::parse(&shown, text)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        supply(&mut journey, name, folder, today, files, secrets)?;
        if journeys.iter().any(|earlier| earlier.name() == journey.name()) {
            let message =
                format!("a second journey is called \"{}\"; give each a name of its own", journey.name());
            return Err(at_place(message).into());
        }
        journeys.push(journey);
    }
    Ok(journeys)
}

/// Hands a journey its data, from files relative to `folder`, and its secrets, from the environment.
fn supply(
    journey: &mut Journey,
    name: &str,
    folder: &Path,
    today: i64,
    files: &mut BTreeMap<String, String>,
    secrets: &mut Secrets,
) -> Result<(), Faults> {
    let (read, known) = (RefCell::new(BTreeMap::new()), RefCell::new(BTreeMap::new()));
    let file = |file: &str| {
        let path = folder.join(file);
        let text = read_text_up_to(ASSIGNMENT_BYTES_MAX, &path, "a data file", "check the path");
        let text = text.map_err(|error| error.to_string())?;
        read.borrow_mut().insert(data_key(name, file), text.clone());
        Ok(text)
    };
    let secret = |variable: &str| {
        let value = std::env::var(variable).ok()?;
        known.borrow_mut().insert(variable.to_owned(), value.clone());
        Some(value)
    };
    journey.supply(&Supplies { file: &file, secret: &secret, today })?;
    files.append(&mut read.take());
    secrets.0.append(&mut known.take());
    Ok(())
}
