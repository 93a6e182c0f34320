//! What an answer must be like: what a step expects of it, what makes it a refusal, and what conditions ask of it.

use std::borrow::Cow;
use std::cell::OnceCell;

use http::{HeaderMap, HeaderName};
use regex::bytes::Regex;
use serde_json::Value as Json;
use serde_json_path::JsonPath;
use url::{Position, Url};

use crate::charset::Charset;
use crate::check::{Check, Found, Subject, TEXT_BYTES_MAX, Unmet};
use crate::failure::{Failure, quote};
use crate::scan::{self, Query, Take};
use crate::selector::CssSelector;
use crate::template::{Template, Values};
use crate::walk::Hop;

/// Statuses from the first to the last, both included.
pub(crate) type Statuses = (u16, u16);
/// The statuses that are good where nothing else is said.
pub(crate) const GOOD: Statuses = (200, 399);

/// All that is asked of one answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expect {
    /// The statuses that are good; any where there is none here.
    pub(crate) status: Vec<Statuses>,
    /// Headers: one of the values of each must pass.
    pub(crate) headers: Vec<(HeaderName, Check, u64)>,
    /// Texts in the body, with the line of each; `true` when it must be there, `false` when it must not.
    pub(crate) texts: Vec<(bool, Template, u64)>,
    /// Patterns that the body must match, with the line of each.
    pub(crate) matches: Vec<(Regex, u64)>,
    /// Elements of the page.
    pub(crate) css: Vec<CssExpect>,
    /// Nodes of a JSON body.
    pub(crate) json: Vec<JsonExpect>,
    /// How many bytes the body has, without content coding.
    pub(crate) size: Option<(Check, u64)>,
    /// The path and query of the page that was got in the end.
    pub(crate) page: Option<(Check, u64)>,
    /// Where redirects led: one Location must pass.
    pub(crate) redirect: Option<(Check, u64)>,
}

/// What is expected of the elements that a selector finds.
#[derive(Clone, Debug)]
pub(crate) struct CssExpect {
    pub(crate) selector: CssSelector,
    pub(crate) check: Check,
    pub(crate) line: u64,
}

/// What is expected of the nodes that a path finds.
#[derive(Clone, Debug)]
pub(crate) struct JsonExpect {
    pub(crate) path: JsonPath,
    pub(crate) text: Box<str>,
    pub(crate) check: Check,
    pub(crate) line: u64,
}

/// What is judged.
pub(crate) struct Scene<'a> {
    pub(crate) file: &'a str,
    pub(crate) values: &'a Values<'a>,
    pub(crate) status: u16,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) url: &'a Url,
    pub(crate) hops: &'a [Hop],
    pub(crate) cookies: &'a str,
    /// In UTF-8.
    pub(crate) body: &'a [u8],
    /// What the body was encoded in.
    pub(crate) charset: Charset,
    /// How long it was in that encoding.
    pub(crate) body_bytes: usize,
    /// True when the answer's body was longer than `body`.
    pub(crate) cut: bool,
    /// The body as JSON, once somebody asked.
    pub(crate) json: OnceCell<Result<Json, String>>,
}

/// What a selector found in the page, with its text.
pub(crate) type Looked<'a> = (scan::Found, Cow<'a, str>);

impl Scene<'_> {
    /// A failure with the place of what it was expected by.
    pub(crate) fn failure(&self, message: &str, line: u64) -> Failure {
        let cut = if self.cut { "; the body was longer than what is kept of it" } else { "" };
        Failure::new(format!("{message} ({}:{line}{cut})", self.file))
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// Why it is none.
    pub(crate) fn json(&self) -> Result<&Json, String> {
        let read = || serde_json::from_slice(self.body).map_err(|error| error.to_string());
        self.json.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    fn check(&self, check: &Check, subject: &Subject<'_>, line: u64) -> Result<(), Failure> {
        check.judge(subject, self.values).map_err(|unmet| match unmet {
            Unmet::Because(message) => self.failure(&message, line),
            Unmet::Cannot(failure) => failure,
        })
    }
}

impl Expect {
    /// True when judging needs the body.
    pub(crate) fn wants_body(&self) -> bool {
        let nothing = self.texts.is_empty()
            && self.matches.is_empty()
            && self.css.is_empty()
            && self.json.is_empty()
            && self.size.is_none();
        !nothing
    }

    /// True when judging needs the headers.
    pub(crate) fn wants_headers(&self) -> bool {
        !self.headers.is_empty() || self.redirect.is_some()
    }

    /// Judges the status.
    pub(crate) fn judge_status(&self, status: u16) -> Result<(), Failure> {
        let good = |(from, to): &Statuses| (*from..=*to).contains(&status);
        if self.status.is_empty() || self.status.iter().any(good) {
            return Ok(());
        }
        let words = |(from, to): &Statuses| {
            if from == to { from.to_string() } else { format!("{from} to {to}") }
        };
        let expected = self.status.iter().map(words).collect::<Vec<_>>().join(" or ");
        Err(Failure::status(format!("expected status {expected}, got {status}")))
    }

    /// What to look for in the page: as many queries as [`judge`](Self::judge) takes answers.
    pub(crate) fn queries<'a>(
        &'a self,
        values: &'a Values<'_>,
    ) -> impl Iterator<Item = Result<(Query<'a>, Cow<'a, str>), Failure>> {
        self.css.iter().map(|expect| expect.query(values))
    }

    /// Judges all but the status; `looked` gives what was found for each of the queries.
    ///
    /// # Errors
    /// The first thing that is not as expected.
    pub(crate) fn judge<'a>(
        &self,
        scene: &Scene<'_>,
        looked: &mut impl Iterator<Item = Looked<'a>>,
    ) -> Result<(), Failure> {
        // Taken first, so that whoever is judged next gets its own.
        let found: Vec<_> = looked.take(self.css.len()).collect();
        self.judge_headers(scene)?;
        self.judge_address(scene)?;
        self.judge_text(scene)?;
        for (expect, (found, selector)) in self.css.iter().zip(&found) {
            expect.judge(selector, found, scene)?;
        }
        self.json.iter().try_for_each(|expect| expect.judge(scene))
    }

    fn judge_headers(&self, scene: &Scene<'_>) -> Result<(), Failure> {
        for (name, check, line) in &self.headers {
            let texts: Vec<String> =
                scene.headers.get_all(name).iter().map(|value| lossy(value.as_bytes())).collect();
            let name = format!("header {name}");
            let subject = Subject { name: &name, found: Found::Texts(&texts), count: texts.len() };
            scene.check(check, &subject, *line)?;
        }
        Ok(())
    }

    fn judge_address(&self, scene: &Scene<'_>) -> Result<(), Failure> {
        if let Some((check, line)) = &self.page {
            let page = scene.url[Position::BeforePath..Position::AfterQuery].to_owned();
            let found = std::slice::from_ref(&page);
            scene.check(check, &Subject { name: "the page", found: Found::Texts(found), count: 1 }, *line)?;
        }
        if let Some((check, line)) = &self.redirect {
            let mut texts: Vec<String> = scene.hops.iter().map(|hop| hop.location.clone()).collect();
            let last =
                scene.headers.get(http::header::LOCATION).filter(|_| (300..400).contains(&scene.status));
            texts.extend(last.map(|value| lossy(value.as_bytes())));
            let subject = Subject { name: "a redirect", found: Found::Texts(&texts), count: texts.len() };
            scene.check(check, &subject, *line)?;
        }
        if let Some((check, line)) = &self.size {
            let bytes = scene.body_bytes.to_string();
            let found = std::slice::from_ref(&bytes);
            if scene.cut {
                return Err(scene.failure("cannot tell how long the body is", *line));
            }
            scene.check(
                check,
                &Subject { name: "the body's size in bytes", found: Found::Texts(found), count: 1 },
                *line,
            )?;
        }
        Ok(())
    }

    fn judge_text(&self, scene: &Scene<'_>) -> Result<(), Failure> {
        for (wanted, template, line) in &self.texts {
            let text = template.filled(scene.values, "the expected text", TEXT_BYTES_MAX)?;
            let found = memchr::memmem::find(scene.body, text.as_bytes()).is_some();
            match (wanted, found) {
                (true, false) => {
                    return Err(scene.failure(&format!("expected {} in the body", quote(&text)), *line));
                }
                (false, true) => {
                    return Err(scene.failure(&format!("expected no {} in the body", quote(&text)), *line));
                }
                // What was not kept may hold the text: to say "not there" would be a guess.
                (false, false) if scene.cut => {
                    return Err(
                        scene.failure(&format!("cannot tell that {} is not there", quote(&text)), *line)
                    );
                }
                _ => {}
            }
        }
        for (pattern, line) in &self.matches {
            if !pattern.is_match(scene.body) {
                return Err(scene.failure(&format!("expected the body to match /{pattern}/"), *line));
            }
        }
        Ok(())
    }
}

impl CssExpect {
    fn query<'a>(&'a self, values: &'a Values<'_>) -> Result<(Query<'a>, Cow<'a, str>), Failure> {
        let (selector, text) = self.selector.resolve(values)?;
        let take = if self.check.wants_values() { Take::Text } else { Take::Count };
        Ok((Query { selector, take, until: self.check.until() }, text))
    }

    fn judge(&self, selector: &str, found: &scan::Found, scene: &Scene<'_>) -> Result<(), Failure> {
        if scene.cut && self.check.is_about_absence() {
            return Err(scene.failure(&format!("cannot tell how often {selector} is there"), self.line));
        }
        if found.overflowed && self.check.wants_values() {
            return Err(scene.failure(&format!("{selector} matches more than can be kept"), self.line));
        }
        let first = found.values.get(..1).unwrap_or_default();
        let subject = Subject { name: selector, found: Found::Texts(first), count: found.count };
        scene.check(&self.check, &subject, self.line)
    }
}

impl JsonExpect {
    fn judge(&self, scene: &Scene<'_>) -> Result<(), Failure> {
        let document =
            scene.json().map_err(|error| scene.failure(&format!("no JSON body: {error}"), self.line))?;
        let nodes = self.path.query(document).all();
        let subject = Subject { name: &self.text, found: Found::Nodes(&nodes), count: nodes.len() };
        scene.check(&self.check, &subject, self.line)
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
