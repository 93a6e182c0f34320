//! What a page fetches beside itself, and what of it is left.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::util::{Finished, Folder, count, number, read_head_text, run, server, turn, value};

type Heads = Arc<Mutex<Vec<String>>>;

/// A server that keeps the heads of its requests, and answers a path with what `answer` makes of it.
fn shop(answer: impl Fn(&str) -> String + Send + Sync + Clone + 'static) -> (SocketAddr, Heads) {
    let heads = Heads::default();
    let kept = Arc::clone(&heads);
    let address = server(move |mut stream| {
        while let Some(head) = read_head_text(&mut stream) {
            let answer = answer(head.split(' ').nth(1).unwrap_or_default());
            kept.lock().unwrap().push(head);
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    (address, heads)
}

fn ok(kind: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// One shopper, who opens one page.
fn visit(target: SocketAddr) -> Finished {
    let folder = Folder::new();
    folder.write("journey.yaml", "journey: page\nsteps: [{ step: one, get: /, assets: true }]\n");
    let plan = folder.write(
        "plan.yaml",
        format!(
            "name: assets\ntarget: \"http://{target}\"\nregions: [here]\njourneys: [journey.yaml]\nload: {{ arrivals: [{{ hold: 1/s, for: 1s }}] }}\n"
        ),
    );
    run(&["rehearse", &plan, "--quiet"])
}

fn counter(finished: &Finished, name: &str) -> u64 {
    value(&finished.report, "global.counters")[name].as_u64().unwrap_or(0)
}

#[test]
fn what_is_not_fetched_is_counted() {
    let _turn = turn();
    let (target, heads) = shop(|path| {
        if path != "/" {
            return ok("image/png", "picture");
        }
        let own: String = (0..250).map(|number| format!("<img src=/{number}.png>")).collect();
        ok("text/html", &format!("<html><img src=http://shop.example.com/x.png>{own}{own}</html>"))
    });
    let finished = visit(target);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert_eq!(heads.lock().unwrap().len(), 201);
    assert_eq!(count(&finished.report, "global.steps.one.assets.requests"), 200);
    assert_eq!(counter(&finished, "assets_not_fetched"), 50);
    assert_eq!(counter(&finished, "assets_of_other_hosts"), 1);
}

fn to(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
}

#[test]
fn assets_are_fetched_from_where_redirects_lead() {
    let _turn = turn();
    let (target, heads) = shop(|path| match path {
        "/" => {
            let elsewhere = "<img src=/x.png>";
            ok("text/html", &format!("<link rel=stylesheet href=/a.css><img src=/a.png>{elsewhere}"))
        }
        "/a.css" => to("/css/b.css"),
        "/css/b.css" => ok("text/css", "@import 'c.css';"),
        "/a.png" => to("/b.png?1"),
        "/b.png?1" => to("c.png"),
        "/c.png" => {
            std::thread::sleep(Duration::from_millis(300));
            ok("image/png", "picture")
        }
        "/x.png" => to("http://shop.example.com/x.png"),
        _ => ok("text/css", "a {}"),
    });
    let finished = visit(target);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let heads = heads.lock().unwrap();
    let mut found: Vec<String> = heads
        .iter()
        .map(|head| {
            let referer = head.lines().find_map(|line| line.strip_prefix("referer: ")).unwrap_or("-");
            let path = head.split(' ').nth(1).unwrap();
            format!("{path} {}", referer.replace(&format!("http://{target}"), ""))
        })
        .collect();
    found.sort_unstable();
    // As Chromium has it: what a redirect leads to comes from whoever asked first.
    let expected = [
        "/ -",
        "/a.css /",
        "/a.png /",
        "/b.png?1 /",
        "/c.png /",
        "/css/b.css /",
        "/css/c.css /css/b.css",
        "/x.png /",
    ];
    assert_eq!(found, expected);
    assert_eq!(count(&finished.report, "global.steps.one.assets.requests"), 7, "each hop is a sample");
    assert_eq!(counter(&finished, "redirects"), 3);
    assert_eq!(counter(&finished, "assets_of_other_hosts"), 1);
    let page_ms = number(&finished.report, "global.steps.one.page_ms.max");
    assert!(page_ms >= 300.0, "the page is there once its last asset is: {page_ms} ms");
}

#[test]
fn an_asset_that_goes_in_circles_fails() {
    let _turn = turn();
    let (target, heads) = shop(|path| match path {
        "/" => ok("text/html", "<html><img src=/again.png>"),
        _ => to("/again.png"),
    });
    let finished = visit(target);
    assert_eq!(heads.lock().unwrap().len(), 1 + 20, "as many are followed as browsers follow");
    let failure = &finished.report["failures"][0];
    assert!(failure["example"].as_str().unwrap().contains("over 19 redirects"), "{failure}");
    assert_eq!(count(&finished.report, "global.steps.one.page_ms.count"), 0);
}

#[test]
fn the_queries_of_assets_are_in_the_encoding_of_their_page() {
    let _turn = turn();
    let (target, heads) = shop(|path| match path {
        // What is one character of UTF-8 here are two to who reads it.
        "/" => ok("text/html; charset=windows-1252", "<html><img src=/a.png?é>"),
        _ => ok("image/png", "picture"),
    });
    let finished = visit(target);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let heads = heads.lock().unwrap();
    assert!(heads.len() == 2 && heads[1].starts_with("GET /a.png?%C3%A9 HTTP"), "{heads:#?}");
}
