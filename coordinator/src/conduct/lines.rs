//! Lines for whoever looks on while a run goes: a new one at once, and how often it came again now and then.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// How long what comes again is only counted.
const COUNTED_FOR: Duration = Duration::from_secs(2);

/// Lines that nobody was told yet.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// In the order in which they are told.
    new: Vec<String>,
    /// What was told of agents, how often it came again since, and from when on.
    again: BTreeMap<String, (u64, Option<Instant>)>,
}

impl Lines {
    /// A line as it is.
    pub(super) fn push(&mut self, line: String) {
        self.new.push(line);
    }

    /// A line that many agents may have, each for itself.
    pub(super) fn count(&mut self, line: String, now: Instant) {
        match self.again.get_mut(&line) {
            Some((count, since)) => {
                *count += 1;
                since.get_or_insert(now);
            }
            None => {
                self.new.push(line.clone());
                self.again.insert(line, (0, None));
            }
        }
    }

    /// What is to be told now; `everything` with what is still being counted.
    pub(super) fn take(&mut self, now: Instant, everything: bool) -> Vec<String> {
        let mut lines = std::mem::take(&mut self.new);
        for (line, (count, since)) in &mut self.again {
            let is_due = since.is_some_and(|since| everything || now.duration_since(since) >= COUNTED_FOR);
            if is_due {
                lines.push(format!("{line}: {count} more"));
                (*count, *since) = (0, None);
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hundreds_say_is_told_once_and_counted() {
        let start = Instant::now();
        let mut lines = Lines::default();
        for _ in 0..556 {
            lines.count("tokyo: refused".into(), start);
        }
        lines.push("other".into());
        assert_eq!(lines.take(start, false), ["tokyo: refused", "other"]);
        assert_eq!(lines.take(start + COUNTED_FOR, false), ["tokyo: refused: 555 more"]);
        assert!(lines.take(start + 2 * COUNTED_FOR, true).is_empty());
        lines.count("tokyo: refused".into(), start + 3 * COUNTED_FOR);
        lines.count("london: refused".into(), start + 3 * COUNTED_FOR);
        assert_eq!(lines.take(start + 3 * COUNTED_FOR, false), ["london: refused"]);
        assert_eq!(lines.take(start + 3 * COUNTED_FOR, true), ["tokyo: refused: 1 more"]);
    }
}
