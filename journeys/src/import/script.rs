//! Writes the steps of a journey one by one, and decides of each value that is sent where it comes from.

use std::collections::BTreeSet;

use url::Origin;

use super::body::Body;
use super::draft::{Draft, Extract, pause};
use super::looks::{Looks, is_clock, is_email, is_id_name, is_typed_name, looks};
use super::name::{of_step, of_variable, unique};
use super::secret::{Secrets, was_seen};
use super::source::{self, Source};
use super::submit::submitted;
use super::variable::Variables;
use super::visit::Visit;
use super::yaml::Yaml;

/// How many answers before are searched for a value that may be an id.
const LOOK_BACK: usize = 10;
/// The shortest word that may be an id, in bytes.
const ID_BYTES_MIN: usize = 6;
/// How much of a value a remark shows, in characters.
const SHOWN_CHARS_MAX: usize = 24;

/// A journey in the making.
pub(super) struct Script<'a> {
    visits: &'a [Visit<'a>],
    bodies: &'a [Body],
    /// The origin of the first page: where paths lead before there was an answer.
    pub(super) home: &'a Origin,
    pub(super) variables: Variables,
    pub(super) secrets: Secrets,
    pub(super) drafts: Vec<Draft>,
    /// The origins of addresses that are written as a whole.
    pub(super) elsewhere: BTreeSet<String>,
    pub(super) remarks: Vec<String>,
}

impl<'a> Script<'a> {
    /// Nothing is written yet.
    pub(super) fn new(visits: &'a [Visit<'a>], bodies: &'a [Body], home: &'a Origin) -> Self {
        Self {
            visits,
            bodies,
            home,
            variables: Variables::default(),
            secrets: Secrets::of(visits, bodies),
            drafts: Vec::new(),
            elsewhere: BTreeSet::new(),
            remarks: Vec::new(),
        }
    }

    /// The visit that becomes the step of this number.
    pub(super) fn visit(&self, step: usize) -> &'a Visit<'a> {
        &self.visits[step]
    }

    /// Writes the step of this number; those before are written already.
    pub(super) fn write(&mut self, step: usize) {
        let (visit, body) = (self.visit(step), &self.bodies[step]);
        let name = of_step(&visit.request.url, body.operation());
        let name = unique(&name, '-', |name| self.drafts.iter().any(|draft| draft.name == name));
        self.drafts.push(Draft {
            name,
            entries: Vec::new(),
            extracts: Vec::new(),
            think: pause(visit.pause_ms),
            times: visit.times,
            comments: Vec::new(),
        });
        let mut entries = self.submission(step, body).unwrap_or_else(|| self.request(step, body));
        if visit.has_assets {
            entries.push(("assets".to_owned(), Yaml::plain(true)));
        }
        if visit.leaves {
            entries.push(("redirects".to_owned(), Yaml::text("stop")));
        }
        let status = visit.answer.status;
        // A redirect whose target was not recorded says nothing about how it ends.
        let is_open = visit.answer.is_redirect() && !visit.leaves;
        if (100..=599).contains(&status) && status != 200 && status != 304 && !is_open {
            let status = ("status".to_owned(), Yaml::plain(status));
            entries.push(("expect".to_owned(), Yaml::Map(vec![status])));
        }
        self.drafts[step].entries = entries;
    }

    /// The form that was submitted, if it was one of a page before.
    fn submission(&mut self, step: usize, body: &Body) -> Option<Vec<(String, Yaml)>> {
        let visit = self.visit(step);
        let sent: Vec<(String, String)> = match (visit.request.method.as_str(), body) {
            ("POST", Body::Form(fields)) => fields.clone(),
            ("POST", Body::Parts(parts)) if !parts.iter().any(super::multipart::Part::is_file) => {
                parts.iter().map(|part| (part.name.clone(), part.value.clone())).collect()
            }
            // Where there is a link, too, it was followed.
            ("GET", _) if visit.is_page && visit.request.url.query().is_some() && !self.is_linked(step) => {
                let query = visit.request.url.query_pairs();
                query.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
            }
            _ => return None,
        };
        let submitted = submitted(self.visits, step, &sent)?;
        let mut entries = vec![("submit".to_owned(), Yaml::Text(submitted.form))];
        if submitted.page + 1 != step || visit.times > 1 {
            entries.push(("page".to_owned(), Yaml::text(self.drafts[submitted.page].name.as_str())));
        }
        entries.extend(submitted.button.map(|button| ("button".to_owned(), Yaml::Text(button))));
        let fields = self.filled(step, submitted.changes);
        if !fields.is_empty() {
            entries.push(("fields".to_owned(), Yaml::Map(fields)));
        }
        self.headers(step, &Body::None, &mut entries);
        Some(entries)
    }

    /// A request of the step's own.
    fn request(&mut self, step: usize, body: &Body) -> Vec<(String, Yaml)> {
        let aim = self.aim(step);
        let method = self.visit(step).request.method.to_ascii_lowercase();
        let mut entries = vec![(method, Yaml::Text(aim.target))];
        if !aim.query.is_empty() {
            entries.push(("query".to_owned(), Yaml::Map(aim.query)));
        }
        self.headers(step, body, &mut entries);
        self.body(step, body, &mut entries);
        entries
    }

    /// The variable that stands for `value`, which `step` sends as `key`.
    pub(super) fn resolve(&mut self, step: usize, key: &str, value: &str) -> Option<String> {
        if let Some(variable) = self.secrets.variable(key, value) {
            return Some(format!("env.{variable}"));
        }
        if is_email(value) {
            return Some("shopper.email".to_owned());
        }
        let looks = looks_called(key, value);
        if looks == Looks::Fixed || self.variables.is_full() {
            self.pin(step, key, value, None);
            return None;
        }
        if let Some(name) = self.variables.holding(value, step) {
            return Some(name);
        }
        let Some((from, source)) = self.source(step, key, value, looks) else {
            if looks == Looks::Random && !is_clock(value, self.visit(step).request.start_ms) {
                let [key, shown] =
                    [key, value].map(|text| text.chars().take(SHOWN_CHARS_MAX).collect::<String>());
                self.note(
                    step,
                    &format!("\"{key}\" is {shown}, which looks like an id or a token and was found in no answer before"),
                );
            }
            self.pin(step, key, value, None);
            return None;
        };
        let name = of_variable(&source.key, &source.around, key);
        let name = self.variables.bind(&name, value, from, step);
        self.pin(step, key, value, Some(from));
        self.extract(from, Extract { name: name.clone(), from: source.from, pinned: None });
        Some(name)
    }

    /// Whether a value is a secret, or an answer before `step` held it.
    pub(super) fn is_known(&self, step: usize, value: &str) -> bool {
        let before = self.visits.get(..step).unwrap_or_default();
        self.secrets.variable("", value).is_some() || was_seen(before, value)
    }

    /// The nearest answer before `step` that holds a value, and where.
    fn source(&self, step: usize, key: &str, value: &str, looks: Looks) -> Option<(usize, Source)> {
        let from = if looks == Looks::Random { 0 } else { step.saturating_sub(LOOK_BACK) };
        let is_id = |source: &Source| {
            looks == Looks::Random || is_id_name(&source.key) || (source.key.is_empty() && is_id_name(key))
        };
        (from..step).rev().find_map(|from| {
            let source = source::find(self.visit(from), value, key).filter(is_id)?;
            Some((from, source))
        })
    }

    /// Notes a value that an earlier step takes.
    pub(super) fn extract(&mut self, step: usize, extract: Extract) {
        if let Some(draft) = self.drafts.get_mut(step) {
            draft.extracts.push(extract);
        }
    }

    /// Where something that belongs to a link picked at random does not come from the page that the link led to, the
    /// link has to be the recorded one.
    fn pin(&mut self, step: usize, key: &str, value: &str, source: Option<usize>) {
        if is_typed_name(key) {
            return;
        }
        for (position, draft) in self.drafts.iter_mut().enumerate().take(step) {
            if source.is_none_or(|source| source <= position) {
                draft.extracts.iter_mut().for_each(|extract| extract.pin(value));
            }
        }
    }

    /// A text that is sent as `key`: a variable, or the text itself.
    pub(super) fn text(&mut self, step: usize, key: &str, value: &str) -> String {
        match self.resolve(step, key, value) {
            Some(name) => format!("${{{name}}}"),
            None => self.literal(value),
        }
    }

    /// A text as a template that says nothing but this text, without secrets.
    pub(super) fn literal(&self, text: &str) -> String {
        let escaped = text.replace("${", "$${");
        self.secrets.replaced(&escaped, |name| format!("${{env.{name}}}")).into_owned()
    }

    /// Tells somebody to look at a step.
    pub(super) fn note(&mut self, step: usize, why: &str) {
        if let Some(draft) = self.drafts.get_mut(step) {
            draft.comments.push(why.to_owned());
            self.remarks.push(format!("Step \"{}\": {why}.", draft.name));
        }
    }
}

/// What a value looks like that is called `key`: an id may be a word, and what somebody types may look like a token.
fn looks_called(key: &str, value: &str) -> Looks {
    match looks(value) {
        _ if is_typed_name(key) => Looks::Fixed,
        Looks::Fixed if value.len() >= ID_BYTES_MIN && is_id_name(key) => {
            if value.contains(char::is_whitespace) { Looks::Fixed } else { Looks::Perhaps }
        }
        looks => looks,
    }
}
