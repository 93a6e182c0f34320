//! Times in which nobody wants to be told.

use serde::{Deserialize, Serialize};

use super::scope::Scope;

/// A time in which alerts change their state and nobody is told: a silence, maintenance, a rehearsal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// What it is known by.
    pub id: String,
    /// Only alerts of this objective, by its text; every alert where there is none.
    pub objective: Option<String>,
    /// Only alerts of this scope.
    pub scope: Option<Scope>,
    /// From this unix second on.
    pub from_s: i64,
    /// Until before this one.
    pub to_s: i64,
    /// Why.
    pub reason: String,
}

impl Silence {
    /// Whether an alert is silent at a time. One that no data come has no objective.
    pub fn covers(&self, objective: Option<&str>, scope: &Scope, at_s: i64) -> bool {
        (self.from_s..self.to_s).contains(&at_s)
            && self.scope.as_ref().is_none_or(|silent| silent == scope)
            && self.objective.as_deref().is_none_or(|silent| objective == Some(silent))
    }
}

#[cfg(test)]
mod tests {
    use super::{Scope, Silence};

    #[test]
    fn a_silence_covers_what_it_names() {
        let silence = |objective: Option<&str>, scope: Option<&str>| Silence {
            id: "s".to_owned(),
            objective: objective.map(str::to_owned),
            scope: scope.map(Scope::named),
            from_s: 10,
            to_s: 20,
            reason: "deploy".to_owned(),
        };
        let tokyo = Scope::named("tokyo");
        assert!(
            silence(None, None).covers(Some("a"), &tokyo, 10) && silence(None, None).covers(None, &tokyo, 19)
        );
        assert!(
            !silence(None, None).covers(Some("a"), &tokyo, 9)
                && !silence(None, None).covers(None, &tokyo, 20)
        );
        assert!(silence(Some("a"), Some("tokyo")).covers(Some("a"), &tokyo, 15));
        assert!(!silence(Some("b"), None).covers(Some("a"), &tokyo, 15));
        assert!(!silence(Some("a"), None).covers(None, &tokyo, 15), "no data is about no objective");
        assert!(!silence(None, Some("global")).covers(Some("a"), &tokyo, 15));
    }
}
