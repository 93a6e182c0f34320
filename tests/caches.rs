//! Two real caches as an edge before a shop: Varnish, and nginx with its cache and brotli module. Nothing is found where
//! their configuration is right, and each thing that people get wrong is found, and nothing else beside it.

mod origin;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::util::{
    Folder, Nginx, Running, count, kinds, patiently_without_findings, run, start, turn, value, without,
};

/// A configuration with something wrong: the right one with some of its text replaced.
struct Wrong {
    name: &'static str,
    changes: &'static [(&'static str, &'static str)],
    /// The rules that a run finds broken: exactly these.
    run: &'static [&'static str],
    /// Those that an audit finds broken: at least these, and besides none that a run does not find.
    audit: &'static [&'static str],
}

const NGINX: &str = include_str!("caches/nginx.conf");
const VARNISH: &str = include_str!("caches/edge.vcl");
/// Where Debian puts nginx's modules.
const BROTLI: &str = "ngx_http_brotli_filter_module.so";
const MODULES: &str = "/usr/lib/nginx/modules";

/// Errors that are kept for an hour and tell no Age.
const AGELESS: &str = "errors-for-an-hour-without-age";

/// What people get wrong in nginx.
const NGINX_WRONG: &[Wrong] = &[
    Wrong {
        name: "cookie-in-key",
        changes: &[(r#"|$arg_page""#, r#"|$arg_page|$http_cookie""#)],
        run: &["fragmented", "hit-ratio"],
        audit: &["varies-on-cookie"],
    },
    Wrong {
        name: "query-in-key",
        changes: &[(r#""$uri|$arg_q|$arg_page""#, r#""$request_uri""#)],
        // A quarter of the pages is asked for by an address that nobody else has.
        run: &["fragmented", "hit-ratio"],
        audit: &["fragmented"],
    },
    Wrong {
        name: "api-cached",
        changes: &[
            ("^/(api|cart)", "^/(cart)"),
            (
                "proxy_ignore_headers Set-Cookie;",
                "proxy_ignore_headers Set-Cookie Cache-Control; proxy_cache_valid 200 5m;",
            ),
        ],
        run: &["private-hit", "marker-leaked"],
        audit: &["private-hit"],
    },
    Wrong {
        name: "no-store-kept",
        changes: &[(
            "(/|$) {",
            "(/|$) { proxy_cache NAME; proxy_cache_valid 200 1m; proxy_ignore_headers Cache-Control;",
        )],
        run: &["private-hit", "marker-leaked"],
        audit: &["private-hit"],
    },
    Wrong {
        name: "cookies-kept",
        changes: &[("proxy_hide_header Set-Cookie;", "")],
        run: &["cookie-from-cache", "cookie-on-cacheable"],
        audit: &["cookie-from-cache"],
    },
    Wrong {
        name: "not-compressed",
        changes: &[("gzip on;", "gzip off;"), ("brotli on;", "brotli off;")],
        run: &["not-compressed", "savings"],
        audit: &["not-compressed", "savings"],
    },
    Wrong {
        name: "images-compressed",
        changes: &[("gzip_types ", "gzip_types image/png "), ("brotli_types ", "brotli_types image/png ")],
        run: &["compressed-image"],
        audit: &["compressed-image"],
    },
    Wrong {
        name: "vary-missing",
        changes: &[("gzip_vary on;", "gzip_vary off;")],
        run: &["vary-encoding-missing"],
        audit: &["vary-encoding-missing"],
    },
    Wrong {
        name: "browser-in-key",
        changes: &[("gzip_vary on;", "gzip_vary on; add_header Vary User-Agent;")],
        run: &["varies-on-user-agent"],
        audit: &["varies-on-user-agent"],
    },
    Wrong {
        name: "html-for-a-year",
        changes: &[
            ("404 5s;", "404 5s; proxy_cache_valid 200 1y; expires 1y;"),
            ("proxy_ignore_headers Set-Cookie;", "proxy_ignore_headers Set-Cookie Cache-Control;"),
        ],
        run: &["lifetime-differs"],
        audit: &["lifetime-differs"],
    },
    Wrong {
        name: AGELESS,
        changes: &[("404 5s", "404 503 1h")],
        // Nobody tells how old it is: it does nothing but hit for over 10 s.
        run: &["error-cached"],
        audit: &["error-cached"],
    },
    Wrong {
        name: "nothing-kept",
        changes: &[("404 5s;", "404 5s; proxy_no_cache 1;")],
        run: &["hit-ratio"],
        audit: &["hit-ratio"],
    },
];

/// What people get wrong in Varnish.
const VARNISH_WRONG: &[Wrong] = &[
    Wrong {
        name: "cookie-in-key",
        changes: &[
            ("unset req.http.Cookie;", ""),
            (
                "sub vcl_backend_response",
                "sub vcl_hash { hash_data(req.http.Cookie); }\nsub vcl_backend_response",
            ),
        ],
        run: &["fragmented", "hit-ratio"],
        audit: &["varies-on-cookie"],
    },
    Wrong {
        name: "query-in-key",
        changes: &[("set req.url = reg", "# set req.url = reg")],
        run: &["fragmented", "hit-ratio"],
        audit: &["fragmented"],
    },
    Wrong {
        name: "api-cached",
        changes: &[
            (
                r#"if (req.url ~ "^/(api"#,
                "if (req.url ~ \"^/api/\") { return (hash); }\n    if (req.url ~ \"^/(api",
            ),
            (
                "    if (beresp.http.Content-Type ~",
                "    if (bereq.url ~ \"^/api/\") { set beresp.ttl = 5m; return (deliver); }\n    if (beresp.http.Content-Type ~",
            ),
        ],
        run: &["private-hit", "marker-leaked"],
        audit: &["private-hit"],
    },
    Wrong {
        name: "no-store-kept",
        changes: &[
            (r#"|\?|$)") {"#, r#"|\?|$)") { return (hash);"#),
            (
                "    if (beresp.http.Content-Type ~",
                "    if (beresp.http.Cache-Control ~ \"no-store\") { set beresp.ttl = 60s; return (deliver); }\n    if (beresp.http.Content-Type ~",
            ),
        ],
        run: &["private-hit", "marker-leaked"],
        audit: &["private-hit"],
    },
    Wrong {
        name: "cookies-kept",
        changes: &[
            ("unset beresp.http.Set-Cookie;", ""),
            ("do_gzip = true;", "do_gzip = true; return (deliver);"),
        ],
        run: &["cookie-from-cache", "cookie-on-cacheable"],
        audit: &["cookie-from-cache"],
    },
    Wrong {
        name: "not-compressed",
        changes: &[("do_gzip = true", "do_gzip = false")],
        run: &["not-compressed", "savings"],
        audit: &["not-compressed", "savings"],
    },
    Wrong {
        name: "images-compressed",
        changes: &[(r#""^text/""#, r#"".""#)],
        run: &["compressed-image"],
        audit: &["compressed-image"],
    },
    Wrong {
        name: "vary-missing",
        changes: &[("sub vcl_deliver {", "sub vcl_deliver { unset resp.http.Vary;")],
        run: &["vary-encoding-missing"],
        audit: &["vary-encoding-missing"],
    },
    Wrong {
        name: "browser-in-key",
        changes: &[("do_gzip = true;", r#"do_gzip = true; set beresp.http.Vary = "User-Agent";"#)],
        run: &["varies-on-user-agent"],
        audit: &["varies-on-user-agent"],
    },
    Wrong {
        name: "html-for-a-year",
        changes: &[(
            "do_gzip = true;",
            r#"do_gzip = true; if (beresp.http.Content-Type ~ "html") { set beresp.ttl = 365d; set beresp.http.Cache-Control = "max-age=31536000"; }"#,
        )],
        run: &["lifetime-differs"],
        audit: &["lifetime-differs"],
    },
    Wrong {
        name: "errors-for-an-hour",
        changes: &[("ttl = 5s", "ttl = 1h")],
        run: &["error-cached"],
        audit: &["error-cached"],
    },
    Wrong {
        name: "lifetime-missing",
        changes: &[("sub vcl_deliver {", "sub vcl_deliver { unset resp.http.Cache-Control;")],
        run: &["lifetime-unsaid"],
        audit: &["lifetime-unsaid"],
    },
];

const RIGHT: &str = "right";

/// Shoppers look around as nobody in particular, at a page also from an advertisement, and as themselves.
const JOURNEY: &str = r#"
journey: buy
steps:
  - { step: home, get: /, assets: true }
  - { step: product, get: /p/2 }
  - { step: visit, get: "/p/2?gclid=${shopper.number}" }
  - { step: broken, get: /broken, expect: { status: 503 } }
  - { step: add, post: /cart/add, form: { product: 1, note: "${shopper.mark}" }, redirects: stop, expect: { status: 303 } }
  - { step: again, get: / }
  - { step: cart, get: /cart }
  - { step: api, get: /api/cart }
"#;

/// What such an edge promises.
const POLICY: &str = r#"
cdn:
  provider: generic
  classes:
    - { class: private, match: ["/api/**", "/cart/**"], cached: never }
    - { class: static, match: ["/static/**"], cached_for: 365d, versioned: true, hit_ratio: "> 95%", compress: text, savings: "> 60%" }
    - { class: html, match: ["text/html"], cached_for: 5m, hit_ratio: "> 80%", compress: text }
"#;

/// The right configuration with these changes.
fn changed(right: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(right.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "there is no {from:?} to be changed");
        text.replace(from, to)
    })
}

/// Ports that nobody listens on.
fn free_ports(number: usize) -> Vec<u16> {
    // All are held until the last is chosen, so that none is given twice.
    let held: Vec<TcpListener> = (0..number).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    held.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

/// Varnish, a process to each configuration. They end with it.
struct Varnish {
    children: Vec<Child>,
    folder: Folder,
}

impl Varnish {
    /// Starts one with this VCL. It listens as soon as the VCL is compiled.
    fn start(&mut self, name: &str, vcl: &str, port: u16) {
        let vcl = self.folder.write(&format!("{name}.vcl"), vcl);
        let log = File::create(self.log(name)).unwrap();
        let mut command = Command::new("varnishd");
        command.args(["-F", "-j", "none", "-T", "none", "-s", "malloc,16m", "-p", "vsl_space=4M"]);
        command.args(["-p", "thread_pools=1", "-p", "thread_pool_min=20", "-p", "thread_pool_max=200"]);
        command.arg("-n").arg(self.folder.path(name)).args(["-f", &vcl, "-a", &format!("127.0.0.1:{port}")]);
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn();
        self.children.push(child.expect("varnishd starts: cargo xtask test installs it"));
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.path(&format!("{name}.log"))
    }

    fn wait(&self, name: &str, port: u16) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = fs::read_to_string(self.log(name)).unwrap_or_default();
            assert!(Instant::now() < deadline, "varnishd ({name}) does not listen: {log}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Varnish {
    fn drop(&mut self) {
        // Asked to end, it ends its worker, too.
        for child in &mut self.children {
            if !Command::new("kill").arg(child.id().to_string()).status().is_ok_and(|sent| sent.success()) {
                let _ = child.kill();
            }
        }
        for child in &mut self.children {
            let _ = child.wait();
        }
    }
}

/// Errors may be kept for 10 s: only then is one too old.
const PAST_ERRORS_S: u32 = 14;

/// An edge under test: the name of its configuration, and its port.
type Edge = (&'static str, u16);

fn plan(edges: &[Edge], rate: usize, seconds: u32) -> String {
    let region = |(name, port): &Edge| format!("{name}: {{ target: \"http://127.0.0.1:{port}\" }}");
    let regions = edges.iter().map(region).collect::<Vec<_>>().join(", ");
    format!(
        "name: caches\nregions: {{ {regions} }}\njourneys: [buy.yaml]\n\
         load: {{ arrivals: [{{ hold: {rate}/s, for: {seconds}s }}] }}\ngraceful: 30s\n{POLICY}"
    )
}

/// Starts an audit of a plan's regions, which tells what it found in `report`.
fn audit(folder: &Folder, plan: &str, report: &str) -> Running {
    let (journey, report) = (folder.path("buy.yaml"), folder.path(report));
    start(&["audit", plan, "--journey", journey.to_str().unwrap(), "--json", report.to_str().unwrap()])
}

type Found = BTreeMap<String, BTreeSet<String>>;

/// The rules that a run found broken, by region.
fn run_found(report: &Value) -> Found {
    let mut found = Found::new();
    for finding in value(report, "cdn.findings").as_array().unwrap() {
        let of = |key: &str| finding[key].as_str().unwrap().to_owned();
        found.entry(of("region")).or_default().insert(of("rule"));
    }
    found
}

/// The rules that an audit found broken, by region, and how many promises it found kept.
fn audit_found(report: &Value) -> (Found, usize) {
    let (mut found, mut kept) = (Found::new(), 0);
    for (region, audited) in report["regions"].as_object().unwrap() {
        for promise in audited["promises"].as_array().unwrap() {
            match promise["verdict"].as_str().unwrap() {
                "pass" => kept += 1,
                "fail" | "warn" => {
                    let rule = promise["rule"].as_str().unwrap().to_owned();
                    found.entry(region.clone()).or_default().insert(rule);
                }
                _ => {}
            }
        }
    }
    (found, kept)
}

fn set(rules: &[&str]) -> BTreeSet<String> {
    rules.iter().map(|rule| (*rule).to_owned()).collect()
}

/// Judges the right configuration by itself, and then all of them at once. What is found of the right one is noted by `find`.
fn judge(edges: &[Edge], wrong: &[Wrong], find: &dyn Fn(String)) {
    let find_all = |what: &str, found: &Found| {
        found.get(RIGHT).into_iter().flatten().for_each(|rule| find(format!("{what}: {rule}")));
    };
    let folder = Folder::new();
    folder.write("buy.yaml", JOURNEY);
    let right = folder.write("right.yaml", plan(&edges[..1], 60, 6));
    // As many shoppers to each as it takes to judge by rate, and for as long as it takes errors to be too old.
    let all = folder.write("all.yaml", plan(edges, 7 * edges.len(), PAST_ERRORS_S));

    let finished = run(&["rehearse", &right, "--quiet"]);
    let report = &finished.report;
    find_all(&format!("a run, {}", value(report, "cdn.findings")), &run_found(report));
    assert_eq!((finished.code, kinds(report)), (0, vec![]), "{}", finished.stderr);
    assert!(count(report, "cdn.classes.static.hits") > 900 && count(report, "cdn.classes.html.hits") > 900);
    assert_eq!(count(report, "cdn.classes.private.hits"), 0);
    assert_eq!(count(report, "global.counters.markers_planted"), 360);

    let finished = run(&["rehearse", &all, "--quiet"]);
    let report = &finished.report;
    assert!(kinds(report).iter().all(|kind| *kind == "cdn"), "{:?}", report["reasons"]);
    find_all("a run of all", &run_found(report));
    // Of several workers to an agent, each must wait for minutes to be sure that no other fetched an error anew.
    let has_one_worker = thread::available_parallelism().map_or(1, usize::from) < 2 * edges.len();
    let expected = wrong.iter().filter(|wrong| has_one_worker || wrong.name != AGELESS);
    let expected: Found = expected.map(|wrong| (wrong.name.to_owned(), set(wrong.run))).collect();
    assert_eq!(run_found(report), expected, "{}", finished.stderr);

    let audits =
        [audit(&folder, &right, "right.json"), audit(&folder, &all, "all.json")].map(Running::finish);
    let reports = ["right.json", "all.json"].map(|name| {
        let text = fs::read_to_string(folder.path(name)).unwrap_or_default();
        serde_json::from_str::<Value>(&text).unwrap_or(Value::Null)
    });
    let (found, kept) = audit_found(&reports[0]);
    find_all(&format!("an audit, {}", audits[0].stdout), &found);
    assert_eq!(audits[0].code, 0, "{}", audits[0].stdout);
    assert!(kept >= 24, "{}", audits[0].stdout);
    let (found, _) = audit_found(&reports[1]);
    find_all("an audit of all", &found);
    assert_eq!(audits[1].code, 1, "{}", audits[1].stderr);
    for Wrong { name, run, audit, .. } in wrong {
        let found = found.get(*name).cloned().unwrap_or_default();
        let may_be: BTreeSet<String> = set(run).union(&set(audit)).cloned().collect();
        assert!(set(audit).is_subset(&found) && found.is_subset(&may_be), "{name}: {found:?}");
    }
}

#[test]
fn nginx_as_an_edge_is_judged_as_it_is_configured() {
    if without("nginx") || without(BROTLI) {
        return;
    }
    let _turn = turn();
    patiently_without_findings(|find| {
        let origin = origin::start().to_string();
        let of = |name: &str, changes: &[(&str, &str)]| {
            changed(NGINX, changes).replace("NAME", name).replace("ORIGIN", &origin)
        };
        // The right one's port is nginx's own.
        let mut servers = of(RIGHT, &[]);
        let ports = free_ports(NGINX_WRONG.len());
        for (wrong, port) in NGINX_WRONG.iter().zip(&ports) {
            servers += &of(wrong.name, wrong.changes).replace("PORT", &port.to_string());
        }
        let nginx = Nginx::start_with(Folder::new(), &format!("load_module {MODULES}/{BROTLI};"), &servers);
        let mut edges: Vec<Edge> = vec![(RIGHT, nginx.port)];
        edges.extend(NGINX_WRONG.iter().map(|wrong| wrong.name).zip(ports));
        judge(&edges, NGINX_WRONG, find);
    });
}

#[test]
fn varnish_as_an_edge_is_judged_as_it_is_configured() {
    if without("varnishd") {
        return;
    }
    let _turn = turn();
    patiently_without_findings(|find| {
        let origin: SocketAddr = origin::start();
        let vcl = VARNISH.replace("ORIGIN", &origin.port().to_string());
        let names = std::iter::once(RIGHT).chain(VARNISH_WRONG.iter().map(|wrong| wrong.name));
        let edges: Vec<Edge> = names.zip(free_ports(VARNISH_WRONG.len() + 1)).collect();
        let mut varnish = Varnish { children: Vec::new(), folder: Folder::new() };
        varnish.start(RIGHT, &vcl, edges[0].1);
        for (wrong, (name, port)) in VARNISH_WRONG.iter().zip(&edges[1..]) {
            varnish.start(name, &changed(&vcl, wrong.changes), *port);
        }
        edges.iter().for_each(|(name, port)| varnish.wait(name, *port));
        judge(&edges, VARNISH_WRONG, find);
    });
}
