//! The agent's zip: what is in it says its comment, which `cargo xtask lambda` writes.
//!
//! Source: PKWARE, APPNOTE.TXT, section 4.3.16: a zip ends with a record of 22 bytes, which begins with `PK\5\6`, and ends with
//! the length of a comment and the comment itself.

use std::path::{Path, PathBuf};

use crate::Error;

/// The record before its comment.
const RECORD_BYTES: usize = 22;
/// How the record begins.
const MARK: &[u8] = b"PK\x05\x06";
/// How our comments begin.
const OURS: &str = "doorbuster-agent ";
/// The largest zip: a function's is 50 MB at most when it is uploaded.
const BYTES_MAX: usize = 50_000_000;

/// An agent's zip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The agent's version.
    pub version: String,
    /// For which processors it is built: `x86-64` or `arm64`.
    pub architecture: String,
    /// Where in a bucket it lies. It follows from its bytes, so that another zip is another function's code.
    pub key: String,
}

impl Package {
    /// Reads a zip.
    ///
    /// # Errors
    /// It cannot be read, or is none of ours.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let remedy = "make it with `cargo xtask lambda`, or take the one of a release";
        let fail =
            |why: String| Error::Read { what: "the agent's zip", path: PathBuf::from(path), why, remedy };
        let bytes = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
        if bytes.len() > BYTES_MAX {
            return Err(fail("it has over 50 MB, which AWS refuses".to_owned()));
        }
        let told = comment(&bytes).and_then(|comment| comment.strip_prefix(OURS)?.split_once(' '));
        let (version, architecture) = told.ok_or_else(|| fail("it is no zip with an agent".to_owned()))?;
        if !["x86-64", "arm64"].contains(&architecture) {
            return Err(fail(format!("it is for \"{architecture}\", which functions do not run on")));
        }
        let (version, architecture) = (version.to_owned(), architecture.to_owned());
        let key = format!("agent/{version}-{architecture}-{}.zip", &hash(&bytes)[..16]);
        Ok(Self { bytes, version, architecture, key })
    }
}

/// What a fleet's function is, by where its zip lies: version and processors.
pub(crate) fn told_by(key: &str) -> Option<(&str, &str)> {
    let name = key.strip_prefix("agent/")?.strip_suffix(".zip")?;
    let (rest, _) = name.rsplit_once('-')?;
    let architecture = ["x86-64", "arm64"].into_iter().find(|architecture| rest.ends_with(*architecture))?;
    Some((rest.strip_suffix(architecture)?.strip_suffix('-')?, architecture))
}

/// The SHA-256 of bytes, in hexadecimal digits.
pub(super) fn hash(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A zip's comment.
fn comment(bytes: &[u8]) -> Option<&str> {
    let earliest = bytes.len().saturating_sub(RECORD_BYTES + usize::from(u16::MAX));
    let latest = bytes.len().checked_sub(RECORD_BYTES)?;
    (earliest..=latest).rev().find_map(|at| {
        let record = bytes.get(at..)?;
        let length = record.get(RECORD_BYTES - 2..RECORD_BYTES)?.try_into().ok()?;
        let rest = record.get(RECORD_BYTES..)?;
        let is_one = record.starts_with(MARK) && usize::from(u16::from_le_bytes(length)) == rest.len();
        is_one.then(|| std::str::from_utf8(rest).ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zip(comment: &str) -> Vec<u8> {
        let length = u16::try_from(comment.len()).unwrap().to_le_bytes();
        [&b"some entries"[..], MARK, &[0; 16], &length, comment.as_bytes()].concat()
    }

    fn read(bytes: &[u8]) -> Result<Package, Error> {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("doorbuster-package-{}-{number}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        let read = Package::read(&path);
        std::fs::remove_file(&path).unwrap();
        read
    }

    #[test]
    fn a_zip_says_what_it_is() {
        let package = read(&zip("doorbuster-agent 0.1.0 arm64")).unwrap();
        assert_eq!((package.version.as_str(), package.architecture.as_str()), ("0.1.0", "arm64"));
        assert!(package.key.starts_with("agent/0.1.0-arm64-") && package.key.ends_with(".zip"));
        assert_eq!(told_by(&package.key), Some(("0.1.0", "arm64")));
        let other = [b"other".to_vec(), zip("doorbuster-agent 0.1.0 arm64")].concat();
        assert_ne!(read(&other).unwrap().key, package.key);
    }

    #[test]
    fn keys_are_told_apart_from_others() {
        assert_eq!(told_by("agent/1.2.3-rc-1-x86-64-0123456789abcdef.zip"), Some(("1.2.3-rc-1", "x86-64")));
        for key in ["", "agent/x.zip", "other/0.1.0-arm64-01.zip", "agent/0.1.0-riscv-01.zip"] {
            assert_eq!(told_by(key), None, "{key}");
        }
    }

    #[test]
    fn what_is_none_of_ours_is_refused() {
        let zips = ["", "doorbuster-agent 0.1.0", "doorbuster-agent 0.1.0 mips"].map(zip);
        for bytes in
            zips.into_iter().chain([Vec::new(), b"PK".to_vec(), b"no zip at all, and long enough".to_vec()])
        {
            let refused = read(&bytes).unwrap_err().to_string();
            assert!(refused.contains("cargo xtask lambda"), "{refused}");
        }
    }
}
