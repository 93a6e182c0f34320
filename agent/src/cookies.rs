//! A shopper's cookies.
//!
//! What a Set-Cookie line means, and which cookies go where, is the `cookie_store` crate's word. Its jar takes some
//! kilobytes, and there is a jar for each of half a million shoppers: so this one keeps names and values alone, and
//! where they go is shared by all shoppers of a worker.

mod rules;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use cookie_store::{Cookie, CookieExpiration};
use url::Url;

/// The longest name and value together that are taken, as browsers have it.
const COOKIE_BYTES_MAX: usize = 4_096;
/// Attributes that are longer are ignored.
const ATTRIBUTE_BYTES_MAX: usize = 1_024;
/// The most cookies that a shopper keeps: what a browser keeps for one site.
pub(crate) const COOKIES_MAX: usize = 180;
/// The most scopes that a worker knows at a time.
const SCOPES_MAX: usize = 1_000;

/// One shopper's jar, which takes no room as long as it is empty.
#[derive(Default)]
pub(crate) struct Cookies(Cell<Vec<Kept>>);

/// A cookie.
struct Kept {
    /// `name=value`, as it is sent.
    pair: Box<str>,
    name_bytes: u16,
    expires: CookieExpiration,
    scope: Rc<Scope>,
}

/// Where cookies go: domain, path, and whether only over TLS.
struct Scope {
    /// The first cookie of this scope, asked for all of them.
    first: Cookie<'static>,
}

/// All scopes that a worker's shoppers have cookies for.
#[derive(Default)]
pub(crate) struct Scopes(RefCell<Vec<Rc<Scope>>>);

impl Scopes {
    fn of(&self, cookie: &Cookie<'static>) -> Rc<Scope> {
        let same = |scope: &&Rc<Scope>| {
            let first = &scope.first;
            first.domain == cookie.domain
                && *first.path == *cookie.path
                && first.secure() == cookie.secure()
                && first.http_only() == cookie.http_only()
        };
        let mut scopes = self.0.borrow_mut();
        if let Some(known) = scopes.iter().find(same) {
            return Rc::clone(known);
        }
        if scopes.len() >= SCOPES_MAX {
            scopes.clear();
        }
        let scope = Rc::new(Scope { first: cookie.clone() });
        scopes.push(Rc::clone(&scope));
        scope
    }
}

impl Kept {
    fn name(&self) -> &str {
        &self.pair[..usize::from(self.name_bytes)]
    }

    fn value(&self) -> &str {
        self.pair.get(usize::from(self.name_bytes) + 1..).unwrap_or_default()
    }

    fn is_expired(&self) -> bool {
        // Asked only where there is a time, which needs the clock.
        self.expires != CookieExpiration::SessionEnd && self.expires.is_expired()
    }
}

impl Kept {
    /// Whether this is a Secure cookie that one from plain HTTP would stand in for: then that is not taken (RFC
    /// 6265bis, section 5.7, "leave secure cookies alone").
    fn is_left_alone_by(&self, cookie: &Cookie<'_>, url: &Url) -> bool {
        let first = &self.scope.first;
        url.scheme() != "https"
            && !rules::is_loopback(url)
            && first.secure() == Some(true)
            && self.name() == cookie.name()
            && first.domain.matches(url)
            && rules::path_matches(&first.path, &cookie.path)
    }
}

/// A Set-Cookie line without the attributes that a browser would not read.
fn without_long_attributes(line: &str) -> Cow<'_, str> {
    if line.len() <= ATTRIBUTE_BYTES_MAX {
        return Cow::Borrowed(line);
    }
    let mut parts = line.split(';');
    let pair = parts.next().unwrap_or_default();
    let is_short = |part: &&str| {
        let value = part.split_once('=').map_or("", |(_, value)| value.trim());
        value.len() <= ATTRIBUTE_BYTES_MAX
    };
    let kept: Vec<&str> = std::iter::once(pair).chain(parts.filter(is_short)).collect();
    Cow::Owned(kept.join(";"))
}

impl Cookies {
    /// Forgets every cookie.
    pub(crate) fn forget(&self) {
        self.0.set(Vec::new());
    }

    /// Does something with the cookies, which are nowhere else meanwhile.
    fn with<T>(&self, work: impl FnOnce(&mut Vec<Kept>) -> T) -> T {
        let mut jar = self.0.take();
        let done = work(&mut jar);
        self.0.set(jar);
        done
    }

    /// Appends the cookies for `url` to those that `out` holds.
    pub(crate) fn write(&self, url: &Url, out: &mut Vec<u8>) {
        self.with(|jar| {
            for kept in jar.iter() {
                if !kept.scope.first.matches(url) || kept.is_expired() {
                    continue;
                }
                if !out.is_empty() {
                    out.extend_from_slice(b"; ");
                }
                out.extend_from_slice(kept.pair.as_bytes());
            }
        });
    }

    /// Whether the cookie of this name that goes to `url` has another value than `value`; `None` where there is none.
    pub(crate) fn differs(&self, name: &str, value: &str, url: &Url) -> Option<bool> {
        self.with(|jar| {
            let mut same_name = jar.iter().filter(|kept| kept.name() == name);
            let kept = same_name.find(|kept| kept.scope.first.matches(url) && !kept.is_expired())?;
            Some(kept.value() != value)
        })
    }

    /// Takes a Set-Cookie line of an answer from `url`; false when a browser's limits say no.
    pub(crate) fn keep(&self, line: &str, url: &Url, scopes: &Scopes) -> bool {
        self.with(|jar| keep(jar, line, url, scopes))
    }
}

fn keep(jar: &mut Vec<Kept>, line: &str, url: &Url, scopes: &Scopes) -> bool {
    let line = without_long_attributes(line);
    // What else is wrong with a line, a browser ignores.
    let Ok(cookie) = Cookie::parse(line, url).map(Cookie::into_owned) else { return true };
    let (name, value) = cookie.name_value();
    if name.len() + value.len() > COOKIE_BYTES_MAX {
        return false;
    }
    let Ok(name_bytes) = u16::try_from(name.len()) else { return false };
    if !rules::allow(&cookie, url) || jar.iter().any(|kept| kept.is_left_alone_by(&cookie, url)) {
        return true;
    }
    let is_old = |kept: &Kept| {
        let first = &kept.scope.first;
        kept.name() == name && first.domain == cookie.domain && *first.path == *cookie.path
    };
    let old = jar.iter().position(is_old);
    let pair = format!("{name}={value}").into_boxed_str();
    if cookie.is_expired() {
        // That is how a server takes a cookie back.
        old.map(|position| jar.remove(position));
        return true;
    }
    let kept = Kept { pair, name_bytes, scope: scopes.of(&cookie), expires: cookie.expires };
    if let Some(position) = old {
        if jar[position].pair == kept.pair {
            jar[position] = kept;
            return true;
        }
        // Another value makes it a younger cookie.
        jar.remove(position);
    }
    if jar.len() >= COOKIES_MAX {
        jar.retain(|kept| !kept.is_expired());
    }
    if jar.len() >= COOKIES_MAX {
        return false;
    }
    // Most shoppers have one or two.
    if jar.len() == jar.capacity() {
        let more = 1 + jar.len() / 2;
        jar.reserve_exact(more);
    }
    // RFC 6265, section 5.4: longer paths first, then the older.
    let length = |kept: &Kept| kept.scope.first.path.len();
    let position = jar.partition_point(|other| length(other) >= length(&kept));
    jar.insert(position, kept);
    true
}

#[cfg(test)]
mod tests;
