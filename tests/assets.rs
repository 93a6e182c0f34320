//! What a page fetches beside itself, and what of it is left.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use crate::util::{Finished, Folder, count, read_head_text, run, server, turn, value};

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
