//! Keys as receivers take them: short, and of plain letters.

use super::hmac::sha256_hex;

/// `text` where it has at most `bytes_max` bytes and only what can be seen in ASCII; otherwise its SHA-256, in hexadecimal
/// digits, so that different texts stay different.
pub(super) fn token(text: &str, bytes_max: usize) -> String {
    let fits = text.len() <= bytes_max && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { text.to_owned() } else { sha256_hex(text.as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::token;

    #[test]
    fn what_does_not_fit_becomes_a_digest() {
        assert_eq!(token("tokyo-1795737600/0", 128), "tokyo-1795737600/0");
        for other in ["checkout availability", "東京", "a\n", &"x".repeat(129)] {
            let token = token(other, 128);
            assert!(token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
        }
        assert_ne!(token("a b/0", 128), token("a b/1", 128));
    }
}
