//! One entry of `steps`: a request, a pause, or both.

use doorbuster_notation::{Fault, Fields, Key, Node};
use http::Method;

use super::request::METHODS;
use super::{Reader, name};
use crate::journey::{Instruction, Step};

impl Reader {
    /// Reads a step and appends what it does.
    pub(super) fn step(&mut self, node: &Node) {
        let fields = Fields::of(node, "a step");
        let Some(mut fields) = self.faults.keep(fields) else {
            return;
        };
        let mut methods: Vec<(&Key, &Node, Method)> = METHODS
            .into_iter()
            .filter_map(|(key, method)| fields.entry(key).map(|(key, node)| (key, node, method)))
            .collect();
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

    fn request_step(&mut self, node: &Node, mut fields: Fields<'_>, method: Option<&(&Key, &Node, Method)>) {
        let known = self.faults.faults.len();
        let step_name = self.step_name(&mut fields);
        if let Some(choose) = fields.optional("choose") {
            self.choose(choose);
        }
        let request = match method {
            Some((_, target, method)) => self.request(&mut fields, method, target),
            // The keys of a request are known keys even where its method is missing.
            None => {
                for key in ["query", "headers", "form", "json", "body", "timeout", "redirects"] {
                    fields.optional(key);
                }
                None
            }
        };
        let assets = fields.optional("assets").map(Node::boolean);
        let fetches_assets = assets.and_then(|assets| self.faults.keep(assets)).unwrap_or(false);
        let expect = fields.optional("expect").map(|node| self.expect(node)).unwrap_or_default();
        let extracts = fields.optional("extract").map(|node| self.extracts(node)).unwrap_or_default();
        let think = fields.optional("think");
        fields.finish(&mut self.faults);
        // A slip in the method's own key has been told with the key that was meant.
        if method.is_none() && self.faults.faults.len() == known {
            let keys = METHODS.map(|(key, _)| key).join(", ");
            self.faults.add(node.place, format!("a step needs one of {keys}, or only the key \"think\""));
        }
        if let (Some(name), Some(request)) = (step_name, request) {
            let wants_body = fetches_assets
                || expect.wants_body()
                || extracts.iter().any(crate::extract::Extract::wants_body);
            if wants_body && request.method == Method::HEAD {
                self.faults.add(node.place, "an answer to head has no body to look at; use get");
            }
            let wants_headers =
                !expect.headers.is_empty() || extracts.iter().any(crate::extract::Extract::wants_headers);
            let line = node.place.line;
            self.program.push(Instruction::Fetch(self.steps.len()));
            self.steps.push(Step {
                name,
                line,
                fetches_assets,
                request,
                expect,
                extracts,
                wants_headers,
                wants_body,
            });
        }
        if let Some(think) = think {
            self.think(think);
        }
    }

    fn step_name(&mut self, fields: &mut Fields<'_>) -> Option<String> {
        let found = fields.required("step").and_then(|node| Ok((name(node, "a step's name")?, node.place)));
        let (name, place) = self.faults.keep(found)?;
        if let Some(other) = self.steps.iter().find(|step| step.name == name) {
            let message =
                format!("there is a step \"{name}\" in line {} already; give each its own name", other.line);
            self.faults.faults.push(Fault::new(place, message));
        }
        Some(name)
    }
}

/// True for `{ think: … }`.
fn is_pause(node: &Node) -> bool {
    let keys = node.map("").unwrap_or_default();
    keys.iter().any(|(key, _)| key.name == "think") && !keys.iter().any(|(key, _)| key.name == "step")
}
