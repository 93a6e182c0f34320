//! Reads a journey file: every fault at once, each with its place.

mod choose;
mod expect;
mod extract;
mod headers;
mod request;
mod step;
mod target;
mod think;
mod variables;

use doorbuster_notation::{Fault, Faults, Fields, Node, Place, parse};

use crate::journey::{Choice, Instruction, Journey, Step};
use crate::selector::CssSelector;
use crate::template::{Piece, Template, pieces};
use crate::{encoding::Encoding, format::variables::Variables};

/// The most steps of a journey.
const STEPS_MAX: usize = 1_000;
/// The longest name of a journey, a step or a variable, in characters.
const NAME_CHARS_MAX: usize = 100;
/// The most compiled bytes of one pattern.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Reads and checks a journey.
///
/// # Errors
/// All faults of the text.
pub(crate) fn read(file: &str, text: &str) -> Result<Journey, Faults> {
    let node = parse(text).map_err(|fault| Faults::one(file, fault))?;
    let mut reader = Reader::new(file);
    let name = reader.journey(&node);
    let Reader { mut faults, variables, steps, program, choices } = reader;
    let names = variables.finish(&mut faults);
    let journey =
        name.map(|name| Journey { file: file.into(), name: name.into(), steps, program, choices, names });
    faults.or(journey)
}

/// What has been read so far.
struct Reader {
    faults: Faults,
    variables: Variables,
    steps: Vec<Step>,
    program: Vec<Instruction>,
    choices: Vec<Choice>,
}

impl Reader {
    fn new(file: &str) -> Self {
        Self {
            faults: Faults::none(file),
            variables: Variables::default(),
            steps: Vec::new(),
            program: Vec::new(),
            choices: Vec::new(),
        }
    }

    fn journey(&mut self, node: &Node) -> Option<String> {
        let fields = Fields::of(node, "the journey");
        let mut fields = self.faults.keep(fields)?;
        let name = fields.required("journey").and_then(|node| name(node, "a journey's name"));
        let name = self.faults.keep(name);
        if let Some(choose) = fields.optional("choose") {
            self.choose(choose);
        }
        let steps = fields.required("steps").and_then(|node| node.list("a list of steps"));
        let place = fields.place();
        fields.finish(&mut self.faults);
        let steps = self.faults.keep(steps)?;
        if steps.len() > STEPS_MAX {
            let message =
                format!("found {} steps, and at most {STEPS_MAX} are read; split the journey", steps.len());
            self.faults.add(place, message);
            return None;
        }
        for step in steps {
            self.step(step);
        }
        if self.steps.is_empty() && self.faults.faults.is_empty() {
            self.faults.add(
                place,
                "the journey has no step that sends a request; write for example { step: home, get: / }",
            );
        }
        name
    }

    /// A text whose values go in with `encoding`; literal text goes through `literal` first.
    fn template_with(
        &mut self,
        text: &str,
        place: Place,
        encoding: Encoding,
        literal: impl Fn(&str, &mut String),
        out: &mut Template,
    ) {
        for piece in self.pieces(text, place) {
            match piece {
                Piece::Text(text) => {
                    let mut encoded = String::new();
                    literal(text, &mut encoded);
                    out.text(&encoded);
                }
                Piece::Variable(name) => {
                    if let Some(source) = self.source(name, place) {
                        out.value(source, encoding);
                    }
                }
            }
        }
    }

    /// A scalar as a template whose text and values stay as they are.
    fn verbatim(&mut self, node: &Node, expected: &str) -> Option<Template> {
        let text = self.faults.keep(node.scalar(expected))?;
        Some(self.verbatim_text(&text, node.place))
    }

    /// As [`verbatim`](Self::verbatim), of a text that was read already.
    fn verbatim_text(&mut self, text: &str, place: Place) -> Template {
        let mut template = Template::default();
        self.template_with(text, place, Encoding::Verbatim, |text, out| out.push_str(text), &mut template);
        template
    }

    /// A CSS selector, in which variables may stand within quoted strings.
    fn selector(&mut self, text: &str, place: Place) -> Option<CssSelector> {
        let mut template = Template::default();
        self.template_with(text, place, Encoding::Css, |text, out| out.push_str(text), &mut template);
        self.faults.keep(CssSelector::new(template).map_err(|message| Fault::new(place, message)))
    }

    fn pieces<'t>(&mut self, text: &'t str, place: Place) -> Vec<Piece<'t>> {
        self.faults.keep(pieces(text).map_err(|message| Fault::new(place, message))).unwrap_or_default()
    }
}

/// The name of a journey or a step.
fn name(node: &Node, what: &str) -> Result<String, Fault> {
    let expected = format!("{what}: 1 to {NAME_CHARS_MAX} letters, digits or any of _ . : -");
    let name = node.scalar(&expected)?;
    if is_name(&name, "_.:-") { Ok(name) } else { Err(node.expected(&expected)) }
}

fn is_name(name: &str, others: &str) -> bool {
    let known = |character: char| character.is_ascii_alphanumeric() || others.contains(character);
    !name.is_empty() && name.len() <= NAME_CHARS_MAX && name.chars().all(known) && name.trim() == name
}

/// A pattern of the regex crate.
fn pattern(node: &Node) -> Result<regex::bytes::Regex, Fault> {
    node.parse_with("a regular expression", |text| {
        let built = regex::bytes::RegexBuilder::new(text).size_limit(PATTERN_BYTES_MAX).build();
        built.map_err(|error| {
            // The crate draws the pattern over several lines; its last line says what is wrong.
            let error = error.to_string();
            let why = error.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
            format!("this is not a regular expression: {why}")
        })
    })
}

#[cfg(test)]
mod tests;
