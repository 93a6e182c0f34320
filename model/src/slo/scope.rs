//! Where an objective is looked at.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The word for all regions together. No region has this name.
pub const GLOBAL: &str = "global";

/// All regions together, or one of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Scope {
    /// All regions together.
    Global,
    /// A region, by its name.
    Region(String),
}

impl Scope {
    /// The scope that is shown so.
    pub fn named(name: &str) -> Self {
        if name == GLOBAL { Self::Global } else { Self::Region(name.to_owned()) }
    }

    /// How it is shown.
    pub fn name(&self) -> &str {
        match self {
            Self::Global => GLOBAL,
            Self::Region(name) => name,
        }
    }
}

impl From<String> for Scope {
    fn from(name: String) -> Self {
        Self::named(&name)
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.name().to_owned()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What is counted together: an objective in a scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SeriesKey {
    /// The objective, by its text.
    pub objective: String,
    /// Where.
    pub scope: Scope,
}

#[cfg(test)]
mod tests {
    use super::Scope;

    #[test]
    fn a_scope_is_its_name() {
        for scope in [Scope::Global, Scope::Region("tokyo".to_owned())] {
            assert_eq!(Scope::named(&scope.to_string()), scope);
            let json = serde_json::to_string(&scope).unwrap();
            assert_eq!(json, format!("\"{scope}\""));
            assert_eq!(serde_json::from_str::<Scope>(&json).unwrap(), scope);
        }
        assert!(Scope::Global < Scope::Region("a".to_owned()));
    }
}
