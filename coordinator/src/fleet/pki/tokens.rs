//! Tokens that are good for one enrolment each, and for a limited time. Only their SHA-256 is kept: whoever reads the file cannot
//! enrol.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::files::{self, SECRET};
use super::{TOKENS_MAX, lines};
use crate::Error;
use crate::notify::{hex, sha256_hex};

/// How much chance is in a token: nobody guesses it, so a digest without salt will do.
const TOKEN_BYTES: usize = 32;
/// For how many days a token is good, unless somebody says otherwise.
pub(crate) const TOKEN_DAYS: u16 = 90;
/// For how long those are good that others have taken the place of: an instance may have fetched them and not enrolled yet.
const REPLACED_LIFE_S: i64 = 3_600;

/// Tokens that are to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// How many.
    pub count: usize,
    /// For how many days they are good.
    pub days: u16,
    /// Whom they are for, in a word. They take the place of those that the same was given before.
    pub bearer: Option<&'a str>,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self { count: 0, days: TOKEN_DAYS, bearer: None }
    }
}

/// What is kept of a token: a line of the file.
#[derive(Clone, Debug)]
struct Kept {
    digest: String,
    not_after_unix_s: i64,
    /// Whom it is for; empty: anybody.
    bearer: String,
}

impl Kept {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let digest = words.next()?.to_owned();
        let not_after_unix_s = words.next()?.parse().ok()?;
        Some(Self { digest, not_after_unix_s, bearer: words.next().unwrap_or_default().to_owned() })
    }

    fn line(&self) -> String {
        let Self { digest, not_after_unix_s, bearer } = self;
        format!("{digest} {not_after_unix_s} {bearer}").trim_end().to_owned()
    }

    fn is_good(&self, now: Timestamp) -> bool {
        now.as_second() < self.not_after_unix_s
    }

    /// Whether this is of the token with that digest, and good.
    fn lets_in(&self, presented: &str, now: Timestamp) -> bool {
        is_same(&self.digest, presented) & self.is_good(now)
    }
}

/// The tokens of a folder. Several processes may use them at once.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    path: PathBuf,
}

impl Tokens {
    pub(super) fn of(folder: &Path) -> Self {
        Self { path: folder.join("tokens") }
    }

    /// Makes more. Those that are no longer good go.
    ///
    /// # Errors
    /// [`Error::Usage`] when there would be too many; otherwise what cannot be read or written.
    pub(super) fn add(&self, wanted: Wanted<'_>, now: Timestamp) -> Result<Vec<String>, Error> {
        let _lock = self.lock()?;
        let mut kept = self.read()?;
        kept.retain(|kept| kept.is_good(now));
        if let Some(bearer) = wanted.bearer {
            replace(&mut kept, bearer, now);
        }
        if kept.len() + wanted.count > TOKENS_MAX {
            return Err(Error::Usage(format!(
                "tokens: at most {TOKENS_MAX} are kept, and {} are good and not used yet; they go when they expire, or all at once with {}",
                kept.len(),
                self.path.display()
            )));
        }
        let tokens = (0..wanted.count).map(|_| draw()).collect::<Result<Vec<_>, _>>()?;
        kept.extend(tokens.iter().map(|token| Kept {
            digest: sha256_hex(token.as_bytes()),
            not_after_unix_s: now.as_second() + i64::from(wanted.days) * 86_400,
            bearer: wanted.bearer.unwrap_or_default().to_owned(),
        }));
        self.write(&kept)?;
        Ok(tokens)
    }

    /// Whether a token is good at present. Somebody else may burn it before whoever asks does.
    ///
    /// # Errors
    /// What cannot be read.
    pub(crate) fn knows(&self, token: &str, now: Timestamp) -> Result<bool, Error> {
        let presented = sha256_hex(token.as_bytes());
        // The file is always a whole one: another takes its place.
        Ok(self.read()?.iter().fold(false, |is_known, kept| is_known | kept.lets_in(&presented, now)))
    }

    /// Burns a token: true where it was good. It is off the disk before this returns, so that no crash makes it good again.
    ///
    /// # Errors
    /// What cannot be read or written; the token may then be good or not, and nothing may be given for it.
    pub(crate) fn burn(&self, token: &str, now: Timestamp) -> Result<bool, Error> {
        let presented = sha256_hex(token.as_bytes());
        let _lock = self.lock()?;
        let kept = self.read()?;
        let (burnt, left): (Vec<Kept>, Vec<Kept>) =
            kept.into_iter().partition(|kept| kept.lets_in(&presented, now));
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

    fn read(&self) -> Result<Vec<Kept>, Error> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => Ok(text.lines().filter_map(Kept::parse).collect()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(Error::Read {
                what: "the tokens of agents that join",
                path: self.path.clone(),
                why: error.to_string(),
                remedy: "see who owns it",
            }),
        }
    }

    fn write(&self, kept: &[Kept]) -> Result<(), Error> {
        let kept: Vec<String> = kept.iter().map(Kept::line).collect();
        files::write(&self.path, lines(&kept).as_bytes(), SECRET)
    }
}

/// Lets what a bearer was given last hold for an hour more. What it was given before that goes.
fn replace(kept: &mut Vec<Kept>, bearer: &str, now: Timestamp) {
    let soon = now.as_second() + REPLACED_LIFE_S;
    kept.retain(|kept| kept.bearer != bearer || kept.not_after_unix_s > soon);
    for kept in kept.iter_mut().filter(|kept| kept.bearer == bearer) {
        kept.not_after_unix_s = soon;
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
