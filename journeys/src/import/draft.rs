//! A step in the making.

use std::time::Duration;

use doorbuster_notation::show_duration;

use super::yaml::Yaml;

/// The shortest and the longest pause that is written, in milliseconds.
const PAUSE_MIN_MS: i64 = 100;
const PAUSE_MAX_MS: i64 = 300_000;

/// A step in the making.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) name: String,
    /// From its method on.
    pub(super) entries: Vec<(String, Yaml)>,
    pub(super) extracts: Vec<Extract>,
    pub(super) think: Option<String>,
    pub(super) times: u32,
    /// Where somebody has to look.
    pub(super) comments: Vec<String>,
}

/// A value that a step takes from its answer.
#[derive(Debug)]
pub(super) struct Extract {
    pub(super) name: String,
    pub(super) from: Vec<(String, Yaml)>,
    /// For a link that is picked at random.
    pub(super) pinned: Option<Pinned>,
}

/// What a link picked at random was in the recording.
#[derive(Debug)]
pub(super) struct Pinned {
    /// The parts of its address that other links do not have.
    pub(super) own_parts: Vec<String>,
    pub(super) position: usize,
}

impl Extract {
    /// Picks the recorded link where `value` belongs to it.
    pub(super) fn pin(&mut self, value: &str) {
        let Some(pinned) = self.pinned.take_if(|pinned| pinned.own_parts.iter().any(|part| part == value))
        else {
            return;
        };
        self.from.retain(|(key, _)| key != "pick");
        if pinned.position > 0 {
            self.from.push(("pick".to_owned(), Yaml::plain(pinned.position)));
        }
    }
}

impl Draft {
    /// The step as an entry of `steps`.
    pub(super) fn yaml(self) -> Yaml {
        let mut entries = vec![("step".to_owned(), Yaml::Text(self.name))];
        entries.extend(self.entries);
        if !self.extracts.is_empty() {
            let extracts = self.extracts.into_iter().map(|extract| (extract.name, Yaml::Map(extract.from)));
            entries.push(("extract".to_owned(), Yaml::Map(extracts.collect())));
        }
        entries.extend(self.think.map(|think| ("think".to_owned(), Yaml::Plain(think))));
        if self.times < 2 {
            return Yaml::Map(entries);
        }
        Yaml::Map(vec![
            ("repeat".to_owned(), Yaml::plain(self.times)),
            ("steps".to_owned(), Yaml::List(vec![Yaml::Map(entries)])),
        ])
    }
}

/// A pause as a person writes it: `0.3s`, `12s`, `1m30s`; nothing for one that nobody notices.
pub(super) fn pause(pause_ms: i64) -> Option<String> {
    let pause_ms = pause_ms.min(PAUSE_MAX_MS);
    if pause_ms < PAUSE_MIN_MS {
        return None;
    }
    let tenths = (pause_ms + 50) / 100;
    if tenths < 10 {
        return Some(format!("0.{tenths}s"));
    }
    let seconds = u64::try_from((pause_ms + 500) / 1_000).ok()?;
    Some(show_duration(Duration::from_secs(seconds)))
}

#[cfg(test)]
mod tests {
    use super::pause;

    #[test]
    fn pauses_are_round() {
        for (pause_ms, expected) in [
            (-5, None),
            (99, None),
            (100, Some("0.1s")),
            (349, Some("0.3s")),
            (949, Some("0.9s")),
            (950, Some("1s")),
            (2_600, Some("3s")),
            (90_000, Some("1m30s")),
            (9_000_000, Some("5m")),
        ] {
            assert_eq!(pause(pause_ms).as_deref(), expected, "{pause_ms}");
        }
    }
}
