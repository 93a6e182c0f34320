//! What a misconfigured origin says about caching: the headers that faults change on their way to viewers.

use http::header::{CACHE_CONTROL, EXPIRES, PRAGMA, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::policy::Kind;
use crate::fault::Switches;

/// Pages treated as if they were versioned, as files are.
const YEAR_LONG: HeaderValue = HeaderValue::from_static("public, max-age=31536000");
/// What PHP sends with every page as soon as a session is opened.
/// <https://www.php.net/manual/en/function.session-cache-limiter.php>
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store, no-cache, must-revalidate");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
/// How an origin has CloudFront keep a page without its cookies, which then reach one viewer alone.
const WITHOUT_COOKIES: HeaderValue = HeaderValue::from_static("public, max-age=300, no-cache=\"Set-Cookie\"");
const LONG_AGO: HeaderValue = HeaderValue::from_static("Thu, 19 Nov 1981 08:52:00 GMT");

/// Has a good answer that may be kept say what the faults have it say, whenever it was kept.
pub(super) fn mislead(headers: &mut HeaderMap, kind: Kind, status: StatusCode, switches: &Switches) {
    if kind == Kind::Leaked || status != StatusCode::OK {
        return;
    }
    let is_page = kind == Kind::Page;
    if is_page && switches.no_store_html {
        headers.insert(CACHE_CONTROL, NO_STORE);
        headers.insert(PRAGMA, NO_CACHE);
        headers.insert(EXPIRES, LONG_AGO);
    } else if is_page && switches.html_year {
        headers.insert(CACHE_CONTROL, YEAR_LONG);
    } else if switches.no_lifetime {
        headers.remove(CACHE_CONTROL);
    } else if is_page && switches.cookie_sent {
        headers.insert(CACHE_CONTROL, WITHOUT_COOKIES);
    }
    // Frameworks say the first of every page that looked at a session, web servers the second of everything.
    if is_page && switches.vary_cookie {
        headers.append(VARY, HeaderValue::from_static("Cookie"));
    }
    if switches.vary_agent {
        headers.append(VARY, HeaderValue::from_static("User-Agent"));
    }
}

#[cfg(test)]
mod tests {
    use super::mislead;
    use crate::edge::policy::Kind;
    use crate::fault::Switches;
    use http::header::{CACHE_CONTROL, VARY};
    use http::{HeaderMap, HeaderValue, StatusCode};

    /// The `Cache-Control` of an answer that says `public` where nothing is wrong.
    fn cache_control(kind: Kind, status: StatusCode, switches: Switches) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public"));
        mislead(&mut headers, kind, status, &switches);
        headers.get(CACHE_CONTROL).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn each_fault_has_its_words_and_its_kind() {
        let none = Switches::default();
        let (year, no_store) =
            (Switches { html_year: true, ..none }, Switches { no_store_html: true, ..none });
        let unsaid = Switches { no_lifetime: true, ..none };
        let ok = |kind, switches| cache_control(kind, StatusCode::OK, switches);
        assert_eq!(ok(Kind::Page, none).as_deref(), Some("public"));
        assert_eq!(ok(Kind::Page, year).as_deref(), Some("public, max-age=31536000"));
        assert_eq!(ok(Kind::Page, no_store).as_deref(), Some("no-store, no-cache, must-revalidate"));
        assert_eq!((ok(Kind::Page, unsaid), ok(Kind::Asset, unsaid)), (None, None));
        assert_eq!(ok(Kind::Asset, year).as_deref(), Some("public"));
        assert_eq!(ok(Kind::Leaked, unsaid).as_deref(), Some("public"));
        assert_eq!(cache_control(Kind::Page, StatusCode::NOT_FOUND, unsaid).as_deref(), Some("public"));
        let sent = ok(Kind::Page, Switches { cookie_sent: true, ..none });
        assert_eq!(sent.as_deref(), Some("public, max-age=300, no-cache=\"Set-Cookie\""));
    }

    #[test]
    fn what_answers_vary_by_is_added() {
        let vary = |kind, switches: Switches| -> Vec<String> {
            let mut headers = HeaderMap::new();
            mislead(&mut headers, kind, StatusCode::OK, &switches);
            headers.get_all(VARY).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
        };
        let none = Switches::default();
        let both = Switches { vary_cookie: true, vary_agent: true, ..none };
        assert_eq!(vary(Kind::Page, none), [""; 0]);
        assert_eq!(vary(Kind::Page, both), ["Cookie", "User-Agent"]);
        assert_eq!(vary(Kind::Asset, both), ["User-Agent"]);
    }
}
