//! Hellos of old versions of TLS, and what servers answer: bytes in, bytes out.
//!
//! What this project speaks TLS with offers nothing older than TLS 1.2, so a hello that offers TLS 1.0 or 1.1 at most is
//! written here: records and handshake of RFC 2246 and RFC 4346, extensions of RFC 6066 and RFC 8422. The answer is read as
//! far as the version that the server chose, and no handshake is ever completed.

use std::fmt;

/// Types of records (RFC 2246, section 6.2.1).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// Types of handshake messages (section 7.4).
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
/// The level of alerts that end nothing (section 7.2).
const WARNING: u8 = 1;
/// What the sender of an alert says that it closes with.
const CLOSE_NOTIFY: u8 = 0;

/// A record's type, version and length.
const HEAD_BYTES: usize = 5;
/// The longest record (section 6.2.3).
const RECORD_BYTES_MAX: usize = (1 << 14) + 2_048;
/// What tells a server's version: the message's type and length, and the version.
const VERSION_ENDS: usize = 6;
/// The longest name that a hello holds (RFC 1035, section 2.3.4).
const HOST_BYTES_MAX: usize = 255;

/// What servers that speak these versions commonly take, the best first: with certificates of either kind, with and without
/// forward secrecy; and, last, that renegotiation is secure (RFC 5746, section 3.3), which some insist on.
const SUITES: [[u8; 2]; 13] = [
    // TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA and its like with 128 bits (RFC 8422).
    [0xc0, 0x0a],
    [0xc0, 0x09],
    // TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, 128 bits, 3DES.
    [0xc0, 0x14],
    [0xc0, 0x13],
    [0xc0, 0x12],
    // TLS_DHE_RSA_WITH_AES_256_CBC_SHA and 128 bits (RFC 3268).
    [0x00, 0x39],
    [0x00, 0x33],
    // TLS_RSA_WITH_AES_256_CBC_SHA and 128 bits.
    [0x00, 0x35],
    [0x00, 0x2f],
    // TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA, TLS_RSA_WITH_3DES_EDE_CBC_SHA, TLS_RSA_WITH_RC4_128_SHA (RFC 2246).
    [0x00, 0x16],
    [0x00, 0x0a],
    [0x00, 0x05],
    // TLS_EMPTY_RENEGOTIATION_INFO_SCSV
    [0x00, 0xff],
];
/// secp256r1, secp384r1, secp521r1 (RFC 8422, section 5.1.1).
const CURVES: [[u8; 2]; 3] = [[0, 23], [0, 24], [0, 25]];

/// A version of TLS, as hellos and records write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version([u8; 2]);

impl Version {
    /// RFC 2246.
    pub(super) const TLS_1_0: Self = Self([3, 1]);
    /// RFC 4346.
    pub(super) const TLS_1_1: Self = Self([3, 2]);
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [3, 0] => formatter.write_str("SSL 3.0"),
            [3, minor @ 1..=4] => write!(formatter, "TLS 1.{}", minor - 1),
            [major, minor] => write!(formatter, "version {major}.{minor}"),
        }
    }
}

/// What a server makes of a hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It goes on in this version.
    Takes(Version),
    /// It will not, and how it said so.
    Refuses(String),
    /// Nobody can tell from this.
    Unclear(String),
}

/// A hello to `host` that offers `version` at most. The 32 bytes need not be random where no handshake follows.
pub(super) fn hello(version: Version, host: &str, random: [u8; 32]) -> Vec<u8> {
    let mut body = version.0.to_vec();
    body.extend(random);
    // No session is to be resumed.
    body.extend(vector::<1>(&[]));
    body.extend(vector::<2>(&SUITES.concat()));
    // No compression.
    body.extend(vector::<1>(&[0]));
    body.extend(vector::<2>(&extensions(host)));
    let mut message = vec![CLIENT_HELLO];
    message.extend(vector::<3>(&body));
    // Whatever is offered, the record of a first hello says TLS 1.0, which every server takes (RFC 5246, appendix E.1).
    let mut record = vec![HANDSHAKE];
    record.extend(Version::TLS_1_0.0);
    record.extend(vector::<2>(&message));
    record
}

/// Whose certificate is wanted, and how curves are spoken. An address is no name (RFC 6066, section 3).
fn extensions(host: &str) -> Vec<u8> {
    let is_address = host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok();
    let mut extensions = Vec::new();
    if !is_address && !host.is_empty() && host.len() <= HOST_BYTES_MAX {
        let mut name = vec![0];
        name.extend(vector::<2>(host.as_bytes()));
        extensions.extend(extension(0, &vector::<2>(&name)));
    }
    extensions.extend(extension(10, &vector::<2>(&CURVES.concat())));
    extensions.extend(extension(11, &vector::<1>(&[0])));
    extensions
}

fn extension(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut extension = vec![0, kind];
    extension.extend(vector::<2>(content));
    extension
}

/// A vector as TLS writes it: its length in `N` bytes, then its content (RFC 2246, section 4.3).
fn vector<const N: usize>(content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let mut vector = length[length.len() - N..].to_vec();
    vector.extend(content);
    vector
}

/// What the bytes that a server has answered so far say to a hello that offered `offered` at most; `None` while they are
/// too few to tell.
pub(super) fn read(came: &[u8], offered: Version) -> Option<Answer> {
    let mut rest = came;
    // What came of the first message, which records may cut anywhere.
    let mut message: Vec<u8> = Vec::new();
    loop {
        let is_tls = rest.iter().zip([is_type, is_major]).all(|(byte, holds)| holds(*byte));
        if !is_tls {
            return Some(Answer::Unclear("it does not answer in TLS".to_owned()));
        }
        let [kind, _, _, high, low, content @ ..] = rest else { return None };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if length > RECORD_BYTES_MAX {
            return Some(Answer::Unclear(format!("its record has {length} bytes")));
        }
        let (fragment, is_whole) = match content.get(..length) {
            Some(fragment) => (fragment, true),
            None => (content, false),
        };
        if *kind == ALERT {
            match fragment {
                [WARNING, what, ..] if *what != CLOSE_NOTIFY => {}
                [_, what, ..] => return Some(alert(*what)),
                _ if is_whole => return Some(Answer::Unclear("its alert is too short".to_owned())),
                _ => return None,
            }
        } else {
            message.extend(fragment.iter().take(VERSION_ENDS - message.len()));
            if let Some(answer) = server_hello(&message, offered) {
                return Some(answer);
            }
        }
        if !is_whole {
            return None;
        }
        rest = rest.get(HEAD_BYTES + length..).unwrap_or_default();
    }
}

fn is_type(byte: u8) -> bool {
    matches!(byte, ALERT | HANDSHAKE)
}

fn is_major(byte: u8) -> bool {
    byte == 3
}

/// What the beginning of a handshake message says.
fn server_hello(message: &[u8], offered: Version) -> Option<Answer> {
    match message {
        [SERVER_HELLO, _, _, _, major, minor] => {
            let version = Version([*major, *minor]);
            Some(if is_major(*major) && version <= offered {
                Answer::Takes(version)
            } else {
                Answer::Unclear(format!("it chose {version}, which was not offered"))
            })
        }
        [] | [SERVER_HELLO, ..] => None,
        [other, ..] => Some(Answer::Unclear(format!("it answers with message {other}"))),
    }
}

/// What an alert that ends a handshake says (RFC 2246, section 7.2.2).
fn alert(what: u8) -> Answer {
    match what {
        CLOSE_NOTIFY => Answer::Refuses("alert close_notify".to_owned()),
        40 => Answer::Refuses("alert handshake_failure".to_owned()),
        70 => Answer::Refuses("alert protocol_version".to_owned()),
        71 => Answer::Refuses("alert insufficient_security".to_owned()),
        // So says OpenSSL 3 where its security level has no signature left for such a version.
        80 => Answer::Refuses("alert internal_error".to_owned()),
        other => Answer::Unclear(format!("alert {other}")),
    }
}

/// What it says that nothing more comes.
pub(super) fn ended(came: &[u8]) -> Answer {
    if came.is_empty() {
        return Answer::Refuses("closed the connection".to_owned());
    }
    Answer::Unclear(format!("its answer broke off after {} bytes", came.len()))
}

#[cfg(test)]
mod tests;
