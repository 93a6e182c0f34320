//! Where is served, and to whom.
//!
//! On loopback to everybody on this machine, without a token unless there is one. A browser of this machine is somebody
//! on it, too, and may be led here by a stranger's page under a name that resolves to loopback: so there the `Host` header
//! must name this machine. Elsewhere a token is needed, which no stranger's page has.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::http::header::{AUTHORIZATION, HOST, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::Error;

/// The variable of the environment that holds the token.
pub(crate) const TOKEN: &str = "DOORBUSTER_TOKEN";
/// The path that tells no figure, and so needs no token.
pub(super) const HEALTH: &str = "/healthz";
/// A token that is shorter can be guessed.
const TOKEN_BYTES_MIN: usize = 16;

/// Where is served, and to whom.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Serving {
    /// Where.
    pub address: SocketAddr,
    /// What scrapers must send as a bearer token.
    token: Option<String>,
}

impl std::fmt::Debug for Serving {
    /// The token is nobody's business.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let token = self.token.as_ref().map(|_| "…");
        formatter.debug_struct("Serving").field("address", &self.address).field("token", &token).finish()
    }
}

impl Serving {
    /// Reads `--serve ADDRESS`: a port (on loopback), or an address and a port; `token` is what the environment holds.
    ///
    /// # Errors
    /// An address that is none, a token that is too short, or an address that others can reach without a token.
    pub(crate) fn new(address: &str, token: Option<String>) -> Result<Self, Error> {
        let usage = |why: String| Error::Usage(format!("--serve {address}: {why}"));
        let socket = address_of(address).ok_or_else(|| {
            usage("it is no address; write for example 9464, 127.0.0.1:9464 or [::1]:9464".to_owned())
        })?;
        let token = token.filter(|token| !token.is_empty());
        if token.as_ref().is_some_and(|token| token.len() < TOKEN_BYTES_MIN) {
            return Err(usage(format!(
                "{TOKEN} has fewer than {TOKEN_BYTES_MIN} characters; use a longer one"
            )));
        }
        if token.is_none() && !socket.ip().to_canonical().is_loopback() {
            return Err(usage(format!(
                "others can reach this address; set {TOKEN} to what they are to send as a bearer token, or serve on 127.0.0.1"
            )));
        }
        Ok(Self { address: socket, token })
    }

    /// Lets a request in, or says what it gets instead.
    pub(super) fn admit(&self, path: &str, headers: &HeaderMap) -> Result<(), Box<Response>> {
        let refuse = |status: StatusCode, why: &'static str| Err(Box::new((status, why).into_response()));
        if self.token.is_none() && !names_this_machine(headers) {
            return refuse(StatusCode::MISDIRECTED_REQUEST, "ask for this machine by its address\n");
        }
        match &self.token {
            Some(token) if path != HEALTH && !has_token(headers, token) => {
                let challenge = [(WWW_AUTHENTICATE, "Bearer")];
                Err(Box::new(
                    (StatusCode::UNAUTHORIZED, challenge, "a bearer token is needed\n").into_response(),
                ))
            }
            _ => Ok(()),
        }
    }
}

fn address_of(text: &str) -> Option<SocketAddr> {
    let on = |ip: IpAddr, port: &str| Some(SocketAddr::new(ip, port.parse().ok()?));
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    match text.strip_prefix("localhost:").or_else(|| text.strip_prefix(':')) {
        Some(port) => on(loopback, port),
        None => on(loopback, text).or_else(|| text.parse().ok()),
    }
}

/// Whether `Host` is an address (names alone can be made to lead here) or `localhost`.
fn names_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return false };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

/// Whether the token is sent. How long the comparison takes does not depend on where a wrong one differs.
fn has_token(headers: &HeaderMap, token: &str) -> bool {
    let sent = headers.get(AUTHORIZATION).map(|value| value.as_bytes()).unwrap_or_default();
    let Some((scheme, sent)) = sent.split_at_checked(7) else { return false };
    let differs = sent.iter().zip(token.as_bytes()).fold(0, |differs, (one, other)| differs | (one ^ other));
    scheme.eq_ignore_ascii_case(b"bearer ") && sent.len() == token.len() && differs == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef";

    #[test]
    fn addresses_are_loopback_unless_they_say_otherwise() {
        for (text, expected) in [
            ("9464", "127.0.0.1:9464"),
            (":9464", "127.0.0.1:9464"),
            ("localhost:9464", "127.0.0.1:9464"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("[::1]:9464", "[::1]:9464"),
            ("[::ffff:127.0.0.1]:9464", "[::ffff:127.0.0.1]:9464"),
        ] {
            assert_eq!(Serving::new(text, None).unwrap().address, expected.parse().unwrap(), "{text}");
        }
        for text in ["", "metrics", "127.0.0.1", "shop.example.com:9464", "70000", "::1"] {
            assert!(Serving::new(text, None).is_err(), "{text}");
        }
    }

    #[test]
    fn others_are_let_in_with_a_token_alone() {
        let refused = Serving::new("0.0.0.0:9464", None).unwrap_err();
        assert!(refused.to_string().contains("set DOORBUSTER_TOKEN"), "{refused}");
        assert_eq!(refused.exit_code(), 2);
        assert!(Serving::new("0.0.0.0:9464", Some(String::new())).is_err());
        let short = Serving::new("127.0.0.1:9464", Some("short".to_owned())).unwrap_err().to_string();
        assert!(short.contains("fewer than 16 characters") && !short.contains("short;"), "{short}");
        let serving = Serving::new("0.0.0.0:9464", Some(SECRET.to_owned())).unwrap();
        assert!(!format!("{serving:?}").contains(SECRET));
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn status(serving: &Serving, path: &str, pairs: &[(&'static str, &str)]) -> u16 {
        serving.admit(path, &headers(pairs)).map_or_else(|response| response.status().as_u16(), |()| 200)
    }

    #[test]
    fn without_a_token_the_host_must_be_this_machine() {
        let serving = Serving::new("9464", None).unwrap();
        for (host, expected) in [
            ("127.0.0.1:9464", 200),
            ("127.0.0.1", 200),
            ("localhost:9464", 200),
            ("LocalHost", 200),
            ("[::1]:9464", 200),
            ("rebound.example.com:9464", 421),
            ("127.0.0.1.example.com", 421),
            ("localhost.example.com:9464", 421),
            ("", 421),
        ] {
            assert_eq!(status(&serving, "/metrics", &[("host", host)]), expected, "{host}");
        }
        assert_eq!(status(&serving, "/metrics", &[]), 421);
    }

    #[test]
    fn with_a_token_the_host_may_be_any_and_the_token_must_be_right() {
        let serving = Serving::new("9464", Some(SECRET.to_owned())).unwrap();
        let host = ("host", "probes.example.com");
        for (token, expected) in [
            ("Bearer 0123456789abcdef", 200),
            ("bearer 0123456789abcdef", 200),
            ("Bearer 0123456789abcdeF", 401),
            ("Bearer 0123456789abcdef0", 401),
            ("Bearer 0123456789abcde", 401),
            ("Bearer ", 401),
            ("Basic 0123456789abcdef", 401),
            ("0123456789abcdef", 401),
        ] {
            assert_eq!(status(&serving, "/metrics", &[host, ("authorization", token)]), expected, "{token}");
        }
        assert_eq!(status(&serving, "/metrics", &[host]), 401);
        assert_eq!(status(&serving, HEALTH, &[host]), 200, "it tells no figure");
    }
}
