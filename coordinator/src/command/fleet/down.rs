//! `doorbuster fleet down`: a fleet is removed.

use clap::Args;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::places::{PlaceOptions, apart, conclude};
use crate::fleet::down::{Removed, down, leave_dashboard};
use crate::runtime::block_on;
use crate::{Error, Verdict};

/// Remove a fleet from its regions: functions, instances, buckets with what is in them, alarms, logs.
///
/// What cannot be removed is told; the same command tries again. Exit codes: 0 nothing is left, 3 something is, or AWS
/// did not say.
#[derive(Args, Clone, Debug)]
pub(super) struct DownCommand {
    #[command(flatten)]
    places: PlaceOptions,
}

impl DownCommand {
    pub(super) fn run(&self) -> Result<Verdict, Error> {
        let (removed, mut failed) = block_on(async {
            let open = Box::pin(self.places.open()).await?;
            let regions = self.places.regions();
            let all = join_all(open.iter().map(|place| Box::pin(down(place, &regions)))).await;
            let (mut removed, failed) = apart(all);
            Box::pin(leave_dashboard(&open, &mut removed)).await;
            Ok((removed, failed))
        })?;
        let told = || removed.iter().map(told).collect::<Vec<_>>();
        let json = || json!({ "schema": "doorbuster.fleet-down/1", "regions": told() });
        self.places.tell(json, || removed.iter().map(line).collect())?;
        let left = removed.iter().flat_map(|removed| &removed.left);
        failed.extend(left.map(|why| Error::Aws { what: "left behind".to_owned(), why: why.clone() }));
        conclude(failed, Verdict::Pass)
    }
}

fn told(removed: &Removed) -> Value {
    json!({ "region": removed.region, "removed": removed.stacks, "left": removed.left })
}

fn line(removed: &Removed) -> String {
    let stacks =
        if removed.stacks.is_empty() { "there was no fleet".to_owned() } else { removed.stacks.join(", ") };
    match removed.left.len() {
        0 if removed.stacks.is_empty() => format!("{}: {stacks}\n", removed.region),
        0 => format!("{}: removed {stacks}; nothing is left\n", removed.region),
        count => format!("{}: removed {stacks}; {count} could not be removed\n", removed.region),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told() {
        let mut removed = Removed { region: "eu-west-2".to_owned(), ..Removed::default() };
        assert_eq!(line(&removed), "eu-west-2: there was no fleet\n");
        removed.stacks = vec!["shop-probes".to_owned(), "shop".to_owned()];
        assert_eq!(line(&removed), "eu-west-2: removed shop-probes, shop; nothing is left\n");
        removed.left = vec!["the stack shop-alarms in eu-west-2: DELETE_FAILED".to_owned()];
        assert!(line(&removed).ends_with("; 1 could not be removed\n"));
        assert_eq!(told(&removed)["left"][0], removed.left[0]);
    }
}
