//! The pass of our own: an element is matched at its start tag, by what it is and by what the elements around it matched.
//!
//! All compounds of all selectors have a bit each. An element notes which of them it matched, each together with those
//! before it, so that the next compound has only to ask its parent, or all around it, for one bit.

mod plan;

use std::ops::ControlFlow;

use super::search::{Searches, Value};
use super::tokens::{Tag, Token, Tokens};
use super::{Found, Query, Take, nesting};
use crate::pattern::{Element, Pattern};
use plan::Plan;

/// The most elements within each other.
const DEPTH_MAX: usize = 10_000;
/// The most elements that are looked at to find those that end tags end, for each byte of the page.
const STEPS_PER_BYTE: usize = 16;

/// Looks for all `queries` in `html`; `None` when one of them, or the page, asks for more than is known here.
pub(super) fn pass(html: &[u8], queries: &[Query<'_>]) -> Option<Vec<Found>> {
    let patterns: Vec<&Pattern> =
        queries.iter().map(|query| query.selector.pattern.as_ref()).collect::<Option<_>>()?;
    let mut found = Vec::with_capacity(queries.len());
    while found.len() < queries.len() {
        let plan = Plan::of(html, &queries[found.len()..], &patterns[found.len()..]);
        found.append(&mut Pass::new(html, plan).run()?);
    }
    Some(found)
}

/// An element whose end has not come yet.
struct Open<'a> {
    name: &'a [u8],
    /// What it matched itself, and what it or any around it did.
    own: u64,
    around: u64,
    /// How many elements it holds so far.
    children: i32,
    /// Whether it is a list or a table.
    is_boundary: bool,
}

struct Pass<'a, 'q> {
    plan: Plan<'q>,
    tokens: Tokens<'a>,
    searches: Searches,
    stack: Vec<Open<'a>>,
    /// How many elements stand in none.
    roots: i32,
    /// How many elements of each name there are in those that are open: by depth, the deepest last.
    types: Vec<(usize, &'a [u8], i32)>,
    /// The matches with text: by depth, the deepest last, with search and number.
    texts: Vec<(usize, usize, usize)>,
    /// How many more elements may be looked at.
    steps: usize,
}

impl<'a, 'q> Pass<'a, 'q> {
    fn new(html: &'a [u8], plan: Plan<'q>) -> Self {
        Self {
            tokens: Tokens::new(html),
            searches: Searches::new(plan.queries),
            stack: Vec::new(),
            roots: 0,
            types: Vec::new(),
            texts: Vec::new(),
            steps: html.len().saturating_mul(STEPS_PER_BYTE),
            plan,
        }
    }

    /// What was found; `None` when the page asks for more than is known here.
    fn run(mut self) -> Option<Vec<Found>> {
        if self.plan.all_ends == 0 {
            return Some(self.searches.finish());
        }
        while let Some(token) = self.tokens.token().ok()? {
            let flow = match token {
                Token::Text(text, is_escaped) => self.text(text, is_escaped),
                Token::Start(tag) if tag.start > self.plan.to && !self.searches.has_open() => break,
                Token::Start(tag) => self.start(&tag)?,
                Token::End(name) => self.end(name)?,
            };
            if flow.is_break() {
                break;
            }
        }
        Some(self.searches.finish())
    }

    fn text(&mut self, text: &[u8], is_escaped: bool) -> ControlFlow<()> {
        if !self.texts.is_empty() {
            let text = String::from_utf8_lossy(text);
            (0..self.plan.queries.len()).for_each(|index| self.searches.text(index, &text, is_escaped));
        }
        ControlFlow::Continue(())
    }

    /// An element begins. `None` where there are too many.
    fn start(&mut self, tag: &Tag<'a>) -> Option<ControlFlow<()>> {
        let depth = self.stack.len();
        let parent = self.stack.last_mut();
        let (own, around) = parent.as_ref().map_or((0, 0), |parent| (parent.own, parent.around));
        let children = parent.map_or(&mut self.roots, |parent| &mut parent.children);
        *children += 1;
        let number = *children;
        let number_of_type = if self.plan.counts_types { self.count_type(tag.name, depth)? } else { 0 };
        let mut matched = 0;
        if self.tokens.at() > self.plan.from {
            let element = Element {
                name: tag.name,
                attributes: self.tokens.attributes(),
                is_html: tag.is_html,
                number,
                number_of_type,
            };
            let plan = &self.plan;
            let asked = plan.firsts | ((own << 1) & plan.children) | ((around << 1) & plan.descendants);
            for (position, compound) in plan.compounds.iter().enumerate() {
                let bit = 1_u64 << position;
                if asked & bit != 0 && compound.matches(&element) {
                    matched |= bit;
                }
            }
        }
        if matched & self.plan.all_ends != 0 && self.matched(matched, tag).is_break() {
            return Some(ControlFlow::Break(()));
        }
        let is_boundary = match self.nest(tag) {
            ControlFlow::Continue(is_boundary) => is_boundary,
            ControlFlow::Break(()) => return Some(ControlFlow::Break(())),
        };
        if tag.can_have_content {
            if depth >= DEPTH_MAX {
                return None;
            }
            let around = around | matched;
            self.stack.push(Open { name: tag.name, own: matched, around, children: 0, is_boundary });
        }
        Some(ControlFlow::Continue(()))
    }

    /// The number of an element among those of its name and parent.
    fn count_type(&mut self, name: &'a [u8], depth: usize) -> Option<i32> {
        let siblings = self.types.iter_mut().rev().take_while(|(level, ..)| *level == depth);
        for (_, known, count) in siblings {
            self.steps = self.steps.checked_sub(1)?;
            if known.eq_ignore_ascii_case(name) {
                *count += 1;
                return Some(*count);
            }
        }
        self.types.push((depth, name, 1));
        Some(1)
    }

    /// The element matches the compounds of `matched`, among them the last of a selector.
    fn matched(&mut self, matched: u64, tag: &Tag<'a>) -> ControlFlow<()> {
        for (index, query) in self.plan.queries.iter().enumerate() {
            if matched & self.plan.ends[index] == 0 {
                continue;
            }
            match query.take {
                Take::Count => self.searches.matched(index, None)?,
                Take::Attribute(wanted) => {
                    let mut attributes = self.tokens.attributes().iter();
                    let found = attributes.find(|found| found.name.eq_ignore_ascii_case(wanted.as_bytes()));
                    if let Some(found) = found {
                        let value = Value::attribute(String::from_utf8_lossy(found.value).into_owned());
                        self.searches.matched(index, Some(value))?;
                    }
                }
                Take::Text => {
                    let mut buffer = [0; nesting::NAME_BYTES_MAX];
                    let name = nesting::lower(tag.name, &mut buffer).unwrap_or("");
                    if let Some(number) = self.searches.open(index, name, tag.start) {
                        if tag.can_have_content {
                            self.texts.push((self.stack.len(), index, number));
                        } else {
                            self.searches.close(index, number)?;
                        }
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// The element may end others; whether it is one inside which nothing outside it ends.
    fn nest(&mut self, tag: &Tag<'_>) -> ControlFlow<(), bool> {
        if !self.plan.wants_text {
            return ControlFlow::Continue(false);
        }
        let mut buffer = [0; nesting::NAME_BYTES_MAX];
        let Some(name) = nesting::lower(tag.name, &mut buffer) else { return ControlFlow::Continue(false) };
        self.searches.close_unclosed(name, tag.start)?;
        let is_boundary = tag.can_have_content && nesting::is_boundary(name);
        if is_boundary {
            self.searches.deepen();
        }
        ControlFlow::Continue(is_boundary)
    }

    /// An end tag ends the last element of its name, and all inside it.
    fn end(&mut self, name: &[u8]) -> Option<ControlFlow<()>> {
        let found = self.stack.iter().rposition(|open| open.name.eq_ignore_ascii_case(name));
        self.steps = self.steps.checked_sub(self.stack.len() - found.unwrap_or(0))?;
        let Some(depth) = found else { return Some(ControlFlow::Continue(())) };
        while let Some((_, index, number)) = self.texts.pop_if(|(level, ..)| *level >= depth) {
            if self.searches.close(index, number).is_break() {
                return Some(ControlFlow::Break(()));
            }
        }
        while self.types.pop_if(|(level, ..)| *level > depth).is_some() {}
        let ended = self.stack.drain(depth..);
        self.searches.rise(ended.filter(|open| open.is_boundary).count());
        Some(ControlFlow::Continue(()))
    }
}
