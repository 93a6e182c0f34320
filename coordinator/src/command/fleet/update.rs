//! `doorbuster fleet update`: another agent for a fleet that is there.

use std::path::PathBuf;

use clap::Args;

use super::places::PlaceOptions;
use super::up::raise;
use crate::fleet::package::Package;
use crate::fleet::up::Wish;
use crate::{Error, Verdict};

/// Give a fleet that is there another agent, and the templates of this program; everything else stays as it is.
#[derive(Args, Clone, Debug)]
pub(super) struct UpdateCommand {
    #[command(flatten)]
    places: PlaceOptions,
    /// The agent's zip, made by `cargo xtask lambda`
    #[arg(long, value_name = "FILE")]
    zip: PathBuf,
}

impl UpdateCommand {
    pub(super) fn run(&self) -> Result<Verdict, Error> {
        let wish = Wish {
            package: Some(Package::read(&self.zip)?),
            is_update: true,
            regions: self.places.regions(),
            ..Wish::default()
        };
        raise(&self.places, &wish)
    }
}
