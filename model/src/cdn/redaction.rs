//! What of a request or an answer is nobody else's business: the values of cookies, and of headers and parameters that are
//! called as secrets are called. Names stay, since they are what findings are about.

use std::borrow::Cow;

/// Stands for a secret.
pub(super) const HIDDEN: &str = "(hidden)";

/// Headers and parameters whose names hold one of these are secrets.
const SECRET: &[&str] = &[
    "auth",
    "token",
    "secret",
    "passw",
    "sess",
    "csrf",
    "xsrf",
    "api-key",
    "apikey",
    "api_key",
    "signature",
    "credential",
    "email",
    "jwt",
    "otp",
];
/// Parameters of exactly these names are secrets.
const SECRET_PARAMETERS: &[&str] = &["code", "key", "pass", "pwd", "sid", "sig"];
/// Headers that hold addresses.
const ADDRESSES: &[&str] = &["location", "content-location", "referer", "refresh", "link"];

/// Whether a header holds addresses.
pub(super) fn holds_addresses(name: &str) -> bool {
    ADDRESSES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// A header's value without secrets.
pub(super) fn header(name: &str, value: &str) -> String {
    let value = value.trim();
    match name.to_ascii_lowercase().as_str() {
        "cookie" => value.split(';').map(|pair| hidden(pair.trim())).collect::<Vec<_>>().join("; "),
        "set-cookie" => {
            let (pair, attributes) = value.split_once(';').unwrap_or((value, ""));
            let semicolon = if attributes.is_empty() { "" } else { ";" };
            format!("{}{semicolon}{attributes}", hidden(pair))
        }
        "refresh" => refresh(value),
        "link" => link(value),
        name if holds_addresses(name) => address(value),
        name if is_secret(name) => HIDDEN.to_owned(),
        _ => value.to_owned(),
    }
}

/// An address without its fragment, without who asks (`user:password@`), and without the values of secret parameters, be
/// they in its query or in its path (`/cart;jsessionid=…`).
pub(super) fn address(url: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
    let mut shown = parameters(&without_user(path), &['/', ';']);
    if let Some(query) = query {
        shown.push('?');
        shown.push_str(&parameters(query, &['&', ';']));
    }
    shown
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|secret| name.contains(secret))
}

/// `name=value` without its value.
fn hidden(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) => format!("{name}={HIDDEN}"),
        None => HIDDEN.to_owned(),
    }
}

/// A list between separators, of which those that are `name=value` show no secret.
fn parameters(list: &str, separators: &[char]) -> String {
    let mut shown = String::with_capacity(list.len());
    for part in list.split_inclusive(separators) {
        let pair = part.trim_end_matches(separators);
        match pair.split_once('=') {
            Some((name, _)) if is_secret(name) || is_secret_parameter(name) => shown.push_str(&hidden(pair)),
            _ => shown.push_str(pair),
        }
        shown.push_str(&part[pair.len()..]);
    }
    shown
}

fn is_secret_parameter(name: &str) -> bool {
    SECRET_PARAMETERS.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// An address up to its query, without the name and the password before its host.
fn without_user(address: &str) -> Cow<'_, str> {
    let begin = match address.find("//") {
        // Behind a scheme, or in the place of one.
        Some(slashes) if slashes == 0 || address[..slashes].ends_with(':') => slashes + 2,
        _ => return Cow::Borrowed(address),
    };
    let end = address[begin..].find('/').map_or(address.len(), |slash| begin + slash);
    match address[begin..end].rfind('@') {
        Some(at) => Cow::Owned(format!("{}{}", &address[..begin], &address[begin + at + 1..])),
        None => Cow::Borrowed(address),
    }
}

/// A value of `Refresh`: `5; url=https://…`.
fn refresh(value: &str) -> String {
    const URL: &str = "url=";
    match value.to_ascii_lowercase().find(URL) {
        Some(position) => {
            let (before, url) = value.split_at(position + URL.len());
            format!("{before}{}", address(url))
        }
        None => value.to_owned(),
    }
}

/// A value of `Link`: `<https://…>; rel=preload, <…>`.
fn link(value: &str) -> String {
    let mut shown = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(position) = rest.find('<') {
        let (before, url) = rest.split_at(position + 1);
        let (url, after) = url.split_at(url.find('>').unwrap_or(url.len()));
        shown.push_str(before);
        shown.push_str(&address(url));
        rest = after;
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_are_hidden_and_what_matters_is_shown() {
        for (name, value, expected) in [
            ("Cookie", "sid=42; AWSALB=x=y", "sid=(hidden); AWSALB=(hidden)"),
            ("Set-Cookie", "sid=42; Path=/; HttpOnly", "sid=(hidden); Path=/; HttpOnly"),
            ("set-cookie", "sid=42", "sid=(hidden)"),
            ("Authorization", "Basic c2hvcDpw", "(hidden)"),
            ("X-CSRF-Token", "1", "(hidden)"),
            ("X-Cache", "Hit from cloudfront", "Hit from cloudfront"),
            ("Vary", "Cookie", "Cookie"),
            ("Location", "/pay?token=1&step=2#x", "/pay?token=(hidden)&step=2"),
            ("Location", "https://felix:pw@s.test/a@b", "https://s.test/a@b"),
            ("Location", "//felix@s.test", "//s.test"),
            ("Refresh", "5; URL='/pay?otp=123'", "5; URL='/pay?otp=(hidden)"),
            ("Refresh", "5", "5"),
            (
                "Link",
                "</a.css?v=1>; rel=preload, <https://u:p@s.test/x?jwt=1>; rel=next",
                "</a.css?v=1>; rel=preload, <https://s.test/x?jwt=(hidden)>; rel=next",
            ),
            ("Link", "<", "<"),
            ("Age", " 5 ", "5"),
        ] {
            assert_eq!(header(name, value), expected, "{name}: {value}");
        }
    }

    #[test]
    fn addresses_show_no_session() {
        for (url, expected) in [
            (
                "https://s.test/a?q=tent&utm_source=x&Email=a@b.c&sid=1",
                "https://s.test/a?q=tent&utm_source=x&Email=(hidden)&sid=(hidden)",
            ),
            ("/cart;jsessionid=A1;v=2/items", "/cart;jsessionid=(hidden);v=2/items"),
            (
                "/?PHPSESSID=1&jwt=2&otp=3;user_otp=4",
                "/?PHPSESSID=(hidden)&jwt=(hidden)&otp=(hidden);user_otp=(hidden)",
            ),
            // What only is called so is no secret.
            ("/session/token?token", "/session/token?token"),
            ("https://s.test//a@b", "https://s.test//a@b"),
            ("/a//b@c", "/a//b@c"),
            ("", ""),
        ] {
            assert_eq!(address(url), expected, "{url}");
        }
    }

    proptest! {
        #[test]
        fn no_value_panics_and_no_secret_is_shown(
            wild in "(<|>|/|//|:|@|[?]|&|;|=|#|url=|é|\\PC){0,20}",
            secret in "[a-z0-9]{12}",
        ) {
            for name in ["location", "refresh", "link", "cookie", "set-cookie", "x-odd"] {
                let _ = header(name, &wild);
            }
            for (name, value) in [
                ("location", format!("https://u:{secret}@s.test/{wild}")),
                ("location", format!("/{};jsessionid={secret}", wild.replace(['#', '?'], ""))),
                ("refresh", format!("1;url=/?token={secret}")),
                ("link", format!("</?token={secret}>{}", wild.replace('<', ""))),
                ("set-cookie", format!("sid={secret};{wild}")),
            ] {
                let shown = header(name, &value);
                prop_assert!(!shown.contains(&secret), "{name}: {value} is shown as {shown}");
            }
        }
    }
}
