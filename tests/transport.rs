//! Versions of TLS and of HTTP: an audit of servers that take what they should, and what they should not.

use crate::audit::{Audit, Audited};
use crate::util::{Folder, Nginx, certificates, turn, without};

/// As a server should be, and one that takes everything: what its library forbids, too.
const SERVERS: &str = "
    ssl_certificate FOLDER/server.pem; ssl_certificate_key FOLDER/server.key; default_type text/html;
    server { listen 127.0.0.1:PORT ssl http2; ssl_protocols TLSv1.2 TLSv1.3;
        location / { return 200 hello; } }
    server { listen 127.0.0.1:TLSPORT ssl; ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0;
        add_header Alt-Svc 'h3=\":443\"; ma=86400';
        location / { return 200 hello; } }";

/// An audit of `shop.test` at a port of this machine, by what any cache might promise.
fn audit(folder: &Folder, port: u16) -> Audited {
    let policy = folder.write("policy.yaml", "cdn: { provider: generic }\n");
    let ca = folder.path("ca.pem").display().to_string();
    let (url, resolve) = (format!("https://shop.test:{port}/"), format!("shop.test:{port}:127.0.0.1"));
    let arguments = ["--policy", &policy, "--cacert", &ca, "--resolve", &resolve];
    Audit::start(&url, &arguments).finish()
}

/// What an audit says of a promise: the verdict, what was seen, and the rule that is broken.
fn promise<'a>(audited: &'a Audited, name: &str) -> (&'a str, &'a str, &'a str) {
    let promises = audited.report["regions"]["here"]["promises"].as_array();
    let found = promises.and_then(|all| all.iter().find(|promise| promise["promise"] == name));
    let found = found.unwrap_or_else(|| panic!("no {name}: {}{}", audited.stdout, audited.stderr));
    let text = |key: &str| found[key].as_str().unwrap_or("");
    (text("verdict"), text("observed"), text("rule"))
}

fn asked(audited: &Audited, what: &str) -> u64 {
    audited.report["regions"]["here"][what].as_u64().unwrap()
}

#[test]
fn versions_are_found_as_a_server_takes_them() {
    if without("nginx") || without("openssl") {
        return;
    }
    let _turn = turn();
    let folder = Folder::new();
    certificates(&folder);
    let nginx = Nginx::start(folder, SERVERS);

    let right = audit(&nginx.folder, nginx.port);
    assert_eq!(promise(&right, "transport"), ("pass", "TLS 1.3, TLS 1.2; h2, http/1.1", ""));
    assert_eq!(promise(&right, "old-tls"), ("pass", "refused: alert protocol_version", ""));
    assert_eq!(promise(&right, "http3"), ("info", "no Alt-Svc offers it; not probed", ""));

    let old = audit(&nginx.folder, nginx.tls_port);
    assert_eq!(promise(&old, "transport").0, "warn", "it speaks no HTTP/2");
    assert_eq!(promise(&old, "old-tls"), ("warn", "speaks TLS 1.0, TLS 1.1", "old-tls"));
    assert_eq!(promise(&old, "http3"), ("info", "Alt-Svc offers h3; not probed", ""));
    assert!(old.stdout.contains("TLSv1.2_2021"), "what to change: {}", old.stdout);

    let logged: u64 = nginx.log().values().sum();
    assert_eq!(asked(&right, "requests") + asked(&old, "requests"), logged);
    for audited in [&right, &old] {
        assert_eq!(asked(audited, "handshakes"), 5);
        let line = format!("{} requests and 5 handshakes;", asked(audited, "requests"));
        assert!(audited.stdout.contains(&line), "{}", audited.stdout);
    }
}
