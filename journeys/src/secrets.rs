//! `${env.NAME}`: values from the environment, which no message and no report shows.

/// The secrets that a journey names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets {
    known: Vec<Secret>,
}

#[derive(Clone)]
struct Secret {
    name: Box<str>,
    /// Set before the first walk.
    value: Box<str>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.name)
    }
}

impl Secrets {
    /// The number of the secret with this name.
    pub(crate) fn number(&mut self, name: &str) -> Option<u16> {
        let position = self.known.iter().position(|secret| *secret.name == *name).unwrap_or_else(|| {
            self.known.push(Secret { name: name.into(), value: "".into() });
            self.known.len() - 1
        });
        u16::try_from(position).ok()
    }

    /// The names, in the order of their first use.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(|secret| &*secret.name)
    }

    /// Sets the value of a secret that the journey names.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        for secret in self.known.iter_mut().filter(|secret| *secret.name == *name) {
            secret.value = value.into();
        }
    }

    /// The value of the secret with this number; empty before it is set.
    pub(crate) fn value(&self, number: u16) -> &str {
        self.known.get(usize::from(number)).map_or("", |secret| &secret.value)
    }

    /// `text` with `***` in the place of every secret. Values of one or two characters are left: hiding them would
    /// show where they stand.
    pub(crate) fn redact(&self, text: String) -> String {
        let hidden = self.known.iter().map(|secret| &*secret.value).filter(|value| value.len() > 2);
        hidden.fold(text, |text, value| if text.contains(value) { text.replace(value, "***") } else { text })
    }
}

#[cfg(test)]
mod tests {
    use super::Secrets;

    #[test]
    fn a_secret_is_shown_nowhere() {
        let mut secrets = Secrets::default();
        assert_eq!(
            (secrets.number("A"), secrets.number("B"), secrets.number("A")),
            (Some(0), Some(1), Some(0))
        );
        secrets.set("A", "hunter2");
        secrets.set("B", "x");
        assert_eq!(secrets.redact("got hunter2, x and hunter2".to_owned()), "got ***, x and ***");
        assert!(!format!("{secrets:?}").contains("hunter2"));
        assert_eq!((secrets.value(0), secrets.value(7)), ("hunter2", ""));
    }
}
