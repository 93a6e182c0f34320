//! `doorbuster agent join`, as people write it.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Args;
use doorbuster_agent::join::{Options, serve};

/// Dial a coordinator and carry out its assignments, one after the other, until somebody ends this
///
/// The first time, the agent enrols with a token that `doorbuster fleet pki` made where the coordinator is, and gets a
/// certificate, which it renews by itself from then on. While no coordinator listens, and whenever the link breaks, it dials
/// again. An agent without its coordinator stops sending after 15 s. See docs/join.md.
#[derive(Args, Clone)]
pub(crate) struct JoinCommand {
    /// The coordinator: https://HOST:PORT
    #[arg(value_name = "URL")]
    coordinator: String,
    /// The region that this agent is in, as plans call it
    #[arg(long, value_name = "NAME")]
    region: String,
    /// The folder of this agent's key and certificate (default: $STATE_DIRECTORY, or below ~/.local/state)
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// The certificate of the coordinator's authority: ca.pem of its pki folder. Needed to enrol
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The token to enrol with. Others on this machine can see it: prefer --token-file
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file")]
    token: Option<String>,
    /// A file of tokens, one a line, tried in turn until one is good
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Another program that carries assignments out, instead of this one
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
}

impl JoinCommand {
    /// Joins, for ever.
    pub(crate) fn run(self) -> Result<()> {
        let mut tokens: Vec<String> = self.token.into_iter().collect();
        if let Some(path) = &self.token_file {
            let text = std::fs::read_to_string(path)
                .map_err(|why| anyhow!("reading the tokens of --token-file {}: {why}", path.display()))?;
            tokens.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
        }
        let Self { coordinator, region, state, ca, program, .. } = self;
        Ok(serve(&Options { coordinator, region, state, ca, tokens, program })?)
    }
}
