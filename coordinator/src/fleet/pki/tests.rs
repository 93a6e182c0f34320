//! Keys and tokens on a disk of their own.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair};
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;

use super::*;

/// A folder that goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("doorbuster-pki-{}-{count}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn hosts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn request(key: &KeyPair) -> String {
    // It asks for somebody else's name, in vain.
    let params = CertificateParams::new(vec!["load.example.com".to_owned()]).unwrap();
    params.serialize_request(key).unwrap().pem().unwrap()
}

#[test]
fn a_token_is_good_once_and_its_text_is_kept_nowhere() {
    let folder = Folder::new();
    let made = make(&folder.0, &hosts(&["127.0.0.1"]), 3).unwrap();
    assert!(made.is_new && made.tokens.len() == 3);
    let tokens = Pki::read(&folder.0).unwrap().tokens;
    for entry in std::fs::read_dir(&folder.0).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        assert!(made.tokens.iter().all(|token| !text.contains(token.as_str())), "{:?}", entry.path());
    }
    assert!(!tokens.burn("").unwrap() && !tokens.burn(&"0".repeat(64)).unwrap());
    // Nor is what the file holds a token.
    let kept = std::fs::read_to_string(folder.0.join("tokens")).unwrap();
    assert!(kept.lines().all(|digest| !tokens.burn(digest).unwrap()));
    assert!(tokens.knows(&made.tokens[1]).unwrap() && !tokens.knows("").unwrap());
    assert!(tokens.burn(&made.tokens[1]).unwrap(), "to know it does not burn it");
    assert!(!tokens.burn(&made.tokens[1]).unwrap() && !tokens.knows(&made.tokens[1]).unwrap(), "used twice");
    // Another process sees it burnt as well.
    let others = Pki::read(&folder.0).unwrap().tokens;
    assert!(!others.burn(&made.tokens[1]).unwrap());
    assert!(others.burn(&made.tokens[0]).unwrap() && others.burn(&made.tokens[2]).unwrap());
}

#[test]
fn a_token_is_good_once_however_many_ask_at_once() {
    let folder = Folder::new();
    let token = make(&folder.0, &hosts(&["127.0.0.1"]), 1).unwrap().tokens.remove(0);
    let askers: Vec<_> = (0..16)
        .map(|_| {
            let (tokens, token) = (Tokens::of(&folder.0), token.clone());
            std::thread::spawn(move || tokens.burn(&token).unwrap())
        })
        .collect();
    let good = askers.into_iter().map(|asker| asker.join().unwrap()).filter(|is_good| *is_good).count();
    assert_eq!(good, 1);
}

#[test]
fn secrets_are_for_their_owner_alone() {
    let folder = Folder::new();
    make(&folder.0, &hosts(&["127.0.0.1"]), 1).unwrap();
    let mode = |name: &str| std::fs::metadata(folder.0.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("ca.key"), mode("tokens"), mode("")), (0o600, 0o600, 0o700));
}

#[test]
fn making_it_again_adds_and_keeps() {
    let folder = Folder::new();
    let first = make(&folder.0, &hosts(&["load.example.com"]), 1).unwrap();
    let authority = std::fs::read_to_string(folder.0.join("ca.pem")).unwrap();
    let second = make(&folder.0, &hosts(&["192.0.2.7", "load.example.com"]), 1).unwrap();
    assert!(!second.is_new);
    assert_eq!(second.hosts, ["load.example.com", "192.0.2.7"]);
    assert_eq!(std::fs::read_to_string(folder.0.join("ca.pem")).unwrap(), authority);
    let tokens = Tokens::of(&folder.0);
    assert!(tokens.burn(&first.tokens[0]).unwrap() && tokens.burn(&second.tokens[0]).unwrap());
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_written() {
    let folder = Folder::new();
    let wrong: [&[&str]; 6] =
        [&[], &["https://load.example.com"], &["load.example.com:7443"], &["a b"], &[""], &["-a"]];
    for names in wrong {
        let refused = make(&folder.0, &hosts(names), 1).unwrap_err();
        assert!(refused.to_string().contains("--host") && refused.exit_code() == 2, "{refused}");
    }
    assert!(!folder.0.exists());
    let missing = Pki::read(&folder.0).unwrap_err().to_string();
    assert!(missing.contains("doorbuster fleet pki"), "{missing}");
}

#[test]
fn an_agent_gets_the_name_of_its_key_whatever_it_asks_for() {
    let folder = Folder::new();
    make(&folder.0, &hosts(&["127.0.0.1"]), 0).unwrap();
    let authority = Pki::read(&folder.0).unwrap().authority;
    let key = KeyPair::generate().unwrap();
    let now = Timestamp::now();
    let signed = authority.sign(&request(&key), now).unwrap();
    let again = authority.sign(&request(&key), now + Duration::from_secs(60)).unwrap();
    assert_eq!(signed.agent, again.agent);
    assert_ne!(authority.sign(&request(&KeyPair::generate().unwrap()), now).unwrap().agent, signed.agent);
    let certificate = CertificateDer::from_pem_slice(signed.pem.as_bytes()).unwrap();
    let certificate = ParsedCertificate::try_from(&certificate).unwrap();
    let names = |name: &str| {
        verify_server_name(&certificate, &ServerName::try_from(name.to_owned()).unwrap()).is_ok()
    };
    assert!(names(&doorbuster_link::certificate_name(&signed.agent)));
    assert!(
        !names("load.example.com")
            && !names(&doorbuster_link::certificate_name(&again.agent.replace('a', "b")))
    );
    assert!(
        authority
            .sign("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", now)
            .is_err()
    );
    assert!(authority.sign("", now).is_err());
}
