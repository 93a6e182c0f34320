//! What a test of a plan's notifiers came to, and when nobody is told.

use doorbuster_model::plan::alerts::Maintenance;
use doorbuster_model::slo::Silence;

use super::super::colour::Paint;
use super::super::numbers::milliseconds;
use super::super::plain::plain;
use super::layout::Grid;
use crate::notify::{Delivery, NotDelivered, rfc3339};

/// A row per notifier and notice.
pub(crate) fn deliveries(deliveries: &[Delivery], colour: bool) -> String {
    let paint = Paint { on: colour };
    let mut grid = Grid::new("Alerts: a test to every notifier, firing and then resolved")
        .words("notifier")
        .words("sent")
        .words("answer")
        .number("time");
    for delivery in deliveries {
        grid.row(vec![
            plain(&delivery.notifier),
            delivery.sent.to_owned(),
            answer(&delivery.answer, paint),
            milliseconds(Some(delivery.took.as_secs_f64() * 1e3)),
        ]);
    }
    grid.render()
}

fn answer(answer: &Result<u16, NotDelivered>, paint: Paint) -> String {
    match answer {
        Ok(status) => format!("{} ({status})", paint.green("taken")),
        Err(NotDelivered::Refused(why)) => format!("{}: {}", paint.red("refused"), plain(why)),
        Err(NotDelivered::Retry { why, after_s }) => {
            let wait =
                after_s.map_or_else(String::new, |after_s| format!(", which it asks for in {after_s} s"));
            let word = paint.red("not taken");
            format!("{word}: {}; an alert would be tried again{wait}", plain(why))
        }
    }
}

/// A row per silence and maintenance window, those that are over left out; the next to end comes first.
pub(crate) fn silences(silences: &[Silence], maintenance: &[Maintenance], now_s: i64) -> String {
    let window = |window: &Maintenance| {
        let (everything, reason) = ("everything".to_owned(), window.reason.clone());
        (window.to_s, window.from_s, "the plan".to_owned(), everything, reason)
    };
    let silence = |silence: &Silence| {
        let (id, what, reason) = (silence.id.clone(), what(silence), silence.reason.clone());
        (silence.to_s, silence.from_s, id, what, reason)
    };
    let mut rows: Vec<_> = maintenance.iter().map(window).chain(silences.iter().map(silence)).collect();
    rows.retain(|(to_s, ..)| *to_s > now_s);
    rows.sort();
    if rows.is_empty() {
        return "nothing is silenced\n".to_owned();
    }
    let mut grid = Grid::new("Silences: of what nobody is told")
        .words("id")
        .words("what")
        .words("from")
        .words("until")
        .words("reason");
    for (to_s, from_s, id, what, reason) in rows {
        let from = if from_s > now_s { rfc3339(from_s) } else { "now".to_owned() };
        grid.row(vec![plain(&id), plain(&what), from, rfc3339(to_s), plain(&reason)]);
    }
    grid.render()
}

fn what(silence: &Silence) -> String {
    match (&silence.objective, &silence.scope) {
        (None, None) => "everything".to_owned(),
        (Some(objective), None) => objective.clone(),
        (None, Some(scope)) => format!("everything, {scope}"),
        (Some(objective), Some(scope)) => format!("{objective}, {scope}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use doorbuster_model::slo::Scope;

    use super::*;

    #[test]
    fn silences_are_shown_with_what_they_are_about() {
        let silence = |id: &str, to_s, scope| Silence {
            id: id.to_owned(),
            objective: None,
            scope,
            from_s: 1_795_737_600,
            to_s,
            reason: "deploy".to_owned(),
        };
        let kept = [
            silence("over", 1_795_737_700, None),
            silence("later", 1_795_744_800, Some(Scope::Region("tokyo".to_owned()))),
            silence("sooner", 1_795_741_200, None),
        ];
        let window = Maintenance { from_s: 1_795_800_000, to_s: 1_795_803_600, reason: "move".to_owned() };
        let text = silences(&kept, &[window], 1_795_737_700);
        let rows: Vec<String> =
            text.lines().skip(3).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            rows,
            [
                "sooner everything now 2026-11-27T01:00:00Z deploy",
                "later everything, tokyo now 2026-11-27T02:00:00Z deploy",
                "the plan everything 2026-11-27T17:20:00Z 2026-11-27T18:20:00Z move",
            ]
        );
        assert_eq!(silences(&kept, &[], 1_795_744_800), "nothing is silenced\n");
    }

    #[test]
    fn each_answer_has_its_row() {
        let delivery = |notifier: &str, sent, answer| Delivery {
            notifier: notifier.to_owned(),
            sent,
            answer,
            took: Duration::from_micros(12_300),
        };
        let why = || "answered 503".to_owned();
        let rows = [
            delivery("slack", "firing", Ok(200)),
            delivery("slack", "resolved", Err(NotDelivered::Refused("answered 404: no_service".to_owned()))),
            delivery("sns", "firing", Err(NotDelivered::Retry { why: why(), after_s: None })),
            delivery("sns", "resolved", Err(NotDelivered::Retry { why: why(), after_s: Some(30) })),
        ];
        let text = deliveries(&rows, false);
        let lines: Vec<&str> = text.lines().skip(3).collect();
        assert_eq!(
            lines[0].split_whitespace().collect::<Vec<_>>().join(" "),
            "slack firing taken (200) 12.3 ms"
        );
        assert!(lines[1].contains("refused: answered 404: no_service"), "{text}");
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("not taken: answered 503; an alert would be tried again 12.3 ms"), "{text}");
        assert!(words.contains("an alert would be tried again, which it asks"), "{text}");
        assert!(deliveries(&rows, true).contains("\u{1b}[32mtaken\u{1b}[39m (200)"));
    }
}
