//! What the edge compresses, by CloudFront's conditions, and how.
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html>

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};

/// Smaller or larger answers are left as they are.
const SIZE_BYTES: std::ops::RangeInclusive<usize> = 1_000..=10_000_000;
const STATUSES: [u16; 3] = [200, 403, 404];

/// The content types that are compressed, without their parameters.
const CONTENT_TYPES: [&str; 49] = [
    "application/dash+xml",
    "application/eot",
    "application/font",
    "application/font-sfnt",
    "application/javascript",
    "application/json",
    "application/opentype",
    "application/otf",
    "application/pdf",
    "application/pkcs7-mime",
    "application/protobuf",
    "application/rss+xml",
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
    "application/x-javascript",
    "application/x-mpegurl",
    "application/x-opentype",
    "application/x-otf",
    "application/x-perl",
    "application/x-ttf",
    "application/xhtml+xml",
    "application/xml",
    "application/xml+rss",
    "font/eot",
    "font/opentype",
    "font/otf",
    "font/ttf",
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
    "vnd.apple.mpegurl",
];

const BROTLI_QUALITY: u32 = 4;
const BROTLI_WINDOW_BITS: u32 = 18;
const BUFFER_BYTES: usize = 4_096;

/// How an answer is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    /// The value of `Content-Encoding`.
    pub(super) fn name(self) -> HeaderValue {
        HeaderValue::from_static(self.token())
    }

    fn token(self) -> &'static str {
        match self {
            Encoding::Brotli => "br",
            Encoding::Gzip => "gzip",
        }
    }

    /// What the viewer takes, brotli first; none where it takes neither.
    pub(super) fn accepted(headers: &HeaderMap) -> Option<Encoding> {
        [Encoding::Brotli, Encoding::Gzip].into_iter().find(|encoding| encoding.is_taken(headers))
    }

    /// Whether the viewer takes it.
    pub(super) fn is_taken(self, headers: &HeaderMap) -> bool {
        let lines = headers.get_all(ACCEPT_ENCODING).into_iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).any(|item| names(item, self.token()))
    }

    /// The content in this encoding; none where packing failed, and the content is better left alone.
    pub(super) fn pack(self, content: &[u8]) -> Option<Bytes> {
        match self {
            Encoding::Brotli => {
                let buffer = Vec::with_capacity(content.len() / 3);
                let mut writer =
                    brotli::CompressorWriter::new(buffer, BUFFER_BYTES, BROTLI_QUALITY, BROTLI_WINDOW_BITS);
                writer.write_all(content).ok()?;
                Some(Bytes::from(writer.into_inner()))
            }
            Encoding::Gzip => gzip(content, Compression::default()),
        }
    }
}

/// The content in gzip, at that level.
pub(super) fn gzip(content: &[u8], level: Compression) -> Option<Bytes> {
    let mut writer = GzEncoder::new(Vec::with_capacity(content.len() / 3), level);
    writer.write_all(content).ok()?;
    Some(Bytes::from(writer.finish().ok()?))
}

/// Whether one item of `Accept-Encoding` names that encoding and does not refuse it with `q=0`.
fn names(item: &str, name: &str) -> bool {
    let mut words = item.split(';').map(str::trim);
    let is_named = words.next().is_some_and(|word| word.eq_ignore_ascii_case(name));
    let refused = |word: &str| {
        let quality = word.strip_prefix("q=").or_else(|| word.strip_prefix("Q="));
        quality.and_then(|quality| quality.parse::<f32>().ok()).is_some_and(|quality| quality <= 0.0)
    };
    is_named && !words.any(refused)
}

/// Whether an answer of the origin that is kept may be compressed, as far as the answer decides.
pub(super) fn is_compressible(status: StatusCode, headers: &HeaderMap, size_bytes: usize) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    SIZE_BYTES.contains(&size_bytes)
        && STATUSES.contains(&status.as_u16())
        && headers.contains_key(CONTENT_LENGTH)
        && !headers.contains_key(CONTENT_ENCODING)
        && CONTENT_TYPES.iter().any(|listed| listed.eq_ignore_ascii_case(essence))
}

/// Whether it is a picture whose format packs it already, which a web server compresses that was told
/// `gzip_types image/*`.
pub(super) fn is_packed_picture(headers: &HeaderMap, size_bytes: usize) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    SIZE_BYTES.contains(&size_bytes)
        && content_type.starts_with("image/")
        && !content_type.starts_with("image/svg")
        && !headers.contains_key(CONTENT_ENCODING)
}

#[cfg(test)]
mod tests {
    use super::{Encoding, is_compressible, is_packed_picture};
    use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
    use std::io::Read as _;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn brotli_comes_first_and_a_refusal_counts() {
        let accepted = |value| Encoding::accepted(&headers(&[("accept-encoding", value)]));
        assert_eq!(accepted("gzip, deflate, br"), Some(Encoding::Brotli));
        assert_eq!(accepted("gzip;q=1.0, BR;q=0"), Some(Encoding::Gzip));
        assert_eq!(accepted("gzip; q=0.0, identity"), None);
        assert_eq!(accepted("bro"), None);
        assert_eq!(Encoding::accepted(&HeaderMap::new()), None);
    }

    #[test]
    fn every_condition_counts() {
        let html = [("content-type", "text/html; charset=utf-8"), ("content-length", "1000")];
        let ok = StatusCode::OK;
        assert!(is_compressible(ok, &headers(&html), 1_000));
        assert!(is_compressible(StatusCode::NOT_FOUND, &headers(&html), 10_000_000));
        assert!(!is_compressible(ok, &headers(&html), 999));
        assert!(!is_compressible(ok, &headers(&html), 10_000_001));
        assert!(!is_compressible(StatusCode::INTERNAL_SERVER_ERROR, &headers(&html), 1_000));
        assert!(!is_compressible(ok, &headers(&html[..1]), 1_000));
        assert!(!is_compressible(ok, &headers(&[html[0], html[1], ("content-encoding", "br")]), 1_000));
        assert!(!is_compressible(ok, &headers(&[("content-type", "image/png"), html[1]]), 1_000));
    }

    #[test]
    fn pictures_are_those_that_are_no_text() {
        let is_picture = |content_type| is_packed_picture(&headers(&[("content-type", content_type)]), 1_000);
        assert!(is_picture("image/png") && is_picture("image/webp"));
        assert!(!is_picture("image/svg+xml") && !is_picture("text/html"));
        assert!(!is_packed_picture(&headers(&[("content-type", "image/png")]), 999));
    }

    #[test]
    fn what_is_packed_can_be_unpacked() {
        let content = "All work and no play makes a dull page. ".repeat(100);
        let packed = Encoding::Brotli.pack(content.as_bytes()).unwrap();
        let mut unpacked = String::new();
        brotli::Decompressor::new(&packed[..], 4096).read_to_string(&mut unpacked).unwrap();
        assert!(unpacked == content && packed.len() < content.len() / 2);

        let packed = Encoding::Gzip.pack(content.as_bytes()).unwrap();
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut unpacked).unwrap();
        assert!(unpacked == content && packed.len() < content.len() / 2);
    }
}
