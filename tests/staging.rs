//! What staging sits behind.

use std::io::Write;
use std::sync::{Arc, Mutex};

use crate::util::{
    Folder, Nginx, certificates, count, number, patiently, read_head_text, run, server, turn, without,
};

/// A server that keeps the heads of its requests.
fn listener() -> (std::net::SocketAddr, Arc<Mutex<Vec<String>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    let address = server(move |mut stream| {
        while let Some(head) = read_head_text(&mut stream) {
            kept.lock().unwrap().push(head);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    (address, heads)
}

fn plan(target: &str, http: &str) -> (Folder, String) {
    let folder = Folder::new();
    folder.write("journey.yaml", "journey: x\nsteps:\n  - { step: one, get: \"/a?b=c\" }\n");
    let text = format!(
        "name: staging\ntarget: {target}\nregions: [here]\njourneys: [journey.yaml]\nload: {{ arrivals: [{{ hold: 5/s, for: 1s }}] }}\nhttp: {{ {http} }}\n"
    );
    let plan = folder.write("plan.yaml", text);
    (folder, plan)
}

#[test]
fn every_request_says_who_it_is_and_carries_the_plan_s_headers() {
    let _turn = turn();
    patiently(|| {
        let (address, heads) = listener();
        let http =
            "headers: { X-Api-Key: abc }, basic_auth: { user: shop, password: \"p:w\" }, user_agent: staging";
        let (_folder, plan) = plan(&format!("http://shop.test:{}", address.port()), http);
        let resolve = format!("shop.test:{}:127.0.0.1", address.port());
        let finished = run(&["rehearse", &plan, "--quiet", "--resolve", &resolve, "--header", "X-More: 1"]);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        let heads = heads.lock().unwrap();
        assert_eq!(heads.len(), 5);
        let run = finished.report["run"]["id"].as_str().unwrap();
        for line in [
            "GET /a?b=c HTTP/1.1".to_owned(),
            format!("host: shop.test:{}", address.port()),
            concat!("user-agent: Doorbuster/", env!("CARGO_PKG_VERSION"), " staging").to_owned(),
            format!("x-doorbuster-run: {run}"),
            "accept-encoding: br, gzip".to_owned(),
            "x-api-key: abc".to_owned(),
            "x-more: 1".to_owned(),
            "authorization: Basic c2hvcDpwOnc=".to_owned(),
        ] {
            assert!(
                heads[0].lines().any(|known| known.eq_ignore_ascii_case(&line)),
                "{} lacks {line}",
                heads[0]
            );
        }
        assert!(!finished.report.to_string().contains("c2hvcDpwOnc"), "secrets stay out of reports");
    });
}

#[test]
fn a_proxy_gets_the_whole_address() {
    let _turn = turn();
    patiently(|| {
        let (address, heads) = listener();
        let (_folder, plan) = plan(
            "http://shop.test",
            &format!("proxy: \"http://{address}\", resolve: {{ \"shop.test:80\": \"127.0.0.1\" }}"),
        );
        let finished = run(&["rehearse", &plan, "--quiet"]);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        let heads = heads.lock().unwrap();
        assert!(heads[0].starts_with("GET http://shop.test/a?b=c HTTP/1.1\r\n"), "{}", heads[0]);
    });
}

/// A proxy that makes tunnels to this machine, whatever name it is asked for; keeps the first lines.
fn tunnels(port: u16) -> (std::net::SocketAddr, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&lines);
    let address = server(move |mut stream| {
        let Some(head) = read_head_text(&mut stream) else { return };
        kept.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
        let mut target = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
        let (mut from, mut to) = (stream.try_clone().unwrap(), target.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        let _ = std::io::copy(&mut target, &mut stream);
        let _ = stream.shutdown(std::net::Shutdown::Both);
    });
    (address, lines)
}

#[test]
fn tls_goes_through_a_proxy_s_tunnel() {
    if without("nginx") || without("openssl") {
        return;
    }
    let _turn = turn();
    let folder = Folder::new();
    certificates(&folder);
    let nginx = Nginx::start(
        folder,
        "server { listen 127.0.0.1:PORT ssl; ssl_certificate FOLDER/server.pem; ssl_certificate_key FOLDER/server.key;\n\
         location / { return 200 hello; } }",
    );
    patiently(|| {
        let (proxy, lines) = tunnels(nginx.port);
        nginx.folder.write("journey.yaml", "journey: x\nsteps:\n  - { step: one, get: / }\n");
        let plan = format!(
            "name: proxy\ntarget: https://shop.test\nregions: [here]\njourneys: [journey.yaml]\n\
             load: {{ arrivals: [{{ hold: 20/s, for: 1s }}] }}\nhttp: {{ proxy: \"http://{proxy}\", ca: ca.pem }}\n"
        );
        let plan = nginx.folder.write("plan.yaml", plan);
        let refused = run(&["rehearse", &plan, "--quiet"]);
        assert_eq!(refused.code, 2, "a proxy is no way around --allow-host: {}", refused.stderr);
        let finished = run(&["rehearse", &plan, "--quiet", "--allow-host", "shop.test"]);
        assert_eq!(
            (finished.code, number(&finished.report, "global.statuses.200")),
            (0, 20.0),
            "{}",
            finished.stderr
        );
        let lines = lines.lock().unwrap();
        assert_eq!((lines.len(), lines[0].as_str()), (20, "CONNECT shop.test:443 HTTP/1.1"));
    });
}

#[test]
fn tls_http2_and_client_certificates() {
    if without("nginx") || without("openssl") {
        return;
    }
    let _turn = turn();
    patiently(|| {
        let folder = Folder::new();
        certificates(&folder);
        let nginx = Nginx::start(
            folder,
            "log_format protocol '$server_protocol $ssl_client_verify'; access_log FOLDER/access.log protocol;\n\
         server { listen 127.0.0.1:PORT ssl http2; server_name shop.test; ssl_certificate FOLDER/server.pem; ssl_certificate_key FOLDER/server.key;\n\
         ssl_client_certificate FOLDER/ca.pem; ssl_verify_client optional; location / { return 200 hello; } }",
        );
        let port = nginx.port;
        let text = |http: &str| {
            let text = format!(
                "name: tls\ntarget: https://shop.test:{port}\nregions: [here]\njourneys: [journey.yaml]\nload: {{ arrivals: [{{ hold: 20/s, for: 1s }}] }}\n\
             http: {{ resolve: {{ \"shop.test:{port}\": \"127.0.0.1\" }}, {http} }}\n"
            );
            nginx.folder.write("journey.yaml", "journey: x\nsteps:\n  - { step: one, get: / }\n");
            nginx.folder.write("plan.yaml", text)
        };
        let run = |http: &str| run(&["rehearse", &text(http), "--quiet"]);
        let untrusted = run("version: auto");
        assert_eq!(untrusted.code, 3, "an authority that nobody trusts");
        assert_eq!(number(&untrusted.report, "global.errors_by_class.tls"), 20.0);
        for http in [
            "ca: ca.pem",
            "ca: ca.pem, version: 1.1",
            "insecure: true, client_cert: { cert: client.pem, key: client.key }",
        ] {
            let finished = run(http);
            assert_eq!(
                (finished.code, number(&finished.report, "global.statuses.200")),
                (0, 20.0),
                "{http}: {}",
                finished.stderr
            );
            assert_eq!(
                number(&finished.report, "global.connections.tls_ms.count"),
                20.0,
                "a handshake for every shopper"
            );
        }
        let log = nginx.log();
        let of = |line: &str| log.get(line).copied().unwrap_or(0);
        assert_eq!(
            (of("HTTP/2.0 NONE"), of("HTTP/1.1 NONE"), of("HTTP/2.0 SUCCESS")),
            (20, 20, 20),
            "{log:?}"
        );
    });
}

#[test]
fn http2_by_prior_knowledge_shares_connections() {
    let _turn = turn();
    patiently(|| {
        let shop = crate::util::shop();
        let url = format!("http://{}/", shop.edges()[0].address);
        let finished =
            run(&["hit", &url, "--http2", "--connections", "2", "--streams", "8", "--for", "2s", "--quiet"]);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        assert_eq!(number(&finished.report, "global.connections.opened"), 2.0);
        let counted: u64 = shop.counts()["tokyo"].values().sum();
        assert_eq!(count(&finished.report, "global.requests_sent"), counted);
    });
}

#[test]
fn cookies_beyond_those_that_are_looked_at_are_counted() {
    if without("nginx") {
        return;
    }
    let _turn = turn();
    let lines: String = (0..120).map(|number| format!("add_header Set-Cookie \"c{number}=v\"; ")).collect();
    let nginx = Nginx::start(
        Folder::new(),
        &format!("server {{ listen 127.0.0.1:PORT http2; location / {{ {lines} return 200 hello; }} }}"),
    );
    // HTTP/1.1 takes no head of so many lines.
    let (_folder, plan) = plan(&format!("http://127.0.0.1:{}", nginx.port), "version: 2");
    let finished = run(&["rehearse", &plan, "--quiet"]);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert_eq!(count(&finished.report, "global.counters.cookies_refused"), 5 * 20);
}
