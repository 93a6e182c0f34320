//! Journeys against three styles of shop: the demo shop's own pages, forms as of old, and GraphQL.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use doorbuster_shop::{Options, Shop};
use serde_json::Value;

use crate::util::{Finished, Folder, count, read_head_text, run, server, shop, turn, value};

/// Where the example journeys are.
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/journeys/examples");

/// A rehearsal of 3 s with 20 journeys a second.
fn rehearse(shop: &Shop, journeys: &[String]) -> Finished {
    let folder = Folder::new();
    let journeys = journeys.iter().map(|journey| format!("{journey:?}")).collect::<Vec<_>>().join(", ");
    let plan = folder.write(
        "plan.yaml",
        format!(
            "name: faces\ntarget: \"{}\"\nregions: [here]\njourneys: [{journeys}]\n\
             load: {{ arrivals: [{{ hold: 20/s, for: 3s }}] }}\ngraceful: 30s\n",
            target(shop)
        ),
    );
    run(&["rehearse", &plan, "--quiet"])
}

fn target(shop: &Shop) -> String {
    format!("http://{}", shop.edges()[0].address)
}

fn example(name: &str) -> String {
    format!("{EXAMPLES}/{name}.yaml")
}

/// What the shop itself says that it sold.
fn sales(shop: &Shop) -> Value {
    let mut stream = TcpStream::connect(shop.admin()).unwrap();
    write!(stream, "GET /admin/orders HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
}

fn completed(report: &Value, journey: &str) -> u64 {
    count(report, &format!("global.journeys.{journey}.completed"))
}

#[test]
fn three_styles_of_shop_and_every_order_is_known_to_both() {
    let _turn = turn();
    let shop = shop();
    let finished = rehearse(&shop, &["checkout".to_owned(), example("boutique"), example("graphql")]);
    assert_eq!(finished.code, 0, "{}\n{}", finished.stderr, finished.report["failures"]);
    let report = &finished.report;
    let [pages, forms, graphql] = ["checkout", "boutique", "graphql"].map(|name| completed(report, name));
    assert_eq!(pages + forms + graphql, 60, "all went through");
    assert!(pages > 5 && forms > 5 && graphql > 5, "{pages} {forms} {graphql}");
    assert_eq!(sales(&shop)["orders"], pages + forms + graphql);
    assert_eq!(count(report, "global.counters.orders"), forms + graphql);
    let orders: BTreeSet<&str> =
        finished.markers.iter().map(|marker| marker["value"].as_str().unwrap()).collect();
    assert_eq!(orders.len() as u64, forms + graphql, "every order has a number of its own");
    let of = |letter: &str| orders.iter().filter(|order| order.starts_with(letter)).count() as u64;
    assert_eq!((of("B-"), of("G-")), (forms, graphql));
    let sent: u64 = shop.counts().values().flat_map(|counts| counts.values()).sum();
    assert_eq!(count(report, "global.requests_sent"), sent);
}

#[test]
fn refusals_have_names_and_are_business_failures() {
    let _turn = turn();
    let shop = Shop::start(Options { products: 48, stock: 1, ..Options::default() }).unwrap();
    let finished = rehearse(&shop, &[example("boutique"), example("graphql")]);
    let report = &finished.report;
    let refused = value(report, "global.counters")["refused.sold-out"].as_u64().unwrap_or(0);
    assert!(refused > 0, "{}", value(report, "global.counters"));
    // The others found nothing in stock to begin with.
    let failed = count(report, "global.business_failures");
    assert!(refused > 20 && refused <= failed && failed <= 60, "{refused} of {failed}");
}

#[test]
fn a_card_that_is_declined_is_a_refusal() {
    let _turn = turn();
    let shop = shop();
    let folder = Folder::new();
    let journeys = ["boutique", "graphql"].map(|name| {
        let text = std::fs::read_to_string(example(name)).unwrap();
        folder.write(&format!("{name}.yaml"), text.replace("4242424242424242", "4000000000000002"))
    });
    let finished = rehearse(&shop, &journeys);
    let report = &finished.report;
    assert_eq!(report["global"]["counters"]["refused.declined"], 60, "{}", finished.stderr);
    assert_eq!(sales(&shop)["orders"], 0);
    assert_eq!(finished.markers.len(), 0);
}

#[test]
fn one_walk_with_everything_shown() {
    let _turn = turn();
    let shop = shop();
    let finished = run(&["journey", "run", &example("boutique"), "--target", &target(&shop), "--trace"]);
    assert_eq!(finished.code, 0, "{}\n{}", finished.stdout, finished.stderr);
    for shown in [
        "login",
        "  redirected",
        "POST http://",
        "302",
        "> cookie: ",
        "< set-cookie: ",
        "order = B-",
        "pass: 1 of 1",
    ] {
        assert!(finished.stdout.contains(shown), "{shown} in\n{}", finished.stdout);
    }
    let folder = Folder::new();
    let text = "journey: broken\nsteps:\n  - { step: home, get: /, expect: { has: Nonsense } }\n";
    let journey = folder.write("broken.yaml", text);
    let finished = run(&["journey", "run", &journey, "--target", &target(&shop)]);
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    assert!(finished.stdout.contains("expected \"Nonsense\" in the body ("), "{}", finished.stdout);
    assert!(finished.stdout.contains("broken.yaml:3)"), "{}", finished.stdout);
    let finished = run(&["journey", "run", &journey, "--target", "http://127.0.0.1:1"]);
    assert_eq!(finished.code, 3, "{}", finished.stdout);
}

#[test]
fn assets_are_shown_beneath_their_pages() {
    let _turn = turn();
    let shop = shop();
    let folder = Folder::new();
    let text = "journey: page\ncache: true\nsteps:\n  - { step: one, get: /p/1, assets: true }\n  - { step: two, get: /p/1, assets: true, extract: { title: { css: h1 } } }\n";
    let journey = folder.write("page.yaml", text);
    let finished = run(&["journey", "run", &journey, "--target", &target(&shop)]);
    assert_eq!(finished.code, 0, "{}\n{}", finished.stdout, finished.stderr);
    let lines: Vec<&str> = finished.stdout.lines().collect();
    let second = lines.iter().position(|line| line.starts_with("two ")).unwrap();
    let assets = |lines: &[&str], is_sent: bool| {
        let status = if is_sent { " 200 GET http://" } else { "   - GET http://" };
        let wanted = |line: &&&str| line.starts_with("  asset ") && line.contains(status);
        lines.iter().filter(wanted).count()
    };
    let shown = &finished.stdout;
    assert!(lines[0].starts_with("one "), "{shown}");
    let sent = assets(&lines[..second], true);
    assert!(sent >= 3 && shown.contains("/style.css  "), "{shown}");
    assert_eq!(assets(&lines[second..], false), sent, "kept from the first page: {shown}");
    assert_eq!(shown.matches("title = ").count(), 1, "{shown}");
    let finished = run(&["journey", "run", &journey, "--target", &target(&shop), "--trace"]);
    assert!(
        finished.stdout.contains("< cache-control: public, max-age=31536000, immutable"),
        "{}",
        finished.stdout
    );
}

#[test]
fn a_request_is_shown_with_the_cookies_that_it_carried() {
    let _turn = turn();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    let address = server(move |mut stream| {
        while let Some(head) = read_head_text(&mut stream) {
            let number = kept.lock().unwrap().len();
            kept.lock().unwrap().push(head);
            let answer =
                format!("HTTP/1.1 200 OK\r\nset-cookie: sid={number}\r\ncontent-length: 2\r\n\r\nok");
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    let folder = Folder::new();
    let text = "journey: two\nsteps: [{ step: one, get: / }, { step: two, get: / }]\n";
    let journey = folder.write("two.yaml", text);
    let finished = run(&["journey", "run", &journey, "--target", &format!("http://{address}"), "--trace"]);
    assert_eq!(finished.code, 0, "{}\n{}", finished.stdout, finished.stderr);
    let cookies = |text: &str, begin: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.trim().strip_prefix(begin)).map(str::to_owned).collect()
    };
    let sent: Vec<String> = heads.lock().unwrap().iter().flat_map(|head| cookies(head, "cookie: ")).collect();
    assert_eq!(sent, ["sid=0"]);
    assert_eq!(cookies(&finished.stdout, "> cookie: "), sent, "{}", finished.stdout);
}

#[test]
fn visits_that_chromium_recorded_become_journeys_that_go_through() {
    let _turn = turn();
    let shop = shop();
    let folder = Folder::new();
    for (name, lines_max, order) in
        [("boutique", 30, "boutique/thanks/B-"), ("checkout", 50, "checkout/confirmation/")]
    {
        let har = format!("{}/journeys/tests/recordings/{name}.har", env!("CARGO_MANIFEST_DIR"));
        let imported = run(&["journey", "import", &har]);
        assert_eq!(imported.code, 0, "{}", imported.stderr);
        assert!(imported.stdout.lines().count() <= lines_max, "it is short:\n{}", imported.stdout);
        assert!(!imported.stdout.contains("4242"), "no secret is in it:\n{}", imported.stdout);
        assert!(imported.stderr.contains("SHOP_CARD"), "{}", imported.stderr);
        let journey = folder.write(&format!("{name}.yaml"), &imported.stdout);
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_doorbuster"))
            .args(["journey", "run", &journey, "--target", &target(&shop), "--times", "3"])
            .env("SHOP_CARD", "4242424242424242")
            .env("SHOP_PASSWORD", "secret-felix")
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && shown.contains("pass: 3 of 3"), "{}\n{shown}", imported.stdout);
        assert!(shown.contains(order), "{shown}");
    }
    assert_eq!(sales(&shop)["orders"], 6, "each walk has bought something");
}

#[test]
fn secrets_are_shown_nowhere() {
    let _turn = turn();
    let shop = shop();
    let folder = Folder::new();
    let text = "journey: secret\nsteps:\n  - { step: search, get: /search, query: { q: \"${env.DOORBUSTER_TEST_SECRET}\" }, headers: { authorization: \"Bearer ${env.DOORBUSTER_TEST_SECRET}\" }, expect: { has: \"x ${env.DOORBUSTER_TEST_SECRET}\" } }\n";
    let journey = folder.write("secret.yaml", text);
    let finished = run(&["journey", "run", &journey, "--target", &target(&shop)]);
    assert_eq!(finished.code, 2, "a secret that is not set is an error");
    assert!(finished.stderr.contains("DOORBUSTER_TEST_SECRET"), "{}", finished.stderr);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_doorbuster"))
        .args(["journey", "run", &journey, "--target", &target(&shop), "--trace"])
        .env("DOORBUSTER_TEST_SECRET", "xyzzy-42")
        .output()
        .unwrap();
    let shown =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(shown.contains("Bearer ***") && !shown.contains("xyzzy"), "{shown}");
}

#[test]
fn samples_and_counters_go_by_names_with_a_variable() {
    let _turn = turn();
    let shop = shop();
    let folder = Folder::new();
    folder.write(
        "journey.yaml",
        "journey: names\nchoose: { word: [lamp, tea set] }\nsteps:\n  - { step: home, get: /, count: visits }\n  - { step: \"search-${word}\", get: /search, query: { q: \"${word}\" }, count: { searches: 2 } }\n  - { step: last, get: /, count: ends }\n",
    );
    let plan = folder.write(
        "plan.yaml",
        format!(
            "name: names\ntarget: \"{}\"\nregions: [here]\njourneys: [journey.yaml]\nload: {{ arrivals: [{{ hold: 40/s, for: 2s }}] }}\nthresholds: [\"search-tea-set errors < 1%\", \"names/search-lamp p50 < 10s\"]\n",
            target(&shop)
        ),
    );
    let finished = run(&["rehearse", &plan, "--quiet"]);
    let report = &finished.report;
    assert_eq!(finished.code, 0, "{} {}", report["reasons"], finished.stderr);
    let sent = |step: &str| count(report, &format!("global.steps.{step}.requests"));
    let (lamp, tea) = (sent("search-lamp"), sent("search-tea-set"));
    assert!(lamp > 0 && tea > 0 && lamp + tea == 80, "{lamp} + {tea}");
    let counters = value(report, "global.counters");
    assert_eq!([&counters["visits"], &counters["searches"], &counters["ends"]], [80, 160, 80], "{counters}");
}

#[test]
fn journeys_are_checked_all_at_once() {
    let folder = Folder::new();
    let broken = folder
        .write("broken.yaml", "journey: x\nsteps:\n  - { step: a, gte: / }\n  - { step: a, get: '/${b}' }\n");
    let good = folder.write("good.yaml", "journey: y\nchoose: { word: [a] }\nsteps: [{ step: a, get: / }]\n");
    let finished =
        run(&["journey", "check", &broken, &good, "browse", &example("boutique"), &example("graphql")]);
    assert_eq!(finished.code, 2);
    assert!(
        finished.stderr.contains("broken.yaml:3:") && finished.stderr.contains("broken.yaml:4:"),
        "{}",
        finished.stderr
    );
    for shown in [
        "good.yaml: good, 1 step\n",
        "good.yaml:2: nobody uses \"word\"",
        "boutique.yaml: good, 12 steps",
        "graphql.yaml: good, 5 steps",
    ] {
        assert!(finished.stdout.contains(shown), "{shown} in\n{}", finished.stdout);
    }
}
