//! Addresses: those that a text names, and other ways of writing one.

use url::Url;

/// The longest address that is looked at, in bytes.
const ADDRESS_BYTES_MAX: usize = 300;
/// So much of a text is looked through.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// The most addresses of a text.
const ADDRESSES_MAX: usize = 300;

/// The most other orders of parameters that are tried: all of three parameters.
const ORDERS_MAX: usize = 5;

/// Words of addresses that do something when they are asked for, in shops that do not keep GET for looking.
const ACTS: &[&str] = &[
    "add",
    "clear",
    "delete",
    "empty",
    "logout",
    "order",
    "pay",
    "remove",
    "signout",
    "subscribe",
    "unsubscribe",
    "update",
];

/// The addresses on the host of `base` that stand in quotes in a page or a script, each once, in their order: what links
/// lead to, and what scripts fetch.
pub fn named_in(text: &[u8], base: &Url) -> Vec<Url> {
    let mut found: Vec<Url> = Vec::new();
    let mut rest = &text[..text.len().min(TEXT_BYTES_MAX)];
    while let Some(begin) = rest.iter().position(|byte| matches!(byte, b'"' | b'\'' | b'`')) {
        let quote = rest[begin];
        rest = &rest[begin + 1..];
        let end = rest.iter().take(ADDRESS_BYTES_MAX + 1).position(|byte| *byte == quote);
        let Some((url, end)) = end.and_then(|end| Some((address(&rest[..end], base)?, end))) else {
            // An apostrophe in a text, or the end of something else: the next quote may begin an address.
            continue;
        };
        rest = &rest[end + 1..];
        if !found.contains(&url) {
            found.push(url);
        }
        if found.len() >= ADDRESSES_MAX {
            break;
        }
    }
    found
}

/// The address on the host of `base` that a quoted text is, if it is one and no template of one.
fn address(quoted: &[u8], base: &Url) -> Option<Url> {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !b"{}$<>\\^|[]*".contains(byte);
    let text = std::str::from_utf8(quoted).ok().filter(|text| text.as_bytes().iter().all(is_plain))?;
    let is_path = text.starts_with('/') && !text.starts_with("//");
    if !is_path && !text.starts_with("http://") && !text.starts_with("https://") {
        return None;
    }
    let mut url = base.join(&text.replace("&amp;", "&")).ok()?;
    url.set_fragment(None);
    (url.host_str() == base.host_str() && url.port_or_known_default() == base.port_or_known_default())
        .then_some(url)
}

/// Whether asking for it might do something.
pub(super) fn may_act(url: &Url) -> bool {
    let mut words = url.path().split(['/', '-', '_', '.']);
    words.any(|word| ACTS.iter().any(|act| word.eq_ignore_ascii_case(act)))
}

/// What the last part of its path ends with, in lower case: `css`. Empty where it ends with nothing of the kind.
pub(super) fn extension(url: &Url) -> String {
    let name = url.path().rsplit('/').next().unwrap_or_default();
    match name.rsplit_once('.') {
        Some((_, end)) if end.len() <= 5 && end.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            end.to_ascii_lowercase()
        }
        _ => String::new(),
    }
}

/// The first part of its path: `cart` of `/cart/items`.
pub(super) fn first_part(url: &Url) -> &str {
    url.path().split('/').nth(1).unwrap_or_default()
}

/// The address with a parameter that follows visits and changes no page; `value` makes it one that nobody wrote before.
pub(super) fn with_tracking(url: &Url, value: &str) -> Url {
    let mut url = url.clone();
    url.query_pairs_mut().append_pair("utm_source", value);
    url
}

/// The address with a parameter that nobody knows, neither its name nor its value.
pub(super) fn with_unknown(url: &Url, nonce: &str, value: usize) -> Url {
    let mut url = url.clone();
    url.query_pairs_mut().append_pair(&format!("unknown-{nonce}"), &value.to_string());
    url
}

/// In how many other orders its parameters are tried; 0 where it has no two, or where one is repeated, whose order may
/// matter.
pub(super) fn orders(url: &Url) -> usize {
    let mut names: Vec<&str> = pairs(url).iter().map(|pair| name_of(pair)).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    match names.len() {
        distinct if distinct < count => 0,
        0 | 1 => 0,
        // The other of two.
        2 => 1,
        several => ORDERS_MAX.min(2 * several - 1),
    }
}

/// The address with its parameters in the `number`th other order, from 1 to [`orders`]: turned round, then turned round
/// backwards, so that no two are the same.
pub(super) fn in_order(url: &Url, number: usize) -> Option<Url> {
    if !(1..=orders(url)).contains(&number) {
        return None;
    }
    let mut pairs = pairs(url);
    match number.checked_sub(pairs.len()) {
        None => pairs.rotate_left(number),
        Some(turns) => {
            pairs.reverse();
            pairs.rotate_left(turns);
        }
    }
    let query = pairs.join("&");
    let mut other = url.clone();
    other.set_query(Some(&query));
    Some(other)
}

fn pairs(url: &Url) -> Vec<&str> {
    url.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).collect()
}

fn name_of(pair: &str) -> &str {
    pair.split('=').next().unwrap_or_default()
}

/// An address of the same host at which nothing can be.
pub(super) fn missing(base: &Url, nonce: &str) -> Option<Url> {
    base.join(&format!("/doorbuster-audit-{nonce}")).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> Url {
        Url::parse("https://shop.test/p/1").unwrap()
    }

    fn named(text: &str) -> Vec<String> {
        named_in(text.as_bytes(), &base()).iter().map(Url::to_string).collect()
    }

    #[test]
    fn what_stands_in_quotes_and_is_an_address_is_found() {
        let page = r#"<p>It's "new": <a class="x" href="/cart#top">Cart</a> <a href='/search?q=a&amp;page=2'>more</a>
            <a href="//other.test/cart"></a><a href="https://other.test/x"></a><a href="relative"></a><a href="/cart">
            <script>const answer = await fetch("/api/cart", { credentials: "same-origin" }); fetch(`/api/items/${id}`);
            open("https://shop.test/checkout"); go('/a b'); say("/api/{id}")</script>"#;
        assert_eq!(
            named(page),
            [
                "https://shop.test/cart",
                "https://shop.test/search?q=a&page=2",
                "https://shop.test/api/cart",
                "https://shop.test/checkout",
            ]
        );
    }

    #[test]
    fn what_is_found_is_bounded() {
        let many: String = (0..1_000).map(|number| format!("\"/p/{number}\" ")).collect();
        assert_eq!(named(&many).len(), ADDRESSES_MAX);
        assert_eq!(named(&format!("\"/{}\"", "x".repeat(ADDRESS_BYTES_MAX))), [""; 0]);
        let late = format!("{}\"/late\"", " ".repeat(TEXT_BYTES_MAX));
        assert_eq!(named(&late), [""; 0]);
    }

    #[test]
    fn parts_of_addresses() {
        let url = |path: &str| base().join(path).unwrap();
        for path in ["/cart/add", "/logout", "/api/cart/remove-item", "/api/Clear.do"] {
            assert!(may_act(&url(path)), "{path}");
        }
        for path in ["/cart", "/checkout/address", "/api/orders", "/api/additional"] {
            assert!(!may_act(&url(path)), "{path}");
        }
        assert_eq!(extension(&url("/static/ab.12/Style.CSS?v=1.js")), "css");
        assert_eq!(extension(&url("/p/1")), "");
        assert_eq!((first_part(&url("/cart/items")), first_part(&url("/"))), ("cart", ""));
        assert_eq!(missing(&base(), "a-1").unwrap().as_str(), "https://shop.test/doorbuster-audit-a-1");
    }

    #[test]
    fn other_ways_of_writing_an_address() {
        let url = |path: &str| base().join(path).unwrap();
        assert_eq!(with_tracking(&url("/p/1"), "a").as_str(), "https://shop.test/p/1?utm_source=a");
        assert_eq!(
            with_tracking(&url("/s?q=a%20b"), "c").as_str(),
            "https://shop.test/s?q=a%20b&utm_source=c"
        );
        let unknown = with_unknown(&url("/p/1?a=b"), "n1", 2);
        assert_eq!(unknown.as_str(), "https://shop.test/p/1?a=b&unknown-n1=2");
        let three = url("/s?a=1&b=2&c=3");
        let orders_of = |url: &Url| -> Vec<String> {
            (0..9)
                .filter_map(|number| in_order(url, number))
                .map(|url| url.query().unwrap().to_owned())
                .collect()
        };
        let others = ["b=2&c=3&a=1", "c=3&a=1&b=2", "c=3&b=2&a=1", "b=2&a=1&c=3", "a=1&c=3&b=2"];
        assert_eq!(orders_of(&three), others);
        assert_eq!(orders_of(&url("/s?a&b&c&d")), ["b&c&d&a", "c&d&a&b", "d&a&b&c", "d&c&b&a", "c&b&a&d"]);
        assert_eq!(orders_of(&url("/s?a=1&b=2")), ["b=2&a=1"]);
        for alone in ["/s", "/s?", "/s?a=1", "/s?a=1&a=2", "/s?a&"] {
            assert_eq!(orders_of(&url(alone)), [""; 0], "{alone}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_all_is_on_the_host(
            wild in prop::collection::vec(any::<u8>(), 0..300),
            near in "(\"|'|`|/|//|https://shop.test|https://other.test|a|\\?|&|=|#| |é){0,60}",
        ) {
            for text in [&wild[..], near.as_bytes()] {
                for url in named_in(text, &base()) {
                    prop_assert_eq!(url.host_str(), Some("shop.test"));
                    prop_assert!(url.fragment().is_none());
                }
            }
        }
    }
}
