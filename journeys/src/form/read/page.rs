//! A page as far as its forms go.

mod select;

use std::collections::HashMap;

use lol_html::html_content::Element;

use super::HandlerResult;
use super::control::{self, Input};
use crate::charset::Charset;
use crate::form::{BodyEncoding, Control, Form, Kind, Method};
use crate::html::{self, attribute};
use select::Select;

/// The most forms, and the most controls, of a page that are looked at.
const FORMS_MAX: usize = 1_000;
const CONTROLS_MAX: usize = 10_000;
/// The most fieldsets within each other.
const FIELDSETS_MAX: usize = 100;
/// The most text of options and text areas together, in bytes.
const TEXT_BYTES_MAX: usize = 4 << 20;

/// What has been read so far.
#[derive(Default)]
pub(super) struct Page {
    /// Where the end tags of forms begin.
    form_ends: Vec<usize>,
    /// How far end tags of forms were looked for. They end a form wherever they stand in the tree, so that only
    /// their places count.
    looked_to: usize,
    forms: Vec<Seen>,
    controls: Vec<Owned>,
    /// The radio button that is checked, by form and name.
    checked: HashMap<(Owner, Box<str>), usize>,
    /// The form that controls belong to now.
    pointer: Option<usize>,
    fieldsets: Vec<Fieldset>,
    select: Option<Select>,
    /// The control whose text comes now, and the text so far.
    text_of: Option<usize>,
    text: String,
    text_bytes: usize,
    templates: usize,
    base: Option<Box<str>>,
    /// Where the wanted form, and the wanted buttons, begin; these in the order of the page.
    wanted_form: Option<usize>,
    wanted_buttons: Vec<usize>,
}

/// A form.
struct Seen {
    start: usize,
    id: Option<String>,
    action: Option<Box<str>>,
    method: Method,
    encoding: BodyEncoding,
    /// The encodings that it says its target reads.
    accepts: Option<String>,
}

/// A control and whose it is.
struct Owned {
    start: usize,
    owner: Owner,
    control: Control,
    is_disabled: bool,
    /// An option without a value has its text as such.
    takes_text: bool,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Owner {
    Form(usize),
    Id(String),
}

struct Fieldset {
    is_disabled: bool,
    /// What stands in its first legend is not disabled with it.
    legends: usize,
    in_first_legend: bool,
}

impl Page {
    /// Nothing of `html` yet.
    pub(super) fn new(html: &[u8]) -> Self {
        let ends = memchr::memmem::find_iter(html, b"</").filter(|at| is_form_end(&html[*at..]));
        Self { form_ends: ends.take(CONTROLS_MAX).collect(), ..Self::default() }
    }

    /// What stands before `end` and was not looked at holds no end tags: comments, scripts, templates.
    pub(super) fn skip_to(&mut self, end: usize) {
        self.looked_to = self.looked_to.max(end);
    }

    /// Ends the open form if there is an end tag for it before `start`.
    fn end_forms(&mut self, start: usize) {
        let after = self.form_ends.partition_point(|end| *end < self.looked_to);
        if self.templates == 0 && self.form_ends.get(after).is_some_and(|end| *end < start) {
            self.pointer = None;
        }
        self.skip_to(start);
    }

    /// Notes that this element is the form that is looked for.
    pub(super) fn wants_form(&mut self, element: &Element<'_, '_>) {
        let start = element.source_location().bytes().start;
        if self.wanted_form.is_none() && element.tag_name() == "form" {
            self.wanted_form = Some(start);
        }
    }

    /// Notes that this element may be the button to press.
    pub(super) fn wants_button(&mut self, element: &Element<'_, '_>) {
        if self.wanted_buttons.len() < CONTROLS_MAX {
            self.wanted_buttons.push(element.source_location().bytes().start);
        }
    }

    /// An element begins.
    pub(super) fn open(&mut self, element: &Element<'_, '_>) -> HandlerResult {
        let name = element.tag_name();
        self.end_forms(element.source_location().bytes().start);
        if name == "template" {
            self.templates += 1;
        }
        if self.templates > 0 || element.namespace_uri() != html::NAMESPACE {
            return Ok(());
        }
        match name.as_str() {
            "base" => {
                let href = attribute(element, "href").map(String::into_boxed_str);
                self.base = self.base.take().or(href);
            }
            "form" => self.form(element),
            "fieldset" if self.fieldsets.len() < FIELDSETS_MAX => self.fieldsets.push(Fieldset {
                is_disabled: element.has_attribute("disabled"),
                legends: 0,
                in_first_legend: false,
            }),
            "legend" => {
                if let Some(fieldset) = self.fieldsets.last_mut() {
                    fieldset.legends += 1;
                    fieldset.in_first_legend = fieldset.legends == 1;
                }
            }
            "select" => self.select(element),
            "optgroup" => {
                self.end_text();
                if let Some(select) = &mut self.select {
                    select.group_is_disabled = element.has_attribute("disabled");
                }
            }
            "option" => self.option(element),
            "input" | "button" | "textarea" => self.control(element, &name),
            _ => {}
        }
        if self.controls.len() > CONTROLS_MAX { Err("enough controls".into()) } else { Ok(()) }
    }

    /// An element ends with a tag that ends at `end`.
    pub(super) fn close(&mut self, name: &str, end: usize) {
        match name {
            "template" => {
                self.templates = self.templates.saturating_sub(1);
                self.skip_to(end);
            }
            _ if self.templates > 0 => {}
            "textarea" => {
                self.end_text();
                self.skip_to(end);
            }
            "script" | "style" | "title" | "xmp" | "iframe" | "noembed" | "noframes" | "noscript" => {
                self.skip_to(end);
            }
            "fieldset" => drop(self.fieldsets.pop()),
            "legend" => {
                if let Some(fieldset) = self.fieldsets.last_mut() {
                    fieldset.in_first_legend = false;
                }
            }
            "select" => self.end_select(),
            "optgroup" => {
                self.end_text();
                if let Some(select) = &mut self.select {
                    select.group_is_disabled = false;
                }
            }
            "option" => self.end_text(),
            _ => {}
        }
    }

    /// Text of an option or a text area.
    pub(super) fn text(&mut self, text: &str) {
        if self.text_of.is_none() {
            return;
        }
        self.text_bytes = self.text_bytes.saturating_add(text.len());
        if self.text_bytes <= TEXT_BYTES_MAX {
            self.text.push_str(text);
        }
    }

    /// The text that came is the control's.
    fn end_text(&mut self) {
        let text = std::mem::take(&mut self.text);
        if let Some(owned) = self.text_of.take().and_then(|position| self.controls.get_mut(position)) {
            owned.control.value = text.into();
        }
    }

    fn form(&mut self, element: &Element<'_, '_>) {
        if self.pointer.is_some() || self.forms.len() >= FORMS_MAX {
            return;
        }
        self.pointer = Some(self.forms.len());
        self.forms.push(Seen {
            start: element.source_location().bytes().start,
            id: attribute(element, "id").filter(|id| !id.is_empty()),
            action: attribute(element, "action").map(String::into_boxed_str),
            method: attribute(element, "method").map(|method| Method::of(&method)).unwrap_or_default(),
            encoding: attribute(element, "enctype").map(|kind| BodyEncoding::of(&kind)).unwrap_or_default(),
            accepts: attribute(element, "accept-charset"),
        });
    }

    fn owner(&self, element: &Element<'_, '_>) -> Option<Owner> {
        match attribute(element, "form") {
            Some(id) => Some(Owner::Id(id)),
            None => self.pointer.map(Owner::Form),
        }
    }

    fn is_disabled(&self, element: &Element<'_, '_>) -> bool {
        let by_fieldset = |fieldset: &Fieldset| fieldset.is_disabled && !fieldset.in_first_legend;
        element.has_attribute("disabled") || self.fieldsets.iter().any(by_fieldset)
    }

    fn control(&mut self, element: &Element<'_, '_>, tag: &str) {
        let Some(owner) = self.owner(element) else { return };
        let Some(Input { control, is_radio }) = control::of(element, tag) else { return };
        let is_disabled = self.is_disabled(element);
        if is_radio && control.kind == Kind::Choice(true) {
            // One of a group: the last that says so.
            let group = (owner.clone(), control.name.clone());
            let before = self.checked.insert(group, self.controls.len());
            if let Some(other) = before.and_then(|position| self.controls.get_mut(position)) {
                other.control.kind = Kind::Choice(false);
            }
        }
        if tag == "textarea" {
            self.end_text();
            self.text_of = Some(self.controls.len());
        }
        let start = element.source_location().bytes().start;
        self.controls.push(Owned { start, owner, control, is_disabled, takes_text: tag == "textarea" });
    }

    /// The wanted form with its controls.
    pub(super) fn finish(
        mut self,
        address: &str,
        charset: Charset,
        wants_button: bool,
    ) -> Result<Option<Form>, String> {
        self.end_select();
        let Some(number) = self.forms.iter().position(|form| Some(form.start) == self.wanted_form) else {
            return Ok(None);
        };
        let seen = self.forms.swap_remove(number);
        let id = seen.id.as_deref();
        let belongs = |owned: &Owned| match &owned.owner {
            Owner::Form(form) => *form == number,
            Owner::Id(owner) => Some(owner.as_str()) == id,
        };
        let (mut pressed, mut is_blocked) = (None, false);
        let mut controls = Vec::new();
        for mut owned in self.controls.into_iter().filter(belongs) {
            let is_button = matches!(owned.control.kind, Kind::Button(_));
            let is_wanted =
                is_button && (!wants_button || self.wanted_buttons.binary_search(&owned.start).is_ok());
            let is_pressed = is_wanted && pressed.is_none() && !is_blocked;
            if is_pressed && owned.is_disabled && !wants_button {
                is_blocked = true;
            } else if is_pressed {
                pressed = Some(controls.len());
            } else if owned.is_disabled {
                continue;
            }
            if owned.control.name.is_empty() && !is_button {
                continue;
            }
            if owned.takes_text {
                control::finish_text(&mut owned.control);
            }
            controls.push(owned.control);
        }
        if wants_button && pressed.is_none() {
            return Err("the form has no such button that submits it".to_owned());
        }
        Ok(Some(Form {
            action: seen.action,
            method: seen.method,
            encoding: seen.encoding,
            charset: Charset::of_form(seen.accepts.as_deref(), charset),
            controls,
            pressed,
            is_blocked,
            base: self.base,
            page: address.into(),
            page_charset: charset,
        }))
    }
}

/// Whether a text begins with the end tag of a form.
fn is_form_end(text: &[u8]) -> bool {
    text.get(..6).is_some_and(|begin| begin.eq_ignore_ascii_case(b"</form"))
        && text.get(6).is_none_or(|next| next.is_ascii_whitespace() || matches!(next, b'>' | b'/'))
}
