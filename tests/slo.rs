//! Backtests of alerts: whatever the rules and the events, the binary says what an oracle says that shares nothing with it.

use std::fs;

use serde_json::{Value, json};

use crate::util::{Finished, Folder, run};

/// 2026-11-27T00:00:00Z.
const BEGIN_S: i64 = 1_795_737_600;
const HOUR_S: i64 = 3_600;

/// A second's good and all events.
type Event = (i64, u64, u64);
/// Name, factor in thousandths, long and short window.
type Rule<'a> = (&'a str, u128, i64, i64);

const USUAL: [Rule<'static>; 4] = [
    ("page-14.4", 14_400, HOUR_S, 300),
    ("page-6", 6_000, 6 * HOUR_S, 1_800),
    ("ticket-3", 3_000, 24 * HOUR_S, 2 * HOUR_S),
    ("ticket-1", 1_000, 72 * HOUR_S, 6 * HOUR_S),
];

/// Two days with a leak, outages, a gap of three hours, a burst, and seconds that come twice.
fn history() -> Vec<Event> {
    let mut state = 12_345_u64;
    let mut draw = |bound: u64| {
        // Knuth's multiplier (MMIX); the high bits are the good ones.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let (mut events, mut at_s) = (Vec::new(), BEGIN_S + 3);
    while at_s < BEGIN_S + 48 * HOUR_S {
        let hour = (at_s - BEGIN_S) / HOUR_S;
        let total = if hour == 30 { 100_000 } else { 900 + draw(200) };
        let failed = match hour {
            10 if (at_s / 600) % 2 == 0 => total / 20,
            20..=23 => u64::from(draw(4) == 0),
            33 => total,
            40..=47 => draw(3) / 2 * draw(4),
            _ => 0,
        };
        events.push((at_s, total - failed, total));
        at_s += i64::try_from(draw(25)).unwrap();
        if hour == 25 {
            at_s += 3 * HOUR_S;
        }
    }
    events
}

/// Sums from the first second on, so that a window is the difference of two.
fn oracle(events: &[Event], rules: &[Rule<'_>], allowed_parts: u128, min_failures: u128) -> Value {
    let first_s = events.iter().map(|event| event.0).min().unwrap();
    let last_s = events.iter().map(|event| event.0).max().unwrap();
    let seconds = usize::try_from(last_s - first_s + 1).unwrap();
    let (mut failed, mut total) = (vec![0_u128; seconds + 1], vec![0_u128; seconds + 1]);
    for (at_s, good, all) in events {
        let second = usize::try_from(at_s - first_s).unwrap() + 1;
        failed[second] += u128::from(all - good);
        total[second] += u128::from(*all);
    }
    for second in 1..=seconds {
        failed[second] += failed[second - 1];
        total[second] += total[second - 1];
    }
    let until = |at_s: i64| usize::try_from((at_s - first_s + 1).clamp(0, last_s - first_s + 1)).unwrap();
    let window = |at_s: i64, window_s: i64| {
        let (to, from) = (until(at_s), until(at_s - window_s));
        (failed[to] - failed[from], total[to] - total[from])
    };
    let burns = |(failed, total): (u128, u128), thousandths: u128| {
        total > 0 && failed * 1_000_000_000 * 1_000 >= thousandths * allowed_parts * total
    };
    let mut rules = rules.to_vec();
    rules.sort_unstable_by_key(|rule| rule.0);
    let (mut firing, mut told) = (vec![false; rules.len()], Vec::new());
    let ceiling = |at_s: i64| (at_s + 9).div_euclid(10) * 10;
    for at_s in (ceiling(first_s)..=ceiling(last_s)).step_by(10) {
        for ((name, factor, long_s, short_s), firing) in rules.iter().zip(&mut firing) {
            let (long, short) = (window(at_s, *long_s), window(at_s, *short_s));
            let event = match *firing {
                true if !burns(short, *factor) => "resolved",
                false if burns(long, *factor) && burns(short, *factor) && long.0 >= min_failures => "firing",
                _ => continue,
            };
            *firing = !*firing;
            told.push(json!({ "rule": name, "event": event, "at": at_s }));
        }
    }
    Value::Array(told)
}

fn csv(events: &[Event]) -> String {
    let rows = events.iter().map(|(at_s, good, total)| format!("{at_s},{good},{total}\n"));
    std::iter::once("timestamp,good,total\n".to_owned()).chain(rows).collect()
}

fn backtest(folder: &Folder, events: &str, more: &[&str]) -> (Finished, Value) {
    let json = folder.path("found.json").display().to_string();
    let finished = run(&[&["slo", "backtest", "--events", events, "--json", &json], more].concat());
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let found = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    (finished, found)
}

#[test]
fn the_usual_rules_on_two_days_are_what_the_oracle_says() {
    let (folder, mut events) = (Folder::new(), history());
    let expected = oracle(&events, &USUAL, 100_000, 3);
    assert!(expected.as_array().unwrap().len() > 20, "{expected}: too dull to prove anything");
    let (_, found) = backtest(&folder, &folder.write("events.csv", csv(&events)), &[]);
    assert_eq!(found, expected);
    // The same as objects, in another order.
    events.reverse();
    let third = events.len() / 3;
    events.rotate_left(third);
    let object = |(at_s, good, total): &Event| {
        format!("{}\n", json!({ "total": total, "timestamp": at_s, "good": good }))
    };
    let objects: String = events.iter().map(object).collect();
    let (_, found) = backtest(&folder, &folder.write("events.ndjson", objects), &[]);
    assert_eq!(found, expected);
}

#[test]
fn rules_of_a_file_may_have_any_windows() {
    let (folder, events) = (Folder::new(), history());
    let rules = folder.write(
        "rules.yaml",
        "rules:\n  - { name: quick, severity: page, factor: 2.5, long: 65s, short: 7s }\n  \
         - { name: Slow, severity: ticket, factor: 0.125, long: 1h1s, short: 1h1s }\n  \
         - { name: éclair, severity: page, factor: 100, long: 5m, short: 1s }\n",
    );
    let expected = [("quick", 2_500, 65, 7), ("Slow", 125, 3_601, 3_601), ("éclair", 100_000, 300, 1)];
    let path = folder.write("events.csv", csv(&events));
    for (objective, allowed_parts) in [("99.9%", 1_000_000), ("99.99999%", 100)] {
        for min_failures in ["0", "40"] {
            let options = ["--rules", &rules, "--objective", objective, "--min-failures", min_failures];
            let (_, found) = backtest(&folder, &path, &options);
            let expected = oracle(&events, &expected, allowed_parts, min_failures.parse().unwrap());
            assert_eq!(found, expected, "{options:?}");
            assert!(!expected.as_array().unwrap().is_empty(), "{options:?}");
        }
    }
}

#[test]
fn from_and_to_leave_events_out() {
    let (folder, events) = (Folder::new(), history());
    let path = folder.write("events.csv", csv(&events));
    let (from_s, to_s) = (BEGIN_S + 20 * HOUR_S, BEGIN_S + 33 * HOUR_S + 1_805);
    let within: Vec<Event> =
        events.iter().copied().filter(|(at_s, ..)| (from_s..=to_s).contains(at_s)).collect();
    let to = to_s.to_string();
    let options = ["--from", "2026-11-28T05:00:00+09:00", "--to", &to];
    let (_, found) = backtest(&folder, &path, &options);
    assert_eq!(found, oracle(&within, &USUAL, 100_000, 3));
}

#[test]
fn people_see_when_and_how_late_and_what_it_cost() {
    let folder = Folder::new();
    let path = folder.write("events.csv", csv(&history()));
    let (raw, found) = backtest(&folder, &path, &[]);
    let (grouped, same) = backtest(&folder, &path, &["--incidents"]);
    assert_eq!(found, same, "the file has what each rule did, whatever is shown");
    for word in
        ["Alerts", "page-14.4", "ticket-3", "detected after", "budget spent", "T10:", "entries", "evaluated"]
    {
        assert!(raw.stdout.contains(word), "{word} is missing:\n{}", raw.stdout);
    }
    assert!(grouped.stdout.contains("Incidents"), "{}", grouped.stdout);
    let rows = |text: &str| {
        text.lines().filter(|line| line.starts_with("page-") || line.starts_with("ticket-")).count()
    };
    let (alerts, incidents) = (rows(&raw.stdout), rows(&grouped.stdout));
    assert!(incidents > 0 && incidents * 2 < alerts, "{}{}", grouped.stdout, raw.stdout);
    for text in [&raw.stdout, &grouped.stdout] {
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }
}

#[test]
fn events_and_rules_that_cannot_be_are_refused_with_their_place() {
    let folder = Folder::new();
    let good = folder.write("good.csv", "timestamp,good,total\n1795737600,1,1\n");
    let file = |name: &str, text: &str| folder.write(name, text);
    let rules = file("rules.yaml", "rules: [{ name: a, factor: 0, long: 1h, short: 5m }]\n");
    let no_rules = folder.path("nowhere.yaml").display().to_string();
    for (events, more, words) in [
        (
            file("a.csv", "timestamp,good,total\n1,1,1\n2,3,2\n"),
            &[][..],
            &["a.csv:3: good is 3, and total 2"][..],
        ),
        (
            file("b.csv", "timestamp,good,total\n1,1.0,1\n"),
            &[],
            &["b.csv:2: good is \"1.0\", expected a whole number"],
        ),
        (file("c.ndjson", "{\"timestamp\":1,\"good\":1}\n"), &[], &["c.ndjson:1: missing field `total`"]),
        (
            file("f.csv", "time,good,total\n"),
            &[],
            &["f.csv:1: found \"time,good,total\"", "timestamp,good,total"],
        ),
        (file("g.csv", &"9".repeat(1 << 20)), &[], &["g.csv:1: the line has over 4096 bytes"]),
        (folder.path("nowhere.csv").display().to_string(), &[], &["nowhere.csv", "check the path"]),
        (good.clone(), &["--plan", &rules, "--of", "x"], &["--events", "--plan"]),
        (good.clone(), &["--from", "2", "--to", "1"], &["--from lies after --to"]),
        (good.clone(), &["--from", "yesterday"], &["\"yesterday\" is no time"]),
        (good.clone(), &["--objective", "100%"], &["leaves no budget"]),
        (good.clone(), &["--min-failures", "few"], &["--min-failures"]),
        (good.clone(), &["--rules", &rules], &["rules.yaml:1:28: \"0\" is not a factor"]),
        (good.clone(), &["--rules", &no_rules], &["nowhere.yaml", "check the path"]),
        (good.clone(), &["--json", "/proc/nowhere/x.json"], &["/proc/nowhere/x.json"]),
    ] {
        let finished = run(&[&["slo", "backtest", "--events", &events], more].concat());
        assert_eq!(finished.code, 2, "{events} {more:?}: {}", finished.stderr);
        for word in words {
            assert!(finished.stderr.contains(word), "{events} lacks \"{word}\":\n{}", finished.stderr);
        }
    }
    assert_eq!(run(&["slo", "backtest"]).code, 2, "--events is needed");
    assert_eq!(run(&["slo", "backtest", "--plan", &rules]).code, 2, "--of is needed, too");
}

#[test]
fn without_events_nothing_fires() {
    let folder = Folder::new();
    let empty = folder.write("empty.csv", "timestamp,good,total\n");
    let failing = folder.write("failing.csv", "timestamp,good,total\n1795737600,0,1000\n");
    for (events, more, said) in [
        (&empty, &[][..], "empty.csv: no events, so no rule did anything"),
        (&failing, &["--from", "1795737601"], "failing.csv: no events between --from and --to"),
    ] {
        let (finished, found) = backtest(&folder, events, more);
        assert_eq!(found, Value::Array(Vec::new()));
        assert!(finished.stderr.contains(said) && finished.stdout.is_empty(), "{}", finished.stderr);
    }
}
