//! An entry of `steps` that sends a request, or only pauses.

use doorbuster_notation::{Fault, Fields, Key, Kind, Node, Place};
use http::Method;

use super::request::METHODS;
use super::{Reader, is_name, name};
use crate::extract::Extract;
use crate::journey::{Retry, Step};
use crate::names::{NAME_SIGNS, StepName, Varies};
use crate::program::Instruction;
use crate::template::{Piece, Source, Template};
use crate::think::Think;

/// The most times that a step is tried again.
const RETRIES_MAX: u64 = 100;
/// What only a request has; known keys even where its method is missing.
const REQUEST_KEYS: [&str; 12] = [
    "query",
    "headers",
    "form",
    "json",
    "body",
    "multipart",
    "graphql",
    "fields",
    "button",
    "page",
    "timeout",
    "redirects",
];

impl Reader {
    /// Reads a step and appends what it does.
    pub(super) fn step(&mut self, node: &Node, mut fields: Fields<'_>) {
        let mut methods: Vec<(&Key, &Node, Option<Method>)> = METHODS
            .into_iter()
            .filter_map(|(key, method)| fields.entry(key).map(|(key, node)| (key, node, Some(method))))
            .collect();
        methods.extend(fields.entry("submit").map(|(key, node)| (key, node, None)));
        methods.sort_by_key(|(key, ..)| key.place);
        let is_pause = methods.is_empty() && is_pause(node);
        if is_pause {
            if let Some(think) = fields.optional("think") {
                self.think(think);
            }
            fields.finish(&mut self.faults);
            return;
        }
        if let Some((key, ..)) = methods.get(1) {
            let message = format!(
                "found both \"{}\" and \"{}\": a step makes one request; write two steps",
                methods[0].0.name, key.name
            );
            self.faults.add(key.place, message);
        }
        self.request_step(node, fields, methods.first());
    }

    fn request_step(
        &mut self,
        node: &Node,
        mut fields: Fields<'_>,
        method: Option<&(&Key, &Node, Option<Method>)>,
    ) {
        let known = self.faults.faults.len();
        let own = fields.optional("abandon").and_then(|node| self.abandon(node));
        let parts = own.or(self.abandons.filter(|_| !self.steps.is_empty()));
        self.program.extend(parts.map(Instruction::Abandon));
        if let Some(choose) = fields.optional("choose") {
            self.choose(choose);
        }
        let step_name = self.step_name(&mut fields);
        let request = match method {
            Some((_, target, Some(method))) => self.request(&mut fields, method, target),
            Some((_, selector, None)) => self.submit(&mut fields, selector),
            None => {
                for key in REQUEST_KEYS {
                    fields.optional(key);
                }
                None
            }
        };
        let line = node.place.line;
        let (step_name, counted) = step_name.unzip();
        let mut step = request.map(|request| Step::new(step_name.clone().unwrap_or_default(), line, request));
        let is_head = method.is_some_and(|(_, _, method)| *method == Some(Method::HEAD));
        self.judging(&mut fields, step.as_mut(), is_head.then_some(node));
        let think = fields.optional("think");
        fields.finish(&mut self.faults);
        // A slip in the method's own key has been told with the key that was meant.
        if method.is_none() && self.faults.faults.len() == known {
            let keys = METHODS.map(|(key, _)| key).join(", ");
            self.faults
                .add(node.place, format!("a step needs one of {keys}, submit, or only the key \"think\""));
        }
        if let (Some(counted), Some(step)) = (counted, step) {
            self.program.push(Instruction::Fetch(self.steps.len()));
            self.last_step = Some(self.steps.len());
            self.steps.push(Step { counted, rounds_max: self.rounds, ..step });
        }
        if let Some(think) = think {
            self.think(think);
        }
    }

    /// What becomes of the answer. Read even where there is no step, so that all faults are told.
    fn judging(&mut self, fields: &mut Fields<'_>, step: Option<&mut Step>, head: Option<&Node>) {
        let assets = fields.optional("assets").map(Node::boolean);
        let fetches_assets = assets.and_then(|assets| self.faults.keep(assets)).unwrap_or(false);
        let expect = fields.optional("expect").map(|node| self.expect(node));
        let refusals = fields.optional("refused_when").map(|node| self.refusals(node)).unwrap_or_default();
        let extracts = fields.optional("extract").map(|node| self.extracts(node)).unwrap_or_default();
        let until_found = fields.optional("read").and_then(|node| self.until_found(node));
        let retry = fields.optional("retry").and_then(|node| self.retry(node));
        let counts = fields.optional("count").map(|node| self.counts(node)).unwrap_or_default();
        let marks = fields.optional("mark").map(|node| self.marks(node)).unwrap_or_default();
        let Some(step) = step else { return };
        let asks = || expect.iter().chain(refusals.iter().map(|(_, refusal)| refusal));
        step.wants_body = fetches_assets
            || step.request.is_graphql
            || asks().any(|expect| expect.wants_body())
            || extracts.iter().any(Extract::wants_body);
        step.wants_headers =
            asks().any(|expect| expect.wants_headers()) || extracts.iter().any(Extract::wants_headers);
        step.wants_cookies = extracts.iter().any(Extract::wants_cookies);
        step.wants_base = extracts.iter().any(Extract::takes_address);
        if let Some(node) = head.filter(|_| step.wants_body) {
            self.faults.add(node.place, "an answer to head has no body to look at; use get");
        }
        step.fetches_assets = fetches_assets;
        if let Some(expect) = expect {
            step.expect = expect;
        }
        (step.refusals, step.extracts, step.retry, step.counts, step.marks) =
            (refusals, extracts, retry, counts, marks);
        if let Some(place) = until_found {
            step.until_found = true;
            self.decided_early(step, place);
        }
    }

    /// `step: search`, or `step: "search-${word}"`
    fn step_name(&mut self, fields: &mut Fields<'_>) -> Option<(String, StepName)> {
        let node = self.faults.keep(fields.required("step"))?;
        let place = node.place;
        let (name, counted) = match &node.kind {
            Kind::Text(text) if text.contains("${") => (text.clone(), self.varying_name(text, place)?),
            _ => (self.faults.keep(name(node, "a step's name"))?, StepName::new(None)),
        };
        if let Some(other) = self.steps.iter().find(|step| step.name == name) {
            let message =
                format!("there is a step \"{name}\" in line {} already; give each its own name", other.line);
            self.faults.faults.push(Fault::new(place, message));
        }
        Some((name, counted))
    }

    /// A name with a variable in it.
    fn varying_name(&mut self, text: &str, place: Place) -> Option<StepName> {
        let pieces = self.pieces(text, place);
        let (around, variable) = match pieces[..] {
            [Piece::Variable(variable)] => (["", ""], variable),
            [Piece::Text(before), Piece::Variable(variable)] => ([before, ""], variable),
            [Piece::Variable(variable), Piece::Text(behind)] => (["", behind], variable),
            [Piece::Text(before), Piece::Variable(variable), Piece::Text(behind)] => {
                ([before, behind], variable)
            }
            _ => {
                self.faults.add(place, "a step's name holds one variable at most".to_owned());
                return None;
            }
        };
        if !around.iter().all(|text| text.is_empty() || is_name(text, NAME_SIGNS)) {
            self.faults.add(
                place,
                format!("found \"{text}\", expected letters, digits or _ . : - around the variable"),
            );
            return None;
        }
        match self.source(variable, place)? {
            Source::Slot(slot) => Some(StepName::new(Some(Varies::new(slot, place, around.map(Box::from))))),
            _ => {
                self.faults.add(place, format!("\"{variable}\" has too many values to name samples by it"));
                None
            }
        }
    }

    /// `retry: 3`, or `retry: { times: 3, wait: 1s }`
    fn retry(&mut self, node: &Node) -> Option<Retry> {
        let none = || Think::Constant(std::time::Duration::ZERO);
        let (times, wait) = if matches!(node.kind, Kind::Map(_)) {
            let fields = Fields::of(node, "retry");
            let mut fields = self.faults.keep(fields)?;
            let times = fields.required("times").and_then(|node| node.integer(1, RETRIES_MAX));
            let wait = fields.optional("wait").map_or_else(|| Some(none()), |node| self.read_think(node));
            fields.finish(&mut self.faults);
            (times, wait?)
        } else {
            (node.integer(1, RETRIES_MAX), none())
        };
        let times = u32::try_from(self.faults.keep(times)?).ok()?;
        Some(Retry { times, wait })
    }

    /// `count: orders`, or `count: { orders: 2 }`
    fn counts(&mut self, node: &Node) -> Vec<(Box<str>, u64)> {
        let Kind::Map(entries) = &node.kind else {
            let name = node.scalar("a counter's name, or names with numbers");
            let name = name.and_then(|name| counter_name(&name, node));
            return self.faults.keep(name).map(|name| (name, 1)).into_iter().collect();
        };
        let counts = entries
            .iter()
            .map(|(key, value)| Ok((counter_name(&key.name, value)?, value.integer(1, 1_000_000_000)?)));
        counts.filter_map(|count| self.faults.keep(count)).collect()
    }

    /// `mark: { order: "${order}" }`
    fn marks(&mut self, node: &Node) -> Vec<(Box<str>, Template)> {
        let mut marks = Vec::new();
        let entries = node.map("names with texts, such as { order: \"${order}\" }");
        for (key, value) in self.faults.keep(entries).unwrap_or_default() {
            let name = self.faults.keep(counter_name(&key.name, value));
            marks.extend(name.zip(self.verbatim(value, "a text")));
        }
        marks
    }
}

fn counter_name(name: &str, node: &Node) -> Result<Box<str>, Fault> {
    if is_name(name, "_.-") {
        return Ok(name.into());
    }
    Err(Fault::new(
        node.place,
        format!("found the name \"{name}\", expected letters, digits or any of _ . -"),
    ))
}

/// True for `{ think: … }`.
fn is_pause(node: &Node) -> bool {
    let keys = node.map("").unwrap_or_default();
    keys.iter().any(|(key, _)| key.name == "think") && !keys.iter().any(|(key, _)| key.name == "step")
}
