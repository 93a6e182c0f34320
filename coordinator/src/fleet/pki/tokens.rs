//! Tokens that are good for one enrolment each. Only their SHA-256 is kept: whoever reads the file cannot enrol.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::files::{self, SECRET};
use super::{TOKENS_MAX, lines};
use crate::Error;
use crate::notify::{hex, sha256_hex};

/// How much chance is in a token: nobody guesses it, so a digest without salt will do.
const TOKEN_BYTES: usize = 32;

/// The tokens of a folder. Several processes may use them at once.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    path: PathBuf,
}

impl Tokens {
    pub(super) fn of(folder: &Path) -> Self {
        Self { path: folder.join("tokens") }
    }

    /// Makes `count` more.
    ///
    /// # Errors
    /// [`Error::Usage`] when there would be too many; otherwise what cannot be read or written.
    pub(super) fn add(&self, count: usize) -> Result<Vec<String>, Error> {
        let _lock = self.lock()?;
        let mut digests = self.read()?;
        if digests.len() + count > TOKENS_MAX {
            let most =
                format!("--tokens: at most {TOKENS_MAX} are kept, and {} are not used yet", digests.len());
            return Err(Error::Usage(most));
        }
        let tokens = (0..count).map(|_| draw()).collect::<Result<Vec<_>, _>>()?;
        digests.extend(tokens.iter().map(|token| sha256_hex(token.as_bytes())));
        self.write(&digests)?;
        Ok(tokens)
    }

    /// Whether a token is good at present. Somebody else may burn it before whoever asks does.
    ///
    /// # Errors
    /// What cannot be read.
    pub(crate) fn knows(&self, token: &str) -> Result<bool, Error> {
        let presented = sha256_hex(token.as_bytes());
        // The file is always a whole one: another takes its place.
        Ok(self.read()?.iter().fold(false, |is_known, digest| is_known | is_same(digest, &presented)))
    }

    /// Burns a token: true where it was good. It is off the disk before this returns, so that no crash makes it good again.
    ///
    /// # Errors
    /// What cannot be read or written; the token may then be good or not, and nothing may be given for it.
    pub(crate) fn burn(&self, token: &str) -> Result<bool, Error> {
        let presented = sha256_hex(token.as_bytes());
        let _lock = self.lock()?;
        let digests = self.read()?;
        let (burnt, left): (Vec<String>, Vec<String>) =
            digests.into_iter().partition(|digest| is_same(digest, &presented));
        if burnt.is_empty() {
            return Ok(false);
        }
        self.write(&left)?;
        Ok(true)
    }

    /// Holds others off until it is dropped.
    fn lock(&self) -> Result<File, Error> {
        let path = self.path.with_extension("lock");
        let locked = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(SECRET)
            .open(&path)
            .and_then(|file| file.lock().map(|()| file));
        locked.map_err(|source| Error::Write { path, source })
    }

    fn read(&self) -> Result<Vec<String>, Error> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => Ok(text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(Error::Read {
                what: "the tokens of agents that join",
                path: self.path.clone(),
                why: error.to_string(),
                remedy: "see who owns it",
            }),
        }
    }

    fn write(&self, digests: &[String]) -> Result<(), Error> {
        files::write(&self.path, lines(digests).as_bytes(), SECRET)
    }
}

fn draw() -> Result<String, Error> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| Error::System {
        what: "drawing a token",
        source: std::io::Error::other(error.to_string()),
    })?;
    Ok(hex(&bytes))
}

/// How long this takes does not depend on where they differ.
fn is_same(one: &str, other: &str) -> bool {
    let differs = one.bytes().zip(other.bytes()).fold(0, |differs, (one, other)| differs | (one ^ other));
    one.len() == other.len() && differs == 0
}
