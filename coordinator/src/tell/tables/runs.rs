//! Runs that are kept, at a glance.

use std::time::Duration;

use doorbuster_notation::show_duration;
use jiff::Timestamp;

use super::super::colour::Paint;
use super::super::numbers::{bytes, count, milliseconds};
use super::super::plain::plain;
use super::layout::Grid;
use super::shortened;
use crate::outcome::Verdict;
use crate::runs::{Known, UNFINISHED, Why, unique_prefix};

/// The longest name of a plan that is shown whole, in characters.
const NAME_CHARS_MAX: usize = 10;

/// A row per run. `all` are those from which an id must be told apart; `left_off` is how many more there are.
pub(crate) fn runs(shown: &[Known], all: &[Known], left_off: usize, colour: bool) -> String {
    let paint = Paint { on: colour };
    if shown.is_empty() {
        return "no such runs are kept\n".to_owned();
    }
    let mut grid = Grid::new("Runs: the newest first, times are UTC")
        .words("run")
        .words("name")
        .words("job")
        .words("began")
        .number("length")
        .words("verdict")
        .number("requests")
        .number("errors")
        .number("p95");
    for known in shown {
        let head = &known.head;
        let is_finished = head.verdict != UNFINISHED;
        let figure = |text: String| if is_finished { text } else { String::new() };
        grid.row(vec![
            unique_prefix(&head.id, all).to_owned(),
            shortened(&plain(&head.name), NAME_CHARS_MAX),
            plain(&head.job),
            began(head.began_ms),
            figure(length(head.length_ms)),
            verdict(&head.verdict, paint),
            figure(count(head.requests)),
            figure(paint.red_above_zero(head.errors, count(head.errors))),
            figure(milliseconds(head.p95_us.map(|us| us as f64 / 1e3))),
        ]);
    }
    let mut text = grid.render();
    if left_off > 0 {
        text.push_str(&format!("{} more; --limit shows more of them\n", count(left_off as u64)));
    }
    text
}

/// Runs that are removed, or would be, with their bytes and why.
pub(crate) fn pruned(gone: &[(&Known, u64, Why)], is_rehearsed: bool) -> String {
    if gone.is_empty() {
        return "nothing is to be removed\n".to_owned();
    }
    let mut grid =
        Grid::new("Runs that go").words("run").words("name").words("began").number("size").words("why");
    for (known, size, why) in gone {
        let why = match why {
            Why::Age => "too old",
            Why::Number => "enough newer ones",
            Why::Size => "together too large",
        };
        grid.row(vec![
            known.head.id.clone(),
            shortened(&plain(&known.head.name), NAME_CHARS_MAX),
            began(known.head.began_ms),
            bytes(*size),
            why.to_owned(),
        ]);
    }
    let sum = gone.iter().fold(0_u64, |sum, (_, size, _)| sum.saturating_add(*size));
    let done = if is_rehearsed { "would be removed" } else { "removed" };
    let runs = if gone.len() == 1 { "run" } else { "runs" };
    format!("{}{} {runs} {done}, {}\n", grid.render(), count(gone.len() as u64), bytes(sum))
}

fn began(began_ms: i64) -> String {
    let began = Timestamp::from_millisecond(began_ms);
    began.map_or_else(|_| String::new(), |began| began.strftime("%b %d %H:%M").to_string())
}

/// To the second, from an hour on to the minute.
fn length(length_ms: u64) -> String {
    let unit_s = if length_ms < 3_600_000 { 1 } else { 60 };
    let units = length_ms.saturating_add(500 * unit_s) / (1_000 * unit_s);
    show_duration(Duration::from_secs(units * unit_s))
}

fn verdict(word: &str, paint: Paint) -> String {
    match word {
        word if word == Verdict::Pass.word() => paint.green(word),
        word if word == Verdict::Fail.word() => paint.red(word),
        word if word == Verdict::Invalid.word() => paint.yellow(word),
        other => plain(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::RunHead;
    use crate::tell::tables::WIDTH_MAX;

    fn known(id: &str, verdict: &str, requests: u64) -> Known {
        let head = RunHead {
            id: id.to_owned(),
            name: "the-great-friday-sale".to_owned(),
            job: "rehearse".to_owned(),
            began_ms: 1_795_737_600_000,
            length_ms: 5_400_499,
            verdict: verdict.to_owned(),
            requests,
            errors: 12_345,
            p95_us: Some(1_234_567),
        };
        Known { head, folder: None, is_stored: true }
    }

    #[test]
    fn a_row_per_run_fits_the_width() {
        let all = [
            known("20261127T000001Z-0123abcd", "invalid", 123_456_789),
            known("20261127T000000Z-0123abcd", UNFINISHED, 0),
        ];
        let text = runs(&all, &all, 3, false);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH_MAX), "{text}");
        let words =
            |line: usize| text.lines().nth(line).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            words(3),
            "20261127T000001Z the-great… rehearse Nov 27 00:00 1h30m invalid 123,456,789 12,345 1.23 s"
        );
        assert_eq!(words(4), "20261127T000000Z the-great… rehearse Nov 27 00:00 none");
        assert_eq!(text.lines().last(), Some("3 more; --limit shows more of them"));
        assert_eq!(runs(&[], &all, 0, false), "no such runs are kept\n");
    }

    #[test]
    fn what_goes_is_told_with_its_size_and_why() {
        let (one, other) = (known("a", "pass", 1), known("b", "pass", 1));
        let text = pruned(&[(&one, 1_500_000, Why::Age), (&other, 500_000, Why::Size)], true);
        assert!(text.contains("1.50 MB  too old") && text.contains("500 kB  together too large"), "{text}");
        assert!(text.ends_with("2 runs would be removed, 2.00 MB\n"), "{text}");
        assert!(pruned(&[(&one, 1, Why::Number)], false).ends_with("1 run removed, 1 B\n"));
    }
}
