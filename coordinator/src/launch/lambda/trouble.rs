//! Why a function was not invoked, or did not do what it was invoked for: in words that name the region, the cause and what to
//! do.

use std::error::Error as StdError;
use std::fmt;
use std::time::SystemTime;

use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};

use crate::aws::Failure;

/// What to do about a region that does not answer. No command leaves one out: a run without it is another plan.
const UNREACHABLE: &str = "the region cannot be reached: see whether AWS has trouble there (https://health.aws.amazon.com) or this machine is offline, or take the region out of the plan";
/// What to do about credentials whose time is over.
const EXPIRED: &str = "the credentials are no longer good: log in again";

/// A function of a fleet, by its stack and its region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Function {
    stack: String,
    region: String,
}

impl Function {
    pub(super) fn new(stack: &str, region: &str) -> Self {
        Self { stack: stack.to_owned(), region: region.to_owned() }
    }

    /// What AWS calls it.
    pub(super) fn name(&self) -> String {
        format!("{}-agent", self.stack)
    }

    /// A command about its fleet, in its region alone: in others it might make one where there is none.
    fn command(&self, command: &str) -> String {
        let stack = match self.stack.as_str() {
            "doorbuster" => String::new(),
            stack => format!(" --stack {stack}"),
        };
        format!("`doorbuster fleet {command} --region {}{stack}`", self.region)
    }
}

/// For people: `doorbuster-agent in eu-west-2`.
impl fmt::Display for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} in {}", self.name(), self.region)
    }
}

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
    /// What an error of the SDK comes to.
    pub(super) fn of<E>(error: &SdkError<E>, function: &Function) -> Self
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
        let remedy = if is_unreachable { UNREACHABLE.to_owned() } else { remedy(function, code) };
        let why = if remedy.is_empty() { why } else { format!("{why}; {remedy}") };
        let is_passing = is_unreachable || is_passing(status, code);
        Self { is_passing, may_run: is_unreachable, why: format!("invoking {function}: {why}") }
    }
}

/// Why a function's response ended, by the error that its completion tells.
pub(super) fn ended(function: &Function, code: &str, details: &str) -> String {
    let told = [code, details].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    let remedy = if details.contains("exec format error") || code == "Runtime.InvalidEntrypoint" {
        format!(
            "it was built for another processor: {} installs a zip of `cargo xtask lambda`, and sets its processor",
            function.command("update --zip FILE")
        )
    } else if code == "Sandbox.Timedout" || details.contains("timed out") {
        format!(
            "it ran into its timeout: {} sets the longest that there is, or make the plan's fleet.generation shorter",
            function.command("up")
        )
    } else if code == "Runtime.OutOfMemory" || details.contains("signal: killed") {
        format!(
            "it had too little memory: {} sets more, or use more agents",
            function.command("up --memory MB")
        )
    } else {
        format!("{} shows what it said", function.command("logs"))
    };
    format!("{function} failed with {told}; {remedy}")
}

/// Why an agent ended, whose addresses were good until `signs_until` at most.
pub(super) fn with_signature(why: String, signs_until: Option<SystemTime>, now: SystemTime) -> String {
    if signs_until.is_none_or(|until| now < until) {
        return why;
    }
    format!(
        "{why}; the credentials that its addresses were signed with have ended meanwhile: log in for longer, or make the plan's fleet.generation shorter"
    )
}

/// Why a region could not be opened, in AWS's words, and what to do.
pub(super) fn unopened(function: &Function, why: &str) -> String {
    let says = |parts: &[&str]| parts.iter().any(|part| why.contains(part));
    // A broken server's words are about itself, whatever they say.
    let remedy = if says(&["status 5", "error sending request"]) {
        UNREACHABLE.to_owned()
    } else if says(&["NoSuchBucket"]) {
        format!("{} makes it", function.command("up --zip FILE"))
    } else if says(&["ExpiredToken", "RequestExpired", "token has expired", "is expired"]) {
        EXPIRED.to_owned()
    } else if says(&["InvalidClientTokenId", "InvalidAccessKeyId", "UnrecognizedClient", "InvalidToken"]) {
        format!("see whether the region is enabled for this account; if it is, {EXPIRED}")
    } else if says(&["AccessDenied"]) {
        "use a role that may write there, as the stack's coordinator role may".to_owned()
    } else {
        return why.to_owned();
    };
    format!("{why}; {remedy}")
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
fn remedy(function: &Function, code: &str) -> String {
    let plain = match code {
        "TooManyRequestsException" => {
            return format!(
                "all the concurrency of the function or of the region is in use: lower `agents`, raise what the function has for itself ({}), or ask AWS for a higher quota (Lambda, \"Concurrent executions\")",
                function.command("up --concurrency N")
            );
        }
        "ResourceNotFoundException" => return format!("{} makes it", function.command("up --zip FILE")),
        "ResourceConflictException" | "ResourceNotReadyException" => {
            let status = function.command("status");
            return format!("it is being made or updated: {status} says when that is over");
        }
        "InvalidRuntimeException" | "InvalidZipFileException" => {
            return format!("{} installs it anew", function.command("update --zip FILE"));
        }
        "AccessDeniedException" | "AccessDenied" => {
            "these credentials may not invoke it: use a role with lambda:InvokeFunction on it, as the stack's coordinator role has it"
        }
        "ExpiredToken"
        | "ExpiredTokenException"
        | "UnrecognizedClientException"
        | "InvalidSignatureException" => EXPIRED,
        "RequestTooLargeException" => "use fewer or shorter data files",
        _ => "",
    };
    plain.to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::launch::remedies::commands;

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
        let function = Function::new("doorbuster", "eu-west-2");
        for (code, details, expected) in [
            (
                "Runtime.ExitError",
                "fork/exec /var/task/bootstrap: exec format error",
                "fleet update --zip FILE",
            ),
            ("Sandbox.Timedout", "Task timed out after 900.00 seconds", "fleet.generation"),
            (
                "Runtime.ExitError",
                "RequestId: 1 Error: Runtime exited with error: signal: killed",
                "`doorbuster fleet up --memory MB --region eu-west-2`",
            ),
            ("Runtime.ExitError", "exit status 1", "fleet logs"),
        ] {
            let why = ended(&function, code, details);
            let begin = format!("doorbuster-agent in eu-west-2 failed with {code}: {details}; ");
            assert!(why.starts_with(&begin), "{why}");
            assert!(why.contains(expected), "{why}");
        }
        for code in ["TooManyRequestsException", "AccessDeniedException", "ResourceNotFoundException"] {
            assert!(!remedy(&function, code).is_empty());
        }
    }

    #[test]
    fn credentials_that_ended_are_told_of_agents_that_ended_after_them() {
        let at = |second| SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        let told = |until, now| with_signature("its invocation ended".to_owned(), until, at(now));
        assert_eq!(told(None, 10), "its invocation ended");
        assert_eq!(told(Some(at(11)), 10), "its invocation ended");
        let ended = told(Some(at(10)), 10);
        assert!(ended.starts_with("its invocation ended; the credentials"), "{ended}");
        assert!(ended.contains("log in for longer"), "{ended}");
    }

    #[test]
    fn what_keeps_a_region_closed_has_its_remedy() {
        let function = Function::new("doorbuster", "eu-west-2");
        for (why, expected) in [
            ("error sending request: client error (Connect): dns error", "take the region out of the plan"),
            ("it answered with status 503", "take the region out of the plan"),
            ("NoSuchBucket: none (status 404)", "`doorbuster fleet up --zip FILE --region eu-west-2`"),
            ("ExpiredToken: The provided token has expired. (status 400)", "log in again"),
            ("InvalidClientTokenId: The security token is invalid (status 403)", "enabled for this account"),
            ("AccessDenied: not here (status 403)", "coordinator role"),
        ] {
            let told = unopened(&function, why);
            assert!(told.starts_with(&format!("{why}; ")) && told.contains(expected), "{told}");
            assert!(commands(&told).len() <= 1, "{told}");
        }
        let without = "no credentials for AWS were found: set AWS_PROFILE";
        assert_eq!(unopened(&function, without), without, "it says by itself what to do");
    }

    #[test]
    fn what_is_to_be_given_can_be_given_and_names_the_fleet() {
        let function = Function::new("second", "eu-west-2");
        for code in [
            "TooManyRequestsException",
            "ResourceNotFoundException",
            "ResourceConflictException",
            "InvalidZipFileException",
        ] {
            let told = remedy(&function, code);
            assert_eq!(commands(&told).len(), 1, "{told}");
            assert!(told.contains(" --region eu-west-2 --stack second`"), "{told}");
        }
        for (code, details) in [
            ("Runtime.InvalidEntrypoint", ""),
            ("Sandbox.Timedout", ""),
            ("Runtime.OutOfMemory", ""),
            ("Runtime.ExitError", "exit status 1"),
        ] {
            let told = ended(&function, code, details);
            assert_eq!(commands(&told).len(), 1, "{told}");
        }
        assert!(!UNREACHABLE.contains("--region"), "no run has such an option");
    }
}
