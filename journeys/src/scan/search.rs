//! What a pass looks for, and what it has found of it.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::{Found, MATCHES_MAX, Query, VALUE_BYTES_MAX, nesting};

/// The most text that one selector collects from a page, in bytes.
const TEXT_BYTES_MAX: usize = 4 << 20;

/// All that a pass looks for. It breaks off once nothing more is wanted.
pub(super) struct Searches {
    all: Vec<Search>,
    /// How many searches still want something.
    pending: usize,
    /// How many lists and tables are open.
    depth: usize,
}

#[derive(Default)]
struct Search {
    until: Option<usize>,
    values: Vec<Value>,
    open: Vec<Open>,
    /// How many of them other elements may end, by depth and name: so that an element that ends none need not look
    /// through all.
    endable: HashMap<(usize, &'static str), usize>,
    count: usize,
    text_bytes: usize,
    overflowed: bool,
    settled: bool,
}

/// A match whose end has not come yet.
struct Open {
    number: usize,
    /// What it is called, if elements may end it: see [`nesting::unclosed`].
    name: &'static str,
    depth: usize,
    /// Where its start tag begins, in bytes.
    start: usize,
}

/// A value as the page writes it.
#[derive(Default)]
pub(super) struct Value {
    raw: String,
    is_escaped: bool,
    is_attribute: bool,
}

impl Searches {
    pub(super) fn new(queries: &[Query<'_>]) -> Self {
        let search = |query: &Query<'_>| Search { until: query.until, ..Search::default() };
        Self { all: queries.iter().map(search).collect(), pending: queries.len(), depth: 0 }
    }

    /// A match that is complete at once; its value, or `None` when it is only counted.
    pub(super) fn matched(&mut self, index: usize, value: Option<Value>) -> ControlFlow<()> {
        let search = &mut self.all[index];
        if search.wants_more() {
            match value {
                Some(value) => search.keep(value),
                None => search.count += 1,
            }
        }
        self.settle(index)
    }

    /// Begins a match with text: an element called `name`, in lower case, whose tag begins at `start`. Its number, or
    /// `None` when it is not wanted any more.
    pub(super) fn open(&mut self, index: usize, name: &str, start: usize) -> Option<usize> {
        let depth = self.depth;
        let search = &mut self.all[index];
        let number = search.values.len();
        if search.wants_more() {
            search.keep(Value::default());
        }
        (number < search.values.len()).then(|| {
            let name = nesting::unclosed(name);
            if !name.is_empty() {
                *search.endable.entry((depth, name)).or_default() += 1;
            }
            search.open.push(Open { number, name, depth, start });
            number
        })
    }

    /// Text inside the open matches of a search; `is_escaped` where it may hold character references.
    pub(super) fn text(&mut self, index: usize, text: &str, is_escaped: bool) {
        let search = &mut self.all[index];
        if text.is_empty() {
            return;
        }
        for open in &search.open {
            let left = TEXT_BYTES_MAX - search.text_bytes;
            if left == 0 {
                // Nothing would be kept, however many are open.
                search.overflowed = true;
                return;
            }
            let value = &mut search.values[open.number];
            let room = VALUE_BYTES_MAX.saturating_sub(value.raw.len()).min(left);
            let kept = &text[..text.floor_char_boundary(room)];
            value.raw.push_str(kept);
            value.is_escaped |= is_escaped;
            // What is too short for the next character is used up, too.
            search.text_bytes += if room == left && kept.len() < text.len() { left } else { kept.len() };
            search.overflowed |= kept.len() < text.len();
        }
    }

    /// Whether the end of a match is waited for.
    pub(super) fn has_open(&self) -> bool {
        self.all.iter().any(|search| !search.open.is_empty())
    }

    /// Ends the match `number`, when it is still open.
    pub(super) fn close(&mut self, index: usize, number: usize) -> ControlFlow<()> {
        self.all[index].end(|open| open.number == number);
        self.settle(index)
    }

    /// An element called `name`, in lower case, begins at `start`: it ends those before it that were never closed.
    pub(super) fn close_unclosed(&mut self, name: &str, start: usize) -> ControlFlow<()> {
        let names = nesting::ends(name);
        if names.is_empty() {
            return ControlFlow::Continue(());
        }
        let depth = self.depth;
        for index in 0..self.all.len() {
            let search = &mut self.all[index];
            let mut counts = names.iter().filter_map(|name| search.endable.get(&(depth, *name)));
            if search.open.is_empty() || !counts.any(|count| *count > 0) {
                continue;
            }
            search.end(|open| open.start < start && open.depth == depth && names.contains(&open.name));
            self.settle(index)?;
        }
        ControlFlow::Continue(())
    }

    /// A list or a table begins.
    pub(super) fn deepen(&mut self) {
        self.depth += 1;
    }

    /// So many lists and tables end.
    pub(super) fn rise(&mut self, levels: usize) {
        self.depth = self.depth.saturating_sub(levels);
    }

    /// Whether nothing more is wanted.
    pub(super) fn have_all(&self) -> bool {
        self.pending == 0
    }

    /// What was found, in the order of the queries.
    pub(super) fn finish(&mut self) -> Vec<Found> {
        self.all.drain(..).map(Search::finish).collect()
    }

    /// Breaks off once no search wants anything more.
    fn settle(&mut self, index: usize) -> ControlFlow<()> {
        let search = &mut self.all[index];
        if !search.settled && !search.wants_more() && search.open.is_empty() {
            search.settled = true;
            self.pending -= 1;
        }
        if self.pending == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Search {
    /// Ends the open matches that are over.
    fn end(&mut self, is_over: impl Fn(&Open) -> bool) {
        let endable = &mut self.endable;
        self.open.retain(|open| {
            let goes_on = !is_over(open);
            if !goes_on && let Some(count) = endable.get_mut(&(open.depth, open.name)) {
                *count -= 1;
            }
            goes_on
        });
    }

    fn wants_more(&self) -> bool {
        self.until.is_none_or(|until| self.count <= until)
    }

    fn keep(&mut self, value: Value) {
        self.count += 1;
        if self.values.len() < MATCHES_MAX {
            self.values.push(value);
        } else {
            self.overflowed = true;
        }
    }

    fn finish(self) -> Found {
        let values = self.values.into_iter().map(Value::finish).collect();
        Found { values, count: self.count, overflowed: self.overflowed }
    }
}

impl Value {
    /// That of an attribute.
    pub(super) fn attribute(raw: String) -> Self {
        Self { raw, is_escaped: true, is_attribute: true }
    }

    fn finish(self) -> String {
        if self.is_attribute {
            // Attributes have their own rule for references without a semicolon: `?a=1&copy=2` is not a © sign.
            return htmlize::unescape_attribute(self.raw).into_owned();
        }
        let text = if self.is_escaped { htmlize::unescape(self.raw).into_owned() } else { self.raw };
        let trimmed = text.trim();
        if trimmed.len() == text.len() { text } else { trimmed.to_owned() }
    }
}
