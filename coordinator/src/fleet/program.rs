//! What agents on EC2 are given: the program, the authority that they trust, and tokens to enrol with.

use std::path::{Path, PathBuf};

use url::{Host, Url};

use super::elf;
use super::instances::architecture;
use super::package::hash;
use super::pki::{self, Wanted};
use crate::Error;

/// Tokens beyond the number of agents: instances that break are replaced, and the next one needs a token of its own.
const SPARE: usize = 20;
/// What instances have: Amazon Linux 2023.
const GLIBC_MAX: (u32, u32) = (2, 34);

/// A program that instances can run.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// For which processors it is built: `x86-64` or `arm64`.
    pub architecture: &'static str,
}

impl Program {
    /// Reads a program; `None`: this one.
    ///
    /// # Errors
    /// It cannot be read, or instances could not run it: none of them would say so.
    pub(crate) fn read(path: Option<&Path>) -> Result<Self, Error> {
        let path = match path {
            Some(path) => path.to_owned(),
            None => std::env::current_exe()
                .map_err(|source| Error::System { what: "finding this program", source })?,
        };
        let bytes = read(&path, "the program for EC2")?;
        match check(&bytes) {
            Ok(architecture) => Ok(Self { bytes, architecture }),
            Err(why) => Err(Error::Read {
                what: "the program for EC2",
                path,
                why,
                remedy: "name one with --program that was built on a system as old as Amazon Linux 2023",
            }),
        }
    }
}

/// For which processors a program is, or why instances cannot run it.
fn check(program: &[u8]) -> Result<&'static str, String> {
    let needs = elf::needs(program).ok_or("it is no program of Linux for x86-64 or arm64")?;
    match needs.glibc {
        Some(glibc) if glibc > GLIBC_MAX => Err(format!(
            "it needs glibc {}.{}, and instances have {}.{}",
            glibc.0, glibc.1, GLIBC_MAX.0, GLIBC_MAX.1
        )),
        _ => Ok(architecture(needs.machine)),
    }
}

/// What a fleet's agents on EC2 need.
#[derive(Clone, Debug)]
pub(crate) struct Joining {
    /// How many there are to be in each region.
    pub agents: u16,
    /// Where they dial.
    pub url: String,
    /// The folder of `doorbuster fleet pki`.
    pub pki: PathBuf,
    /// The program that they run.
    pub program: Program,
}

/// Files for a bucket, by their keys.
#[derive(Clone, Debug)]
pub(super) struct Files {
    /// Where the program lies.
    pub program_key: String,
    /// All of them.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Joining {
    /// What the agents of one region's `bucket` fetch. Each call makes tokens, which take the place of those that it had.
    ///
    /// # Errors
    /// The folder cannot be read or written.
    pub(super) fn files(&self, bucket: &str) -> Result<Files, Error> {
        let host = host(&self.url).ok_or_else(|| {
            Error::Usage(format!("--join: \"{}\" is no address, such as https://HOST:7443", self.url))
        })?;
        let count = usize::from(self.agents) + SPARE;
        let made =
            pki::make(&self.pki, &[host], Wanted { count, bearer: Some(bucket), ..Wanted::default() })?;
        let authority = read(&self.pki.join("ca.pem"), "the authority's certificate")?;
        let tokens: String = made.tokens.iter().map(|token| format!("{token}\n")).collect();
        let folder = format!("ec2/{}", &hash(&self.program.bytes)[..16]);
        let program_key = format!("{folder}/doorbuster");
        let files = vec![
            (program_key.clone(), self.program.bytes.clone()),
            (format!("{folder}/ca.pem"), authority),
            (format!("{folder}/tokens"), tokens.into_bytes()),
        ];
        Ok(Files { program_key, files })
    }
}

/// The host of an address as certificates name it: an IPv6 address without its brackets.
fn host(url: &str) -> Option<String> {
    Some(match Url::parse(url).ok()?.host()? {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    })
}

fn read(path: &Path, what: &'static str) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| Error::Read {
        what,
        path: path.to_owned(),
        why: error.to_string(),
        remedy: "check the path",
    })
}

#[cfg(test)]
mod tests;
