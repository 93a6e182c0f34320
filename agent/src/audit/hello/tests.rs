use std::sync::Arc;

use proptest::prelude::*;
use rustls::server::ResolvesServerCertUsingSni;
use rustls::{ServerConfig, ServerConnection};

use super::*;

/// What stands for itself, in pairs of hexadecimal digits.
fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn random() -> [u8; 32] {
    std::array::from_fn(|position| u8::try_from(position).unwrap())
}

/// What servers of OpenSSL 3.0 answered to these hellos, with and without its security level 0.
const OPENSSL_TLS_1_0: &str = "16 0301 0059 02 000055 0301 4b58fcd2b900a99ae138bdd623b2e6576cd6291da5bd2f9b444f574e47524400 \
     20 e2f1540fc80136bf36d3365fc341be0249581ec322e092b4648e69fde34d7da0 c014 00 000d ff01000100 000b00040300010216 0301";
const OPENSSL_TLS_1_1: &str = "16 0302 0059 02 000055 0302 6c5a57d8db18fe6d9003908f4516102fb599876da4068224444f574e47524400 \
     20 a1d44e4b64af3b691d5576aed6e00ead2e1685b586ee0bf8fd9db63198f0d573 c014 00 000d ff01000100 000b00040300010216 0302";
/// A whole one by the layout of RFC 2246, section 7.4.1.3: no session, TLS_RSA_WITH_AES_128_CBC_SHA, no compression.
const LEAST: &str =
    "16 0301 002a 02 000026 0301 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 00 002f 00";

#[test]
fn a_hello_is_what_the_standards_say() {
    let expected = bytes(
        "16 0301 006b  01 000067  0301  000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f  00 \
         001a c00a c009 c014 c013 c012 0039 0033 0035 002f 0016 000a 0005 00ff  01 00  0024 \
         0000 000e 000c 00 0009 73686f702e74657374  000a 0008 0006 0017 0018 0019  000b 0002 01 00",
    );
    assert_eq!(hello(Version::TLS_1_0, "shop.test", random()), expected);
    let mut later = expected.clone();
    later[10] = 2;
    assert_eq!(hello(Version::TLS_1_1, "shop.test", random()), later, "the record stays TLS 1.0");
}

#[test]
fn addresses_and_what_is_too_long_are_no_names() {
    let without = hello(Version::TLS_1_0, "127.0.0.1", random()).len();
    for host in ["[::1]", "", "192.0.2.7", &"x".repeat(256)] {
        assert_eq!(hello(Version::TLS_1_0, host, random()).len(), without, "{host}");
    }
    assert_eq!(hello(Version::TLS_1_0, &"x".repeat(255), random()).len(), without + 9 + 255);
}

#[test]
fn answers_are_read_as_far_as_they_tell() {
    let takes = |version| Some(Answer::Takes(version));
    let refuses = |how: &str| Some(Answer::Refuses(how.to_owned()));
    let unclear = |why: &str| Some(Answer::Unclear(why.to_owned()));
    for (came, expected) in [
        (OPENSSL_TLS_1_0, takes(Version::TLS_1_0)),
        (OPENSSL_TLS_1_1, takes(Version::TLS_1_1)),
        (LEAST, takes(Version::TLS_1_0)),
        // Of an old server: it knows no TLS at all.
        ("16 0300 002a 02 000026 0300", takes(Version([3, 0]))),
        // The first message in four records, with a warning before it (unrecognized_name, RFC 6066).
        (
            "15 0301 0002 01 70  16 0301 0001 02  16 0301 0003 000026  16 0301 0000  16 0301 0002 0301",
            takes(Version::TLS_1_0),
        ),
        ("15 0301 0002 02 46", refuses("alert protocol_version")),
        ("15 0301 0002 02 28", refuses("alert handshake_failure")),
        ("15 0302 0002 02 47", refuses("alert insufficient_security")),
        ("15 0302 0002 02 50", refuses("alert internal_error")),
        ("15 0303 0002 01 00", refuses("alert close_notify")),
        ("15 0301 0002 01 70  15 0301 0002 02 28", refuses("alert handshake_failure")),
        ("15 0301 0002 02 70", unclear("alert 112")),
        ("15 0301 0001 02", unclear("its alert is too short")),
        ("15 0301 0000", unclear("its alert is too short")),
        ("16 0303 007a 02 000076 0303", unclear("it chose TLS 1.2, which was not offered")),
        ("16 0301 0006 02 000002 7f1c", unclear("it chose version 127.28, which was not offered")),
        ("16 0301 0006 02 000002 0200", unclear("it chose version 2.0, which was not offered")),
        ("16 0301 0004 00 000000", unclear("it answers with message 0")),
        ("16 0301 ffff 02", unclear("its record has 65535 bytes")),
        ("17 0301 0001 00", unclear("it does not answer in TLS")),
        // HTTP/1.1 400, an old SSL, and a line of something else.
        ("48 5454 502f 31", unclear("it does not answer in TLS")),
        ("80 2e", unclear("it does not answer in TLS")),
        ("16 0201", unclear("it does not answer in TLS")),
        ("", None),
        ("16", None),
        ("16 0301 00", None),
        ("16 0301 0059 02 000055 03", None),
        ("15 0301 0002 02", None),
        ("15 0301 0002 01 70", None),
    ] {
        assert_eq!(read(&bytes(came), Version::TLS_1_1), expected, "{came}");
    }
}

/// What a server by rustls, which knows no such version, says to a hello.
fn said_by_rustls(hello: &[u8]) -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let nobody = Arc::new(ResolvesServerCertUsingSni::new());
    let config = config.with_no_client_auth().with_cert_resolver(nobody);
    let mut server = ServerConnection::new(Arc::new(config)).unwrap();
    server.read_tls(&mut &hello[..]).unwrap();
    server.process_new_packets().unwrap_err();
    let mut said = Vec::new();
    server.write_tls(&mut said).unwrap();
    said
}

#[test]
fn a_server_that_knows_no_old_version_understands_and_refuses() {
    for version in [Version::TLS_1_0, Version::TLS_1_1] {
        let said = said_by_rustls(&hello(version, "shop.test", random()));
        let refused = Answer::Refuses("alert handshake_failure".to_owned());
        assert_eq!(read(&said, version), Some(refused), "{said:?}");
    }
}

#[test]
fn what_was_not_offered_is_not_taken() {
    assert_eq!(read(&bytes(OPENSSL_TLS_1_0), Version::TLS_1_0), Some(Answer::Takes(Version::TLS_1_0)));
    let later = "it chose TLS 1.1, which was not offered".to_owned();
    assert_eq!(read(&bytes(OPENSSL_TLS_1_1), Version::TLS_1_0), Some(Answer::Unclear(later)));
}

#[test]
fn an_end_without_a_byte_is_a_refusal() {
    assert_eq!(ended(&[]), Answer::Refuses("closed the connection".to_owned()));
    assert_eq!(ended(&[22, 3]), Answer::Unclear("its answer broke off after 2 bytes".to_owned()));
}

#[test]
fn versions_are_named_as_people_name_them() {
    let named =
        [[3, 0], [3, 1], [3, 2], [3, 3], [3, 4], [3, 5], [0, 2]].map(|version| Version(version).to_string());
    assert_eq!(named, ["SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3", "version 3.5", "version 0.2"]);
}

/// Records with a head that is mostly right, and whatever is in them.
fn records() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![4 => Just(22_u8), 2 => Just(21_u8), 1 => any::<u8>()];
    let content = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        prop::collection::vec(prop::sample::select(vec![0_u8, 1, 2, 3, 40, 70]), 0..9),
    ];
    let record = (kind, 0_u8..5, any::<bool>(), content).prop_map(|(kind, minor, is_true, content)| {
        let length = u8::try_from(content.len()).unwrap().wrapping_add(u8::from(!is_true));
        [&[kind, 3, minor, 0, length][..], &content].concat()
    });
    prop::collection::vec(record, 0..6).prop_map(|records| records.concat())
}

proptest! {
    #[test]
    fn no_bytes_panic_and_more_of_them_change_no_answer(
        wild in prop::collection::vec(any::<u8>(), 0..64),
        near in records(),
    ) {
        for came in [wild, near] {
            let mut told: Option<Answer> = None;
            for length in 0..=came.len() {
                let answer = read(&came[..length], Version::TLS_1_1);
                if told.is_some() {
                    prop_assert_eq!(&answer, &told, "{} of {:?}", length, came);
                }
                told = answer;
            }
        }
    }

    #[test]
    fn every_name_makes_a_hello(host in "\\PC{0,300}") {
        let hello = hello(Version::TLS_1_0, &host, [7; 32]);
        prop_assert_eq!(usize::from(u16::from_be_bytes([hello[3], hello[4]])), hello.len() - 5);
        prop_assert_eq!(read(&hello, Version::TLS_1_0), Some(Answer::Unclear("it answers with message 1".to_owned())));
    }
}
