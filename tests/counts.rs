//! Counts agree to the request.

use std::collections::BTreeMap;
use std::time::Duration;

use doorbuster_shop::Shop;
use serde_json::Value;

use crate::util::{
    Finished, Folder, Nginx, count, number, patiently, regions, run, shop, start, turn, value, without,
};

/// All journeys from all regions, fast enough to be over in seconds.
fn plan(shop: &Shop, graceful: &str) -> String {
    format!(
        "name: counts\n{}journeys: [{{ journey: browse, weight: 5 }}, {{ journey: cart, weight: 3 }}, {{ journey: checkout, weight: 2 }}]\n\
         load: {{ arrivals: [{{ ramp: [10/s, 60/s], over: 4s }}], spacing: poisson }}\ngraceful: {graceful}\n",
        regions(shop)
    )
}

fn statuses(report: &Value) -> BTreeMap<String, u64> {
    let counts = value(report, "statuses").as_object().unwrap();
    counts.iter().map(|(status, count)| (status.clone(), count.as_u64().unwrap())).collect()
}

fn rehearse(plan: &str) -> Finished {
    let folder = Folder::new();
    let plan = folder.write("plan.yaml", plan);
    run(&["rehearse", &plan, "--quiet"])
}

/// The counts of one region of the shop's own log, by what `key` makes of "METHOD path status".
fn logged(
    shop: &Shop,
    region: &str,
    key: impl Fn(&str, &str, &str) -> Option<String>,
) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for (line, count) in &shop.counts()[region] {
        let parts: Vec<&str> = line.split(' ').collect();
        if let Some(key) = key(parts[0], parts[1], parts[2]) {
            *counts.entry(key).or_default() += count;
        }
    }
    counts
}

/// Which of the shop's pages a built-in step's own request goes to.
const PAGES: [(&str, &str); 9] = [
    ("home", "GET /"),
    ("category", "GET /c/"),
    ("search", "GET /search"),
    ("product", "GET /p/"),
    ("add", "POST /cart/add"),
    ("update", "POST /cart/update"),
    ("address", "GET /checkout/address"),
    ("pay", "POST /checkout/payment"),
    ("confirmation", "GET /checkout/confirmation/"),
];

/// The page of a step, the prefixes of journeys left out.
fn page(step: &str) -> Option<&'static str> {
    let own =
        ["cart-", "checkout-", "second-"].iter().find_map(|prefix| step.strip_prefix(prefix)).unwrap_or(step);
    PAGES.iter().find(|(name, _)| *name == own).map(|(_, page)| *page)
}

#[test]
fn counts_shop() {
    let _turn = turn();
    patiently(|| {
        let shop = shop();
        let finished = rehearse(&plan(&shop, "30s"));
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        let report = &finished.report;
        assert_eq!(number(report, "validity.arrivals_started"), 140.0);
        for edge in shop.edges() {
            let region = &report["regions"][&edge.region];
            assert_eq!(statuses(region), logged(&shop, &edge.region, |_, _, status| Some(status.to_owned())));
            assert_eq!(region["requests"], region["requests_sent"]);
            let mut by_page = BTreeMap::new();
            for (step, figures) in region["steps"].as_object().unwrap() {
                if let Some(page) = page(step) {
                    *by_page.entry(page.to_owned()).or_default() += count(figures, "requests");
                }
            }
            let pages = logged(&shop, &edge.region, |method, path, _| {
                let line = format!("{method} {path}");
                // The home page alone is a page by its whole path: every path begins with it.
                let page = PAGES
                    .iter()
                    .find(|(_, page)| line == *page || (*page != "GET /" && line.starts_with(page)));
                page.map(|(_, page)| (*page).to_owned())
            });
            assert_eq!(by_page, pages, "{}", edge.region);
            let assets: u64 = region["steps"]
                .as_object()
                .unwrap()
                .values()
                .map(|step| count(step, "assets.requests"))
                .sum();
            let fetched =
                logged(&shop, &edge.region, |_, path, _| path.starts_with("/static/").then(String::new));
            assert_eq!(assets, fetched.values().sum::<u64>(), "{}", edge.region);
        }
    });
}

#[test]
fn counts_shop_when_journeys_are_cut() {
    let _turn = turn();
    patiently(|| {
        let shop = shop();
        let finished = rehearse(&plan(&shop, "0s"));
        std::thread::sleep(Duration::from_millis(300));
        assert!(number(&finished.report, "validity.journeys_cut") > 20.0, "{}", finished.report["validity"]);
        for edge in shop.edges() {
            let logged: u64 = logged(&shop, &edge.region, |_, _, _| Some(String::new())).values().sum();
            assert_eq!(count(&finished.report["regions"][&edge.region], "requests_sent"), logged);
        }
    });
}

#[test]
fn counts_nginx() {
    if without("nginx") {
        return;
    }
    let _turn = turn();
    patiently(|| {
        let folder = Folder::new();
        folder.write(
            "page.html",
            "<html><link rel=stylesheet href=/a.css><img src=/b.svg><img src=/gone.svg></html>",
        );
        folder.write("a.css", "body {}".repeat(300));
        folder.write("b.svg", "<svg/>");
        let server = "types { text/html html; text/css css; image/svg+xml svg; } gzip on; gzip_types text/css;\n\
        server { listen 127.0.0.1:PORT; root FOLDER;\n\
        location = /old { return 302 /page.html; } location = /post { return 204; } location = /teapot { return 418; } }";
        let nginx = Nginx::start(folder, server);
        let journey = "journey: pages\nsteps:\n\
        \x20 - { step: page, get: /page.html, assets: true, expect: { status: 200, has: stylesheet } }\n\
        \x20 - { step: moved, get: /old }\n\
        \x20 - { step: missing, get: /missing, expect: { status: 404 } }\n\
        \x20 - { step: posted, post: /post, form: { a: 1 } }\n\
        \x20 - { step: head, head: /a.css }\n\
        \x20 - { step: teapot, get: /teapot }\n";
        nginx.folder.write("pages.yaml", journey);
        let plan = format!(
            "name: nginx\ntarget: http://127.0.0.1:{}\nregions: [tokyo, london]\njourneys: [pages.yaml]\n\
         load: {{ arrivals: [{{ hold: 50/s, for: 10s }}] }}\nthresholds: [\"errors <= 20%\"]\n",
            nginx.port
        );
        let plan = nginx.folder.write("plan.yaml", plan);
        let finished = run(&["gate", &plan]);
        let report = &finished.report;
        let expected: BTreeMap<String, u64> = [
            ("GET /page.html 200", 1_000),
            ("GET /a.css 200", 500),
            ("GET /b.svg 200", 500),
            ("GET /gone.svg 404", 500),
            ("GET /old 302", 500),
            ("GET /missing 404", 500),
            ("POST /post 204", 500),
            ("HEAD /a.css 200", 500),
            ("GET /teapot 418", 500),
        ]
        .map(|(line, count)| (line.to_owned(), count))
        .into();
        assert_eq!(nginx.log(), expected, "what nginx saw");
        assert_eq!(number(report, "global.requests_sent"), 5_000.0);
        let of = |status: &str| number(report, &format!("global.statuses.{status}"));
        assert_eq!(
            (of("200"), of("404"), of("302"), of("204"), of("418")),
            (2_500.0, 1_000.0, 500.0, 500.0, 500.0)
        );
        // The asset that is gone, and the status that no step accepts.
        assert_eq!(number(report, "global.errors_by_class.status"), 1_000.0);
        let of = |path: &str| number(report, &format!("global.steps.{path}"));
        assert_eq!(
            (of("page.requests"), of("page.assets.requests"), of("page.assets.errors")),
            (500.0, 1_500.0, 500.0)
        );
        assert_eq!(
            (of("moved.requests"), of("moved.hops.requests"), of("missing.errors")),
            (500.0, 500.0, 0.0)
        );
        assert_eq!((of("teapot.errors"), of("teapot.failed_ms.count")), (500.0, 500.0));
        assert_eq!(number(report, "global.journeys.pages.failed"), 500.0);
        // The style sheet went over the wire compressed, and was decoded: few enough a second that all were.
        assert!(
            number(report, "global.bytes_decoded") > number(report, "global.bytes_wire") + 500.0 * 1_900.0
        );
        assert_eq!(finished.code, 0, "1,000 failures of 5,000 are 20 %: {}", finished.stdout);
    });
}

/// A closed model counts right too, and its connections are kept.
#[test]
fn counts_nginx_closed() {
    if without("nginx") {
        return;
    }
    let _turn = turn();
    patiently(|| {
        let nginx =
            Nginx::start(Folder::new(), "server { listen 127.0.0.1:PORT; location / { return 200 hello; } }");
        let url = format!("http://127.0.0.1:{}/", nginx.port);
        let finished = start(&["hit", &url, "--connections", "16", "--for", "3s", "--quiet"]).finish();
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        let sent = count(&finished.report, "global.requests_sent");
        assert_eq!(nginx.log(), BTreeMap::from([("GET / 200".to_owned(), sent)]));
        assert!(sent > 3_000, "{sent}");
        assert_eq!(number(&finished.report, "global.connections.opened"), 16.0);
    });
}
