//! Answers and refusals in the shape that GraphQL gives them.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use crate::origin::api;

/// Why an operation is refused; `extensions.code` in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    AddressMissing,
    BadUserInput,
    CartNotFound,
    Declined,
    SoldOut,
    Unauthenticated,
}

impl Code {
    fn name(self) -> &'static str {
        match self {
            Code::AddressMissing => "ADDRESS_MISSING",
            Code::BadUserInput => "BAD_USER_INPUT",
            Code::CartNotFound => "CART_NOT_FOUND",
            Code::Declined => "DECLINED",
            Code::SoldOut => "SOLD_OUT",
            Code::Unauthenticated => "UNAUTHENTICATED",
        }
    }
}

/// A refusal, in words for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct Refusal {
    pub(super) code: Code,
    message: String,
}

impl Refusal {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into() }
    }

    pub(super) fn bad_input(message: impl Into<String>) -> Refusal {
        Refusal::new(Code::BadUserInput, message)
    }
}

/// What was asked for.
pub(super) fn given(field: &str, data: Value) -> Response {
    let mut fields = serde_json::Map::new();
    fields.insert(field.to_owned(), data);
    api::answer(StatusCode::OK, &json!({ "data": fields }))
}

/// What went wrong, in which field, if it came to one.
pub(super) fn refused(status: StatusCode, field: Option<&str>, refusal: &Refusal) -> Response {
    let path: Vec<&str> = field.into_iter().collect();
    let error = json!({
        "message": refusal.message,
        "path": path,
        "extensions": { "code": refusal.code.name() },
    });
    api::answer(status, &json!({ "errors": [error], "data": null }))
}
