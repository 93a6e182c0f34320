//! Why a function was not invoked, or did not do what it was invoked for: in words that name the region, the cause and what to
//! do.

use std::error::Error as StdError;

use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};

use crate::aws::Failure;

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// The same invocation may go through in a moment.
    pub(super) is_passing: bool,
    /// It may have gone through, though nobody said so.
    pub(super) may_run: bool,
    /// What went wrong, and what to do.
    pub(super) why: String,
}

impl Trouble {
    /// What an error of the SDK comes to. `function` is said with its region: "doorbuster-agent in eu-west-2".
    pub(super) fn of<E>(error: &SdkError<E>, function: &str) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let code = error.code().unwrap_or_default();
        let status = error.raw_response().map(|answer| answer.status().as_u16());
        let is_unreachable = match error {
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
            // What is of no kind of its own has one where it passes: an answer that broke off.
            SdkError::DispatchFailure(failure) => {
                failure.is_io() || failure.is_timeout() || failure.as_other().is_some()
            }
            _ => false,
        };
        let why = Failure::of(error).why;
        let remedy = if is_unreachable {
            "the region cannot be reached: see whether AWS has trouble there, or leave it out with --region"
        } else {
            remedy(code)
        };
        let why = if remedy.is_empty() { why } else { format!("{why}; {remedy}") };
        let is_passing = is_unreachable || is_passing(status, code);
        Self { is_passing, may_run: is_unreachable, why: format!("invoking {function}: {why}") }
    }
}

/// Why a function's response ended, by the error that its completion tells.
pub(super) fn ended(function: &str, code: &str, details: &str) -> String {
    let told = [code, details].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    let remedy = if details.contains("exec format error") || code == "Runtime.InvalidEntrypoint" {
        "it was built for another processor: `doorbuster fleet update` installs the one that the plan's `architecture` names"
    } else if code == "Sandbox.Timedout" || details.contains("timed out") {
        "it ran into its timeout: `doorbuster fleet update` sets it, or make the plan's fleet.generation shorter"
    } else if code == "Runtime.OutOfMemory" || details.contains("signal: killed") {
        "it had too little memory: raise the plan's fleet.memory and run `doorbuster fleet update`, or use more agents"
    } else {
        "`doorbuster fleet logs` shows what it said"
    };
    format!("{function} failed with {told}; {remedy}")
}

/// Whether an invocation is worth another attempt. A function that is being made or updated says so by conflicts.
/// Source: AWS Lambda API Reference, InvokeWithResponseStream, "Errors".
fn is_passing(status: Option<u16>, code: &str) -> bool {
    let of_the_moment = [
        "TooManyRequestsException",
        "EC2ThrottledException",
        "ENILimitReachedException",
        "ResourceConflictException",
        "ResourceNotReadyException",
        "ServiceException",
        "ThrottlingException",
    ];
    of_the_moment.contains(&code) || status.is_some_and(|status| status == 429 || status >= 500)
}

/// What to do about an error; empty where nobody knows.
fn remedy(code: &str) -> &'static str {
    match code {
        "TooManyRequestsException" => {
            "all the concurrency of the function or of the region is in use: lower `agents`, raise the function's reserved concurrency, or ask AWS for a higher quota (Lambda, \"Concurrent executions\")"
        }
        "AccessDeniedException" | "AccessDenied" => {
            "these credentials may not invoke it: use a role with lambda:InvokeFunction on it, as the stack's coordinator role has it"
        }
        "ResourceNotFoundException" => "`doorbuster fleet up` makes it",
        "ResourceConflictException" | "ResourceNotReadyException" => {
            "it is being made or updated: `doorbuster fleet status` says when that is over"
        }
        "ExpiredToken"
        | "ExpiredTokenException"
        | "UnrecognizedClientException"
        | "InvalidSignatureException" => "the credentials are no longer good: log in again",
        "RequestTooLargeException" => "use fewer or shorter data files",
        "InvalidRuntimeException" | "InvalidZipFileException" => "`doorbuster fleet update` installs it anew",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        for (status, code, expected) in [
            (Some(429), "TooManyRequestsException", true),
            (Some(429), "", true),
            (Some(409), "ResourceConflictException", true),
            (Some(502), "ResourceNotReadyException", true),
            (Some(500), "ServiceException", true),
            (Some(403), "AccessDeniedException", false),
            (Some(404), "ResourceNotFoundException", false),
            (Some(413), "RequestTooLargeException", false),
            (None, "", false),
        ] {
            assert_eq!(is_passing(status, code), expected, "{status:?} {code}");
        }
    }

    #[test]
    fn each_way_to_fail_has_its_remedy() {
        let function = "doorbuster-agent in eu-west-2";
        for (code, details, expected) in [
            ("Runtime.ExitError", "fork/exec /var/task/bootstrap: exec format error", "`architecture`"),
            ("Sandbox.Timedout", "Task timed out after 900.00 seconds", "fleet.generation"),
            (
                "Runtime.ExitError",
                "RequestId: 1 Error: Runtime exited with error: signal: killed",
                "fleet.memory",
            ),
            ("Runtime.ExitError", "exit status 1", "fleet logs"),
        ] {
            let why = ended(function, code, details);
            assert!(why.starts_with(&format!("{function} failed with {code}: {details}; ")), "{why}");
            assert!(why.contains(expected), "{why}");
        }
        for code in ["TooManyRequestsException", "AccessDeniedException", "ResourceNotFoundException"] {
            assert!(!remedy(code).is_empty());
        }
    }
}
