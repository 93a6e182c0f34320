//! What a test of a plan's notifiers came to.

use super::super::colour::Paint;
use super::super::numbers::milliseconds;
use super::super::plain::plain;
use super::layout::Grid;
use crate::notify::{Delivery, NotDelivered};

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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

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
