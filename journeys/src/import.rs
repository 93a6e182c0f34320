//! Turns a browser's recording (HAR 1.2) into a short journey file.
//!
//! Pure: a text in, a text out. `archive` reads the recording, `visit` folds its requests into what a shopper did, and
//! `script` writes that step by step. Each value that is sent is looked for in the answers before (`source`), so that
//! the journey takes it from its own answers; what a person typed becomes a variable where it should vary, and a
//! variable of the environment where it is a secret.

mod archive;
mod body;
mod draft;
mod host;
mod json;
mod kind;
mod looks;
mod multipart;
mod name;
mod page;
mod raw;
mod script;
mod secret;
mod selector;
mod send;
mod source;
mod submit;
mod target;
mod time;
mod told;
mod variable;
mod visit;
mod yaml;

use std::collections::BTreeMap;

use crate::Journey;
use crate::format::is_name;
use archive::Archive;
use body::Body;
use script::Script;
use visit::{Gathered, Visit};
use yaml::COLUMNS_MAX;

/// How many faults of a journey that was written wrongly are told.
const FAULTS_MAX: usize = 5;

/// Options of an import.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The journey's name: 1 to 100 letters, digits or any of `_ . : -`.
    pub name: String,
    /// Hosts that belong to the shop besides that of the first page: `api.shop.example`, with a port where it has one.
    pub hosts: Vec<String>,
}

/// A journey made of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The journey file.
    pub text: String,
    /// What a person has to look at, one sentence each.
    pub remarks: Vec<String>,
    /// How many requests to other hosts were left out, by host.
    pub dropped: BTreeMap<String, usize>,
}

/// Why a recording cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The journey cannot be called so.
    #[error(
        "the journey cannot be called \"{name}\"; give it a name of 1 to 100 letters, digits or any of _ . : -"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The text is no recording.
    #[error(
        "this cannot be read as a recording (HAR 1.2): {why}; save it as HAR in the browser's network panel, or record it with Playwright's recordHar"
    )]
    NotHar {
        /// What is wrong with it.
        why: String,
    },
    /// The recording holds nothing that a journey could ask for.
    #[error(
        "none of the recording's {requests} requests is an answered page or call of a shop; record a visit from its first page on"
    )]
    Nothing {
        /// How many requests it holds.
        requests: usize,
    },
}

/// Makes a journey of a recording, the text of a HAR file as Chromium, Firefox or Playwright write it.
///
/// The text can be read by [`Journey::parse`]. Where somebody has to look stands a comment `# look here: …`, and the
/// same in [`Imported::remarks`].
///
/// # Errors
/// When the name cannot be a journey's, or the text is no recording of a visit.
pub fn import(har: &str, options: &ImportOptions) -> Result<Imported, ImportError> {
    if !is_name(&options.name, "_.:-") {
        return Err(ImportError::Name { name: options.name.chars().take(100).collect() });
    }
    let Archive { entries, unreadable } = archive::read(har)?;
    let Gathered { visits, dropped, mut remarks } = visit::gather(&entries, &options.hosts);
    let Some(first) = visits.iter().find(|visit| visit.is_page).or_else(|| visits.first()) else {
        return Err(ImportError::Nothing { requests: entries.len() });
    };
    if unreadable > 0 {
        remarks.push(format!("{unreadable} entries of the recording could not be read and were left out."));
    }
    let home = first.request.url.origin();
    let bodies: Vec<Body> = visits.iter().map(|visit| Body::read(visit.request)).collect();
    let mut script = Script::new(&visits, &bodies, &home);
    (0..visits.len()).for_each(|step| script.write(step));
    let lost = lost(&visits);
    let head = format!("# Imported from a recording of {}.\n", home.ascii_serialization());
    let text = written(&mut script, head, &options.name, lost.as_deref());
    remarks.extend(lost.map(|lost| format!("{lost}.")));
    remarks.append(&mut script.remarks);
    remarks.extend(told_of_secrets(&script, &text));
    remarks.extend(told_of_origins(&script));
    if let Err(faults) = Journey::parse("the imported journey", &text) {
        let faults = faults.to_string();
        remarks
            .extend(faults.lines().take(FAULTS_MAX).map(|fault| format!("To be mended by hand: {fault}.")));
    }
    Ok(Imported { text, remarks, dropped })
}

/// The journey file.
fn written(script: &mut Script<'_>, head: String, name: &str, lost: Option<&str>) -> String {
    let mut text = head;
    if let Some(lost) = lost {
        comment(0, lost, &mut text);
    }
    text.push_str(&format!("journey: {}\nsteps:\n", yaml::scalar(name)));
    for draft in std::mem::take(&mut script.drafts) {
        draft.comments.iter().for_each(|why| comment(2, why, &mut text));
        draft.yaml().item(2, &mut text);
    }
    text
}

/// Appends a comment where somebody has to look, over several lines where it is long.
fn comment(indent: usize, why: &str, out: &mut String) {
    let mut line = format!("{:indent$}# look here:", "");
    for word in why.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > COLUMNS_MAX {
            out.push_str(&line);
            out.push('\n');
            line = format!("{:indent$}#  ", "");
        }
        line.push(' ');
        line.extend(word.chars().filter(|character| yaml::is_shown(*character)));
    }
    out.push_str(&line);
    out.push('\n');
}

/// What is missing where answers were recorded without their bodies.
fn lost(visits: &[Visit<'_>]) -> Option<String> {
    let without = visits.iter().filter(|visit| visit.answer.is_lost).count();
    (without > 0).then(|| {
        format!(
            "{without} of {} answers were recorded without their bodies, in which links, forms and tokens would be found; record again with content",
            visits.len()
        )
    })
}

/// Which variables of the environment the journey needs.
fn told_of_secrets(script: &Script<'_>, text: &str) -> Option<String> {
    let is_used = |variable: &&str| text.contains(&format!("${{env.{variable}"));
    let variables: Vec<&str> = script.secrets.variables().into_iter().filter(is_used).collect();
    (!variables.is_empty()).then(|| {
        format!("Secrets are not in the journey; set {} in the environment of the run.", variables.join(", "))
    })
}

/// Paths follow the target of a run, whole addresses do not.
fn told_of_origins(script: &Script<'_>) -> Option<String> {
    let origins: Vec<&str> = script.elsewhere.iter().map(String::as_str).collect();
    (!origins.is_empty()).then(|| {
        format!(
            "Steps with a whole address go to {}, whatever the target of a run is; the run has to allow it.",
            origins.join(", ")
        )
    })
}

#[cfg(test)]
mod tests;
