//! `submit: form#buy`: a form of the page before, as a browser submits it.

use doorbuster_notation::{Fault, Fields, Kind, Node};
use http::Method;

use super::{Reader, until_found};
use crate::journey::{Body, Fill, FormUse, Request, Submit};
use crate::template::{Piece, Template, pieces};

impl Reader {
    /// The request that submits the form that this selector finds.
    pub(super) fn submit(&mut self, fields: &mut Fields<'_>, node: &Node) -> Option<Request> {
        let text = self.faults.keep(node.scalar("a form's CSS selector"))?;
        let form = self.selector(&text, node.place);
        let button = fields.optional("button").and_then(|node| {
            let text = self.faults.keep(node.scalar("a button's CSS selector"))?;
            self.selector(&text, node.place)
        });
        let filled = fields.optional("fields").map(|node| self.filled(node)).unwrap_or_default();
        let headers = fields.optional("headers").map(|node| self.headers(node)).unwrap_or_default();
        let (follow_redirects, timeout) = self.sending(fields);
        let page = match fields.optional("page") {
            Some(node) => {
                let name = node.scalar("the name of the step that shows the form");
                let step = name.and_then(|name| {
                    let found = self.steps.iter().position(|step| step.name == name);
                    found.ok_or_else(|| {
                        Fault::new(node.place, format!("no earlier step is called \"{name}\""))
                    })
                });
                self.faults.keep(step)
            }
            None => self.last_step,
        };
        let Some(page) = page else {
            let message =
                "there is no one step before it whose page could hold the form; name it with page: STEP";
            self.faults.add(node.place, message);
            return None;
        };
        // The form is taken when its page is judged, before anybody knows whether it will be submitted.
        let slot = self.hidden_variable(&format!(" form {}", self.steps.len()), node.place)?;
        let step = self.steps.get_mut(page)?;
        if step.until_found {
            self.faults.add(node.place, until_found::too_late(&step.name, "a form"));
        }
        step.wants_body = true;
        step.forms.push(FormUse { slot, form: form?, button, line: node.place.line });
        Some(Request {
            method: Method::POST,
            target: Template::default(),
            query: Default::default(),
            headers,
            body: Body::None,
            submit: Some(Box::new(Submit { slot, fields: filled })),
            is_graphql: false,
            follow_redirects,
            timeout,
        })
    }

    fn filled(&mut self, node: &Node) -> Vec<(Template, Fill)> {
        let entries = node.map("fields with what is filled in, such as { quantity: 2 }");
        let mut filled = Vec::new();
        for (key, value) in self.faults.keep(entries).unwrap_or_default() {
            let name = self.verbatim_text(&key.name, key.place);
            let fill = match &value.kind {
                Kind::Null => Some(Fill::Texts(Vec::new())),
                Kind::Bool(checked) => Some(Fill::Checked(*checked)),
                Kind::List(items) => {
                    let texts = items.iter().map(|item| self.verbatim(item, "a text or a number"));
                    texts.collect::<Option<Vec<_>>>().map(Fill::Texts)
                }
                Kind::Text(text) if self.lone_variable(text).is_some() => self
                    .lone_variable(text)
                    .and_then(|name| self.source(&name, value.place))
                    .map(|source| match source {
                        crate::template::Source::Slot(slot) => Fill::Items(slot),
                        other => {
                            let mut template = Template::default();
                            template.value(other, crate::encoding::Encoding::Verbatim);
                            Fill::Texts(vec![template])
                        }
                    }),
                _ => self
                    .verbatim(value, "a text, a number, true, false or a list")
                    .map(|text| Fill::Texts(vec![text])),
            };
            filled.extend(fill.map(|fill| (name, fill)));
        }
        filled
    }

    /// The name of the variable that a text is, if it is nothing else.
    pub(super) fn lone_variable(&self, text: &str) -> Option<String> {
        match pieces(text).ok()?.as_slice() {
            [Piece::Variable(name)] => Some((*name).to_owned()),
            _ => None,
        }
    }
}
