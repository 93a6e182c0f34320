//! The second form on every page.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::guest::Guest;
use super::sheet::{expired, refuse};
use super::{HOME, flash};
use crate::origin::checkout::FIELD_CHARS_MAX;
use crate::origin::{Origin, page};

/// The form in the footer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NewsletterForm {
    csrf: String,
    email: String,
}

/// `POST /boutique/newsletter`
pub(super) async fn subscribe(
    State(origin): State<Arc<Origin>>,
    guest: Guest,
    Form(form): Form<NewsletterForm>,
) -> Response {
    let mut sessions = origin.boutique.lock();
    let Some(session) = sessions.submitted(guest.sid, &form.csrf) else {
        return expired(&origin, &guest, &mut sessions);
    };
    if !form.email.contains('@') || form.email.chars().count() > FIELD_CHARS_MAX {
        let reason = "This is no email address.";
        return refuse(&origin, &guest, &mut sessions, StatusCode::UNPROCESSABLE_ENTITY, reason);
    }
    session.has_newsletter = true;
    let mut answer = page::see_other(HOME);
    flash::leave(answer.headers_mut(), "You are on our list; we would write, were we real.");
    answer
}
