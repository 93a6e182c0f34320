//! Reads a journey file: every fault at once, each with its place.

mod body;
mod check;
mod choose;
mod control;
mod expect;
mod extract;
mod headers;
mod request;
mod step;
mod submit;
mod target;
mod think;
mod until_found;
mod variables;

use std::time::Duration;

use doorbuster_notation::{Fault, Faults, Fields, Node, Place, parse};

use crate::data::Table;
use crate::journey::{Choice, Journey, Step};
use crate::names::{NAME_SIGNS, name_all};
use crate::program::Instruction;
use crate::secrets::Secrets;
use crate::selector::CssSelector;
use crate::template::{Piece, Template, pieces};
use crate::{encoding::Encoding, format::variables::Variables};
use body::json_path;

/// The most steps of a journey.
pub(crate) const STEPS_MAX: usize = 1_000;
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
    let head = reader.journey(&node);
    reader.settle();
    let Reader {
        mut faults, variables, mut steps, program, choices, secrets, tables, flags, counters, ..
    } = reader;
    let (unused, plants_marks) = (variables.unused(), variables.uses_mark);
    let names = variables.finish(&mut faults);
    // Of whatever could be read, so that all faults are told at once.
    let sample_names = name_all(&mut steps, &program, &choices, &tables, &mut faults);
    let journey = head.map(|Head { name, referer, origin, cache, pacing }| Journey {
        file: file.into(),
        name: name.into(),
        steps,
        sample_names,
        program,
        choices,
        names,
        unused,
        plants_marks,
        secrets,
        tables,
        flags,
        counters,
        today: 0,
        referer,
        origin,
        cache,
        pacing,
    });
    faults.or(journey)
}

/// What has been read so far.
struct Reader {
    faults: Faults,
    variables: Variables,
    steps: Vec<Step>,
    program: Vec<Instruction>,
    choices: Vec<Choice>,
    secrets: Secrets,
    tables: Vec<Table>,
    /// How many flags and counters there are.
    flags: u16,
    counters: u16,
    /// Which share of the shoppers leaves before each step but the first, in parts per billion.
    abandons: Option<u32>,
    /// The one step before, whose answer conditions and forms may ask about.
    last_step: Option<usize>,
    /// Where answers are to be forgotten, and of which steps, because those may be skipped.
    forgets: Vec<(usize, std::ops::Range<usize>)>,
    depth: usize,
    /// How often a walk comes here at most, by the loops around.
    rounds: u64,
}

/// What a journey says of itself.
struct Head {
    name: String,
    referer: bool,
    origin: bool,
    cache: bool,
    pacing: Duration,
}

impl Reader {
    fn new(file: &str) -> Self {
        Self {
            faults: Faults::none(file),
            variables: Variables::default(),
            steps: Vec::new(),
            program: Vec::new(),
            choices: Vec::new(),
            secrets: Secrets::default(),
            tables: Vec::new(),
            flags: 0,
            counters: 0,
            abandons: None,
            last_step: None,
            forgets: Vec::new(),
            depth: 0,
            rounds: 1,
        }
    }

    /// Fills in what could be known only after the last step.
    fn settle(&mut self) {
        for (position, steps) in std::mem::take(&mut self.forgets) {
            let steps = self.steps.get(steps).unwrap_or_default();
            let flags = steps.iter().flat_map(|step| step.conditions.iter().map(|(flag, _)| *flag));
            self.program[position] = Instruction::Forget(flags.collect());
        }
    }

    fn journey(&mut self, node: &Node) -> Option<Head> {
        let fields = Fields::of(node, "the journey");
        let mut fields = self.faults.keep(fields)?;
        let name = fields.required("journey").and_then(|node| name(node, "a journey's name"));
        let name = self.faults.keep(name);
        if let Some(data) = fields.optional("data") {
            self.data(data);
        }
        if let Some(choose) = fields.optional("choose") {
            self.choose(choose);
        }
        self.abandons = fields.optional("abandon").and_then(|node| self.abandon(node));
        let flags = [("referer", true), ("origin", false), ("cache", false)];
        let [referer, origin, cache] = flags.map(|(key, default)| {
            let said = fields.optional(key).map(Node::boolean);
            said.and_then(|said| self.faults.keep(said)).unwrap_or(default)
        });
        let pacing = fields.optional("pacing").map(think::duration);
        let pacing = pacing.and_then(|pacing| self.faults.keep(pacing)).unwrap_or_default();
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
            self.entry(step);
        }
        if self.steps.len() > STEPS_MAX {
            let message = format!(
                "found {} steps, and at most {STEPS_MAX} are read; split the journey",
                self.steps.len()
            );
            self.faults.add(place, message);
        }
        if self.steps.is_empty() && self.faults.faults.is_empty() {
            self.faults.add(
                place,
                "the journey has no step that sends a request; write for example { step: home, get: / }",
            );
        }
        name.map(|name| Head { name, referer, origin, cache, pacing })
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
    if is_name(&name, NAME_SIGNS) { Ok(name) } else { Err(node.expected(&expected)) }
}

/// Whether a text is a name: of letters, digits and `others`.
pub(crate) fn is_name(name: &str, others: &str) -> bool {
    let known = |character: char| character.is_ascii_alphanumeric() || others.contains(character);
    !name.is_empty() && name.len() <= NAME_CHARS_MAX && name.chars().all(known) && name.trim() == name
}

/// A pattern of the regex crate, for bodies.
fn pattern(node: &Node) -> Result<regex::bytes::Regex, Fault> {
    compiled(node, |text| regex::bytes::RegexBuilder::new(text).size_limit(PATTERN_BYTES_MAX).build())
}

fn compiled<T>(node: &Node, build: impl Fn(&str) -> Result<T, regex::Error>) -> Result<T, Fault> {
    node.parse_with("a regular expression", |text| {
        build(text).map_err(|error| {
            // The crate draws the pattern over several lines; its last line says what is wrong.
            let error = error.to_string();
            let why = error.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
            format!("this is not a regular expression: {why}")
        })
    })
}

#[cfg(test)]
mod tests;
