//! Who asks for a page of the boutique, what the last page said to this one, and under which faults.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;

use super::flash;
use crate::chance::Token;
use crate::fault::Switches;
use crate::origin::Origin;
use crate::origin::visitor::{cookie, loses_carts, may_lose, set_cookie, switches};

const SESSION_COOKIE: &str = "boutique_session";

/// The shopper behind a request. Being looked at is when a cart gets lost, as in the shop proper.
#[derive(Clone, Debug)]
pub(super) struct Guest {
    /// The session's name that came with the request; not necessarily one that we know.
    pub(super) sid: Option<Token>,
    /// What the page before had to say, if anything.
    pub(super) flash: Option<String>,
    pub(super) switches: Switches,
}

impl FromRequestParts<Arc<Origin>> for Guest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, origin: &Arc<Origin>) -> Result<Guest, Infallible> {
        let sid = cookie(&parts.headers, SESSION_COOKIE).and_then(Token::parse);
        let switches = switches(parts, origin);
        if loses_carts(&switches)
            && let Some(session) = origin.boutique.lock().find(sid)
        {
            may_lose(&mut session.cart, &switches, &origin.dice);
        }
        Ok(Guest { sid, flash: flash::read(&parts.headers), switches })
    }
}

/// Hands a session's new name to the browser.
pub(super) fn set_session_cookie(headers: &mut HeaderMap, sid: Option<Token>) {
    if let Some(sid) = sid {
        set_cookie(headers, &format!("{SESSION_COOKIE}={sid}; Path=/boutique; HttpOnly; SameSite=Lax"));
    }
}
