//! Who asks, from where, and under which faults.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::header::{COOKIE, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use super::Origin;
use super::cart::Cart;
use crate::chance::{Dice, Token};
use crate::fault::Switches;

const SESSION_COOKIE: &str = "sid";

/// Which region's edge the request came through; the edge adds it to the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct RegionIndex(pub(super) usize);

/// The shopper behind a request to cart, checkout or API.
///
/// Being looked at is when a cart gets lost, where that fault is on: so it strikes each request of a
/// session alike, whatever page it is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visitor {
    /// The token that came with the request; not necessarily one that we know.
    pub(super) sid: Option<Token>,
    pub(super) switches: Switches,
}

impl FromRequestParts<Arc<Origin>> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, origin: &Arc<Origin>) -> Result<Visitor, Infallible> {
        let sid = sid(&parts.headers);
        let switches = switches(parts, origin);
        if loses_carts(&switches)
            && let Some(session) = origin.sessions.lock().find(sid)
        {
            may_lose(&mut session.cart, &switches, &origin.dice);
        }
        Ok(Visitor { sid, switches })
    }
}

/// The token of the session that a request says it belongs to.
pub(super) fn sid(headers: &HeaderMap) -> Option<Token> {
    cookie(headers, SESSION_COOKIE).and_then(Token::parse)
}

/// The faults that are on where the request came in.
pub(super) fn switches(parts: &Parts, origin: &Origin) -> Switches {
    let region = parts.extensions.get::<RegionIndex>().map_or(0, |region| region.0);
    origin.faults.switches(region)
}

/// Whether carts get lost at all.
pub(super) fn loses_carts(switches: &Switches) -> bool {
    !switches.lost_cart.is_zero()
}

/// Loses a cart that is looked at, at the rate of that fault.
pub(super) fn may_lose(cart: &mut Cart, switches: &Switches, dice: &Dice) {
    if !cart.is_empty() && switches.lost_cart.strikes(dice) {
        *cart = Cart::default();
    }
}

/// Hands a new session's token to the browser.
pub(super) fn set_session_cookie(headers: &mut HeaderMap, opened: Option<Token>) {
    if let Some(sid) = opened {
        set_cookie(headers, &format!("{SESSION_COOKIE}={sid}; Path=/; HttpOnly; SameSite=Lax"));
    }
}

/// Adds a `Set-Cookie` of that value.
pub(super) fn set_cookie(headers: &mut HeaderMap, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        headers.append(SET_COOKIE, value);
    }
}

/// The value of a cookie of the request; HTTP/2 may bring cookies in several headers.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
}

#[cfg(test)]
mod tests {
    use super::cookie;
    use http::header::COOKIE;
    use http::{HeaderMap, HeaderValue};

    #[test]
    fn cookies_are_found_in_any_place() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("xsid=1; a=b=c"));
        headers.append(COOKIE, HeaderValue::from_static("sid=2"));
        assert_eq!(cookie(&headers, "sid"), Some("2"));
        assert_eq!(cookie(&headers, "a"), Some("b=c"));
        assert_eq!(cookie(&headers, "b"), None);
    }
}
