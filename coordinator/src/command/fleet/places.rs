//! Which regions a command is about, and what is said of all of them together.

use clap::Args;
use serde_json::Value;

use crate::command::print::{print, warn};
use crate::fleet::place::Place;
use crate::{Error, Verdict};

/// Where the three regions of a plan that names none are.
const REGIONS: [&str; 3] = ["ap-northeast-1", "eu-west-2", "us-east-1"];
/// The longest name of a stack: with an account and a region it must fit into a bucket's name of 63 characters.
const STACK_CHARS_MAX: usize = 32;

/// The options of every command about a fleet.
#[derive(Args, Clone, Debug)]
pub(super) struct PlaceOptions {
    /// The AWS regions of the fleet
    #[arg(long = "region", value_name = "AWSREGION", num_args = 1.., value_parser = region, default_values = REGIONS)]
    regions: Vec<String>,
    /// The fleet's CloudFormation stack; a plan names it under `fleet: { stack: … }`
    #[arg(long, value_name = "NAME", default_value = "doorbuster", value_parser = stack)]
    stack: String,
    /// Speak to this address instead of AWS
    #[arg(long, value_name = "URL")]
    aws_endpoint: Option<String>,
    /// The result as JSON
    #[arg(long)]
    json: bool,
    /// No progress; the result and errors are still told
    #[arg(long, short)]
    quiet: bool,
}

impl PlaceOptions {
    /// The regions, each once.
    pub(super) fn regions(&self) -> Vec<String> {
        let mut regions: Vec<String> = Vec::new();
        for region in &self.regions {
            if !regions.contains(region) {
                regions.push(region.clone());
            }
        }
        regions
    }

    /// The way to each region.
    ///
    /// # Errors
    /// Nobody has credentials. They are looked for in the same places for every region, so that it is told once.
    pub(super) async fn open(&self) -> Result<Vec<Place>, Error> {
        let mut places = Vec::new();
        for region in self.regions() {
            let endpoint = self.aws_endpoint.as_deref();
            places.push(Box::pin(Place::open(&region, &self.stack, endpoint, self.quiet)).await);
        }
        if let Some(first) = places.first() {
            Box::pin(first.with_credentials()).await?;
        }
        Ok(places)
    }

    /// Says what came of it: as JSON, or in words.
    pub(super) fn tell(
        &self,
        json: impl FnOnce() -> Value,
        words: impl FnOnce() -> String,
    ) -> Result<(), Error> {
        print(&if self.json { format!("{:#}\n", json()) } else { words() })
    }
}

/// What came about, and what did not.
pub(super) fn apart<T>(results: Vec<Result<T, Error>>) -> (Vec<T>, Vec<Error>) {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => done.push(value),
            Err(error) => failed.push(error),
        }
    }
    (done, failed)
}

/// The command's end: all that failed is told, the last of it by whoever called.
pub(super) fn conclude(failed: Vec<Error>, verdict: Verdict) -> Result<Verdict, Error> {
    let mut failed = failed.into_iter().peekable();
    while let Some(error) = failed.next() {
        if failed.peek().is_none() {
            return Err(error);
        }
        warn(&error.to_string());
    }
    Ok(verdict)
}

fn region(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('-').collect();
    let are_plain = parts.iter().all(|part| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    });
    let ends_in_number = parts.last().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    if parts.len() >= 3 && are_plain && ends_in_number {
        return Ok(text.to_owned());
    }
    Err(format!("\"{text}\" is no AWS region; write for example eu-west-2"))
}

fn stack(text: &str) -> Result<String, String> {
    let begins = text.starts_with(|first: char| first.is_ascii_lowercase());
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if begins && text.len() <= STACK_CHARS_MAX && text.bytes().all(is_plain) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "\"{text}\" is no name of a fleet: a lower-case letter, then at most 31 lower-case letters, digits and hyphens"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_spelled_as_aws_does() {
        for good in ["eu-west-2", "ap-northeast-1", "us-gov-west-1", "cn-north-1"] {
            assert_eq!(region(good).unwrap(), good);
        }
        for bad in ["tokyo", "eu-west", "eu--2", "EU-WEST-2", "", "us-east-1a"] {
            assert!(region(bad).unwrap_err().contains("eu-west-2"), "{bad}");
        }
    }

    #[test]
    fn names_fit_into_buckets() {
        for good in ["doorbuster", "a", "shop-2", &"a".repeat(32)] {
            assert!(stack(good).is_ok(), "{good}");
        }
        for bad in ["", "Shop", "2shop", "-shop", "shop_a", &"a".repeat(33)] {
            assert!(stack(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_failure_makes_the_command_fail() {
        let (done, failed) = apart(vec![Ok(1), Err(Error::Usage("a".to_owned())), Ok(2)]);
        assert_eq!(done, [1, 2]);
        assert_eq!(conclude(failed, Verdict::Pass).unwrap_err().to_string(), "a");
        assert_eq!(conclude(Vec::new(), Verdict::Pass).unwrap(), Verdict::Pass);
    }
}
