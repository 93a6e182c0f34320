//! Audits over TLS: what is offered, how far apart requests are on the wire, and what goes in the clear.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::audit::{Audit, found};
use crate::util::{Folder, Nginx, certificates, patiently, read_head_text, server, turn, without};

/// An edge with TLS, which logs when each request came and with which cookies; without TLS it leads there.
const EDGE: &str = "
    log_format secure '$msec $request_uri [$http_cookie]';
    server {
        listen 127.0.0.1:TLSPORT ssl http2;
        server_name shop.test;
        ssl_certificate FOLDER/server.pem;
        ssl_certificate_key FOLDER/server.key;
        ssl_protocols TLSv1.2 TLSv1.3;
        access_log FOLDER/secure.log secure;
        add_header X-Cache 'Miss from cloudfront' always;
        location / { default_type text/html; return 200 '<p>A shop.</p>'; }
        location /doorbuster { return 404; }
    }
    server {
        listen 127.0.0.1:PORT;
        return 301 https://$host$request_uri;
    }";

/// Starts the edge, with certificates that `ca.pem` in its folder vouches for.
fn edge() -> Nginx {
    let folder = Folder::new();
    certificates(&folder);
    Nginx::start(folder, EDGE)
}

/// Carries bytes both ways until one side ends.
fn join(mut one: TcpStream, mut other: TcpStream) {
    let (mut from, mut to) = (one.try_clone().unwrap(), other.try_clone().unwrap());
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    let _ = std::io::copy(&mut other, &mut one);
    let _ = one.shutdown(Shutdown::Both);
}

/// When each request came to the edge, in seconds, and the cookies that it had.
fn log(nginx: &Nginx) -> Vec<(f64, String)> {
    let text = fs::read_to_string(nginx.folder.path("secure.log")).unwrap();
    let entry = |line: &str| {
        let (time, rest) = line.split_once(' ').unwrap();
        (time.parse().unwrap(), rest.split_once('[').unwrap().1.trim_end_matches(']').to_owned())
    };
    // A handshake without a request has no address.
    text.lines().filter(|line| line.contains(" /")).map(entry).collect()
}

/// What a promise about the edge was observed to be.
fn observed(report: &Value, promise: &str) -> String {
    let promises = report["regions"]["here"]["promises"].as_array().unwrap();
    let told = promises.iter().find(|told| told["promise"] == promise);
    told.unwrap_or_else(|| panic!("{promise} is not among {promises:?}"))["observed"].to_string()
}

#[test]
fn audits_over_tls_keep_their_distance_on_the_wire() {
    if without("nginx") || without("openssl") {
        return;
    }
    let _turn = turn();
    patiently(|| {
        let nginx = edge();
        let tls_port = nginx.tls_port;
        // Whoever opens a connection waits three times as long as there is between two requests.
        let slow = server(move |client| {
            thread::sleep(Duration::from_millis(300));
            join(client, TcpStream::connect(("127.0.0.1", tls_port)).unwrap());
        });
        let url = format!("https://shop.test:{}/", slow.port());
        let resolve = format!("shop.test:{}:127.0.0.1", slow.port());
        let ca = nginx.folder.path("ca.pem").display().to_string();
        let audited = Audit::start(&url, &["--resolve", &resolve, "--cacert", &ca]).finish();
        assert_eq!(audited.code, 0, "{}{}", audited.stdout, audited.stderr);
        assert!(found(&audited, "here", "pass").contains(&("", "transport", "")), "{}", audited.stdout);
        assert!(observed(&audited.report, "transport").contains("h2"), "{}", audited.stdout);
        let times: Vec<f64> = log(&nginx).into_iter().map(|(time, _)| time).collect();
        assert_eq!(audited.report["regions"]["here"]["requests"], times.len(), "{}", audited.stdout);
        assert!(times.len() > 10, "{times:?}");
        let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
        let least = gaps.fold(f64::INFINITY, f64::min);
        assert!(least > 0.08, "10 a second at most, and two came {least} s apart: {times:?}");
    });
}

/// A proxy that makes tunnels to the edge's TLS, and hands plain requests on, whose heads it keeps.
fn proxy(nginx: &Nginx) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    let (port, tls_port) = (nginx.port, nginx.tls_port);
    let address = server(move |mut client| {
        let Some(head) = read_head_text(&mut client) else { return };
        if head.starts_with("CONNECT ") {
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
            return join(client, TcpStream::connect(("127.0.0.1", tls_port)).unwrap());
        }
        let mut plain = TcpStream::connect(("127.0.0.1", port)).unwrap();
        plain.write_all(head.replacen("\r\n", "\r\nConnection: close\r\n", 1).as_bytes()).unwrap();
        kept.lock().unwrap().push(head);
        let mut answer = Vec::new();
        plain.read_to_end(&mut answer).unwrap();
        let _ = client.write_all(&answer);
    });
    (address, heads)
}

#[test]
fn what_is_asked_without_tls_carries_no_cookie_of_the_gate() {
    if without("nginx") || without("openssl") {
        return;
    }
    let _turn = turn();
    let nginx = edge();
    let (proxy, heads) = proxy(&nginx);
    nginx.folder.write("journey.yaml", "journey: x\nsteps:\n  - { step: one, get: / }\n");
    let plan = nginx.folder.write(
        "plan.yaml",
        format!(
            "name: gate\ntarget: https://shop.test\nregions: [here]\njourneys: [journey.yaml]\n\
             load: {{ arrivals: [{{ hold: 1/s, for: 1s }}] }}\n\
             http: {{ proxy: \"http://{proxy}\", ca: ca.pem, headers: {{ Cookie: gate=open }} }}\n"
        ),
    );
    let audited = Audit::start(&plan, &[]).finish();
    assert_eq!(audited.code, 0, "{}{}", audited.stdout, audited.stderr);
    assert!(observed(&audited.report, "https").contains("301 to https"), "{}", audited.stdout);
    let heads = heads.lock().unwrap();
    assert_eq!(heads.len(), 1, "{heads:?}");
    assert!(heads[0].starts_with("GET http://shop.test/ HTTP/1.1\r\n"), "{heads:?}");
    assert!(!heads[0].contains("gate"), "what lets shoppers in is for nobody to read on the way: {heads:?}");
    let secure = log(&nginx);
    assert!(
        secure.len() > 10 && secure.iter().all(|(_, cookies)| cookies.contains("gate=open")),
        "{secure:?}"
    );
}
