//! Lines for whoever looks on. One that comes again is counted, and said again with its count, at times that grow apart: what
//! happens to all agents of a region is no wall of text.

use std::collections::BTreeMap;
use std::mem;

/// It is said after so many looks at the most how often a line came again: about a minute, at one every 2 s.
const LOOKS_MAX: u32 = 32;
/// A line that did not come again during so many looks is forgotten: when it comes then, it is news.
const FORGOTTEN_AFTER: u32 = 4;

/// What is to be said, and what was.
#[derive(Debug, Default)]
pub(super) struct Lines {
    waiting: Vec<String>,
    said: BTreeMap<String, Again>,
}

/// How often a line came again since it was last said.
#[derive(Debug)]
struct Again {
    times: u64,
    /// After how many looks that is said, and how many of them are left.
    looks: u32,
    left: u32,
}

impl Again {
    fn told(&self, line: &str) -> String {
        match self.times {
            1 => format!("{line}, once more"),
            times => format!("{line}, {times} times more"),
        }
    }
}

impl Lines {
    /// A line is to be said, or counted where it was said lately.
    pub(super) fn push(&mut self, line: String) {
        if let Some(again) = self.said.get_mut(&line) {
            again.times += 1;
            return;
        }
        self.waiting.push(line.clone());
        self.said.insert(line, Again { times: 0, looks: 1, left: 1 });
    }

    /// Lines that came again are to be said with their counts, as far as it is time.
    pub(super) fn look(&mut self) {
        let Self { waiting, said } = self;
        said.retain(|line, again| {
            again.left = again.left.saturating_sub(1);
            if again.left > 0 {
                return true;
            }
            if again.times > 0 {
                waiting.push(again.told(line));
            } else if again.looks >= FORGOTTEN_AFTER {
                return false;
            }
            let looks = (again.looks * 2).min(LOOKS_MAX);
            *again = Again { times: 0, looks, left: looks };
            true
        });
    }

    /// All lines that came again are to be said with their counts: there is no later look.
    pub(super) fn end(&mut self) {
        let said = mem::take(&mut self.said);
        let again = said.iter().filter(|(_, again)| again.times > 0);
        self.waiting.extend(again.map(|(line, again)| again.told(line)));
    }

    /// Takes what is to be said now.
    pub(super) fn take(&mut self) -> Vec<String> {
        mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_comes_two_hundred_times_is_said_at_once_and_then_with_its_count() {
        let mut lines = Lines::default();
        for _ in 0..200 {
            lines.push("tokyo: refused".to_owned());
        }
        lines.push("london: refused".to_owned());
        assert_eq!(lines.take(), ["tokyo: refused", "london: refused"]);
        lines.look();
        assert_eq!(lines.take(), ["tokyo: refused, 199 times more"]);
        lines.push("london: refused".to_owned());
        (0..20).for_each(|_| lines.look());
        assert_eq!(lines.take(), ["london: refused, once more"]);
        lines.push("london: refused".to_owned());
        assert_eq!(lines.take(), ["london: refused"], "it was forgotten, so that it is news");
    }

    #[test]
    fn a_line_that_goes_on_for_an_hour_is_said_once_a_minute() {
        let mut lines = Lines::default();
        let mut said = 0;
        for _ in 0..1_800 {
            lines.push("tokyo: refused".to_owned());
            lines.look();
            said += lines.take().len();
        }
        assert!((50..70).contains(&said), "{said}");
    }

    #[test]
    fn at_the_end_no_count_is_left_out() {
        let mut lines = Lines::default();
        lines.push("tokyo: lost".to_owned());
        lines.push("tokyo: lost".to_owned());
        lines.push("london: lost".to_owned());
        lines.end();
        assert_eq!(lines.take(), ["tokyo: lost", "london: lost", "tokyo: lost, once more"]);
        lines.end();
        assert!(lines.take().is_empty());
    }
}
