//! An answer of the origin as the edge keeps it: once as it came, and packed as viewers ask for it.

use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version};

use super::answer::Answer;
use super::compress::{is_compressible, is_packed_picture};
use super::headers::mislead;
use super::policy::{Kind, Policy, remove_hop_by_hop};
use super::range::{self, Part};
use super::variant::Variant;
use crate::fault::Switches;

/// Content, headers, and its packed variants, each made when first asked for.
#[derive(Debug)]
pub(super) struct Payload {
    kind: Kind,
    status: StatusCode,
    headers: HeaderMap,
    weak_etag: Option<HeaderValue>,
    content: Bytes,
    is_compressible: bool,
    is_picture: bool,
    is_kept: bool,
    variants: [OnceLock<Option<Bytes>>; Variant::COUNT],
}

impl Payload {
    /// Takes over an answer of the origin that stays fresh for `ttl`; nothing is compressed at zero.
    pub(super) fn new(answer: Response<Bytes>, policy: &Policy, ttl: Duration) -> Payload {
        let (parts, content) = answer.into_parts();
        let mut headers = parts.headers;
        let is_kept = !ttl.is_zero();
        let is_compressible = is_kept && is_compressible(parts.status, &headers, content.len());
        let is_picture = is_kept && is_packed_picture(&headers, content.len());
        headers.remove(CONTENT_LENGTH);
        remove_hop_by_hop(&mut headers);
        Payload {
            kind: policy.kind(),
            status: parts.status,
            weak_etag: headers.get(ETAG).and_then(weakened),
            headers,
            content,
            is_compressible,
            is_picture,
            is_kept,
            variants: Default::default(),
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// The origin's entity tag, strong as it came.
    pub(super) fn etag(&self) -> Option<&HeaderValue> {
        self.headers.get(ETAG)
    }

    /// Whether the other is the same answer, so that what is packed already need not be packed again.
    pub(super) fn is_same(&self, other: &Payload) -> bool {
        self.status == other.status && self.headers == other.headers && self.content == other.content
    }

    /// About how much memory it takes, with its variants.
    pub(super) fn weight_bytes(&self) -> usize {
        2 * self.content.len() + 1_024
    }

    /// The answer to one viewer: packed as it likes, 304 where it has it already, or the part that it wants.
    pub(super) fn answer(&self, viewer: &Parts, switches: &Switches) -> Answer {
        let mut headers = self.headers.clone();
        mislead(&mut headers, self.kind, self.status, switches);
        let part = if switches.no_range { Part::Whole } else { self.part_for(viewer) };
        let mut content = self.content.clone();
        if self.may_be_packed(switches) {
            // Said to everybody: what one viewer gets as it is, another gets packed.
            if !switches.no_vary {
                headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
            }
            // Parts are of the content as it came: CloudFront compresses no 206, and nothing for HTTP/1.0.
            if part == Part::Whole
                && viewer.version != Version::HTTP_10
                && let Some((variant, packed)) = self.packed_for(viewer, switches)
            {
                content = packed;
                headers.insert(CONTENT_ENCODING, variant.encoding().name());
                // What was packed on the way is no longer the same byte for byte.
                match &self.weak_etag {
                    Some(etag) => headers.insert(ETAG, etag.clone()),
                    None => headers.remove(ETAG),
                };
            }
        }
        if let Some(ttl_max) = switches.ttl_max.filter(|_| self.is_kept) {
            let seconds = ttl_max.as_millis().div_ceil(1000);
            if let Ok(value) = HeaderValue::from_str(&format!("public, max-age={seconds}")) {
                headers.insert(CACHE_CONTROL, value);
            }
        }
        if self.status == StatusCode::OK && !switches.no_304 && self.is_known_to(viewer) {
            headers.remove(CONTENT_TYPE);
            headers.remove(CONTENT_ENCODING);
            return Answer::new(StatusCode::NOT_MODIFIED, headers, Bytes::new());
        }
        match part {
            Part::Whole => Answer::new(self.status, headers, content),
            Part::Bytes(range) => {
                let told = format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), content.len());
                if let Ok(told) = HeaderValue::from_str(&told) {
                    headers.insert(CONTENT_RANGE, told);
                }
                Answer::new(StatusCode::PARTIAL_CONTENT, headers, content.slice(range))
            }
            Part::Beyond => Answer::beyond(content.len()),
        }
    }

    /// What a viewer wants of it: only of what is kept can an edge give a part, and only to a GET.
    fn part_for(&self, viewer: &Parts) -> Part {
        if viewer.method != Method::GET || self.status != StatusCode::OK || !self.is_kept {
            return Part::Whole;
        }
        range::asked(&viewer.headers, self.content.len(), self.etag())
    }

    /// Whether some viewers get it packed.
    fn may_be_packed(&self, switches: &Switches) -> bool {
        let is_packable = self.is_compressible || (self.is_picture && switches.images_compressed);
        is_packable && !switches.no_compression
    }

    fn packed_for(&self, viewer: &Parts, switches: &Switches) -> Option<(Variant, Bytes)> {
        let variant = Variant::choose(&viewer.headers, self.kind, switches)?;
        let packed = self.variants.get(variant as usize)?;
        Some((variant, packed.get_or_init(|| variant.pack(&self.content)).clone()?))
    }

    /// Whether the viewer's `If-None-Match` names this content, by the weak comparison of RFC 9110, 8.8.3.2.
    fn is_known_to(&self, viewer: &Parts) -> bool {
        let Some(own) = self.etag().and_then(|etag| etag.to_str().ok()) else {
            return false;
        };
        let lines = viewer.headers.get_all(IF_NONE_MATCH).into_iter().filter_map(|line| line.to_str().ok());
        lines
            .flat_map(|line| line.split(','))
            .map(str::trim)
            .any(|tag| tag == "*" || opaque(tag) == opaque(own))
    }
}

/// An entity tag without its mark of weakness.
fn opaque(etag: &str) -> &str {
    etag.strip_prefix("W/").unwrap_or(etag)
}

/// The weak form of an entity tag; none of an invalid one.
fn weakened(etag: &HeaderValue) -> Option<HeaderValue> {
    let text = opaque(etag.to_str().ok()?);
    let is_valid = text.len() >= 2 && text.starts_with('"') && text.ends_with('"');
    if is_valid { HeaderValue::from_str(&format!("W/{text}")).ok() } else { None }
}

#[cfg(test)]
mod tests;
