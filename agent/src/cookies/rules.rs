//! Which cookies a browser takes, beyond what their line means (RFC 6265bis, section 5.7).

use cookie_store::{Cookie, CookieDomain};
use url::{Host, Url};

/// Whether a browser takes `cookie` from `url`.
pub(super) fn allow(cookie: &Cookie<'_>, url: &Url) -> bool {
    let (name, value) = cookie.name_value();
    let is_secure = cookie.secure() == Some(true);
    let no_controls = !name.chars().chain(value.chars()).any(char::is_control);
    let same_site_fits = !cookie.same_site().is_some_and(|same_site| same_site.is_none()) || is_secure;
    let may_be_secure = !is_secure || url.scheme() == "https" || is_loopback(url);
    no_controls
        && same_site_fits
        && may_be_secure
        && prefix_fits(cookie, is_secure)
        && !is_whole_suffix(cookie, url)
}

/// Names with a prefix promise how they were set.
fn prefix_fits(cookie: &Cookie<'_>, is_secure: bool) -> bool {
    let name = cookie.name().to_ascii_lowercase();
    let is_host = name.starts_with("__host-");
    let is_http = name.starts_with("__http-") || name.starts_with("__host-http-");
    let host_fits =
        !is_host || (is_secure && &*cookie.path == "/" && matches!(cookie.domain, CookieDomain::HostOnly(_)));
    let http_fits = !is_http || (is_secure && cookie.http_only() == Some(true));
    host_fits && http_fits && (!name.starts_with("__secure-") || is_secure)
}

/// A cookie for all of `.com` is nobody's. Of suffixes only those of one label are known.
fn is_whole_suffix(cookie: &Cookie<'_>, url: &Url) -> bool {
    match &cookie.domain {
        CookieDomain::Suffix(domain) => !domain.contains('.') && url.host_str() != Some(domain.as_str()),
        _ => false,
    }
}

/// Browsers trust what is on their own machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether a request for `path` is one for a cookie of the path `of` (RFC 6265, section 5.1.4).
pub(super) fn path_matches(of: &str, path: &str) -> bool {
    path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || of.ends_with('/') || rest.starts_with('/'))
}
