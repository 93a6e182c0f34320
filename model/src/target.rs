//! Who may be loaded. Doorbuster never loads a stranger.

use std::net::IpAddr;

use url::{Host, Url};

/// The most requests per second that a host gets which nobody named on the command line.
pub const STRANGER_REQUESTS_PER_SECOND_MAX: u64 = 10;

/// Whether the URL's host is this machine by its very name: a loopback address, or `localhost`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Whether `host` was named exactly in `allowed` (compared without regard to case).
pub fn is_named(host: &str, allowed: &[String]) -> bool {
    allowed.iter().any(|name| name.eq_ignore_ascii_case(host))
}

/// Reads a target: an absolute `http` or `https` URL with a host and without a user.
///
/// # Errors
/// A sentence that says what was found and how to write it.
pub fn parse(text: &str) -> Result<Url, String> {
    let example = "write for example https://shop.example.com";
    let url = Url::parse(text).map_err(|error| format!("\"{text}\" is not a URL ({error}); {example}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(format!("\"{text}\" is not an http or https URL; {example}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("\"{text}\" holds a user name; put it into the plan's http.basic_auth instead"));
    }
    Ok(url)
}

/// Reads a plan's target: as [`parse`] does, and without a path, which every step names for itself.
///
/// # Errors
/// As [`parse`], or that there is a path, a query or a fragment.
pub fn parse_origin(text: &str) -> Result<Url, String> {
    let url = parse(text)?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(format!(
            "\"{text}\" holds a path, which steps name for themselves; write {}",
            url.origin().ascii_serialization()
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::{is_loopback, is_named, parse};

    #[test]
    fn loopback_is_told_from_strangers() {
        for own in [
            "http://127.0.0.1:80",
            "http://127.8.9.1",
            "http://localhost:1",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://shop.localhost",
        ] {
            assert!(is_loopback(&parse(own).unwrap()), "{own}");
        }
        for other in [
            "http://127.0.0.1.example.com",
            "https://shop.example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
        ] {
            assert!(!is_loopback(&parse(other).unwrap()), "{other}");
        }
        assert!(is_named("Shop.example.com", &["shop.example.com".to_owned()]));
        assert!(!is_named("www.shop.example.com", &["shop.example.com".to_owned()]));
    }

    #[test]
    fn what_is_no_target_is_refused_with_an_example() {
        for text in [
            "shop.example.com",
            "ftp://shop.example.com",
            "/relative",
            "http://user:secret@shop.example.com",
            "",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
