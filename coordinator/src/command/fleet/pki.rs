//! `doorbuster fleet pki`: the keys that let agents dial in.

use std::path::PathBuf;

use clap::Args;

use crate::command::print::{print, warn};
use crate::fleet::pki::{self, Wanted};
use crate::{Error, Verdict};

/// Make the keys that let agents dial in (`launch: join`), or add names and tokens to them.
///
/// The folder holds an authority of its own (ca.pem, ca.key), the names of the coordinator, and the SHA-256 of each token.
/// The tokens themselves are printed, one a line, and kept nowhere: each lets one agent enrol, once, until it expires. An agent
/// then has a certificate for a day, and renews it by itself. See docs/join.md.
#[derive(Args, Clone, Debug)]
pub(super) struct PkiCommand {
    /// The folder, which a plan names under `fleet: { pki: … }`
    #[arg(value_name = "FOLDER", default_value = "fleet-pki")]
    folder: PathBuf,
    /// A name or an address under which agents reach the coordinator; may be given again
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// How many tokens to make
    #[arg(long, value_name = "N", default_value_t = 0,
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(0..=pki::TOKENS_MAX as u64))]
    tokens: usize,
    /// For how many days they are good
    #[arg(long, value_name = "N", default_value_t = pki::TOKEN_DAYS, value_parser = clap::value_parser!(u16).range(1..=3_650))]
    days: u16,
}

impl PkiCommand {
    pub(super) fn run(&self) -> Result<Verdict, Error> {
        let tokens = Wanted { count: self.tokens, days: self.days, bearer: None };
        let made = pki::make(&self.folder, &self.hosts, tokens)?;
        let folder = self.folder.display();
        let what = if made.is_new { "a new authority" } else { "the authority that was there" };
        let hosts = made.hosts.join(", ");
        warn(&format!(
            "{folder}: {what}, for a coordinator at {hosts}; give agents {folder}/ca.pem and a token each"
        ));
        print(&made.tokens.iter().map(|token| format!("{token}\n")).collect::<String>())?;
        Ok(Verdict::Pass)
    }
}
