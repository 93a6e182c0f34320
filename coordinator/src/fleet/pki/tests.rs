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

/// Tokens for anybody.
fn some(count: usize) -> Wanted<'static> {
    Wanted { count, ..Wanted::default() }
}

fn now() -> Timestamp {
    Timestamp::now()
}

fn request(key: &KeyPair) -> String {
    // It asks for somebody else's name, in vain.
    let params = CertificateParams::new(vec!["load.example.com".to_owned()]).unwrap();
    params.serialize_request(key).unwrap().pem().unwrap()
}

#[test]
fn a_token_is_good_once_and_its_text_is_kept_nowhere() {
    let folder = Folder::new();
    let made = make(&folder.0, &hosts(&["127.0.0.1"]), some(3)).unwrap();
    assert!(made.is_new && made.tokens.len() == 3);
    let tokens = Pki::read(&folder.0).unwrap().tokens;
    for entry in std::fs::read_dir(&folder.0).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        assert!(made.tokens.iter().all(|token| !text.contains(token.as_str())), "{:?}", entry.path());
    }
    assert!(!tokens.burn("", now()).unwrap() && !tokens.burn(&"0".repeat(64), now()).unwrap());
    // Nor is what the file holds a token.
    let kept = std::fs::read_to_string(folder.0.join("tokens")).unwrap();
    let digests: Vec<&str> = kept.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert!(digests.len() == 3 && digests.iter().all(|digest| !tokens.burn(digest, now()).unwrap()));
    assert!(tokens.knows(&made.tokens[1], now()).unwrap() && !tokens.knows("", now()).unwrap());
    assert!(tokens.burn(&made.tokens[1], now()).unwrap(), "to know it does not burn it");
    assert!(
        !tokens.burn(&made.tokens[1], now()).unwrap() && !tokens.knows(&made.tokens[1], now()).unwrap(),
        "used twice"
    );
    // Another process sees it burnt as well.
    let others = Pki::read(&folder.0).unwrap().tokens;
    assert!(!others.burn(&made.tokens[1], now()).unwrap());
    assert!(others.burn(&made.tokens[0], now()).unwrap() && others.burn(&made.tokens[2], now()).unwrap());
}

#[test]
fn a_token_is_good_once_however_many_ask_at_once() {
    let folder = Folder::new();
    let token = make(&folder.0, &hosts(&["127.0.0.1"]), some(1)).unwrap().tokens.remove(0);
    let askers: Vec<_> = (0..16)
        .map(|_| {
            let (tokens, token) = (Tokens::of(&folder.0), token.clone());
            std::thread::spawn(move || tokens.burn(&token, now()).unwrap())
        })
        .collect();
    let good = askers.into_iter().map(|asker| asker.join().unwrap()).filter(|is_good| *is_good).count();
    assert_eq!(good, 1);
}

#[test]
fn a_token_is_good_for_its_days() {
    let folder = Folder::new();
    make(&folder.0, &hosts(&["127.0.0.1"]), some(0)).unwrap();
    let (tokens, made) = (Tokens::of(&folder.0), now());
    let after = |seconds: u64| made + Duration::from_secs(seconds);
    let two = tokens.add(Wanted { count: 2, days: 1, bearer: None }, made).unwrap();
    assert!(tokens.knows(&two[0], after(86_398)).unwrap() && tokens.burn(&two[0], after(86_398)).unwrap());
    assert!(!tokens.knows(&two[1], after(86_400)).unwrap() && !tokens.burn(&two[1], after(86_400)).unwrap());
    // Those that are not good any more make room for others.
    tokens.add(some(TOKENS_MAX - 1), made).unwrap();
    let full = tokens.add(some(1), after(86_398)).unwrap_err().to_string();
    assert!(full.contains("they go when they expire") && full.contains("/tokens"), "{full}");
    assert_eq!(tokens.add(some(1), after(86_400)).unwrap().len(), 1);
    assert!(tokens.add(some(1), after(86_400)).is_err());
    let days = u64::from(TOKEN_DAYS);
    assert_eq!(tokens.add(some(TOKENS_MAX - 1), after(days * 86_400)).unwrap().len(), TOKENS_MAX - 1);
}

#[test]
fn who_is_given_new_tokens_has_the_last_ones_for_an_hour_more() {
    let folder = Folder::new();
    make(&folder.0, &hosts(&["127.0.0.1"]), some(0)).unwrap();
    let (tokens, made) = (Tokens::of(&folder.0), now());
    let after = |seconds: u64| made + Duration::from_secs(seconds);
    let two_for = |bearer: &'static str, at: Timestamp| {
        tokens.add(Wanted { count: 2, bearer: Some(bearer), ..Wanted::default() }, at).unwrap()
    };
    let kept = || std::fs::read_to_string(folder.0.join("tokens")).unwrap().lines().count();
    let knows = |token: &String, at: Timestamp| tokens.knows(token, at).unwrap();
    let (first, others) = (two_for("shop-1-eu-west-2", made), two_for("shop-1-us-east-1", made));
    let anybody = tokens.add(some(1), made).unwrap();
    let second = two_for("shop-1-eu-west-2", made);
    assert!(knows(&first[0], after(3_598)) && !knows(&first[0], after(3_600)));
    assert!([&second[0], &others[0], &anybody[0]].iter().all(|token| knows(token, after(3_600))));
    assert_eq!(kept(), 7);
    let third = two_for("shop-1-eu-west-2", after(60));
    assert!(!knows(&first[1], after(60)) && knows(&second[1], after(60)) && knows(&third[1], after(60)));
    assert_eq!(kept(), 7, "they do not pile up");
}

#[test]
fn secrets_are_for_their_owner_alone() {
    let folder = Folder::new();
    make(&folder.0, &hosts(&["127.0.0.1"]), some(1)).unwrap();
    let mode = |name: &str| std::fs::metadata(folder.0.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("ca.key"), mode("tokens"), mode("")), (0o600, 0o600, 0o700));
}

#[test]
fn making_it_again_adds_and_keeps() {
    let folder = Folder::new();
    let first = make(&folder.0, &hosts(&["load.example.com"]), some(1)).unwrap();
    let authority = std::fs::read_to_string(folder.0.join("ca.pem")).unwrap();
    let second = make(&folder.0, &hosts(&["192.0.2.7", "load.example.com"]), some(1)).unwrap();
    assert!(!second.is_new);
    assert_eq!(second.hosts, ["load.example.com", "192.0.2.7"]);
    assert_eq!(std::fs::read_to_string(folder.0.join("ca.pem")).unwrap(), authority);
    let tokens = Tokens::of(&folder.0);
    assert!(tokens.burn(&first.tokens[0], now()).unwrap() && tokens.burn(&second.tokens[0], now()).unwrap());
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_written() {
    let folder = Folder::new();
    let wrong: [&[&str]; 6] =
        [&[], &["https://load.example.com"], &["load.example.com:7443"], &["a b"], &[""], &["-a"]];
    for names in wrong {
        let refused = make(&folder.0, &hosts(names), some(1)).unwrap_err();
        assert!(refused.to_string().contains("--host") && refused.exit_code() == 2, "{refused}");
    }
    assert!(!folder.0.exists());
    let missing = Pki::read(&folder.0).unwrap_err().to_string();
    assert!(missing.contains("doorbuster fleet pki"), "{missing}");
}

#[test]
fn an_agent_gets_the_name_of_its_key_whatever_it_asks_for() {
    let folder = Folder::new();
    make(&folder.0, &hosts(&["127.0.0.1"]), some(0)).unwrap();
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
