//! What a step sends.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};

use crate::fields::{Fields, Part};
use crate::template::Template;

/// What a step sends.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) target: Template,
    /// Appended to the target behind `?` or `&`.
    pub(crate) query: Fields,
    pub(crate) headers: Headers,
    pub(crate) body: Body,
    /// What is submitted, instead of method, target, query and body.
    pub(crate) submit: Option<Box<Submit>>,
    /// Whether the answer is GraphQL's, in which errors come with status 200.
    pub(crate) is_graphql: bool,
    pub(crate) follow_redirects: bool,
    pub(crate) timeout: Option<Duration>,
}

/// A form to submit.
#[derive(Clone, Debug)]
pub(crate) struct Submit {
    /// Where the form is kept.
    pub(crate) slot: u16,
    /// What is filled in.
    pub(crate) fields: Vec<(Template, Fill)>,
}

/// What is filled into a field.
#[derive(Clone, Debug)]
pub(crate) enum Fill {
    /// Texts; none removes the field.
    Texts(Vec<Template>),
    /// The items of a variable.
    Items(u16),
    /// A box is checked or not.
    Checked(bool),
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
    Fields(Fields),
    Parts(Vec<Part>),
}
