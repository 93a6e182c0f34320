//! Agents that dial in: `doorbuster agent join`.
//!
//! Such an agent dials its coordinator, enrols once with a token, and from then on has a certificate that it renews by
//! itself. It waits on one stream for assignments and carries out one at a time, each in a process of its own
//! ([`child`](crate::child)). The stream may break at any moment: reports are numbered, kept until they were received, and
//! sent again. What ends an assignment whose coordinator is out of reach is the lease, which the process itself keeps.

mod backoff;
mod calls;
mod dial;
mod duty;
mod identity;
mod link;
mod state;

use std::fmt;
use std::path::PathBuf;

use url::Url;

use crate::Error;
use crate::child::Program;

use self::dial::Dialer;
use self::duty::Duty;
use self::link::Line;
use self::state::State;

/// How an agent joins. Its tokens are shown nowhere.
#[derive(Clone)]
pub struct Options {
    /// The coordinator: `https://HOST:PORT`.
    pub coordinator: String,
    /// The region that this agent is in.
    pub region: String,
    /// The folder of its key and certificate; `None` for the usual one.
    pub state: Option<PathBuf>,
    /// The certificate of the coordinator's authority, in PEM; not needed once the agent has enrolled.
    pub ca: Option<PathBuf>,
    /// Tokens to enrol with, tried in turn.
    pub tokens: Vec<String>,
    /// The program that carries assignments out; `None` for this one.
    pub program: Option<PathBuf>,
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("coordinator", &self.coordinator)
            .field("region", &self.region)
            .field("state", &self.state)
            .field("ca", &self.ca)
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

/// Joins, and serves one assignment after the other, for ever.
///
/// # Errors
/// What people must mend on this machine before it can work: an address that is none, a folder that cannot be used, no
/// certificate and no token. What goes wrong on the way is tried again instead, and said on standard error.
pub fn serve(options: &Options) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Error::System { what: "starting the agent's runtime", source })?;
    runtime.block_on(run(options))
}

/// As [`serve`], in a runtime that there is. Dropping it ends the agent and what it carries out.
///
/// # Errors
/// As [`serve`].
pub async fn run(options: &Options) -> Result<(), Error> {
    let coordinator = address(&options.coordinator)?;
    let state = State::open(options.state.as_deref(), options.ca.as_deref())?;
    let program = match &options.program {
        // Such a program is an agent and nothing else, so it needs no word to say so.
        Some(path) => Program { path: path.clone(), args: Vec::new() },
        None => Program::own(&["agent", "--stdio"])?,
    };
    let dialer = Dialer::new(coordinator, state.clone(), options.tokens.clone())?;
    let duty = Duty::new(&options.region, program, state);
    Line::new(options.region.clone(), dialer, duty).keep().await;
    Ok(())
}

/// The coordinator's address.
fn address(text: &str) -> Result<Url, Error> {
    let wrong = || Error::Join(format!("\"{text}\" is no coordinator's address; write https://HOST:PORT"));
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.username().is_empty();
    if url.scheme() == "https" && url.has_host() && is_bare { Ok(url) } else { Err(wrong()) }
}

/// Says something to whoever runs this agent.
fn say(text: &str) {
    use std::io::Write as _;
    // Where standard error is closed, nobody is there to be told.
    let _ = writeln!(std::io::stderr().lock(), "doorbuster agent: {text}");
}

#[cfg(test)]
mod tests {
    use super::{Options, address};

    #[test]
    fn tokens_are_not_shown() {
        let options = Options {
            coordinator: "https://load.example.com:7443".to_owned(),
            region: "tokyo".to_owned(),
            state: None,
            ca: None,
            tokens: vec!["hush".to_owned()],
            program: None,
        };
        let shown = format!("{options:?}");
        assert!(shown.contains("load.example.com") && shown.contains("tokyo"), "{shown}");
        assert!(!shown.contains("hush"), "{shown}");
    }

    #[test]
    fn a_coordinator_has_a_host_and_a_port_and_nothing_else() {
        for right in ["https://load.example.com:7443", "https://[::1]:7443/", "https://192.0.2.7"] {
            assert!(address(right).is_ok(), "{right}");
        }
        for wrong in [
            "load.example.com:7443",
            "http://load.example.com:7443",
            "https://load.example.com:7443/fleet",
            "https://load.example.com:7443?a=b",
            "https://me@load.example.com:7443",
            "",
        ] {
            let why = address(wrong).unwrap_err().to_string();
            assert!(why.contains("https://HOST:PORT"), "{why}");
        }
    }
}
