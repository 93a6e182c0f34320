//! A checked and precompiled journey.

mod request;

use std::time::Duration;

use doorbuster_notation::{Faults, Place};
use http::{HeaderName, HeaderValue, Method};

use crate::assets::PAGE_ASSETS_MAX;
use crate::data::{Order, Table};
use crate::expect::{Expect, GOOD};
use crate::extract::Extract;
use crate::fields::Fields;
use crate::format;
use crate::generate::Generator;
use crate::names::{StepName, name_all};
use crate::program::Instruction;
use crate::secrets::Secrets;
use crate::selector::CssSelector;
use crate::template::Template;
use crate::think::Think;
pub(crate) use request::{Body, Fill, Headers, Request, Submit};

/// A journey: what a shopper does, step by step. Share one between all walks through it.
#[derive(Clone, Debug)]
pub struct Journey {
    pub(crate) file: Box<str>,
    pub(crate) name: Box<str>,
    pub(crate) steps: Vec<Step>,
    pub(crate) sample_names: Vec<String>,
    pub(crate) program: Vec<Instruction>,
    pub(crate) choices: Vec<Choice>,
    /// The variables' names, by number.
    pub(crate) names: Vec<Box<str>>,
    /// Variables that are set and never read, with the line of each.
    pub(crate) unused: Vec<(Box<str>, u64)>,
    /// Whether shoppers enter something that holds their marker.
    pub(crate) plants_marks: bool,
    pub(crate) secrets: Secrets,
    pub(crate) tables: Vec<Table>,
    /// How many flags and counters a walk needs.
    pub(crate) flags: u16,
    pub(crate) counters: u16,
    /// The day on which the run began, in days since 1970-01-01.
    pub(crate) today: i64,
    pub(crate) referer: bool,
    pub(crate) origin: bool,
    /// Whether its shoppers keep assets as browsers do.
    pub(crate) cache: bool,
    pub(crate) pacing: Duration,
}

/// One request of a journey, with what is expected of its answer.
#[derive(Clone, Debug)]
pub struct Step {
    /// The name, unique within the journey.
    pub name: String,
    /// What its samples are counted as.
    pub(crate) counted: StepName,
    /// The line of the file where the step begins, from 1; 0 without a file.
    pub line: u64,
    /// True when the page's own assets are fetched as well.
    pub fetches_assets: bool,
    pub(crate) request: Request,
    pub(crate) expect: Expect,
    /// Answers that mean no, by name.
    pub(crate) refusals: Vec<(Box<str>, Expect)>,
    /// What later conditions ask about this answer, by flag.
    pub(crate) conditions: Vec<(u16, Expect)>,
    pub(crate) extracts: Vec<Extract>,
    /// Forms of this page that later steps submit.
    pub(crate) forms: Vec<FormUse>,
    pub(crate) retry: Option<Retry>,
    /// How often a walk comes here at most.
    pub(crate) rounds_max: u64,
    /// Counters that a good answer raises, and by how much.
    pub(crate) counts: Vec<(Box<str>, u64)>,
    /// Markers that a good answer leaves.
    pub(crate) marks: Vec<(Box<str>, Template)>,
    pub(crate) wants_headers: bool,
    pub(crate) wants_body: bool,
    pub(crate) wants_cookies: bool,
    /// Whether its answer is read only until all that is looked for was found.
    pub(crate) until_found: bool,
    /// Whether what is taken from the page may be relative to its own base.
    pub(crate) wants_base: bool,
}

/// A form that a later step submits: where it is kept, and how it is found.
#[derive(Clone, Debug)]
pub(crate) struct FormUse {
    pub(crate) slot: u16,
    pub(crate) form: CssSelector,
    pub(crate) button: Option<CssSelector>,
    /// The line of the step that submits it.
    pub(crate) line: u64,
}

/// How a step that failed is tried again.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    /// At most so often.
    pub(crate) times: u32,
    /// After so long.
    pub(crate) wait: Think,
}

impl Step {
    /// A step that sends `request` and takes whatever status is good.
    pub(crate) fn new(name: String, line: u64, request: Request) -> Self {
        Self {
            name,
            counted: StepName::new(None),
            line,
            fetches_assets: false,
            request,
            expect: Expect { status: vec![GOOD], ..Expect::default() },
            refusals: Vec::new(),
            conditions: Vec::new(),
            extracts: Vec::new(),
            forms: Vec::new(),
            retry: None,
            rounds_max: 1,
            counts: Vec::new(),
            marks: Vec::new(),
            wants_headers: false,
            wants_body: false,
            wants_cookies: false,
            until_found: false,
            wants_base: false,
        }
    }

    /// Counters that a good answer raises, and by how much.
    pub fn counts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counts.iter().map(|(name, count)| (&**name, *count))
    }

    /// Where its names begin among the journey's [names of samples](Journey::sample_names).
    pub fn first_name(&self) -> usize {
        self.counted.first()
    }

    /// How the step asks. Of one that submits a form, the form says it, not this.
    pub fn method(&self) -> &Method {
        &self.request.method
    }

    /// Where the step goes, when that is the same in every walk.
    pub fn target(&self) -> Option<&str> {
        self.request
            .target
            .as_fixed()
            .filter(|_| self.request.query.is_empty() && self.request.submit.is_none())
    }
}

/// A variable that is drawn.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) slot: u16,
    pub(crate) from: Draw,
}

/// What a variable is drawn from.
#[derive(Clone, Debug)]
pub(crate) enum Draw {
    /// Options, at least one, each as likely as the others.
    Options(Vec<Box<str>>),
    /// Options with their weights.
    Weighted(Vec<Box<str>>, Vec<u32>),
    /// Made up.
    Generated(Generator),
}

/// What a journey needs that does not stand in its file.
pub struct Supplies<'a> {
    /// The text of a data file, by the name that the journey gives it; the error says why it cannot be had.
    pub file: &'a dyn Fn(&str) -> Result<String, String>,
    /// A variable of the environment.
    pub secret: &'a dyn Fn(&str) -> Option<String>,
    /// The day on which the run begins, in days since 1970-01-01 (UTC).
    pub today: i64,
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
            query: Fields::default(),
            headers: Headers { fixed: headers, filled: Vec::new() },
            body: Body::None,
            submit: None,
            is_graphql: false,
            follow_redirects: true,
            timeout: None,
        };
        let step = Step::new(step.to_owned(), 0, request);
        Self {
            file: name.into(),
            name: name.into(),
            sample_names: vec![step.name.clone()],
            steps: vec![step],
            program: vec![Instruction::Fetch(0)],
            choices: Vec::new(),
            names: Vec::new(),
            unused: Vec::new(),
            plants_marks: false,
            secrets: Secrets::default(),
            tables: Vec::new(),
            flags: 0,
            counters: 0,
            today: 0,
            referer: false,
            origin: false,
            cache: false,
            pacing: Duration::ZERO,
        }
    }

    /// Hands the journey what does not stand in its file. Before that, secrets are empty and tables have no rows.
    ///
    /// # Errors
    /// All that is missing or cannot be used, each with the place that asks for it.
    pub fn supply(&mut self, supplies: &Supplies<'_>) -> Result<(), Faults> {
        let mut faults = Faults::none(&*self.file);
        let names: Vec<String> = self.secrets.names().map(str::to_owned).collect();
        for name in names {
            match (supplies.secret)(&name) {
                Some(value) => self.secrets.set(&name, &value),
                None => faults.add(
                    Place::default(),
                    format!("${{env.{name}}} is used, and the environment has no variable {name}; set it"),
                ),
            }
        }
        for table in &mut self.tables {
            table.load(supplies, &mut faults);
        }
        self.today = supplies.today;
        self.name_samples(&mut faults);
        faults.or(Some(()))
    }

    /// Has its days count from another one, in days since 1970-01-01 (UTC): a probe outlives the day on which it began.
    pub fn set_today(&mut self, today: i64) {
        self.today = today;
    }

    /// Finds out the names of all samples, as far as tables have their rows.
    fn name_samples(&mut self, faults: &mut Faults) {
        let Self { steps, program, choices, tables, .. } = self;
        self.sample_names = name_all(steps, program, choices, tables, faults);
    }

    /// Whether there comes a shopper for whom no row of a table is left (`at_end: stop`).
    pub fn ends_with_its_data(&self) -> bool {
        self.tables.iter().any(|table| table.stops && table.order == Order::Shopper)
    }

    /// The data files that the journey reads, as it names them.
    pub fn data_files(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|table| &*table.file)
    }

    /// The environment's variables that the journey reads.
    pub fn secret_names(&self) -> impl Iterator<Item = &str> {
        self.secrets.names()
    }

    /// The variables that are set and never read, with the line where each is set.
    pub fn unused(&self) -> impl Iterator<Item = (&str, u64)> {
        self.unused.iter().map(|(name, line)| (&**name, *line))
    }

    /// Whether its shoppers enter what holds their marker (`${shopper.mark}`, name and email): then what is shown to one
    /// of them can be known to be another's.
    pub fn plants_marks(&self) -> bool {
        self.plants_marks
    }

    /// How long a walk of a shopper who comes again takes at least, from its beginning to that of the next.
    pub fn pacing(&self) -> Duration {
        self.pacing
    }

    /// Whether it names secrets, which [`redact`](Self::redact) hides.
    pub fn has_secrets(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// `text` without the journey's secrets.
    pub fn redact(&self, text: String) -> String {
        self.secrets.redact(text)
    }

    /// How many requests a walk sends at most, assets included, redirects not.
    pub fn requests_max(&self) -> u64 {
        let of_step = |step: &Step| {
            let attempts = 1 + step.retry.as_ref().map_or(0, |retry| u64::from(retry.times));
            let assets = u64::from(step.fetches_assets) * PAGE_ASSETS_MAX as u64;
            step.rounds_max.saturating_mul(attempts).saturating_mul(1 + assets)
        };
        self.steps.iter().map(of_step).fold(0, u64::saturating_add)
    }

    /// The journey's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names under which samples are counted: a step's own, or several where a variable stands in it. Known as
    /// a whole once the journey was [supplied](Self::supply).
    pub fn sample_names(&self) -> &[String] {
        &self.sample_names
    }

    /// The step whose samples have the name of this index among [`sample_names`](Self::sample_names).
    pub fn step_of_name(&self, name: usize) -> Option<&Step> {
        let after = self.steps.partition_point(|step| step.first_name() <= name);
        self.steps.get(after.checked_sub(1)?)
    }

    /// The steps that send a request, in order; a step's index here is its id in [`Fetch`](crate::Fetch).
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}
