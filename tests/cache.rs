//! What a shopper's browser keeps: what is fresh is not sent, what is stale is asked about.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

use doorbuster_shop::{Fault, Shop};
use serde_json::Value;

use crate::util::{Finished, Folder, count, patiently, read_head_text, run, server, shop, turn, value};

/// The same page three times, the second time after a pause.
fn three_pages(cache: bool, pause: &str) -> String {
    let page = |step: &str| format!("  - {{ step: {step}, get: /p/1, assets: true }}\n");
    let [one, two, three] = ["one", "two", "three"].map(page);
    format!("journey: pages\ncache: {cache}\nsteps:\n{one}  - {{ think: {pause} }}\n{two}{three}")
}

fn rehearse(target: &str, journey: &str, load: &str) -> Finished {
    let folder = Folder::new();
    folder.write("journey.yaml", journey);
    let plan = format!(
        "name: cache\ntarget: \"{target}\"\nregions: [here]\njourneys: [journey.yaml]\nload: {{ {load} }}\ngraceful: 30s\n"
    );
    let plan = folder.write("plan.yaml", plan);
    run(&["rehearse", &plan, "--quiet"])
}

fn target(shop: &Shop) -> String {
    format!("http://{}", shop.edges()[0].address)
}

/// How many static files the shop's edge answered with a status.
fn files(shop: &Shop, status: &str) -> u64 {
    let counts = &shop.counts()["tokyo"];
    let wanted = |line: &str| line.starts_with("GET /static/") && line.ends_with(status);
    counts.iter().filter(|(line, _)| wanted(line)).map(|(_, count)| count).sum()
}

fn counter(report: &Value, name: &str) -> u64 {
    value(report, "global.counters")[name].as_u64().unwrap_or(0)
}

const TEN: &str = "arrivals: [{ hold: 10/s, for: 1s }]";

/// How many assets the page has, as ten shoppers fetch them three times who keep nothing.
fn assets_of_the_page() -> u64 {
    let shop = shop();
    let finished = rehearse(&target(&shop), &three_pages(false, "10ms"), TEN);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let fetched = files(&shop, "200");
    assert_eq!((fetched % 30, counter(&finished.report, "assets_from_cache")), (0, 0));
    fetched / 30
}

#[test]
fn what_is_fresh_is_not_sent_again() {
    let _turn = turn();
    let assets = assets_of_the_page();
    assert!(assets >= 3, "{assets}");
    let shop = shop();
    let finished = rehearse(&target(&shop), &three_pages(true, "10ms"), TEN);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let report = &finished.report;
    assert_eq!((files(&shop, "200"), files(&shop, "304")), (10 * assets, 0));
    assert_eq!(counter(report, "assets_from_cache"), 20 * assets);
    for (step, sent) in [("one", 10 * assets), ("two", 0), ("three", 0)] {
        assert_eq!(count(report, &format!("global.steps.{step}.assets.requests")), sent, "{step}");
        assert_eq!(
            count(report, &format!("global.steps.{step}.page_ms.count")),
            10,
            "{step} has its page time"
        );
    }
    assert_eq!(count(report, "global.requests_sent"), 30 + 10 * assets);
}

#[test]
fn what_is_stale_is_asked_about() {
    let _turn = turn();
    let assets = assets_of_the_page();
    patiently(|| {
        let shop = shop();
        // Viewers are told of whole seconds: so it is fresh for one.
        shop.set_fault("short-ttl=500ms".parse::<Fault>().unwrap());
        let finished = rehearse(&target(&shop), &three_pages(true, "1500ms"), TEN);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        let report = &finished.report;
        assert_eq!((files(&shop, "200"), files(&shop, "304")), (10 * assets, 10 * assets));
        assert_eq!(count(report, "global.statuses.304"), 10 * assets);
        assert_eq!(counter(report, "assets_revalidated"), 10 * assets);
        assert_eq!(counter(report, "assets_from_cache"), 10 * assets, "fresh again for the third page");
        assert_eq!(count(report, "global.errors"), 0);
    });
}

#[test]
fn a_shopper_who_comes_again_is_another_one_unless_told_otherwise() {
    let _turn = turn();
    let assets = assets_of_the_page();
    let journey = "journey: page\ncache: true\nsteps:\n  - { step: one, get: /p/1, assets: true }\n  - { think: 50ms }\n";
    for cookies in ["per-iteration", "keep"] {
        let shop = shop();
        let load = format!("shoppers: [{{ hold: 2, for: 1s }}], cookies: {cookies}");
        let finished = rehearse(&target(&shop), journey, &load);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        let visits = count(&finished.report, "global.journeys.page.completed");
        assert!(visits > 4, "{visits}");
        let first_visits = if cookies == "keep" { 2 } else { visits };
        assert_eq!(files(&shop, "200"), first_visits * assets, "{cookies}");
        let kept = counter(&finished.report, "assets_from_cache");
        assert_eq!(kept, (visits - first_visits) * assets, "{cookies}");
    }
}

/// The answer to a path, and to one that asks whether it is still right.
fn answer(head: &str) -> String {
    let body = |headers: &str, body: &str| {
        format!("HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
    };
    let html = "content-type: text/html\r\n";
    match head.split(' ').nth(1).unwrap_or_default() {
        "/" => body(html, "<html><link rel=stylesheet href=/a.css><body><img src=/b.png></html>"),
        "/a.css" if head.contains("if-none-match: \"1\"\r\n") => {
            "HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\ncache-control: no-cache\r\n\r\n".to_owned()
        }
        "/a.css" => body("cache-control: no-cache\r\netag: \"1\"\r\n", "@import 'c.css';"),
        // Fresh for a tenth of the hour for which nobody changed it.
        "/b.png" => body(
            "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nlast-modified: Sun, 06 Nov 1994 07:49:37 GMT\r\n",
            "picture",
        ),
        "/c.css" => body("cache-control: max-age=600\r\n", "@import 'd.css';"),
        _ => body("cache-control: no-store\r\netag: \"2\"\r\n", "body {}"),
    }
}

#[test]
fn a_style_sheet_that_is_kept_leads_to_what_it_names() {
    let _turn = turn();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    let address = server(move |mut stream| {
        while let Some(head) = read_head_text(&mut stream) {
            let answer = answer(&head);
            kept.lock().unwrap().push(head);
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    let journey = "journey: pages\ncache: true\nsteps:\n  - { step: one, get: /, assets: true }\n  - { step: two, get: /, assets: true }\n";
    let finished = rehearse(&format!("http://{address}"), journey, "arrivals: [{ hold: 1/s, for: 1s }]");
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let heads = heads.lock().unwrap();
    let mut paths: BTreeMap<&str, u64> = BTreeMap::new();
    for head in heads.iter() {
        *paths.entry(head.split(' ').nth(1).unwrap()).or_default() += 1;
    }
    let expected = [("/", 2), ("/a.css", 2), ("/b.png", 1), ("/c.css", 1), ("/d.css", 2)];
    assert_eq!(paths, BTreeMap::from(expected), "{heads:#?}");
    let asking: Vec<&String> = heads.iter().filter(|head| head.contains("\r\nif-")).collect();
    assert!(asking.len() == 1 && asking[0].starts_with("GET /a.css "), "{asking:#?}");
    assert_eq!(counter(&finished.report, "assets_from_cache"), 2);
    assert_eq!(counter(&finished.report, "assets_revalidated"), 1);
    assert_eq!(count(&finished.report, "global.requests_sent"), 8);
}
