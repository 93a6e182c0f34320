//! What is to be done next with a stack, by what CloudFormation says of it. So an interrupted command is taken up again by
//! the next one, wherever it was.
//!
//! Source: AWS CloudFormation User Guide, "Understand stack creation events", stack status codes.

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is none: make it.
    Create,
    /// It is there, and may be changed.
    Update,
    /// Something is under way.
    Wait,
    /// What is there can only be removed.
    Remove,
    /// A change could neither be made nor taken back.
    Stuck,
}

/// The next step towards having it, at this status; `None`: there is no such stack.
pub(super) fn towards_having(status: Option<&str>) -> Step {
    match status {
        None | Some("DELETE_COMPLETE") => Step::Create,
        Some(status) if status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS" => Step::Wait,
        Some(
            // A change set was made and never carried out, or the first attempt failed: such stacks take no update.
            "REVIEW_IN_PROGRESS" | "CREATE_FAILED" | "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED"
            | "DELETE_FAILED",
        ) => Step::Remove,
        Some("UPDATE_ROLLBACK_FAILED") => Step::Stuck,
        Some(_) => Step::Update,
    }
}

/// Whether a stack of this status is what was asked for.
pub(super) fn is_done(status: &str) -> bool {
    matches!(status, "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_step() {
        for (status, expected) in [
            ("CREATE_IN_PROGRESS", Step::Wait),
            ("CREATE_FAILED", Step::Remove),
            ("CREATE_COMPLETE", Step::Update),
            ("ROLLBACK_IN_PROGRESS", Step::Wait),
            ("ROLLBACK_FAILED", Step::Remove),
            ("ROLLBACK_COMPLETE", Step::Remove),
            ("DELETE_IN_PROGRESS", Step::Wait),
            ("DELETE_FAILED", Step::Remove),
            ("DELETE_COMPLETE", Step::Create),
            ("UPDATE_IN_PROGRESS", Step::Wait),
            ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Step::Wait),
            ("UPDATE_COMPLETE", Step::Update),
            ("UPDATE_FAILED", Step::Update),
            ("UPDATE_ROLLBACK_IN_PROGRESS", Step::Wait),
            ("UPDATE_ROLLBACK_FAILED", Step::Stuck),
            ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", Step::Wait),
            ("UPDATE_ROLLBACK_COMPLETE", Step::Update),
            ("REVIEW_IN_PROGRESS", Step::Remove),
            ("IMPORT_COMPLETE", Step::Update),
        ] {
            assert_eq!(towards_having(Some(status)), expected, "{status}");
        }
        assert_eq!(towards_having(None), Step::Create);
    }

    #[test]
    fn what_was_taken_back_is_not_done() {
        assert!(is_done("CREATE_COMPLETE") && is_done("UPDATE_COMPLETE"));
        for status in ["ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "DELETE_COMPLETE", "CREATE_FAILED"] {
            assert!(!is_done(status), "{status}");
        }
    }
}
