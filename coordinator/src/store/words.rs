//! The words that a store uses for what is one of a few.

use doorbuster_model::slo::{AlertStatus, Scope, Severity};

/// Stands for all regions; no region can be called so.
const GLOBAL: &str = "*";

pub(super) fn scope(scope: &Scope) -> &str {
    match scope {
        Scope::Global => GLOBAL,
        Scope::Region(name) => name,
    }
}

pub(super) fn scope_of(word: String) -> Scope {
    if word == GLOBAL { Scope::Global } else { Scope::Region(word) }
}

pub(super) const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Page => "page",
        Severity::Ticket => "ticket",
    }
}

pub(super) fn severity_of(word: &str) -> Option<Severity> {
    [Severity::Page, Severity::Ticket].into_iter().find(|known| severity(*known) == word)
}

pub(super) const fn status(status: AlertStatus) -> &'static str {
    match status {
        AlertStatus::Pending => "pending",
        AlertStatus::Firing => "firing",
        AlertStatus::Resolved => "resolved",
    }
}

pub(super) fn status_of(word: &str) -> Option<AlertStatus> {
    let all = [AlertStatus::Pending, AlertStatus::Firing, AlertStatus::Resolved];
    all.into_iter().find(|known| status(*known) == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for known in [Scope::Global, Scope::Region("tokyo".into()), Scope::Region("global".into())] {
            assert_eq!(scope_of(scope(&known).to_owned()), known);
        }
        assert_eq!(severity_of("ticket"), Some(Severity::Ticket));
        assert_eq!(status_of("resolved"), Some(AlertStatus::Resolved));
        assert_eq!((severity_of("tickets"), status_of("")), (None, None));
    }
}
