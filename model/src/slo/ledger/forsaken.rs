//! Pages of what the plan no longer has: kept for as long as they would count, should it come back, and then dropped.

use std::collections::BTreeMap;

use crate::slo::objective::{Objective, WINDOW_MAX_S};
use crate::slo::page::Page;
use crate::slo::scope::SeriesKey;

/// Pages that belong to no series of the plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Forsaken {
    series: BTreeMap<SeriesKey, Pages>,
}

/// The pages of a series: each by its length and start.
#[derive(Clone, Debug)]
struct Pages {
    /// The window of the objective.
    window_s: i64,
    pages: Vec<(u32, i64)>,
}

impl Forsaken {
    /// Notes a page that was saved.
    pub(super) fn note(&mut self, key: &SeriesKey, page: &Page) {
        let page = (page.length_s, page.start_s);
        if let Some(series) = self.series.get_mut(key) {
            series.pages.push(page);
            return;
        }
        // What can no longer be read had no longer a window than any may have.
        let window_s = Objective::parse(&key.objective).map_or(WINDOW_MAX_S, |objective| objective.window_s);
        self.series.insert(key.clone(), Pages { window_s: i64::from(window_s), pages: vec![page] });
    }

    /// Takes the pages that no window reaches any more: key, length and start.
    pub(super) fn take_past(&mut self, now_s: i64) -> Vec<(SeriesKey, u32, i64)> {
        let mut taken = Vec::new();
        for (key, Pages { window_s, pages }) in &mut self.series {
            let edge_s = now_s - *window_s;
            pages.retain(|(length_s, start_s)| {
                let is_kept = start_s.saturating_add(i64::from(*length_s)) > edge_s;
                if !is_kept {
                    taken.push((key.clone(), *length_s, *start_s));
                }
                is_kept
            });
        }
        self.series.retain(|_, series| !series.pages.is_empty());
        taken
    }

    /// About how much memory this takes.
    pub(super) fn memory_bytes(&self) -> usize {
        let of = |(key, series): (&SeriesKey, &Pages)| {
            let names = key.objective.capacity() + key.scope.name().len();
            size_of::<(SeriesKey, Pages)>() + names + series.pages.capacity() * size_of::<(u32, i64)>()
        };
        self.series.iter().map(of).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{Forsaken, Page, SeriesKey};
    use crate::slo::scope::Scope;

    #[test]
    fn a_page_is_dropped_when_no_window_reaches_it() {
        let key = |objective: &str| SeriesKey { objective: objective.to_owned(), scope: Scope::Global };
        let page = |start_s, length_s| Page { start_s, length_s, bytes: Vec::new() };
        let (known, unknown) = (key("pay availability 99% over 1d"), key("what an earlier version knew"));
        let mut forsaken = Forsaken::default();
        forsaken.note(&known, &page(600, 300));
        forsaken.note(&known, &page(900, 300));
        forsaken.note(&unknown, &page(0, 86_400));
        forsaken.note(&unknown, &page(i64::MAX, 300));
        assert!(forsaken.memory_bytes() > 0);
        assert!(forsaken.take_past(900 + 86_399).is_empty());
        assert_eq!(forsaken.take_past(900 + 86_400), [(known.clone(), 300, 600)]);
        assert!(forsaken.take_past(900 + 86_400).is_empty(), "once");
        assert_eq!(forsaken.take_past(91 * 86_400), [(known, 300, 900), (unknown, 86_400, 0)]);
    }
}
