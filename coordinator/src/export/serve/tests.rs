//! The server before clients that mean well, clients that do not, and Prometheus itself.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::*;
use crate::export::samples;
use crate::export::testing::{Program, free_port, without};

fn server(token: Option<&str>) -> (Server, Board) {
    let board = Board::new(samples::snapshot());
    let serving = Serving::new("127.0.0.1:0", token.map(str::to_owned)).unwrap();
    (Server::start(serving, board.clone()).unwrap(), board)
}

/// Sends a request on a connection of its own; the answer's head and body.
fn ask(address: SocketAddr, path: &str, headers: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[test]
fn the_page_comes_in_the_format_that_is_asked_for() {
    let (server, _) = server(None);
    let (head, body) = ask(server.address, "/metrics", "");
    assert!(
        head.starts_with("HTTP/1.1 200 ") && head.contains("content-type: text/plain; version=0.0.4"),
        "{head}"
    );
    assert_eq!(body, page(&samples::snapshot(), Format::Text));
    let (head, body) = ask(server.address, "/metrics", "Accept: application/openmetrics-text\r\n");
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(body.ends_with("# EOF\n"));
    assert!(ask(server.address, "/", "").0.starts_with("HTTP/1.1 404 "));
}

#[test]
fn strangers_are_turned_away() {
    let (server, _) = server(Some("0123456789abcdef"));
    assert!(ask(server.address, "/metrics", "").0.starts_with("HTTP/1.1 401 "));
    let token = "Authorization: Bearer 0123456789abcdef\r\n";
    assert!(ask(server.address, "/metrics", token).0.starts_with("HTTP/1.1 200 "));
    assert!(ask(server.address, "/healthz", "").0.starts_with("HTTP/1.1 200 "));
    let (open, _) = self::server(None);
    let mut stream = TcpStream::connect(open.address).unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: rebound.example.com\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
}

#[test]
fn health_is_that_something_is_still_shown() {
    let (server, board) = server(None);
    assert_eq!(ask(server.address, "/healthz", "").1, "ok\n");
    let long_ago = Instant::now().checked_sub(Duration::from_secs(90)).unwrap();
    board.0.lock().unwrap().0 = long_ago;
    let (head, body) = ask(server.address, "/healthz", "");
    assert!(head.starts_with("HTTP/1.1 503 ") && body.contains("for 90 s"), "{head} {body}");
    board.show(samples::snapshot());
    assert_eq!(ask(server.address, "/healthz", "").1, "ok\n");
    let mut unsaved = samples::snapshot();
    unsaved.vitals.store_failing_s = 61;
    board.show(unsaved);
    let (head, body) = ask(server.address, "/healthz", "");
    assert!(
        head.starts_with("HTTP/1.1 503 ") && body.contains("nothing was saved for 61 s"),
        "{head} {body}"
    );
}

#[test]
fn a_scraper_that_does_not_read_slows_nobody() {
    let (server, board) = server(None);
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(server.address).unwrap();
        let requests = format!("GET /metrics HTTP/1.1\r\nHost: {}\r\n\r\n", server.address).repeat(50);
        stream.write_all(requests.as_bytes()).unwrap();
        slow.push(stream);
    }
    let snapshots: Vec<_> = (0..100).map(|_| samples::snapshot()).collect();
    let began = Instant::now();
    for snapshot in snapshots {
        board.show(snapshot);
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(ask(server.address, "/metrics", "").0.starts_with("HTTP/1.1 200 "));
    // More connections than there are places for are closed, and those that are there are served.
    let beyond: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    let closed = beyond.iter().filter(|stream| {
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        matches!((&mut &**stream).read(&mut [0]), Ok(0))
    });
    assert!(closed.count() >= 30);
    drop(slow);
    let began = Instant::now();
    drop(server);
    assert!(began.elapsed() < Duration::from_secs(2), "it stops at once");
}

/// The result of a query of Prometheus: labels and values.
fn query(port: u16, query: &str) -> Vec<(Value, f64)> {
    let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let (_, body) = ask(address, &format!("/api/v1/query?query={query}"), "");
    // The answer may come in chunks: what is between the outer braces is the document.
    let text: String = match (body.find('{'), body.rfind('}')) {
        (Some(from), Some(to)) => body[from..=to].to_owned(),
        _ => return Vec::new(),
    };
    let answer: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    let results = answer["data"]["result"].as_array().cloned().unwrap_or_default();
    let value = |result: &Value| result["value"][1].as_str().and_then(|value| value.parse().ok());
    results.iter().filter_map(|result| Some((result["metric"].clone(), value(result)?))).collect()
}

#[test]
fn prometheus_scrapes_the_server_and_gives_the_figures_back() {
    if without("promtool") {
        return;
    }
    let (server, board) = server(Some("0123456789abcdef"));
    let port = free_port();
    let folder = std::env::temp_dir().join(format!("doorbuster-prometheus-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let configuration = format!(
        "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [rules.yaml]\n\
         scrape_configs: [{{ job_name: doorbuster, authorization: {{ credentials: 0123456789abcdef }}, static_configs: [{{ targets: [\"{}\"] }}] }}]\n",
        server.address
    );
    std::fs::write(folder.join("prometheus.yml"), configuration).unwrap();
    let rules = crate::export::rules::prometheus::rules("shop", &samples::slo());
    std::fs::write(folder.join("rules.yaml"), rules).unwrap();
    let mut command = Command::new("prometheus");
    command.arg(format!("--config.file={}", folder.join("prometheus.yml").display()));
    command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
    command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let prometheus = Program::start(&mut command, port);
    let failed = "doorbuster_slo_failed_events_total{scope=\"global\",objective=~\"checkout.*\"}";
    let deadline = Instant::now() + Duration::from_secs(60);
    while query(port, failed).is_empty() {
        assert!(Instant::now() < deadline, "Prometheus does not scrape");
        std::thread::sleep(Duration::from_millis(200));
    }
    for (expression, expected) in [
        (failed, 2.0),
        ("doorbuster_slo_budget_spent_ratio{scope=\"tokyo\",objective=~\"checkout.*\"}", 40.0),
        (
            "doorbuster_slo_burn_rate{scope=\"global\",rule=\"page-14.4\",window=\"5m\",objective=~\"checkout.*\"}",
            20.0,
        ),
        ("sum(doorbuster_requests_total)", 5.0),
        ("doorbuster_request_errors_total{class=\"status\",step=\"pay\"}", 1.0),
        ("histogram_quantile(1, doorbuster_request_latency_seconds_bucket{step=\"pay\"})", 1.0),
        ("doorbuster_request_latency_seconds_sum{step=\"pay\"}", 0.7),
        ("doorbuster_alert{state=\"firing\",rule=\"page-14.4\"}", 1.0),
        ("count(up{job=\"doorbuster\"} == 1)", 1.0),
    ] {
        let values: Vec<f64> = query(port, expression).into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, [expected], "{expression}");
    }
    // What is counted from now on grows there, too; and its alert about silence fires.
    let mut snapshot = samples::snapshot();
    let mut counted = samples::counted();
    (counted[0].count.total, counted[0].count.failed) = (1_050, 40);
    snapshot.counters.raise(&counted);
    board.show(snapshot);
    let silent = "ALERTS{alertname=\"DoorbusterRegionSilent\",region=\"london\",alertstate=\"firing\"}";
    let burning = "ALERTS{alertname=\"DoorbusterBudgetBurn\",rule=\"page-14.4\",alertstate=\"firing\",scope=\"global\"}";
    for (expression, expected) in [(failed, 40.0), (silent, 1.0), (burning, 1.0)] {
        let deadline = Instant::now() + Duration::from_secs(90);
        while query(port, expression).first().is_none_or(|(_, value)| *value != expected) {
            assert!(Instant::now() < deadline, "{expression}: {:?}", query(port, expression));
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    drop(prometheus);
    let _ = std::fs::remove_dir_all(folder);
}
