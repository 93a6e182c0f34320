//! What a walk and the engine hand each other.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::Ending;
use crate::charset::ContentType;
use crate::journey::{Journey, Step};

/// What the engine is to do next.
#[derive(Clone, Debug)]
pub enum Next {
    /// Send a request, then call [`answer`](super::Walk::answer) or
    /// [`broken`](super::Walk::broken). (Boxed, since it is handed on and on.)
    Fetch(Box<Fetch>),
    /// Wait so long.
    Think(Duration),
    /// The walk is over.
    Done(Ending),
}

/// A request to send.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// The index into [`Journey::steps`].
    pub step: usize,
    /// What its samples are counted as: an index into [`Journey::sample_names`].
    pub name: usize,
    /// The method.
    pub method: Method,
    /// Where to.
    pub target: Target,
    /// The step's own headers, `Content-Type` of a form or JSON body included.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Option<Bytes>,
    /// True when [`Answer::headers`] will be looked at.
    pub wants_headers: bool,
    /// True when [`Answer::body`] will be looked at.
    pub wants_body: bool,
    /// True when the page's assets are to be fetched: see [`assets`](crate::assets).
    pub assets: bool,
    /// Whether those assets go through the shopper's cache.
    pub cache: bool,
    /// Whether redirects are followed; the last answer is the one to judge.
    pub follow_redirects: bool,
    /// The step's own time limit.
    pub timeout: Option<Duration>,
    /// True when [`Answer::cookies`] will be looked at.
    pub wants_cookies: bool,
    /// Whether the body is read only until [`Walk::has_enough`](super::Walk::has_enough).
    pub until_found: bool,
    /// Whether the request says which page it comes from (`Referer`).
    pub referer: bool,
    /// Whether it says so with `Origin`, too.
    pub origin: bool,
    /// What the target is relative to, itself relative to the address of the answer before: `<base href>`.
    pub base: Option<Box<str>>,
}

impl Fetch {
    /// Where a request of a walk through `journey` goes.
    pub fn target<'a>(&'a self, journey: &'a Journey) -> &'a str {
        match &self.target {
            Target::Own => journey.steps.get(self.step).and_then(Step::target).unwrap_or(""),
            Target::Filled(target) => target,
        }
    }
}

/// Where a request goes: a path (`/cart?a=b`), an absolute http or https URL, or a reference (`?page=2`,
/// `lamp.html`) relative to the address of the answer before. ASCII without blanks and without fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The step's own, [`Step::target`], which is the same in every walk.
    Own,
    /// Written from values.
    Filled(String),
}

/// An answer to judge.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The status code.
    pub status: u16,
    /// The headers; empty when they were not wanted.
    pub headers: &'a HeaderMap,
    /// How its body is to be read: the Content-Type.
    pub content_type: ContentType,
    /// Where it came from, after redirects.
    pub url: &'a Url,
    /// The redirects that led there.
    pub hops: &'a [Hop],
    /// The value of the Cookie header that would now be sent to `url`; empty when it was not wanted.
    pub cookies: &'a str,
    /// The body without content coding; empty when it was not wanted.
    pub body: &'a [u8],
    /// True when the body was longer than what the engine keeps of it.
    pub cut: bool,
}

/// A redirect that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Its status.
    pub status: u16,
    /// Its Location, as it was sent.
    pub location: String,
}

/// What a journey leaves for later audits: an order's number for example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// Its name in the journey.
    pub name: Box<str>,
    /// Its value, at most 1,024 bytes.
    pub value: String,
}
