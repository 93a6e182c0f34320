//! Why there is no complete answer.

use doorbuster_model::ErrorClass;

/// What broke an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The class of the error.
    pub class: ErrorClass,
    /// What went wrong, without method and URL.
    pub message: String,
    /// Whether this side met a limit of its own, or was late itself.
    pub is_own: bool,
}

impl Broken {
    /// Something of this class.
    pub(crate) fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), is_own: false }
    }

    /// The same, where `is_own` says that it is this side's own doing.
    pub(crate) fn with_own(self, is_own: bool) -> Self {
        Self { is_own, ..self }
    }

    /// What came is not HTTP.
    pub(crate) fn protocol(why: impl std::fmt::Display) -> Self {
        Self::new(ErrorClass::Protocol, format!("the answer is not HTTP as it should be: {why}"))
    }

    /// The connection broke before the answer's head was complete.
    pub(crate) fn reset(why: impl std::fmt::Display) -> Self {
        Self::new(ErrorClass::Reset, format!("the connection broke: {why}"))
    }

    /// The connection broke in the middle of the body.
    pub(crate) fn body(why: impl std::fmt::Display) -> Self {
        Self::new(ErrorClass::Body, format!("the body broke off: {why}"))
    }
}
