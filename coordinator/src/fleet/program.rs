//! What agents on EC2 are given: the program, the authority that they trust, and tokens to enrol with.

use std::path::{Path, PathBuf};

use url::Url;

use super::package::hash;
use super::pki;
use crate::Error;

/// Tokens beyond the number of agents: instances that break are replaced, and the next one needs a token of its own.
const SPARE: usize = 20;

/// What a fleet's agents on EC2 need.
#[derive(Clone, Debug)]
pub(crate) struct Joining {
    /// How many there are to be in each region.
    pub agents: u16,
    /// Where they dial.
    pub url: String,
    /// The folder of `doorbuster fleet pki`.
    pub pki: PathBuf,
    /// The program that they run; `None`: this one.
    pub program: Option<PathBuf>,
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
    /// What one region's agents fetch. Each call makes tokens of their own.
    ///
    /// # Errors
    /// Program or folder cannot be read, or the folder not be written.
    pub(super) fn files(&self) -> Result<Files, Error> {
        let program = match &self.program {
            Some(program) => program.clone(),
            None => std::env::current_exe()
                .map_err(|source| Error::System { what: "finding this program", source })?,
        };
        let program = read(&program, "the program for EC2")?;
        let host = Url::parse(&self.url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let host = host.ok_or_else(|| {
            Error::Usage(format!("--join: \"{}\" is no address, such as https://HOST:7443", self.url))
        })?;
        let made = pki::make(&self.pki, &[host], usize::from(self.agents) + SPARE)?;
        let authority = read(&self.pki.join("ca.pem"), "the authority's certificate")?;
        let tokens: String = made.tokens.iter().map(|token| format!("{token}\n")).collect();
        let folder = format!("ec2/{}", &hash(&program)[..16]);
        let program_key = format!("{folder}/doorbuster");
        let files = vec![
            (program_key.clone(), program),
            (format!("{folder}/ca.pem"), authority),
            (format!("{folder}/tokens"), tokens.into_bytes()),
        ];
        Ok(Files { program_key, files })
    }
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
mod tests {
    use super::*;

    #[test]
    fn agents_are_given_program_authority_and_tokens() {
        let folder = std::env::temp_dir().join(format!("doorbuster-joining-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let program = folder.join("program");
        std::fs::write(&program, "a program").unwrap();
        let joining = |url: &str| Joining {
            agents: 3,
            url: url.to_owned(),
            pki: folder.join("pki"),
            program: Some(program.clone()),
        };
        let made = joining("https://coordinator.example.com:7443").files().unwrap();
        let refused = joining("nowhere").files().unwrap_err();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(refused.to_string().contains("no address"), "{refused}");
        let keys: Vec<&str> = made.files.iter().map(|(key, _)| key.rsplit('/').next().unwrap()).collect();
        assert_eq!(keys, ["doorbuster", "ca.pem", "tokens"]);
        assert_eq!(made.files[0].0, made.program_key);
        assert_eq!(made.files[0].1, b"a program");
        assert!(String::from_utf8_lossy(&made.files[1].1).contains("BEGIN CERTIFICATE"));
        assert_eq!(made.files[2].1.iter().filter(|byte| **byte == b'\n').count(), 3 + SPARE);
    }
}
