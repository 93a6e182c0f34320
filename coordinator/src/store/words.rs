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

pub(super) const fn status(status: AlertStatus) -> &'static str {
    match status {
        AlertStatus::Pending => "pending",
        AlertStatus::Firing => "firing",
        AlertStatus::Resolved => "resolved",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_back() {
        for known in [Scope::Global, Scope::Region("tokyo".into()), Scope::Region("global".into())] {
            assert_eq!(scope_of(scope(&known).to_owned()), known);
        }
    }
}
