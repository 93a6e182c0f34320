//! A checked and precompiled journey.

use std::time::Duration;

use bytes::Bytes;
use doorbuster_notation::Faults;
use http::{HeaderName, HeaderValue, Method};

use crate::expect::Expect;
use crate::extract::Extract;
use crate::format;
use crate::template::Template;
use crate::think::Think;

/// A journey: what a shopper does, step by step. Share one between all walks through it.
#[derive(Clone, Debug)]
pub struct Journey {
    pub(crate) file: Box<str>,
    pub(crate) name: Box<str>,
    pub(crate) steps: Vec<Step>,
    pub(crate) program: Vec<Instruction>,
    pub(crate) choices: Vec<Choice>,
    /// The variables' names, by number.
    pub(crate) names: Vec<Box<str>>,
}

/// One request of a journey, with what is expected of its answer.
#[derive(Clone, Debug)]
pub struct Step {
    /// The name, unique within the journey.
    pub name: String,
    /// The line of the file where the step begins, from 1; 0 without a file.
    pub line: u64,
    /// True when the page's own assets are fetched as well.
    pub fetches_assets: bool,
    pub(crate) request: Request,
    pub(crate) expect: Expect,
    pub(crate) extracts: Vec<Extract>,
    pub(crate) wants_headers: bool,
    pub(crate) wants_body: bool,
}

impl Step {
    /// Where the step goes, when that is the same in every walk.
    pub fn target(&self) -> Option<&str> {
        self.request.target.as_fixed().filter(|_| self.request.query.is_empty())
    }
}

/// What a step sends.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) target: Template,
    /// Appended to the target behind `?` or `&`.
    pub(crate) query: Template,
    pub(crate) headers: Headers,
    pub(crate) body: Body,
    pub(crate) follow_redirects: bool,
    pub(crate) timeout: Option<Duration>,
}

/// The headers of a request, without and with variables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers {
    pub(crate) fixed: Vec<(HeaderName, HeaderValue)>,
    pub(crate) filled: Vec<(HeaderName, Template)>,
}

impl Headers {
    pub(crate) fn names(&self) -> impl Iterator<Item = &HeaderName> {
        self.fixed.iter().map(|(name, _)| name).chain(self.filled.iter().map(|(name, _)| name))
    }
}

/// The body of a request.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    None,
    Fixed(Bytes),
    Filled(Template),
}

/// One move of a walk.
#[derive(Clone, Debug)]
pub(crate) enum Instruction {
    /// Sets a variable by drawing from the choice of this number.
    Draw(usize),
    /// Sends the request of the step of this number.
    Fetch(usize),
    /// Waits.
    Think(Think),
}

/// A variable that is drawn from a list.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) slot: u16,
    /// At least one.
    pub(crate) options: Vec<Box<str>>,
}

impl Journey {
    /// Reads and checks a journey file; `file` is its name as the user gave it, for messages.
    ///
    /// # Errors
    /// All faults of the text, each with its line and column.
    pub fn parse(file: &str, text: &str) -> Result<Self, Faults> {
        format::read(file, text)
    }

    /// A journey of one step and one request, without a file. `target` is taken as it is, `${` included.
    pub fn single(
        name: &str,
        step: &str,
        method: Method,
        target: &str,
        headers: Vec<(HeaderName, HeaderValue)>,
    ) -> Self {
        let request = Request {
            method,
            target: Template::fixed(target),
            query: Template::default(),
            headers: Headers { fixed: headers, filled: Vec::new() },
            body: Body::None,
            follow_redirects: true,
            timeout: None,
        };
        let step = Step {
            name: step.to_owned(),
            line: 0,
            fetches_assets: false,
            request,
            expect: Expect::default(),
            extracts: Vec::new(),
            wants_headers: false,
            wants_body: false,
        };
        Self {
            file: name.into(),
            name: name.into(),
            steps: vec![step],
            program: vec![Instruction::Fetch(0)],
            choices: Vec::new(),
            names: Vec::new(),
        }
    }

    /// The journey's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The steps that send a request, in order; a step's index here is its id in [`Fetch`](crate::Fetch).
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}
