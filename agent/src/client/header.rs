//! Headers that mean something to the engine itself, told apart once.

/// What a header is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// Connection
    Connection,
    /// Content-Length
    ContentLength,
    /// Content-Type
    ContentType,
    /// Location
    Location,
    /// Set-Cookie
    SetCookie,
    /// Transfer-Encoding
    TransferEncoding,
    /// Any other.
    Other,
}

impl Header {
    /// What the header of this name is, whatever the name's case: its length and first letter rule out most, and
    /// nearly all others are written in one of two ways.
    #[inline]
    pub(crate) fn of(name: &[u8]) -> Self {
        let Some(first) = name.first() else { return Self::Other };
        match (name.len(), first | 0x20) {
            (8, b'l') => Self::Location.if_named(name, b"Location", b"location"),
            (10, b'c') => Self::Connection.if_named(name, b"Connection", b"connection"),
            (10, b's') => Self::SetCookie.if_named(name, b"Set-Cookie", b"set-cookie"),
            (12, b'c') => Self::ContentType.if_named(name, b"Content-Type", b"content-type"),
            (14, b'c') => Self::ContentLength.if_named(name, b"Content-Length", b"content-length"),
            (17, b't') => Self::TransferEncoding.if_named(name, b"Transfer-Encoding", b"transfer-encoding"),
            _ => Self::Other,
        }
    }

    /// Itself, if `name` is its name: as HTTP/1.1 or HTTP/2 write it, or in any other case.
    #[inline]
    fn if_named<const N: usize>(self, name: &[u8], title: &[u8; N], lower: &[u8; N]) -> Self {
        if name == title || name == lower || name.eq_ignore_ascii_case(lower) { self } else { Self::Other }
    }
}

#[cfg(test)]
mod tests {
    use super::Header;

    #[test]
    fn names_are_known_in_any_case() {
        for (name, header) in [
            ("server-Timing", Header::Other),
            ("LOCATION", Header::Location),
            ("Connection", Header::Connection),
            ("Set-Cookie", Header::SetCookie),
            ("content-type", Header::ContentType),
            ("Content-length", Header::ContentLength),
            ("content-ENCODING", Header::Other),
            ("transfer-encoding", Header::TransferEncoding),
            ("x-cache", Header::Other),
            ("connectiom", Header::Other),
            ("", Header::Other),
        ] {
            assert_eq!(Header::of(name.as_bytes()), header, "{name}");
        }
    }
}
