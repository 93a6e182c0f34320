//! `get: /path` and `query: {…}`: where a request goes.

use doorbuster_notation::{Node, Place};
use url::Url;

use super::Reader;
use crate::encoding::{Encoding, write_url_text};
use crate::template::{Piece, Template};

const EXPECTED: &str = "a path such as /cart, a query such as ?page=2, or an http or https URL";

impl Reader {
    /// A target. Values go in percent-encoded, save for a variable at the very beginning, which is a link as
    /// extracted: there is no path yet of which it could be a segment.
    pub(super) fn target(&mut self, node: &Node) -> Option<Template> {
        let text = self.faults.keep(node.scalar(EXPECTED))?;
        let text = text.trim();
        let pieces = self.pieces(text, node.place);
        let mut template = Template::default();
        let mut in_query = false;
        for (index, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Text(text) => {
                    in_query |= text.contains('?');
                    let mut encoded = String::new();
                    write_url_text(text, &mut encoded);
                    template.text(&encoded);
                }
                Piece::Variable(name) => {
                    let encoding = match (index, in_query) {
                        (0, _) => Encoding::Link,
                        (_, false) => Encoding::PathSegment,
                        (_, true) => Encoding::Query,
                    };
                    if let Some(source) = self.source(name, node.place) {
                        template.value(source, encoding);
                    }
                }
            }
        }
        let begins_with_link = matches!(pieces.first(), Some(Piece::Variable(_)));
        match check(text, &template.sketch("x"), begins_with_link) {
            Ok(()) => Some(template),
            Err(why) => {
                self.faults.add(node.place, format!("found {}, expected {EXPECTED}{why}", node.found()));
                None
            }
        }
    }

    /// Appends a text with literal parts and values alike in `encoding`.
    pub(super) fn encoded(&mut self, text: &str, place: Place, encoding: Encoding, out: &mut Template) {
        self.template_with(text, place, encoding, |text, out| encoding.write(text, out), out);
    }
}

/// Says why a target cannot be one; `sketch` is the target with `x` for every value.
fn check(text: &str, sketch: &str, begins_with_link: bool) -> Result<(), String> {
    if text.contains('#') {
        return Err(" without a fragment (#…), which browsers keep to themselves".to_owned());
    }
    if begins_with_link || text.starts_with(['/', '?']) {
        return Ok(());
    }
    let is_web = ["http://", "https://"].iter().any(|scheme| text.to_ascii_lowercase().starts_with(scheme));
    if !is_web {
        return Err(String::new());
    }
    Url::parse(sketch).map(drop).map_err(|error| format!(" ({error})"))
}
