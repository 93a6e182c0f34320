//! What goes wrong for a while and mends itself: said when it begins, and when it is over.

/// Something that may be in trouble.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// What is said when it begins; why follows.
    begins: &'static str,
    /// What is said when it is over.
    ends: &'static str,
    is_on: bool,
}

impl Trouble {
    /// All is well as yet.
    pub(crate) const fn new(begins: &'static str, ends: &'static str) -> Self {
        Self { begins, ends, is_on: false }
    }

    /// What is to be said now that this is why nothing goes, or that nothing is wrong (`None`).
    pub(crate) fn look(&mut self, why: Option<&str>) -> Option<String> {
        let line = match (why, self.is_on) {
            (Some(why), false) => Some(format!("{}: {why}", self.begins)),
            (None, true) => Some(self.ends.to_owned()),
            _ => None,
        };
        self.is_on = why.is_some();
        line
    }
}

#[cfg(test)]
mod tests {
    use super::Trouble;

    #[test]
    fn trouble_is_said_once_and_so_is_its_end() {
        let mut trouble = Trouble::new("it takes nothing", "it takes everything again");
        assert_eq!(trouble.look(None), None);
        assert_eq!(trouble.look(Some("throttled")).as_deref(), Some("it takes nothing: throttled"));
        assert_eq!(trouble.look(Some("refused")), None, "it goes on");
        assert_eq!(trouble.look(None).as_deref(), Some("it takes everything again"));
        assert_eq!(trouble.look(None), None);
        assert!(trouble.look(Some("throttled")).is_some(), "it begins anew");
    }
}
