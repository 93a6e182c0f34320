//! The rehearsal that needs no plan: the demo shop's.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::prepare::Source;

/// Where the demo shop serves a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoTarget {
    /// The region.
    pub region: String,
    /// Its edge.
    pub address: SocketAddr,
}

/// The plan of the built-in rehearsal: a morning, a sale that opens its doors, and what is left of it.
const PLAN: &str = include_str!("demo.yaml");

/// The built-in rehearsal against the demo shop's edges, or against whatever `--target` names.
pub(super) fn source(targets: &[DemoTarget]) -> Source {
    let mut text = PLAN.to_owned();
    if !targets.is_empty() {
        text.push_str("regions:\n");
        for DemoTarget { region, address } in targets {
            text.push_str(&format!("  {region}: {{ target: \"http://{address}\" }}\n"));
        }
    }
    Source { name: "the built-in rehearsal".to_owned(), folder: PathBuf::new(), text, files: BTreeMap::new() }
}

#[cfg(test)]
mod tests {
    use super::{DemoTarget, source};
    use crate::prepare::Prepared;
    use doorbuster_model::Overrides;

    #[test]
    fn the_built_in_rehearsal_is_a_plan_of_half_a_minute() {
        let target = DemoTarget { region: "tokyo".to_owned(), address: "127.0.0.1:8091".parse().unwrap() };
        let prepared = Prepared::new(source(&[target]), Overrides::default()).unwrap();
        assert_eq!(prepared.plan.load.pace.length_ns(), 30_000_000_000);
        let overrides = Overrides { target: Some("http://127.0.0.1:1".to_owned()), ..Overrides::default() };
        let elsewhere = Prepared::new(source(&[]), overrides).unwrap();
        assert_eq!(elsewhere.plan.regions.len(), 3);
    }
}
