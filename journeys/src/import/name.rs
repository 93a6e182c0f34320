//! Names: of steps from their paths, of variables from where their values come from.

use super::looks::{Looks, looks};
use super::target::decoded;
use url::Url;

/// The longest name before it is made unique, in characters.
const NAME_CHARS_MAX: usize = 80;

/// The words of a name in any style: `productId`, `product_id`, `product-id`, `product[id]`.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            let begins = !before.is_ascii_alphanumeric()
                || (character.is_ascii_uppercase() && !before.is_ascii_uppercase());
            match words.last_mut().filter(|_| !begins) {
                Some(word) => word.push(character.to_ascii_lowercase()),
                None => words.push(character.to_ascii_lowercase().to_string()),
            }
        }
        before = character;
    }
    words
}

/// The name of a step that asks for `url`: its path without what changes, or `home`.
pub(super) fn of_step(url: &Url, operation: Option<&str>) -> String {
    let named = allowed(operation.unwrap_or_default());
    if !named.is_empty() {
        return named;
    }
    let segments: Vec<String> =
        url.path().split('/').filter(|segment| !segment.is_empty()).map(decoded).collect();
    if segments.is_empty() {
        return "home".to_owned();
    }
    let is_number = |segment: &str| segment.bytes().all(|byte| byte.is_ascii_digit());
    let told = segments.iter().filter(|segment| !is_number(segment) && looks(segment) != Looks::Random);
    let told: Vec<&str> = told.map(|segment| without_end(segment)).collect();
    let name = allowed(&told.join("-"));
    if name.is_empty() { "page".to_owned() } else { name }
}

fn without_end(segment: &str) -> &str {
    let ends = [".html", ".htm", ".php", ".aspx", ".jsp"];
    ends.iter().find_map(|end| segment.strip_suffix(end)).unwrap_or(segment)
}

/// What of a text a name may hold.
fn allowed(text: &str) -> String {
    let mut name = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || "_.:".contains(character) {
            name.push(character);
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(NAME_CHARS_MAX);
    name.trim_matches('-').to_owned()
}

/// `name`, or with a number behind it when it is taken.
pub(super) fn unique(name: &str, mark: char, is_taken: impl Fn(&str) -> bool) -> String {
    let mut number = 1_usize;
    let mut found = name.to_owned();
    while is_taken(&found) {
        number += 1;
        found = format!("{name}{mark}{number}");
    }
    found
}

/// The name of a variable whose value stands under `source` within `around`, and is sent as `used`.
pub(super) fn of_variable(source: &str, around: &str, used: &str) -> String {
    const FORGERY: &[&str] = &["csrf", "xsrf", "authenticity", "csrfmiddlewaretoken", "verification"];
    const TOKEN: &[&str] = &["token", "bearer", "jwt", "authorization", "auth"];
    let has = |known: &[&str]| {
        [source, used].iter().any(|name| words(name).iter().any(|word| known.contains(&word.as_str())))
    };
    if has(FORGERY) {
        return "csrf".to_owned();
    }
    if has(TOKEN) {
        return "token".to_owned();
    }
    [source, used, around].into_iter().find_map(thing).unwrap_or_else(|| "value".to_owned())
}

/// What a name is about, without saying that it is its id: `cart` of `cartId`, `order` of `orders`.
fn thing(name: &str) -> Option<String> {
    const SAYING_NOTHING: &[&str] = &[
        "attribute",
        "code",
        "content",
        "data",
        "edges",
        "gid",
        "guid",
        "handle",
        "href",
        "id",
        "ids",
        "key",
        "link",
        "name",
        "no",
        "node",
        "nodes",
        "number",
        "ref",
        "reference",
        "slug",
        "text",
        "uid",
        "url",
        "uuid",
        "value",
    ];
    let mut words = words(name);
    while words.last().is_some_and(|last| SAYING_NOTHING.contains(&last.as_str())) {
        words.pop();
    }
    if let Some(last) = words.last_mut() {
        *last = singular(last);
    }
    let mut thing = words.join("_");
    thing.truncate(NAME_CHARS_MAX / 2);
    (!thing.is_empty() && !thing.bytes().all(|byte| byte.is_ascii_digit())).then_some(thing)
}

/// One of what a word means; letters that paths use are spelled out.
pub(super) fn singular(word: &str) -> String {
    match word {
        "p" => "product".to_owned(),
        "c" => "category".to_owned(),
        "o" => "order".to_owned(),
        _ => match word.strip_suffix("ies") {
            Some(stem) if stem.len() > 1 => format!("{stem}y"),
            _ if word.len() > 3 && !word.ends_with("ss") && !word.ends_with("us") => {
                word.strip_suffix('s').unwrap_or(word).to_owned()
            }
            _ => word.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{of_step, of_variable, unique, words};

    #[test]
    fn steps_are_named_after_their_paths() {
        for (path, expected) in [
            ("/", "home"),
            ("/c/lamps", "c-lamps"),
            ("/cart/add?x=1", "cart-add"),
            ("/p/42", "p"),
            ("/42", "page"),
            ("/login.php", "login"),
            ("/api/carts/0f8fad5b-d9cb-469f-a165-70867728950e/items", "api-carts-items"),
            ("/caf%C3%A9/a%20b", "caf-a-b"),
        ] {
            let url = Url::parse(&format!("https://shop.example{path}")).unwrap();
            assert_eq!(of_step(&url, None), expected, "{path}");
        }
        let url = Url::parse("https://shop.example/graphql").unwrap();
        assert_eq!(of_step(&url, Some("AddToCart")), "AddToCart");
        assert_eq!(unique("a", '-', |name| ["a", "a-2"].contains(&name)), "a-3");
    }

    #[test]
    fn variables_are_named_after_what_they_are() {
        for (source, around, used, expected) in [
            ("csrf", "", "csrf", "csrf"),
            ("authenticity_token", "", "authenticity_token", "csrf"),
            ("accessToken", "data", "authorization", "token"),
            ("id", "cart", "cartId", "cart"),
            ("id", "items", "productId", "product"),
            ("orderNumber", "", "", "order"),
            ("id", "", "p", "product"),
            ("content", "", "", "value"),
        ] {
            assert_eq!(of_variable(source, around, used), expected, "{source} {around} {used}");
        }
        assert_eq!(words("XSRF-productId[2]"), ["xsrf", "product", "id", "2"]);
    }
}
