//! What an agent is asked to do.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::{Generation, Segment};

/// What the command line says over the plan. The coordinator and every agent apply it to the same plan text, so
/// that both read the same plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--target`.
    pub target: Option<String>,
    /// `--seed`.
    pub seed: Option<u64>,
    /// `--insecure`: certificates are not checked.
    pub insecure: bool,
    /// `--header 'K: V'`, over the plan's.
    pub headers: Vec<(String, String)>,
    /// `--resolve HOST:PORT:ADDR`, over the plan's.
    pub resolve: Vec<String>,
    /// `--cacert`: the certificates in PEM.
    pub ca_pem: Option<String>,
    /// `--allow-host`: hosts that may be loaded, besides loopback.
    pub allow_hosts: Vec<String>,
}

/// One agent's part of a run: everything it needs, so that it reads no file of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Unique, so that a duplicate is recognised.
    pub id: String,
    /// The run that it belongs to; sent to the target as `X-Doorbuster-Run`.
    pub run: String,
    /// The region's name.
    pub region: String,
    /// The agent's exact share of arrivals and shoppers.
    pub segment: Segment,
    /// How many agents share this machine: they share its CPUs too. 0 where it has them to itself.
    pub agents_here: u32,
    /// The plan's text.
    pub plan: String,
    /// What the command line says over it.
    pub overrides: Overrides,
    /// The texts of files that the plan and its journeys name: journeys, certificates, data. They are megabytes, and all the
    /// agents of a run may share them.
    pub files: Arc<BTreeMap<String, String>>,
    /// The environment's variables that journeys read.
    pub secrets: Secrets,
    /// The day on which the run begins, in days since 1970-01-01 (UTC).
    pub today: i64,
    /// What it is to do with all that.
    pub task: Task,
    /// The part of the run that it covers; all of it where there is none.
    pub generation: Option<Generation>,
    /// Who is handed it later does nothing, in milliseconds since 1970 by the agent's clock; 0 where it is never too late.
    pub not_after_unix_ms: u64,
}

/// What an agent is to do with a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Task {
    /// Generate the plan's load.
    #[default]
    Load,
    /// Let one shopper walk through the plan's first journey, and report every exchange in full.
    Trace {
        /// How often.
        walks: u32,
    },
    /// Prove the promises of the plan's edge one by one.
    Audit(Box<Audit>),
    /// Walk each of the plan's journeys once per interval, until told to stop.
    Probe {
        /// How long an interval is.
        every_ms: u64,
    },
}

/// How the promises of an edge are proved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// The pages to begin with: paths, with their queries.
    pub pages: Vec<String>,
    /// The most requests, in thousandths per second.
    pub rate_milli: u64,
    /// Whether lifetimes are waited for.
    pub is_patient: bool,
    /// The text of a policy that stands for the plan's.
    pub policy: Option<String>,
    /// The journey by which two shoppers reach what belongs to one of them: built in, or among the files.
    pub journey: Option<String>,
}

/// Values that are shown nowhere, by name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(pub BTreeMap<String, String>);

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}
