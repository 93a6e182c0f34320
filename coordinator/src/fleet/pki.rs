//! The folder of keys that lets agents dial in: an authority of its own, and tokens that are good for one enrolment each.
//!
//! | File | What it is |
//! |---|---|
//! | `ca.pem` | the authority's certificate; agents get a copy |
//! | `ca.key` | its key; mode 0600, and whoever has it can make agents |
//! | `hosts` | the names under which agents dial, a line each |
//! | `tokens` | a line for each token that was not used yet: its SHA-256, when it expires, and whom it is for; mode 0600 |
//!
//! A server's certificate is not kept: whoever listens makes one for these names, with a key that never leaves memory.

mod authority;
mod files;
mod tokens;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::Error;

pub(crate) use authority::{Authority, Refused};
pub(crate) use tokens::{TOKEN_DAYS, Tokens, Wanted};

/// The most names of a server.
const HOSTS_MAX: usize = 100;
/// The most tokens at a time.
pub(crate) const TOKENS_MAX: usize = 10_000;

/// What [`make`] did.
#[derive(Debug)]
pub(crate) struct Made {
    /// Whether the authority is new.
    pub is_new: bool,
    /// The names that the server has now.
    pub hosts: Vec<String>,
    /// The new tokens, which are kept nowhere.
    pub tokens: Vec<String>,
}

/// Makes the folder, or adds to it: names are added to those that there are, tokens to those that are not used yet. An
/// authority stays as it is.
///
/// # Errors
/// [`Error::Usage`] for names that are none, or a folder that has no name at all; otherwise what cannot be read or written.
pub(crate) fn make(folder: &Path, hosts: &[String], tokens: Wanted<'_>) -> Result<Made, Error> {
    let mut names = if folder.join("hosts").exists() { read_hosts(folder)? } else { Vec::new() };
    for host in hosts {
        check_host(host)?;
        if !names.contains(host) {
            names.push(host.clone());
        }
    }
    if names.is_empty() {
        let why = "--host: name at least one address or name under which agents reach this coordinator";
        return Err(Error::Usage(why.to_owned()));
    }
    if names.len() > HOSTS_MAX {
        return Err(Error::Usage(format!("--host: a server has at most {HOSTS_MAX} names")));
    }
    files::make_folder(folder)?;
    let is_new = !folder.join("ca.key").exists();
    if is_new {
        let (certificate, key) = authority::make().map_err(|why| unusable(&folder.join("ca.pem"), why))?;
        // The certificate first: a key without one would pass for an authority.
        files::write(&folder.join("ca.pem"), certificate.as_bytes(), files::PUBLIC)?;
        files::write(&folder.join("ca.key"), key.as_bytes(), files::SECRET)?;
    }
    files::write(&folder.join("hosts"), lines(&names).as_bytes(), files::PUBLIC)?;
    let tokens = Tokens::of(folder).add(tokens, Timestamp::now())?;
    Ok(Made { is_new, hosts: names, tokens })
}

/// A folder that was made.
#[derive(Debug)]
pub(crate) struct Pki {
    /// Who signs.
    pub authority: Authority,
    /// The server's names.
    pub hosts: Vec<String>,
    /// Who may enrol.
    pub tokens: Tokens,
}

impl Pki {
    /// Reads the folder.
    ///
    /// # Errors
    /// [`Error::Read`] with the command that makes it.
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let certificate = read(folder, "ca.pem")?;
        let key = read(folder, "ca.key")?;
        let authority =
            Authority::read(&certificate, &key).map_err(|why| unusable(&folder.join("ca.pem"), why))?;
        Ok(Self { authority, hosts: read_hosts(folder)?, tokens: Tokens::of(folder) })
    }
}

fn read(folder: &Path, name: &str) -> Result<String, Error> {
    let path = folder.join(name);
    std::fs::read_to_string(&path).map_err(|why| unusable(&path, why.to_string()))
}

fn read_hosts(folder: &Path) -> Result<Vec<String>, Error> {
    Ok(read(folder, "hosts")?
        .lines()
        .map(str::trim)
        .filter(|host| !host.is_empty())
        .map(str::to_owned)
        .collect())
}

fn unusable(path: &Path, why: String) -> Error {
    let path: PathBuf = path.to_owned();
    let remedy = "make the folder with `doorbuster fleet pki FOLDER --host NAME --tokens N`";
    Error::Read { what: "the keys of agents that join", path, why, remedy }
}

fn lines(texts: &[String]) -> String {
    texts.iter().map(|text| format!("{text}\n")).collect()
}

/// Whether this can stand in a certificate: an address, or a name as the DNS has them.
fn check_host(host: &str) -> Result<(), Error> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name = host.len() <= 253 && host.split('.').all(is_label);
    if host.parse::<IpAddr>().is_ok() || is_name {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "--host \"{host}\" is no name and no address; write for example load.example.com or 192.0.2.7, without a port"
    )))
}
