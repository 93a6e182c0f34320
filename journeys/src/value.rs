//! What a variable holds.

use std::borrow::Cow;

use crate::form::Form;

/// The value of a variable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A text.
    Text(Box<str>),
    /// Several, as `pick: all` takes them.
    List(Box<[Box<str>]>),
    /// A form of a page, to be submitted later.
    Form(Box<Form>),
}

impl Value {
    /// The value as one text: the items of a list with commas between them. A form has none.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::List(items) => Cow::Owned(items.join(",")),
            Self::Form(_) => Cow::Borrowed(""),
        }
    }

    /// The values that it stands for: those of a list, or the one text.
    pub(crate) fn items(&self) -> &[Box<str>] {
        match self {
            Self::Text(text) => std::slice::from_ref(text),
            Self::List(items) => items,
            Self::Form(_) => &[],
        }
    }
}
