//! Kinds of content, as far as compression is concerned.

use super::fields::lower_essence;

/// What compression does to content of a type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContentKind {
    /// No type is told.
    #[default]
    Unsaid,
    /// Text that an edge compresses.
    Text,
    /// Something else that CloudFront compresses.
    Compressible,
    /// Compressed by its own format: to compress it again costs time and saves nothing.
    Packed,
    /// Anything else.
    Other,
}

/// Of the types that CloudFront compresses, those that are text.
/// \[D\] Developer guide, "Serve compressed files", "File types that CloudFront compresses".
const TEXT: &[&str] = &[
    "application/dash+xml",
    "application/javascript",
    "application/json",
    "application/rss+xml",
    "application/x-javascript",
    "application/xhtml+xml",
    "application/xml",
    "application/xml+rss",
    "image/svg+xml",
    "text/css",
    "text/csv",
    "text/html",
    "text/javascript",
    "text/js",
    "text/plain",
    "text/richtext",
    "text/tab-separated-values",
    "text/x-component",
    "text/x-java-source",
    "text/x-script",
    "text/xml",
];

/// The others of that list.
const COMPRESSIBLE: &[&str] = &[
    "application/eot",
    "application/font",
    "application/font-sfnt",
    "application/opentype",
    "application/otf",
    "application/pdf",
    "application/pkcs7-mime",
    "application/protobuf",
    "application/truetype",
    "application/ttf",
    "application/vnd.apple.mpegurl",
    "application/vnd.mapbox-vector-tile",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-font-opentype",
    "application/x-font-truetype",
    "application/x-font-ttf",
    "application/x-httpd-cgi",
    "application/x-mpegurl",
    "application/x-opentype",
    "application/x-otf",
    "application/x-perl",
    "application/x-ttf",
    "font/eot",
    "font/opentype",
    "font/otf",
    "font/ttf",
    "vnd.apple.mpegurl",
];

/// Formats that compress by themselves.
const PACKED: &[&str] = &[
    "application/font-woff",
    "application/font-woff2",
    "application/gzip",
    "application/vnd.rar",
    "application/x-7z-compressed",
    "application/x-bzip2",
    "application/x-gzip",
    "application/zip",
    "application/zstd",
    "audio/aac",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "audio/webm",
    "font/woff",
    "font/woff2",
    "image/apng",
    "image/avif",
    "image/gif",
    "image/heic",
    "image/heif",
    "image/jpeg",
    "image/jxl",
    "image/png",
    "image/webp",
    "video/mp4",
    "video/ogg",
    "video/webm",
];

/// Longer than any type of the lists.
const TYPE_BYTES_MAX: usize = 40;

impl ContentKind {
    /// The kind of a `Content-Type`.
    pub fn of(content_type: &[u8]) -> Self {
        let mut room = [0; TYPE_BYTES_MAX];
        let Some(lower) = lower_essence(content_type, &mut room) else { return Self::Other };
        if lower.is_empty() {
            return Self::Unsaid;
        }
        let is_in = |types: &[&str]| types.binary_search_by(|known| known.as_bytes().cmp(lower)).is_ok();
        if is_in(TEXT) {
            Self::Text
        } else if is_in(PACKED) {
            Self::Packed
        } else if is_in(COMPRESSIBLE) {
            Self::Compressible
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_apart_without_their_parameters() {
        for (content_type, kind) in [
            ("text/html; charset=utf-8", ContentKind::Text),
            ("Image/SVG+XML", ContentKind::Text),
            ("application/json", ContentKind::Text),
            ("font/ttf", ContentKind::Compressible),
            ("application/wasm", ContentKind::Compressible),
            ("image/jpeg", ContentKind::Packed),
            ("font/woff2", ContentKind::Packed),
            ("application/octet-stream", ContentKind::Other),
            ("image/bmp", ContentKind::Other),
            ("", ContentKind::Unsaid),
            (" ; charset=utf-8", ContentKind::Unsaid),
            ("text/html, text/html", ContentKind::Other),
        ] {
            assert_eq!(ContentKind::of(content_type.as_bytes()), kind, "{content_type}");
        }
        assert_eq!(ContentKind::of(&[b'a'; 10_000]), ContentKind::Other);
    }

    #[test]
    fn lists_are_sorted_and_fit() {
        for types in [TEXT, COMPRESSIBLE, PACKED] {
            assert!(types.windows(2).all(|pair| pair[0] < pair[1]), "{types:?}");
            assert!(types.iter().all(|known| known.len() <= TYPE_BYTES_MAX), "{types:?}");
        }
    }
}
