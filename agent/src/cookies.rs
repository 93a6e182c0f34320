//! A shopper's cookies.
//!
//! What a Set-Cookie line means, and which cookies go where, is the `cookie_store` crate's word. Its jar takes some
//! kilobytes, and there is a jar for each of half a million shoppers: so this one keeps names and values alone, and
//! where they go is shared by all shoppers of a worker.

use std::cell::RefCell;
use std::rc::Rc;

use cookie_store::{Cookie, CookieExpiration};
use url::Url;

/// The longest Set-Cookie line that is taken, as browsers have it (RFC 6265, section 6.1).
const COOKIE_BYTES_MAX: usize = 4_096;
/// The most cookies that a shopper keeps: what a browser keeps for one site.
const COOKIES_MAX: usize = 180;
/// The most scopes that a worker knows at a time.
const SCOPES_MAX: usize = 1_000;

/// One shopper's jar, which takes no room as long as it is empty.
#[derive(Default)]
pub(crate) struct Cookies(RefCell<Vec<Kept>>);

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

    fn is_expired(&self) -> bool {
        // Asked only where there is a time, which needs the clock.
        self.expires != CookieExpiration::SessionEnd && self.expires.is_expired()
    }
}

impl Cookies {
    /// Forgets every cookie.
    pub(crate) fn forget(&self) {
        *self.0.borrow_mut() = Vec::new();
    }

    /// Appends the cookies for `url` to those that `out` holds.
    pub(crate) fn write(&self, url: &Url, out: &mut Vec<u8>) {
        for kept in self.0.borrow().iter() {
            if !kept.scope.first.matches(url) || kept.is_expired() {
                continue;
            }
            if !out.is_empty() {
                out.extend_from_slice(b"; ");
            }
            out.extend_from_slice(kept.pair.as_bytes());
        }
    }

    /// Takes a Set-Cookie line of an answer from `url`; false when a browser's limits say no.
    pub(crate) fn keep(&self, line: &str, url: &Url, scopes: &Scopes) -> bool {
        let mut jar = self.0.borrow_mut();
        if line.len() > COOKIE_BYTES_MAX {
            return false;
        }
        // What else is wrong with a line, a browser ignores.
        let Ok(cookie) = Cookie::parse(line, url).map(Cookie::into_owned) else { return true };
        let (name, value) = cookie.name_value();
        let Ok(name_bytes) = u16::try_from(name.len()) else { return false };
        let is_old = |kept: &Kept| {
            // By their texts: whether they were written or follow from the address makes no other cookie of it.
            let first = &kept.scope.first;
            kept.name() == name
                && first.domain.as_cow() == cookie.domain.as_cow()
                && *first.path == *cookie.path
        };
        let old = jar.iter().position(is_old);
        if cookie.is_expired() {
            // That is how a server takes a cookie back.
            old.map(|position| jar.remove(position));
            return true;
        }
        let kept = Kept {
            pair: format!("{name}={value}").into_boxed_str(),
            name_bytes,
            scope: scopes.of(&cookie),
            expires: cookie.expires,
        };
        if let Some(position) = old {
            jar[position] = kept;
            return true;
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(cookies: &Cookies, url: &str) -> String {
        let mut out = Vec::new();
        cookies.write(&Url::parse(url).unwrap(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn cookies_go_where_they_belong() {
        let (cookies, scopes) = (Cookies::default(), Scopes::default());
        let keep = |url: &str, line: &str| cookies.keep(line, &Url::parse(url).unwrap(), &scopes);
        let shop = "https://shop.example/cart/add?x=1";
        for line in [
            "session=abc; Path=/; HttpOnly",
            "deep=1; Path=/cart",
            "here=2",
            "wide=3; Domain=shop.example; Path=/",
            "tls=4; Secure; Path=/",
            "gone=5; Path=/; Max-Age=0",
            "later=6; Path=/; Max-Age=600",
            "other=7; Domain=elsewhere.example",
            "no cookie at all",
        ] {
            assert!(keep(shop, line), "{line}");
        }
        assert_eq!(sent(&cookies, shop), "deep=1; here=2; session=abc; wide=3; tls=4; later=6");
        assert_eq!(sent(&cookies, "https://shop.example/"), "session=abc; wide=3; tls=4; later=6");
        assert_eq!(sent(&cookies, "http://shop.example/"), "session=abc; wide=3; later=6");
        assert_eq!(sent(&cookies, "https://www.shop.example/"), "wide=3");
        assert_eq!(sent(&cookies, "https://notshop.example/"), "");
        assert!(
            keep(shop, "session=new; Path=/") && keep(shop, "wide=; Domain=shop.example; Path=/; Max-Age=0")
        );
        assert_eq!(sent(&cookies, "http://shop.example/"), "session=new; later=6");
        cookies.forget();
        assert_eq!(sent(&cookies, shop), "");
    }

    /// The same lines to `cookie_store`'s jar and to this one: the same cookies go to the same places.
    #[test]
    fn it_keeps_what_cookie_store_keeps() {
        let pages =
            ["https://shop.example/", "https://shop.example/cart/add", "http://www.shop.example/cart"];
        let lines = [
            "a=1",
            "a=2; Path=/",
            "a=3; Path=/cart",
            "a=4; Domain=shop.example",
            "a=5; Domain=shop.example; Path=/",
            "a=; Path=/; Max-Age=0",
            "a=6; Secure",
            "b=7; Path=/; HttpOnly",
            "b=; Domain=shop.example; Path=/; Max-Age=0",
        ];
        // Every sequence of three lines, each set by each page.
        let all: Vec<(&str, &str)> = pages.iter().flat_map(|page| lines.map(|line| (*page, line))).collect();
        for first in &all {
            for second in &all {
                for third in &all {
                    let (cookies, scopes) = (Cookies::default(), Scopes::default());
                    let mut store = cookie_store::CookieStore::default();
                    for (page, line) in [first, second, third] {
                        let page = Url::parse(page).unwrap();
                        assert!(cookies.keep(line, &page, &scopes));
                        let _ = store.parse(line, &page);
                    }
                    for page in pages {
                        let own = sent(&cookies, page);
                        let mut own: Vec<&str> = own.split("; ").filter(|pair| !pair.is_empty()).collect();
                        let url = Url::parse(page).unwrap();
                        let pairs = store.get_request_values(&url);
                        let mut expected: Vec<String> =
                            pairs.map(|(name, value)| format!("{name}={value}")).collect();
                        own.sort_unstable();
                        expected.sort_unstable();
                        assert_eq!(own, expected, "{first:?} {second:?} {third:?} for {page}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_jar_is_bounded_and_small() {
        let (cookies, scopes) = (Cookies::default(), Scopes::default());
        let url = Url::parse("http://127.0.0.1/").unwrap();
        assert!(!cookies.keep(&format!("a={}", "x".repeat(COOKIE_BYTES_MAX)), &url, &scopes));
        for number in 0..COOKIES_MAX {
            assert!(cookies.keep(&format!("c{number}=1"), &url, &scopes));
        }
        assert!(!cookies.keep("one-more=1", &url, &scopes));
        assert!(cookies.keep("c7=2", &url, &scopes), "those that are there may change");
        assert_eq!(scopes.0.borrow().len(), 1);
        assert!(size_of::<Kept>() <= 48, "{}", size_of::<Kept>());
    }
}
