//! Recognizes that a form of a page before was submitted.

use std::collections::BTreeSet;

use http::Method;
use lol_html::Selector;
use url::{Url, form_urlencoded};

use super::multipart;
use super::page::{Tag, look};
use super::selector::candidates;
use super::visit::Visit;
use crate::charset::Charset;
use crate::form::{BOUNDARY, Control, Form, Kind, Submission, read};

/// How many pages before are searched.
const PAGES_MAX: usize = 10;
/// The most selectors of forms, and of buttons, that are tried on a page.
const FORMS_MAX: usize = 40;
const BUTTONS_MAX: usize = 20;

/// A form that was submitted.
#[derive(Debug)]
pub(super) struct Submitted {
    /// The number of the visit whose page shows it.
    pub(super) page: usize,
    pub(super) form: String,
    /// The button, when it is not the first.
    pub(super) button: Option<String>,
    pub(super) changes: Vec<(String, Change)>,
}

/// What somebody filled into a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// These values; none where the field was left out.
    Values(Vec<String>),
    /// A box was checked, or not.
    Checked(bool),
}

/// The form of a page before the visit `step` that sends `sent`, its query or its body, to where the visit went.
pub(super) fn submitted(visits: &[Visit<'_>], step: usize, sent: &[(String, String)]) -> Option<Submitted> {
    let request = visits.get(step)?.request;
    let method = Method::from_bytes(request.method.as_bytes()).ok()?;
    (step.saturating_sub(PAGES_MAX)..step).rev().find_map(|page| {
        let answer = visits.get(page)?.answer;
        let (html, address) = (answer.html()?, answer.url.as_str());
        let shown = Page { html, address, method: &method, target: &request.url, sent };
        let (form, button, changes) = shown.form()?;
        Some(Submitted { page, form, button, changes })
    })
}

/// A page, and what was sent from it.
struct Page<'a> {
    html: &'a str,
    address: &'a str,
    method: &'a Method,
    target: &'a Url,
    sent: &'a [(String, String)],
}

/// The selectors of a form and its button, and what was filled in.
type Match = (String, Option<String>, Vec<(String, Change)>);

impl Page<'_> {
    /// The form in which least was filled in.
    fn form(&self) -> Option<Match> {
        let is_sent_so = |tag: &Tag| match tag.attribute("method").unwrap_or_default() {
            method if method.eq_ignore_ascii_case("post") => *self.method == Method::POST,
            method => *self.method == Method::GET && !method.eq_ignore_ascii_case("dialog"),
        };
        let forms = look(self.html, None, |tag| tag.name == "form" && is_sent_so(tag));
        let mut selectors: Vec<String> = forms.iter().flat_map(|form| candidates(form, None)).collect();
        selectors.push("form".to_owned());
        let mut known = BTreeSet::new();
        selectors.retain(|selector| known.insert(selector.clone()));
        let forms = selectors.into_iter().take(FORMS_MAX).filter_map(|selector| self.submitted(selector));
        forms.min_by_key(|(_, _, changes)| changes.len())
    }

    /// What was filled into the form that `selector` finds, if that is what was sent.
    fn submitted(&self, selector: String) -> Option<Match> {
        let form = selector.parse::<Selector>().ok()?;
        let read = |button: Option<&Selector>| {
            read(self.html.as_bytes(), self.address, Charset::default(), &form, button).ok().flatten()
        };
        let shown = read(None)?;
        if let Some(changes) = self.changes(&shown) {
            return Some((selector, None, changes));
        }
        let may_be_pressed = |control: &Control| match &control.kind {
            Kind::Button(button) => {
                button.action.is_some() || self.sent.iter().any(|(name, _)| **name == *control.name)
            }
            _ => false,
        };
        if !shown.controls.iter().any(may_be_pressed) {
            return None;
        }
        let is_button = |tag: &Tag| {
            let kind = tag.attribute("type").unwrap_or_default();
            (tag.name == "button" && (kind.is_empty() || kind == "submit"))
                || (tag.name == "input" && kind == "submit")
        };
        let buttons = look(self.html, None, is_button);
        let mut texts = buttons.iter().flat_map(|button| candidates(button, None)).take(BUTTONS_MAX);
        texts.find_map(|text| {
            let button = text.parse::<Selector>().ok()?;
            let changes = self.changes(&read(Some(&button))?)?;
            Some((selector.clone(), Some(text), changes))
        })
    }

    /// What differs between the form as the page gives it and what was sent; `None` when that was another form, or what
    /// differs is nothing that can be filled in.
    fn changes(&self, form: &Form) -> Option<Vec<(String, Change)>> {
        let submission = form.clone().submit(&[]).ok()?;
        if submission.method != *self.method || !self.leads_there(&submission) {
            return None;
        }
        let own = fields(&submission)?;
        let is_common = |(name, _): &(String, String)| self.sent.iter().any(|(sent, _)| sent == name);
        let is_alike = own.iter().any(is_common) || (own.is_empty() && self.sent.is_empty());
        if !is_alike || (*self.method == Method::GET && !self.has_names_of(form)) {
            return None;
        }
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in own.iter().chain(self.sent) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let mut changes = Vec::new();
        for name in names {
            let (before, after) = (values(&own, name), values(self.sent, name));
            if before != after {
                changes.push((name.to_owned(), change(form, name, after)?));
            }
        }
        Some(changes)
    }

    /// Whether the form is sent to where the visit went; to where exactly its fields say, if they are the query.
    fn leads_there(&self, submission: &Submission) -> bool {
        if *self.method != Method::GET {
            return submission.url == self.target.as_str();
        }
        let mut target = self.target.clone();
        target.set_query(None);
        let path = submission.url.split('?').next();
        path == Some(target.as_str())
    }

    /// Whether the names that were sent are those of the form, boxes that are not checked left out. Addresses with a
    /// query are often no form's, so that one name in common says little.
    fn has_names_of(&self, form: &Form) -> bool {
        let is_sent = |control: &Control| self.sent.iter().any(|(name, _)| **name == *control.name);
        let may_be_missing = |control: &Control| {
            control.name.is_empty() || matches!(control.kind, Kind::Choice(_) | Kind::Button(_) | Kind::Gone)
        };
        let has = |(name, _): &(String, String)| form.controls.iter().any(|control| *control.name == **name);
        self.sent.iter().all(has)
            && form.controls.iter().all(|control| may_be_missing(control) || is_sent(control))
    }
}

/// What was filled into a field; `None` for a button's, which nobody fills in.
fn change(form: &Form, name: &str, after: Vec<String>) -> Option<Change> {
    let is_button = form.controls.iter().any(|control| match &control.kind {
        Kind::Button(button) => button.is_image || *control.name == *name,
        _ => false,
    });
    if is_button {
        return None;
    }
    let is_box = |control: &&Control| *control.name == *name && matches!(control.kind, Kind::Choice(_));
    let boxes: Vec<&str> = form.controls.iter().filter(is_box).map(|control| &*control.value).collect();
    Some(match (boxes.as_slice(), after.as_slice()) {
        ([_, ..], []) => Change::Checked(false),
        ([only], [value]) if only == value => Change::Checked(true),
        _ => Change::Values(after),
    })
}

/// The values of a field, with line ends as forms send them.
fn values(fields: &[(String, String)], name: &str) -> Vec<String> {
    let values = fields.iter().filter(|(known, _)| known == name);
    values.map(|(_, value)| value.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")).collect()
}

/// The fields that a form sends by itself.
fn fields(submission: &Submission) -> Option<Vec<(String, String)>> {
    let body = submission.body.as_deref().unwrap_or_default();
    let decoded = |encoded: &[u8]| -> Vec<(String, String)> {
        let pairs = form_urlencoded::parse(encoded);
        pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    };
    match submission.content_type.as_deref() {
        None => {
            let (_, query) = submission.url.split_once('?')?;
            Some(decoded(query.as_bytes()))
        }
        Some("application/x-www-form-urlencoded") => Some(decoded(body)),
        Some(kind) if kind.starts_with("multipart/") => {
            let parts = multipart::parts(&String::from_utf8_lossy(body), BOUNDARY);
            Some(parts.into_iter().map(|part| (part.name, part.value)).collect())
        }
        _ => None,
    }
}
