//! Who asks: whoever holds the token that came with a cart.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::chance::Token;
use crate::fault::Switches;
use crate::origin::Origin;
use crate::origin::visitor::{loses_carts, may_lose, switches};

/// The client behind a request. Being looked at is when a cart gets lost, as in the shop proper.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bearer {
    /// The token that came with the request; not necessarily one that we know.
    pub(super) token: Option<Token>,
    pub(super) switches: Switches,
}

impl FromRequestParts<Arc<Origin>> for Bearer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, origin: &Arc<Origin>) -> Result<Bearer, Infallible> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(token_of);
        let switches = switches(parts, origin);
        if loses_carts(&switches)
            && let Some(open) = origin.graphql.lock().of(token)
        {
            may_lose(&mut open.cart, &switches, &origin.dice);
        }
        Ok(Bearer { token, switches })
    }
}

/// The token of `Bearer <token>`.
fn token_of(header: &str) -> Option<Token> {
    let (scheme, token) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") { Token::parse(token.trim()) } else { None }
}

#[cfg(test)]
mod tests {
    use super::token_of;

    #[test]
    fn a_token_stands_behind_its_scheme() {
        let token = "00000000000000000000000000000007";
        let read = |header: String| token_of(&header).map(|token| token.to_string());
        assert_eq!(read(format!("Bearer {token}")).as_deref(), Some(token));
        assert_eq!(read(format!("bearer  {token}")).as_deref(), Some(token));
        for header in [token.to_owned(), format!("Basic {token}"), "Bearer".to_owned(), "Bearer x".to_owned()]
        {
            assert_eq!(read(header.clone()), None, "{header}");
        }
    }
}
