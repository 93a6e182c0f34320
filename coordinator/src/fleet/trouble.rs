//! What to do when AWS does not do what was asked.

use super::place::Place;
use crate::Error;
use crate::aws::Failure;

/// What is found in AWS's words, and what to do then; the first that is found counts.
const REMEDIES: [(&[&str], &str); 9] = [
    (&["no credentials"], ""),
    (
        &["ExpiredToken", "token has expired", "token included in the request is expired"],
        "log in again: the credentials have expired",
    ),
    (
        &[
            "InvalidClientTokenId",
            "UnrecognizedClient",
            "security token included in the request is invalid",
            "OptInRequired",
        ],
        "see whether the region is enabled for this account, and whether the credentials are of it; --region leaves it out",
    ),
    (
        &["AccessDenied", "not authorized", "UnauthorizedOperation"],
        "let the credentials do what docs/fleet.md lists, or use others (AWS_PROFILE)",
    ),
    (
        &["dispatch failure", "timeout", "timed out", "connect"],
        "the region may be down, or this machine is offline; see https://health.aws.amazon.com, or leave the region out with --region",
    ),
    (
        &["ReservedConcurrentExecutions", "UnreservedConcurrentExecution"],
        "lower --concurrency, or raise the quota \"Concurrent executions\" of Lambda in this region",
    ),
    (
        &["default VPC", "default subnet", "No default"],
        "name a VPC with --vpc and --subnet, or leave agents on EC2 out with --no-ec2",
    ),
    (
        &["already exists", "BucketAlreadyOwnedByYou"],
        "something else has that name: remove it, or choose another with --stack",
    ),
    (
        &["Throttl", "Rate exceeded", "LimitExceeded"],
        "try again in a minute: what is done already stays done",
    ),
];

/// AWS's words, and what to do about them.
pub(super) fn with_remedy(why: &str) -> String {
    let found = REMEDIES.iter().find(|(parts, _)| parts.iter().any(|part| why.contains(*part)));
    match found {
        Some((_, remedy)) if !remedy.is_empty() => format!("{}; {remedy}", why.trim_end_matches('.')),
        _ => why.to_owned(),
    }
}

/// A request that failed in a region.
pub(super) fn failed(place: &Place, what: &str, failure: &Failure) -> Error {
    refused(place, what, &failure.why)
}

/// What was refused in a region, in AWS's words.
pub(super) fn refused(place: &Place, what: &str, why: &str) -> Error {
    Error::Aws { what: format!("{what} in {}", place.region), why: with_remedy(why) }
}

#[cfg(test)]
mod tests {
    use super::with_remedy;

    #[test]
    fn what_is_known_has_a_remedy() {
        for (why, expected) in [
            (
                "service error: AccessDenied: User: arn:aws:iam::1:user/a is not authorized to perform: cloudformation:CreateStack",
                "docs/fleet.md",
            ),
            ("dispatch failure: io error", "--region"),
            (
                "service error: The security token included in the request is invalid.",
                "enabled for this account",
            ),
            ("Specified ReservedConcurrentExecutions for function decreases account's", "--concurrency"),
            ("doorbuster-1-eu-west-2 already exists", "--stack"),
            ("No default VPC for this user", "--no-ec2"),
            ("ThrottlingException: Rate exceeded", "try again"),
            ("ExpiredToken: expired", "log in again"),
        ] {
            let told = with_remedy(why);
            assert!(told.starts_with(why.trim_end_matches('.')) && told.contains(expected), "{told}");
        }
    }

    #[test]
    fn what_says_by_itself_what_to_do_is_left_alone() {
        for why in ["no credentials for AWS were found: set AWS_PROFILE", "something nobody has seen"] {
            assert_eq!(with_remedy(why), why);
        }
    }
}
