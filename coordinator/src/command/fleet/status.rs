//! `doorbuster fleet status`: how a fleet stands.

use clap::Args;
use futures_util::future::join_all;
use serde_json::json;

use super::places::{PlaceOptions, apart, conclude};
use crate::command::print::colour;
use crate::fleet::status::{Standing, status};
use crate::runtime::block_on;
use crate::{Error, Verdict, tell};

/// Show how a fleet stands in each region: its stacks, its agent, and the alarms that are on.
///
/// Exit codes: 0 everything is there and done, 1 something is missing, such as an agent, or went wrong, 3 AWS did not say.
#[derive(Args, Clone, Debug)]
pub(super) struct StatusCommand {
    #[command(flatten)]
    places: PlaceOptions,
}

impl StatusCommand {
    pub(super) fn run(&self) -> Result<Verdict, Error> {
        let (standings, failed) = block_on(async {
            let open = Box::pin(self.places.open()).await?;
            Ok(apart(join_all(open.iter().map(|place| Box::pin(status(place)))).await))
        })?;
        let regions = || standings.iter().map(Standing::to_json).collect::<Vec<_>>();
        let json = || json!({ "schema": "doorbuster.fleet/1", "regions": regions() });
        self.places.tell(json, || tell::fleet(&standings, colour()))?;
        let is_well = standings.iter().all(Standing::is_well);
        conclude(failed, if is_well { Verdict::Pass } else { Verdict::Fail })
    }
}
