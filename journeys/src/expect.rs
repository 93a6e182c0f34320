//! What a step expects of its answer.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};
use regex::bytes::Regex;

use crate::failure::{Failure, quote};
use crate::scan::{Found, Query, Take};
use crate::selector::CssSelector;
use crate::template::{Template, Values};

/// The longest expected text once its values are in, in bytes.
const TEXT_BYTES_MAX: usize = 64 * 1_024;

/// All expectations of one step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expect {
    /// The statuses that are good; 200 to 399 when there is none here.
    pub(crate) status: Vec<u16>,
    /// Headers, of which one value must be equal.
    pub(crate) headers: Vec<(HeaderName, Template)>,
    /// Texts in the body, with the line of each; `true` when it must be there, `false` when it must not.
    pub(crate) texts: Vec<(bool, Template, u64)>,
    /// Patterns that the body must match, with the line of each.
    pub(crate) matches: Vec<(Regex, u64)>,
    /// Elements of the page.
    pub(crate) css: Vec<CssExpect>,
    /// The line where the expectations begin.
    pub(crate) line: u64,
}

/// What is expected of the elements that a selector finds.
#[derive(Clone, Debug)]
pub(crate) struct CssExpect {
    pub(crate) selector: CssSelector,
    pub(crate) what: CssWhat,
    pub(crate) line: u64,
}

/// See [`CssExpect`].
#[derive(Clone, Debug)]
pub(crate) enum CssWhat {
    /// The first match's trimmed text equals this.
    Text(Template),
    /// There are exactly so many.
    Count(usize),
}

/// What expectations are judged against.
pub(crate) struct Scene<'a> {
    pub(crate) file: &'a str,
    pub(crate) values: &'a Values<'a>,
    pub(crate) body: &'a [u8],
    /// True when the answer's body was longer than `body`.
    pub(crate) cut: bool,
}

impl Scene<'_> {
    /// A failure with the place of what it was expected by.
    pub(crate) fn failure(&self, message: &str, line: u64) -> Failure {
        let cut = if self.cut { "; the body was longer than what is kept of it" } else { "" };
        Failure::new(format!("{message} ({}:{line}{cut})", self.file))
    }
}

impl Expect {
    /// True when judging needs the body.
    pub(crate) fn wants_body(&self) -> bool {
        !(self.texts.is_empty() && self.matches.is_empty() && self.css.is_empty())
    }

    /// Judges the status.
    pub(crate) fn judge_status(&self, status: u16) -> Result<(), Failure> {
        let good =
            if self.status.is_empty() { (200..400).contains(&status) } else { self.status.contains(&status) };
        if good {
            return Ok(());
        }
        let expected = match self.status.as_slice() {
            [] => "200 to 399".to_owned(),
            some => some.iter().map(u16::to_string).collect::<Vec<_>>().join(" or "),
        };
        Err(Failure::status(format!("expected status {expected}, got {status}")))
    }

    /// Judges the headers.
    pub(crate) fn judge_headers(&self, headers: &HeaderMap, scene: &Scene<'_>) -> Result<(), Failure> {
        for (name, template) in &self.headers {
            let expected = template.filled(scene.values, "the expected header", TEXT_BYTES_MAX)?;
            if headers.get_all(name).iter().any(|value| value.as_bytes() == expected.as_bytes()) {
                continue;
            }
            let got = headers.get(name).map_or("got none".to_owned(), |value| {
                format!("got {}", quote(&String::from_utf8_lossy(value.as_bytes())))
            });
            return Err(
                scene.failure(&format!("expected header {name}: {}, {got}", quote(&expected)), self.line)
            );
        }
        Ok(())
    }

    /// Judges the body as text.
    pub(crate) fn judge_text(&self, scene: &Scene<'_>) -> Result<(), Failure> {
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
    /// What to look for in the page, and the selector's text.
    pub(crate) fn query(&self, values: &Values<'_>) -> Result<(Query<'_>, Cow<'_, str>), Failure> {
        let (selector, text) = self.selector.resolve(values)?;
        let (take, until) = match self.what {
            CssWhat::Text(_) => (Take::Text, Some(0)),
            CssWhat::Count(_) => (Take::Count, None),
        };
        Ok((Query { selector, take, until }, text))
    }

    /// Judges what was found; `selector` is its text.
    pub(crate) fn judge(&self, selector: &str, found: &Found, scene: &Scene<'_>) -> Result<(), Failure> {
        match &self.what {
            CssWhat::Count(expected) if found.count == *expected && !scene.cut => Ok(()),
            CssWhat::Count(expected) => {
                let message = format!("expected {expected} of {selector}, got {}", found.count);
                Err(scene.failure(&message, self.line))
            }
            CssWhat::Text(template) => {
                let expected = template.filled(scene.values, "the expected text", TEXT_BYTES_MAX)?;
                let got = match found.values.first() {
                    Some(value) if *value == expected.trim() && !found.overflowed => return Ok(()),
                    Some(value) => format!("got {}", quote(value)),
                    None => "nothing matches".to_owned(),
                };
                let message = format!("expected {selector} to be {}, {got}", quote(&expected));
                Err(scene.failure(&message, self.line))
            }
        }
    }
}
