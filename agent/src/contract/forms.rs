//! Whether files are the same in every coding. Where an address is another whenever its content changes, two codings of it
//! that decode to different bodies are of two builds, or one of them is broken.

use std::collections::HashMap;

use doorbuster_model::cdn::Encoding;

/// The most files that are known; later ones are not compared.
const FILES_MAX: usize = 2_000;

/// A body as it decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// The coding that it came in.
    pub encoding: Encoding,
    /// How long it is, decoded, in bytes.
    pub bytes: u64,
    /// What tells it from others.
    pub hash: u64,
}

/// What comes of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// Nothing speaks against it.
    Same,
    /// The same address gave this in another coding.
    Differs(Form),
    /// There are too many files to know them all.
    NoRoom,
}

/// One worker's knowledge of files: the first form of each that came.
#[derive(Debug, Default)]
pub(super) struct Forms {
    known: HashMap<u64, Form>,
}

impl Forms {
    /// Compares what came from the address of this fingerprint.
    pub(super) fn compare(&mut self, address: u64, form: Form) -> Compared {
        if self.known.len() >= FILES_MAX && !self.known.contains_key(&address) {
            return Compared::NoRoom;
        }
        let first = *self.known.entry(address).or_insert(form);
        let is_same = (first.bytes, first.hash) == (form.bytes, form.hash);
        if is_same || first.encoding == form.encoding { Compared::Same } else { Compared::Differs(first) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(encoding: Encoding, bytes: u64, hash: u64) -> Form {
        Form { encoding, bytes, hash }
    }

    #[test]
    fn another_body_in_another_coding_is_told() {
        let mut forms = Forms::default();
        let packed = form(Encoding::Brotli, 100, 7);
        assert_eq!(forms.compare(1, packed), Compared::Same, "the first of its address");
        assert_eq!(forms.compare(1, form(Encoding::Gzip, 100, 7)), Compared::Same);
        assert_eq!(forms.compare(1, form(Encoding::Identity, 120, 8)), Compared::Differs(packed));
        assert_eq!(forms.compare(1, form(Encoding::Identity, 100, 8)), Compared::Differs(packed));
        assert_eq!(forms.compare(1, form(Encoding::Brotli, 90, 9)), Compared::Same, "no other coding");
        assert_eq!(forms.compare(2, form(Encoding::Identity, 120, 8)), Compared::Same, "another address");
    }

    #[test]
    fn what_is_known_is_bounded() {
        let mut forms = Forms::default();
        let packed = form(Encoding::Gzip, 1, 1);
        let files = u64::try_from(FILES_MAX).unwrap();
        assert!((0..files).all(|address| forms.compare(address, packed) == Compared::Same));
        assert_eq!(forms.compare(files, packed), Compared::NoRoom);
        assert_eq!(
            forms.compare(0, form(Encoding::Identity, 2, 2)),
            Compared::Differs(packed),
            "it is known"
        );
    }
}
