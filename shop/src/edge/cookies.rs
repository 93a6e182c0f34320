//! The origin's cookies on their way to viewers. In a right configuration none comes with what is kept.

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};

use super::policy::Kind;
use crate::fault::Switches;

/// Whether the origin sees the viewers' cookies, without their being in the key.
pub(super) fn are_forwarded(switches: &Switches) -> bool {
    switches.session_cached || switches.cookie_sent
}

/// Tells the pages that were fetched under a fault of cookies from others: what is kept already has none.
pub(super) fn mark(key: &mut String, switches: &Switches) {
    let faults = [
        (switches.session_cached, "\nsession-cached"),
        (switches.sticky_cached, "\nsticky-cached"),
        (switches.cookie_sent, "\ncookie-sent"),
    ];
    faults.iter().filter(|(is_on, _)| *is_on).for_each(|(_, mark)| key.push_str(mark));
}

/// Takes the cookies out of an answer, save those that a fault keeps with it. Gives back what goes to the
/// viewer alone for whom it was fetched.
pub(super) fn part(headers: &mut HeaderMap, kind: Kind, switches: &Switches) -> Vec<HeaderValue> {
    if kind == Kind::Leaked || !headers.contains_key(SET_COOKIE) {
        return Vec::new();
    }
    let lines: Vec<HeaderValue> = headers.get_all(SET_COOKIE).iter().cloned().collect();
    headers.remove(SET_COOKIE);
    let mut sent = Vec::new();
    for line in lines {
        let is_sticky = line.as_bytes().starts_with(b"AWSALB");
        let is_kept = if is_sticky { switches.sticky_cached } else { switches.session_cached };
        if is_kept {
            headers.append(SET_COOKIE, line);
        } else if switches.cookie_sent && !is_sticky {
            sent.push(line);
        }
    }
    sent
}

#[cfg(test)]
mod tests {
    use super::part;
    use crate::edge::policy::Kind;
    use crate::fault::Switches;
    use http::header::SET_COOKIE;
    use http::{HeaderMap, HeaderValue};

    /// The cookies that are kept, and those that are sent to one viewer.
    fn parted(kind: Kind, switches: Switches) -> (Vec<String>, Vec<String>) {
        let mut headers = HeaderMap::new();
        for line in ["sid=1; Path=/", "AWSALB=x; Path=/", "AWSALBCORS=x; Path=/"] {
            headers.append(SET_COOKIE, HeaderValue::from_static(line));
        }
        let names = |lines: Vec<HeaderValue>| -> Vec<String> {
            lines.iter().map(|line| line.to_str().unwrap().split('=').next().unwrap().to_owned()).collect()
        };
        let sent = names(part(&mut headers, kind, &switches));
        (names(headers.get_all(SET_COOKIE).iter().cloned().collect()), sent)
    }

    #[test]
    fn cookies_stay_behind_unless_a_fault_keeps_them() {
        let none = Switches::default();
        let owned = |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
        let nothing = || owned(&[]);
        assert_eq!(parted(Kind::Page, none), (nothing(), nothing()));
        assert_eq!(parted(Kind::Leaked, none), (owned(&["sid", "AWSALB", "AWSALBCORS"]), nothing()));
        let session = Switches { session_cached: true, ..none };
        assert_eq!(parted(Kind::Page, session), (owned(&["sid"]), nothing()));
        let sticky = Switches { sticky_cached: true, ..none };
        assert_eq!(parted(Kind::Page, sticky), (owned(&["AWSALB", "AWSALBCORS"]), nothing()));
        let sent = Switches { cookie_sent: true, ..none };
        assert_eq!(parted(Kind::Page, sent), (nothing(), owned(&["sid"])));
    }
}
