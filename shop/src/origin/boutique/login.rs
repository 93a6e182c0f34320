//! Logging in. A wrong password is answered as a right one is, with 302; only the address differs.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::guest::{Guest, set_session_cookie};
use super::sheet::expired;
use super::{ACCOUNT, flash};
use crate::origin::{Origin, page};

const FAILED: &str = "/boutique/?login=failed";
const USER_CHARS_MAX: usize = 50;

/// The form on the front page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LoginForm {
    csrf: String,
    user: String,
    password: String,
}

/// `POST /boutique/login`
pub(super) async fn log_in(
    State(origin): State<Arc<Origin>>,
    guest: Guest,
    Form(form): Form<LoginForm>,
) -> Response {
    let mut sessions = origin.boutique.lock();
    if sessions.submitted(guest.sid, &form.csrf).is_none() {
        return expired(&origin, &guest, &mut sessions);
    }
    if !form.is_right() {
        return page::found(FAILED);
    }
    let renamed = sessions.log_in(guest.sid, &form.user);
    let mut answer = page::found(ACCOUNT);
    set_session_cookie(answer.headers_mut(), renamed);
    flash::leave(answer.headers_mut(), &format!("Welcome, {}; good to see you!", form.user));
    answer
}

impl LoginForm {
    /// Everybody may come in whose password is `secret-` and the user's name.
    fn is_right(&self) -> bool {
        (1..=USER_CHARS_MAX).contains(&self.user.chars().count())
            && self.password.strip_prefix("secret-") == Some(self.user.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::LoginForm;

    #[test]
    fn a_password_belongs_to_a_user() {
        let is_right = |user: &str, password: &str| {
            LoginForm { csrf: String::new(), user: user.to_owned(), password: password.to_owned() }.is_right()
        };
        assert!(is_right("amber", "secret-amber") && is_right("é", "secret-é"));
        assert!(
            !is_right("amber", "secret-birch") && !is_right("amber", "amber") && !is_right("", "secret-")
        );
        assert!(!is_right(&"x".repeat(51), &format!("secret-{}", "x".repeat(51))));
    }
}
