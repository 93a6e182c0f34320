//! What an agent is asked to do.

use std::collections::BTreeMap;
use std::fmt;

use crate::Segment;

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
    /// The texts of files that the plan and its journeys name: journeys, certificates, data.
    pub files: BTreeMap<String, String>,
    /// The environment's variables that journeys read.
    pub secrets: Secrets,
    /// The day on which the run begins, in days since 1970-01-01 (UTC).
    pub today: i64,
    /// 0 for load. Otherwise one shopper walks so often through the plan's first journey, and every exchange is
    /// reported in full.
    pub traces: u32,
}

/// Values that are shown nowhere, by name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(pub BTreeMap<String, String>);

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}
