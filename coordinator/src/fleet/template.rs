//! The templates of `infra/`, as they are in this program.

use super::place::Part;

const FLEET: &str = include_str!("../../../infra/fleet.yaml");
const ALARMS: &str = include_str!("../../../infra/alarms.yaml");
const PROBES: &str = include_str!("../../../infra/probes.yaml");

/// A template's text.
pub(super) fn text(part: Part) -> &'static str {
    match part {
        Part::Fleet => FLEET,
        Part::Alarms => ALARMS,
        Part::Probes => PROBES,
    }
}

/// The names of a template's parameters.
pub(super) fn parameters(text: &str) -> Vec<&str> {
    let section = section(text, "Parameters");
    section.iter().filter_map(|line| key_at(line, 2)).collect()
}

/// What a parameter is where nobody says otherwise.
pub(super) fn default<'a>(text: &'a str, parameter: &str) -> Option<&'a str> {
    let lines = section(text, "Parameters");
    let lines = lines.into_iter().skip_while(|line| key_at(line, 2) != Some(parameter)).skip(1);
    let mut lines = lines.take_while(|line| key_at(line, 2).is_none());
    lines.find_map(|line| line.trim_start().strip_prefix("Default: ")).map(|value| value.trim_matches('"'))
}

/// The lines of a section, without its title.
fn section<'a>(text: &'a str, title: &str) -> Vec<&'a str> {
    let heading = format!("{title}:");
    let lines = text.lines().skip_while(|line| *line != heading).skip(1);
    lines.take_while(|line| line.is_empty() || line.starts_with([' ', '#'])).collect()
}

/// The key of a line that is indented by so many spaces.
fn key_at(line: &str, indent: usize) -> Option<&str> {
    let key = line.get(indent..)?.strip_suffix(':')?;
    let is_key = line[..indent].bytes().all(|byte| byte == b' ') && key.chars().all(char::is_alphanumeric);
    (is_key && !key.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests;
