//! Lists and their options.

use lol_html::html_content::Element;

use super::{Owned, Owner, Page};
use crate::form::{Control, Kind};
use crate::html::attribute;

/// A list that is open.
pub(super) struct Select {
    owner: Option<Owner>,
    name: Box<str>,
    is_disabled: bool,
    is_multiple: bool,
    shows_one: bool,
    pub(super) group_is_disabled: bool,
    options: Vec<Choice>,
}

/// An option of the open list: which control it is, whether it is chosen and whether it may be.
struct Choice {
    control: usize,
    is_selected: bool,
    is_disabled: bool,
}

impl Page {
    /// A list begins.
    pub(super) fn select(&mut self, element: &Element<'_, '_>) {
        self.end_select();
        let size = attribute(element, "size").and_then(|size| size.trim().parse::<u32>().ok()).unwrap_or(0);
        self.select = Some(Select {
            owner: self.owner(element),
            name: attribute(element, "name").unwrap_or_default().into(),
            is_disabled: self.is_disabled(element),
            is_multiple: element.has_attribute("multiple"),
            shows_one: size <= 1,
            group_is_disabled: false,
            options: Vec::new(),
        });
    }

    /// An option begins.
    pub(super) fn option(&mut self, element: &Element<'_, '_>) {
        self.end_text();
        let Some(select) = &mut self.select else { return };
        let Some(owner) = select.owner.clone() else { return };
        let value = attribute(element, "value");
        let takes_text = value.is_none();
        if takes_text {
            self.text_of = Some(self.controls.len());
        }
        select.options.push(Choice {
            control: self.controls.len(),
            is_selected: element.has_attribute("selected"),
            is_disabled: select.group_is_disabled || element.has_attribute("disabled"),
        });
        self.controls.push(Owned {
            start: element.source_location().bytes().start,
            owner,
            control: Control {
                name: select.name.clone(),
                value: value.unwrap_or_default().into(),
                kind: Kind::Choice(false),
                direction: None,
            },
            is_disabled: select.is_disabled,
            takes_text,
        });
    }

    /// Decides which options of a list are chosen (HTML standard, "selectedness setting algorithm").
    pub(super) fn end_select(&mut self) {
        self.end_text();
        let Some(mut select) = self.select.take() else { return };
        if !select.is_multiple {
            let last = select.options.iter().rposition(|option| option.is_selected);
            let first = || select.options.iter().position(|option| !option.is_disabled && select.shows_one);
            let chosen = last.or_else(first);
            for (position, option) in select.options.iter_mut().enumerate() {
                option.is_selected = Some(position) == chosen;
            }
        }
        for option in select.options {
            if let Some(owned) = self.controls.get_mut(option.control) {
                owned.control.kind = Kind::Choice(option.is_selected && !option.is_disabled);
            }
        }
    }
}
