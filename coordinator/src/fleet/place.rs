//! A region of the fleet, and the way there.

use std::io::Write;

use aws_config::SdkConfig;

use super::trouble::failed;
use crate::Error;
use crate::aws::bucket::Bucket;
use crate::aws::{self, call};
use crate::tell::plain;

/// How often a request is tried: control calls are limited to a few a second.
const ATTEMPTS: u32 = 6;

/// A region, and what stands there under which name.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// As AWS calls it.
    pub region: String,
    /// The fleet's stack, whose name all others begin with.
    pub stack: String,
    /// What clients are made of.
    pub config: SdkConfig,
    /// What stands in AWS's place.
    pub endpoint: Option<String>,
    /// Whether nothing is to be said meanwhile.
    pub quiet: bool,
}

/// The stacks of a fleet in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Function, bucket, agents on EC2.
    Fleet,
    /// What tells of trouble.
    Alarms,
    /// Probes without a coordinator.
    Probes,
}

impl Part {
    /// All of them, each after those that it needs.
    pub(crate) const ALL: [Self; 3] = [Self::Fleet, Self::Alarms, Self::Probes];
}

impl Place {
    /// The way to a region.
    pub(crate) async fn open(region: &str, stack: &str, endpoint: Option<&str>, quiet: bool) -> Self {
        let config = Box::pin(aws::config(region, endpoint, ATTEMPTS)).await;
        Self {
            region: region.to_owned(),
            stack: stack.to_owned(),
            config,
            endpoint: endpoint.map(str::to_owned),
            quiet,
        }
    }

    /// Sees to it that there are credentials at all. What else is wrong with them is told by whatever they are used for, in
    /// each region by itself.
    ///
    /// # Errors
    /// Nobody has any.
    pub(crate) async fn with_credentials(&self) -> Result<(), Error> {
        match aws::credentials_until(&self.config).await {
            Err(failure) if failure.is_without_credentials() => {
                Err(Error::Aws { what: "looking for the fleet".to_owned(), why: failure.why })
            }
            _ => Ok(()),
        }
    }

    /// What a stack is called.
    pub(crate) fn stack_of(&self, part: Part) -> String {
        match part {
            Part::Fleet => self.stack.clone(),
            Part::Alarms => format!("{}-alarms", self.stack),
            Part::Probes => format!("{}-probes", self.stack),
        }
    }

    /// Whose account this is. It is also the first request, so that missing credentials are told before anything is done.
    ///
    /// # Errors
    /// Nobody has credentials, or they are not taken.
    pub(crate) async fn account(&self) -> Result<String, Error> {
        let account = Box::pin(call::account(&self.config, self.endpoint.as_deref())).await;
        account.map_err(|failure| failed(self, "asking whose account it is", &failure))
    }

    /// The name of the fleet's bucket.
    pub(crate) fn bucket_name(&self, account: &str) -> String {
        format!("{}-{account}-{}", self.stack, self.region)
    }

    /// The fleet's bucket.
    pub(crate) fn bucket(&self, account: &str) -> Bucket {
        Bucket::new(&self.config, self.endpoint.as_deref(), &self.bucket_name(account))
    }

    /// Says what happens there.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            // Where standard error is closed, nobody watches.
            let _ = writeln!(std::io::stderr().lock(), "{}: {}", self.region, plain(text));
        }
    }
}
