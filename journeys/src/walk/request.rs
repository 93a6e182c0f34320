//! Writes a step's request from its values.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};

use super::{Fetch, Target, Walk};
use crate::failure::{Failure, quote};
use crate::fields::multipart;
use crate::form::{Filled, Submission};
use crate::journey::{Body, Fill, Request, Step, Submit};
use crate::value::Value;

/// The longest target once its values are in, in bytes.
const TARGET_BYTES_MAX: usize = 16 * 1_024;
/// The longest header value once its values are in, in bytes.
const HEADER_BYTES_MAX: usize = 16 * 1_024;
/// The longest body once its values are in, in bytes.
const BODY_BYTES_MAX: usize = 4 << 20;

impl Walk {
    /// The request of the step of this number.
    pub(super) fn fetch(&self, number: usize) -> Result<Fetch, Failure> {
        let step = &self.journey.steps[number];
        let request = &step.request;
        let mut headers = self.headers(step)?;
        let base = self.control.as_ref().and_then(|control| control.base.clone());
        let (method, target, body, base) = match &request.submit {
            None => (request.method.clone(), self.target(step)?, self.body(request)?, base),
            Some(submit) => {
                let Submission { method, url, content_type, body } = self.submit(submit)?;
                let content_type = content_type.and_then(|kind| HeaderValue::try_from(kind).ok());
                headers.extend(content_type.map(|kind| (CONTENT_TYPE, kind)));
                (method, Target::Filled(url), body, None)
            }
        };
        Ok(Fetch {
            step: number,
            name: step.counted.of(&self.values())?,
            method,
            target,
            headers,
            body,
            wants_headers: step.wants_headers,
            wants_body: step.wants_body,
            wants_cookies: step.wants_cookies,
            until_found: step.until_found,
            assets: step.fetches_assets,
            cache: self.journey.cache,
            follow_redirects: request.follow_redirects,
            timeout: request.timeout,
            referer: self.journey.referer,
            origin: self.journey.origin,
            base,
        })
    }

    fn body(&self, request: &Request) -> Result<Option<Bytes>, Failure> {
        let mut body = String::new();
        match &request.body {
            Body::None => return Ok(None),
            Body::Fixed(bytes) => return Ok(Some(bytes.clone())),
            Body::Filled(template) => template.fill(&self.values(), &mut body, "the body", BODY_BYTES_MAX)?,
            Body::Fields(fields) => fields.fill(&self.values(), &mut body, "the body", BODY_BYTES_MAX)?,
            Body::Parts(parts) => body = multipart(parts, &self.values(), BODY_BYTES_MAX)?,
        }
        Ok(Some(Bytes::from(body)))
    }

    fn submit(&self, submit: &Submit) -> Result<Submission, Failure> {
        let values = self.values();
        let form = match values.value(submit.slot) {
            Some(Value::Form(form)) => form,
            Some(Value::Text(why)) => return Err(Failure::new(why.to_string())),
            _ => {
                let message = "the page with the form was not shown, so it cannot be submitted";
                return Err(Failure::new(message.to_owned()));
            }
        };
        let mut filled = Vec::with_capacity(submit.fields.len());
        for (name, fill) in &submit.fields {
            let name = name.filled(&values, "a field's name", HEADER_BYTES_MAX)?.into_owned();
            let fill = match fill {
                Fill::Checked(checked) => Filled::Checked(*checked),
                Fill::Items(slot) => {
                    let value = values.value(*slot).map(|value| value.items().to_vec());
                    Filled::Values(value.unwrap_or_default())
                }
                Fill::Texts(texts) => {
                    let text = |template: &crate::template::Template| {
                        template.filled(&values, "a field", BODY_BYTES_MAX).map(|text| text.into())
                    };
                    Filled::Values(texts.iter().map(text).collect::<Result<_, Failure>>()?)
                }
            };
            filled.push((name, fill));
        }
        form.as_ref().clone().submit(&filled)
    }

    fn target(&self, step: &Step) -> Result<Target, Failure> {
        if step.target().is_some() {
            return Ok(Target::Own);
        }
        let (target, query) = (&step.request.target, &step.request.query);
        let values = self.values();
        let mut out = String::new();
        target.fill(&values, &mut out, "the target", TARGET_BYTES_MAX)?;
        check_scheme(&out)?;
        if !query.is_empty() {
            out.push(if out.contains('?') { '&' } else { '?' });
            query.fill(&values, &mut out, "the target", TARGET_BYTES_MAX)?;
        }
        Ok(Target::Filled(out))
    }

    fn headers(&self, step: &Step) -> Result<Vec<(HeaderName, HeaderValue)>, Failure> {
        let mut headers = step.request.headers.fixed.clone();
        for (name, template) in &step.request.headers.filled {
            let value = template.filled(&self.values(), "the header", HEADER_BYTES_MAX)?;
            let value = HeaderValue::from_str(&value).map_err(|_| {
                Failure::new(format!("header {name} cannot have the value {}", quote(&value)))
            })?;
            headers.push((name.clone(), value));
        }
        Ok(headers)
    }
}

/// A link as extracted may be `javascript:` or `mailto:`, which nobody can fetch.
fn check_scheme(target: &str) -> Result<(), Failure> {
    let scheme = match target.split_once([':', '/', '?']) {
        Some((scheme, _)) if target[scheme.len()..].starts_with(':') => scheme,
        _ => return Ok(()),
    };
    if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") {
        return Ok(());
    }
    Err(Failure::new(format!("the link {} is neither http nor https", quote(target))))
}
