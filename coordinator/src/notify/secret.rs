//! Secrets: read from the environment by the names that a plan gives, and kept out of everything that is shown.

use std::fmt;
use std::sync::Arc;

/// A secret. Nothing shows it but [`reveal`](Self::reveal).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

/// What a variable holds, by its name.
type LookUp = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Where secrets are looked up.
#[derive(Clone)]
pub(crate) struct Environment(Arc<LookUp>);

impl Secret {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for what is sent.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

impl Environment {
    /// This process's variables.
    pub(crate) fn of_process() -> Self {
        Self(Arc::new(|name: &str| std::env::var(name).ok()))
    }

    /// These variables alone.
    #[cfg(test)]
    pub(super) fn of(variables: &'static [(&'static str, &'static str)]) -> Self {
        Self(Arc::new(move |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        }))
    }

    /// The secret in a variable, without spaces and line ends around it, which files of secrets often have.
    ///
    /// # Errors
    /// That it is not there.
    pub(super) fn secret(&self, variable: &str) -> Result<Secret, String> {
        let value = (self.0)(variable).map(|value| value.trim().to_owned());
        value
            .filter(|value| !value.is_empty())
            .map(Secret)
            .ok_or_else(|| format!("the variable {variable} is not set in this environment, or empty"))
    }
}

/// `text` without any of the secrets that it may repeat: a receiver may quote what it was sent.
pub(super) fn without(secrets: &[Secret], text: &str) -> String {
    let shown = secrets.iter().filter(|secret| !secret.0.is_empty());
    shown.fold(text.to_owned(), |text, secret| text.replace(&secret.0, "…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_itself_nowhere() {
        let secret = Environment::of(&[("KEY", " hunter2\n")]).secret("KEY").unwrap();
        assert_eq!((secret.reveal(), format!("{secret:?}").as_str()), ("hunter2", "Secret"));
        let secrets = [secret, Secret::new("key-1")];
        assert_eq!(without(&secrets, "no hunter2 for key-1, hunter2"), "no … for …, …");
    }

    #[test]
    fn what_is_not_there_is_named() {
        let environment = Environment::of(&[("EMPTY", " ")]);
        for name in ["EMPTY", "MISSING"] {
            assert!(environment.secret(name).unwrap_err().contains(name));
        }
    }
}
