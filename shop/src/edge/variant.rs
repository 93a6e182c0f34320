//! The forms in which viewers get content that is packed: the right ones, and those that faults make of them.

use bytes::Bytes;
use flate2::Compression;
use http::HeaderMap;

use super::compress::{Encoding, gzip};
use super::policy::Kind;
use crate::fault::Switches;

/// One way of packing some content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variant {
    Brotli,
    Gzip,
    /// In gzip's clothes, but not smaller.
    GzipStored,
    /// By the shop and then by the web server before it, of which one says so.
    GzipTwice,
    /// A file that was packed when it was built, and is of the build before.
    OldBrotli,
    /// A file whose upload broke off.
    CutBrotli,
}

impl Variant {
    pub(super) const COUNT: usize = 6;

    /// How a viewer gets what may be packed; none: as it is.
    pub(super) fn choose(viewer: &HeaderMap, kind: Kind, switches: &Switches) -> Option<Variant> {
        if switches.forced_gzip {
            return Some(Variant::Gzip);
        }
        let is_file = kind == Kind::Asset;
        let takes_gzip = Encoding::Gzip.is_taken(viewer);
        if switches.double_gzip && is_file && takes_gzip {
            return Some(Variant::GzipTwice);
        }
        if switches.weak_compression && takes_gzip {
            return Some(Variant::GzipStored);
        }
        match Encoding::accepted(viewer)? {
            Encoding::Brotli if switches.corrupt_brotli && is_file => Some(Variant::CutBrotli),
            Encoding::Brotli if switches.broken_brotli && is_file => Some(Variant::OldBrotli),
            Encoding::Brotli => Some(Variant::Brotli),
            Encoding::Gzip => Some(Variant::Gzip),
        }
    }

    /// What the answer says that it is.
    pub(super) fn encoding(self) -> Encoding {
        match self {
            Variant::Brotli | Variant::OldBrotli | Variant::CutBrotli => Encoding::Brotli,
            Variant::Gzip | Variant::GzipStored | Variant::GzipTwice => Encoding::Gzip,
        }
    }

    /// The content in this form; none where packing failed, and the content is better left alone.
    pub(super) fn pack(self, content: &[u8]) -> Option<Bytes> {
        match self {
            Variant::Brotli => Encoding::Brotli.pack(content),
            Variant::Gzip => Encoding::Gzip.pack(content),
            Variant::GzipStored => gzip(content, Compression::none()),
            Variant::GzipTwice => Encoding::Gzip.pack(&Encoding::Gzip.pack(content)?),
            Variant::OldBrotli => Encoding::Brotli.pack(build_before(content)),
            Variant::CutBrotli => {
                let packed = Encoding::Brotli.pack(content)?;
                Some(packed.slice(..packed.len() / 2))
            }
        }
    }
}

/// What a file held before its last line was added.
fn build_before(content: &[u8]) -> &[u8] {
    let lines = content.trim_ascii_end();
    let end = lines.iter().rposition(|byte| *byte == b'\n').map_or(lines.len() / 2, |last| last + 1);
    content.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Variant, build_before};
    use crate::edge::policy::Kind;
    use crate::fault::Switches;
    use http::header::ACCEPT_ENCODING;
    use http::{HeaderMap, HeaderValue};
    use std::io::Read as _;

    fn choose(accepted: &'static str, kind: Kind, switches: Switches) -> Option<Variant> {
        let mut viewer = HeaderMap::new();
        viewer.insert(ACCEPT_ENCODING, HeaderValue::from_static(accepted));
        Variant::choose(&viewer, kind, &switches)
    }

    #[test]
    fn a_right_edge_packs_as_viewers_like_it() {
        let none = Switches::default();
        for kind in [Kind::Asset, Kind::Page, Kind::Leaked] {
            assert_eq!(choose("gzip, deflate, br", kind, none), Some(Variant::Brotli));
            assert_eq!(choose("gzip", kind, none), Some(Variant::Gzip));
            assert_eq!(choose("identity", kind, none), None);
        }
    }

    #[test]
    fn faults_choose_otherwise() {
        let none = Switches::default();
        let forced = Switches { forced_gzip: true, ..none };
        for accepted in ["br", "identity", "gzip;q=0"] {
            assert_eq!(choose(accepted, Kind::Page, forced), Some(Variant::Gzip), "{accepted}");
        }
        let double = Switches { double_gzip: true, ..none };
        assert_eq!(choose("br, gzip", Kind::Asset, double), Some(Variant::GzipTwice));
        assert_eq!(choose("br", Kind::Asset, double), Some(Variant::Brotli));
        assert_eq!(choose("br, gzip", Kind::Page, double), Some(Variant::Brotli));
        let weak = Switches { weak_compression: true, ..none };
        assert_eq!(choose("br, gzip", Kind::Page, weak), Some(Variant::GzipStored));
        assert_eq!(choose("br", Kind::Page, weak), Some(Variant::Brotli));
        let broken = Switches { broken_brotli: true, ..none };
        assert_eq!(choose("br", Kind::Asset, broken), Some(Variant::OldBrotli));
        assert_eq!(choose("gzip", Kind::Asset, broken), Some(Variant::Gzip));
        assert_eq!(choose("br", Kind::Page, broken), Some(Variant::Brotli));
        let corrupt = Switches { corrupt_brotli: true, ..none };
        assert_eq!(choose("br, gzip", Kind::Asset, corrupt), Some(Variant::CutBrotli));
        assert_eq!(choose("gzip", Kind::Asset, corrupt), Some(Variant::Gzip));
        assert_eq!(choose("br", Kind::Page, corrupt), Some(Variant::Brotli));
    }

    fn gunzipped(packed: &[u8]) -> Vec<u8> {
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(packed).read_to_end(&mut unpacked).unwrap();
        unpacked
    }

    #[test]
    fn each_holds_what_its_name_says() {
        let content = "a { color: red }\n".repeat(100);
        let content = content.as_bytes();
        let stored = Variant::GzipStored.pack(content).unwrap();
        assert!(stored.len() > content.len() && gunzipped(&stored) == content);
        let twice = Variant::GzipTwice.pack(content).unwrap();
        assert!(gunzipped(&gunzipped(&twice)) == content);
        let old = Variant::OldBrotli.pack(content).unwrap();
        let mut unpacked = Vec::new();
        brotli::Decompressor::new(&old[..], 4096).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked.len(), content.len() - "a { color: red }\n".len());
        let cut = Variant::CutBrotli.pack(content).unwrap();
        assert!(
            !cut.is_empty() && brotli::Decompressor::new(&cut[..], 4096).read_to_end(&mut unpacked).is_err()
        );
    }

    #[test]
    fn the_build_before_is_always_another() {
        assert_eq!(build_before(b"a\nb\n"), b"a\n");
        assert_eq!(build_before(b"a\nb"), b"a\n");
        assert_eq!(build_before(b"abcd"), b"ab");
        assert_eq!(build_before(b"\n"), b"");
        assert_eq!(build_before(b""), b"");
    }
}
