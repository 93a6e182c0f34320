//! How a command that carried something out ends: what is shown, and the verdict.

use std::io::Write;

use super::print::{colour, print, warn};
use crate::outcome::Reason;
use crate::{Error, Verdict};

/// Shows tables, which are made with or without colour; when quiet, only why nothing can be judged.
pub(super) fn show(
    tables: impl FnOnce(bool) -> String,
    reasons: &[Reason],
    quiet: bool,
) -> Result<(), Error> {
    if quiet {
        let mut stderr = std::io::stderr().lock();
        for reason in reasons.iter().filter(|reason| reason.invalidates) {
            // Where standard error is closed, the exit code still tells.
            let _ = writeln!(stderr, "invalid ({}): {}", reason.kind, reason.message);
        }
        return Ok(());
    }
    print(&tables(colour()))
}

/// The verdict, unless files could not be written that tell of a pass: a file that cannot be written must not make what
/// failed look like a mistyped command.
pub(super) fn conclude(kept: Result<(), Error>, verdict: Verdict) -> Result<Verdict, Error> {
    match (kept, verdict) {
        (Ok(()), verdict) => Ok(verdict),
        (Err(error), Verdict::Pass) => Err(error),
        (Err(error), verdict) => {
            warn(&error.to_string());
            Ok(verdict)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_hides_no_failure() {
        let lost = || Err(Error::Usage("no room".to_owned()));
        assert_eq!(conclude(Ok(()), Verdict::Pass).unwrap(), Verdict::Pass);
        assert_eq!(conclude(Ok(()), Verdict::Fail).unwrap(), Verdict::Fail);
        assert!(conclude(lost(), Verdict::Pass).is_err());
        assert_eq!(conclude(lost(), Verdict::Fail).unwrap(), Verdict::Fail);
        assert_eq!(conclude(lost(), Verdict::Invalid).unwrap(), Verdict::Invalid);
    }
}
