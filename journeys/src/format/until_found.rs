//! `read: until_found`: an answer that is read only until all is found that its step looks for.

use doorbuster_notation::{Kind, Node, Place};

use super::Reader;
use crate::extract::{Extract, From, Pick};
use crate::journey::Step;

impl Reader {
    /// `read: all`, or `read: until_found`: the place of the latter.
    pub(super) fn until_found(&mut self, node: &Node) -> Option<Place> {
        let until_found = match &node.kind {
            Kind::Text(word) if word == "all" => Ok(false),
            Kind::Text(word) if word == "until_found" => Ok(true),
            _ => Err(node.expected("all or until_found")),
        };
        self.faults.keep(until_found)?.then_some(node.place)
    }

    /// Tells what of a step only the end of its body decides.
    pub(super) fn decided_early(&mut self, step: &Step, place: Place) {
        let mut late: Vec<String> = Vec::new();
        let mut needs = |what: &str, is_needed: bool| {
            if is_needed {
                late.push(what.to_owned());
            }
        };
        needs("assets", step.fetches_assets);
        needs("graphql", step.request.is_graphql);
        needs("lacks", step.expect.texts.iter().any(|(wanted, ..)| !wanted));
        needs("json", !step.expect.json.is_empty());
        needs("size", step.expect.size.is_some());
        needs("css that counts or rules out", step.expect.css.iter().any(|css| css.check.until().is_none()));
        needs("refused_when", step.refusals.iter().any(|(_, refusal)| refusal.wants_body()));
        for extract in step.extracts.iter().filter(|extract| is_late(extract)) {
            needs(&format!("the extract \"{}\"", extract.name), true);
        }
        if !late.is_empty() {
            let message =
                format!("found until_found with {}, which only the end of a body decides", late.join(", "));
            self.faults.add(place, message);
        } else if !step.wants_body {
            let message = "found until_found without anything to find in the body, such as has or extract";
            self.faults.add(place, message);
        }
    }
}

/// Whether only the end of a body decides a value: all but the first, the second, and so on, of a page or a text.
fn is_late(extract: &Extract) -> bool {
    match &extract.from {
        From::Css(..) | From::Regex(_) => !matches!(extract.pick, Pick::Nth(_)),
        From::Json(..) => true,
        From::Header(_) | From::Cookie(_) | From::Status | From::Url => false,
    }
}

/// What is wrong with something that a later entry asks of a body which is not read to its end.
pub(super) fn too_late(step: &str, what: &str) -> String {
    format!(
        "the step \"{step}\" reads until_found, so that {what} may lie behind what was read; leave that out there"
    )
}
