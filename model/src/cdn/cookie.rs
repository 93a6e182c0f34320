//! Cookies that answers set, as far as it matters whose they are.

use super::fields::parameter;

/// The cookie by which an Application Load Balancer binds a shopper to a target.
pub const STICKY_COOKIE: &str = "AWSALB";
/// Names of the balancer's sticky cookies (facts of Application and Classic Load Balancers \[D\]).
const STICKY: [&str; 6] = [STICKY_COOKIE, "AWSALBCORS", "AWSALBTG", "AWSALBTGCORS", "AWSELB", "AWSELBCORS"];
/// The beginning of those that follow a cookie of the application \[D\].
const STICKY_APPLICATION: &[u8] = b"AWSALBAPP-";
/// What has fewer digits is a word and no session, unless it is long: a country, a language, an arm of a test.
const SESSION_DIGITS_MIN: usize = 4;
/// What is so long, and has any digit, is no word.
const SESSION_BYTES_MIN: usize = 16;

/// The name and the value of a Set-Cookie line.
pub(super) fn pair(line: &[u8]) -> (&[u8], &[u8]) {
    let (name, value) = parameter(line.split(|byte| *byte == b';').next().unwrap_or_default());
    (name, value.unwrap_or_default())
}

/// Whether a cookie of this name is a balancer's, which binds a shopper to a target.
pub(super) fn is_sticky(name: &[u8]) -> bool {
    STICKY.iter().any(|known| name == known.as_bytes()) || name.starts_with(STICKY_APPLICATION)
}

/// The name and the value that a Set-Cookie line sets, where that may be somebody's session.
pub fn session_in(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = pair(line);
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_word = digits < SESSION_DIGITS_MIN && (digits == 0 || value.len() < SESSION_BYTES_MIN);
    (!is_word && !is_sticky(name)).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_told_from_words_and_from_the_balancer_s() {
        for (line, session) in [
            ("sid=0123456789abcdef; Path=/; HttpOnly", Some(("sid", "0123456789abcdef"))),
            (" cart = 12345 ;Max-Age=60", Some(("cart", "12345"))),
            ("sid=\"a1b2c3d4\"", Some(("sid", "a1b2c3d4"))),
            ("sid=kz-Yq0W-vB_sT-mXnE", Some(("sid", "kz-Yq0W-vB_sT-mXnE"))),
            ("country=DE", None),
            ("language=de-DE; Path=/", None),
            ("consent=1", None),
            ("test=treatment", None),
            ("test=variant2; Path=/", None),
            ("consent=analytics-and-marketing", None),
            ("sid=; Max-Age=0", None),
            ("sid", None),
            ("", None),
            ("AWSALB=kz3Yq0W1vB8s; Path=/", None),
            ("AWSALBAPP-0=kz3Yq0W1vB8s", None),
        ] {
            let expected = session.map(|(name, value): (&str, &str)| (name.as_bytes(), value.as_bytes()));
            assert_eq!(session_in(line.as_bytes()), expected, "{line}");
        }
    }
}
