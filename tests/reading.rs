//! Reading on only as far as a step wants it.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use crate::util::{Finished, Folder, count, number, patiently, read_head_text, run, server, turn, value};

/// How long the page is, and how long its end takes.
const PAGE_BYTES: usize = 300_000;
const PAUSE: Duration = Duration::from_millis(1_500);

/// Gives a page whose end is slow to come, and anything else at once.
fn serve(mut stream: TcpStream) {
    while let Some(head) = read_head_text(&mut stream) {
        if !head.starts_with("GET / ") {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            continue;
        }
        let begin = format!("<html><h1>Lamp</h1>{}", " ".repeat(2_000));
        let end = " ".repeat(PAGE_BYTES - begin.len());
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {PAGE_BYTES}\r\n\r\n");
        let _ = stream.write_all((head + &begin).as_bytes());
        thread::sleep(PAUSE);
        if stream.write_all(end.as_bytes()).is_err() {
            return;
        }
    }
}

/// Five shoppers, each of whom takes a word from the page and goes where it leads.
fn rehearse(target: SocketAddr, read: &str) -> Finished {
    let folder = Folder::new();
    folder.write(
        "journey.yaml",
        format!(
            "journey: lamp\nsteps:\n  - {{ step: page, get: /, {read}, extract: {{ word: {{ css: h1 }} }}, expect: {{ has: Lamp }} }}\n  - {{ step: next, get: \"/${{word}}\" }}\n"
        ),
    );
    let plan = folder.write(
        "plan.yaml",
        format!(
            "name: reading\ntarget: \"http://{target}\"\nregions: [here]\njourneys: [journey.yaml]\n\
             load: {{ arrivals: [{{ hold: 5/s, for: 1s }}] }}\ngraceful: 10s\n"
        ),
    );
    run(&["rehearse", &plan, "--quiet"])
}

#[test]
fn what_is_found_is_read_no_further_where_the_step_says_so() {
    let _turn = turn();
    patiently(|| {
        let target = server(serve);
        for (read, parts, connections) in [("read: until_found", 5, 10), ("read: all", 0, 5)] {
            let finished = rehearse(target, read);
            assert_eq!(finished.code, 0, "{read}: {}", finished.stderr);
            let report = &finished.report;
            assert_eq!(count(report, "global.journeys.lamp.completed"), 5, "{read}");
            let counters = value(report, "global.counters");
            assert_eq!(counters["bodies_read_in_part"].as_u64().unwrap_or(0), parts, "{read}: {counters}");
            let slowest_ms = number(report, "global.steps.page.latency_ms.max");
            let bytes = number(report, "global.steps.page.bytes_wire");
            let is_whole = parts == 0;
            assert_eq!(slowest_ms >= 1_500.0, is_whole, "{read}: {slowest_ms} ms");
            assert_eq!(bytes >= 5.0 * PAGE_BYTES as f64, is_whole, "{read}: {bytes} bytes");
            let opened = number(report, "global.connections.opened");
            assert_eq!(opened, f64::from(connections), "{read}: a body that is left ends its connection");
        }
    });
}
