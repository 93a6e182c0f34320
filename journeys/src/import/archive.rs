//! Reads a recording: HAR 1.2, as Chromium, Firefox and Playwright write it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use url::Url;

use super::ImportError;
use super::raw::{Lenient, RawEntry, RawFile, RawPair, RawPost};
use super::time::milliseconds;

/// A recording.
pub(super) struct Archive {
    /// The requests, by the time they were sent.
    pub(super) entries: Vec<Entry>,
    /// How many entries could not be read.
    pub(super) unreadable: usize,
}

/// A request with its answer.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    pub(super) method: String,
    /// Without fragment.
    pub(super) url: Url,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) post: Option<Post>,
    /// 0 where there was no answer.
    pub(super) status: u16,
    /// Names in lower case.
    pub(super) answer_headers: Vec<(String, String)>,
    /// The answer's media type without parameters, in lower case.
    pub(super) mime: String,
    pub(super) body: Option<String>,
    /// The answer had a body, and it was not recorded.
    pub(super) is_lost: bool,
    /// Where the answer leads: a redirect, or what was created.
    pub(super) location: Option<Url>,
    /// What Chromium says that it is: `document`, `xhr` and so on.
    pub(super) kind: Option<String>,
    /// The page that it belongs to.
    pub(super) page: Option<String>,
}

/// What was sent.
#[derive(Debug)]
pub(super) struct Post {
    /// The media type with its parameters.
    pub(super) mime: String,
    pub(super) text: String,
    pub(super) params: Vec<Param>,
}

/// A field of a form as browsers list it beside, or instead of, the text.
#[derive(Debug)]
pub(super) struct Param {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) file: Option<String>,
    pub(super) mime: Option<String>,
}

/// What an answer's body is.
pub(super) enum Content<'a> {
    Html(&'a str),
    Json(&'a str),
    Other(&'a str),
    None,
}

impl Entry {
    /// The first header of the request with this name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// The first header of the answer with this name.
    pub(super) fn answer_header(&self, name: &str) -> Option<&str> {
        first(&self.answer_headers, name)
    }

    /// True for an answer that sends the browser elsewhere.
    pub(super) fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }

    /// The answer's body by what it is.
    pub(super) fn content(&self) -> Content<'_> {
        let Some(body) = self.body.as_ref().filter(|_| self.method != "HEAD") else { return Content::None };
        let begin = body.trim_start();
        let head: String = begin.chars().take(14).collect::<String>().to_ascii_lowercase();
        if self.mime.contains("html") || head.starts_with("<!doctype html") || head.starts_with("<html") {
            Content::Html(body)
        } else if self.mime.contains("json") || begin.starts_with(['{', '[']) {
            Content::Json(body)
        } else {
            Content::Other(body)
        }
    }

    /// The answer's page.
    pub(super) fn html(&self) -> Option<&str> {
        match self.content() {
            Content::Html(html) => Some(html),
            _ => None,
        }
    }

    /// True when the request, as far as it was recorded, is the same.
    pub(super) fn asks_the_same(&self, other: &Self) -> bool {
        let own = self.post.as_ref().map(|post| &post.text);
        let others = other.post.as_ref().map(|post| &post.text);
        self.method == other.method && self.url == other.url && own == others
    }
}

fn first<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// Reads a recording.
///
/// # Errors
/// Says why the text is no HAR.
pub(super) fn read(har: &str) -> Result<Archive, ImportError> {
    let text = har.trim_start_matches('\u{feff}');
    let file: RawFile =
        serde_json::from_str(text).map_err(|error| ImportError::NotHar { why: error.to_string() })?;
    let mut archive = Archive { entries: Vec::new(), unreadable: 0 };
    let mut before_ms = 0;
    for raw in file.log.entries {
        let entry = match raw {
            Lenient::Entry(raw) => read_entry(*raw, before_ms),
            Lenient::Other(IgnoredAny) => None,
        };
        match entry {
            Some(entry) => {
                before_ms = entry.start_ms;
                archive.entries.push(entry);
            }
            None => archive.unreadable += 1,
        }
    }
    archive.entries.sort_by_key(|entry| entry.start_ms);
    Ok(archive)
}

/// `None` when the address is none. An entry without a time follows the one written before it.
fn read_entry(raw: RawEntry, before_ms: i64) -> Option<Entry> {
    let mut url = Url::parse(raw.request.url.trim()).ok()?;
    url.set_fragment(None);
    let response = raw.response.unwrap_or_default();
    let content = response.content.unwrap_or_default();
    let status = response.status.and_then(|status| u16::try_from(status).ok()).unwrap_or(0);
    let answer_headers = lower(response.headers);
    let location = first(&answer_headers, "location").map(str::to_owned).or(response.redirect_url);
    let location = location.filter(|location| !location.is_empty()).and_then(|location| {
        let mut location = url.join(&location).ok()?;
        location.set_fragment(None);
        Some(location)
    });
    let mime = content.mime_type.or_else(|| first(&answer_headers, "content-type").map(str::to_owned));
    let mime = essence(&mime.unwrap_or_default());
    let is_told = mime.contains("html") || mime.contains("json");
    let is_empty = content.size == Some(0.0);
    let body = decoded(content.text, content.encoding.as_deref(), &mime);
    let is_lost = body.is_none() && is_told && !is_empty && (200..300).contains(&status) && status != 204;
    let start_ms = raw.started_date_time.as_deref().and_then(milliseconds).unwrap_or(before_ms);
    Some(Entry {
        start_ms,
        end_ms: start_ms.saturating_add(whole_ms(raw.time.unwrap_or(0.0))),
        method: raw.request.method.to_ascii_uppercase(),
        headers: lower(raw.request.headers),
        post: raw.request.post_data.map(read_post),
        url,
        status,
        answer_headers,
        mime,
        body,
        is_lost,
        location,
        kind: raw.resource_type.map(|kind| kind.to_ascii_lowercase()),
        page: raw.pageref,
    })
}

fn read_post(raw: RawPost) -> Post {
    let params = raw.params.unwrap_or_default().into_iter().map(|param| Param {
        name: param.name.unwrap_or_default(),
        value: param.value.unwrap_or_default(),
        file: param.file_name,
        mime: param.content_type,
    });
    Post {
        mime: raw.mime_type.unwrap_or_default(),
        text: raw.text.unwrap_or_default(),
        params: params.collect(),
    }
}

/// The text of a body; pictures and the like have none that anybody looks at.
fn decoded(text: Option<String>, encoding: Option<&str>, mime: &str) -> Option<String> {
    let is_seen = ["image/", "font/", "audio/", "video/"].iter().any(|kind| mime.starts_with(kind));
    let text = text.filter(|text| !is_seen && !text.is_empty())?;
    let is_base64 = encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case("base64"));
    if !is_base64 {
        return Some(text);
    }
    let bytes = STANDARD.decode(text.trim()).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn lower(headers: Option<Vec<RawPair>>) -> Vec<(String, String)> {
    let headers = headers.unwrap_or_default().into_iter();
    headers.map(|pair| (pair.name.to_ascii_lowercase(), pair.value.unwrap_or_default())).collect()
}

/// A media type without its parameters.
pub(super) fn essence(mime: &str) -> String {
    mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn whole_ms(time_ms: f64) -> i64 {
    let duration = Duration::try_from_secs_f64(time_ms / 1_000.0).unwrap_or_default();
    i64::try_from(duration.as_millis()).unwrap_or(0)
}
