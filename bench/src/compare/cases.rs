//! What is compared, and how each contender is asked for it.

use crate::server::Server;
use crate::write;

/// Where contenders send, and for how long.
pub(crate) struct Place<'a> {
    /// The server.
    pub server: &'a Server,
    /// How long each runs.
    pub seconds: u32,
}

/// A program with the arguments that make it do what the others do.
pub(crate) struct Contender {
    pub label: &'static str,
    pub program: &'static str,
    pub arguments: fn(&Place<'_>) -> Result<Vec<String>, String>,
    /// What Goose's program walks through.
    pub paths: &'static str,
    /// What of its output is worth a note.
    pub note: fn(&str) -> String,
}

/// A case: the first contender is what the others are compared with.
pub(crate) struct Case {
    pub name: &'static str,
    pub title: &'static str,
    pub about: &'static str,
    pub contenders: &'static [Contender],
}

fn nothing(_: &str) -> String {
    String::new()
}

/// Doorbuster's word on how late it was.
fn lag(said: &str) -> String {
    said.split_once("schedule lag p99 ")
        .map_or("", |(_, rest)| rest.split(',').next().unwrap_or(""))
        .to_owned()
}

fn goose(place: &Place<'_>) -> Vec<String> {
    words(&format!(
        "--host http://127.0.0.1:{} -u64 -r64 -t{} --no-reset-metrics -q",
        place.server.plain, place.seconds
    ))
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

macro_rules! contender {
    ($label:expr, $program:expr, |$place:ident| $arguments:expr) => {
        contender!($label, $program, nothing, |$place| $arguments)
    };
    ($label:expr, $program:expr, $note:expr, |$place:ident| $arguments:expr) => {
        Contender {
            label: $label,
            program: $program,
            arguments: |$place| Ok(words(&$arguments)),
            paths: "/",
            note: $note,
        }
    };
}

const ABOUT_PLAIN: &str = "64 keep-alive connections, closed loop, a body of 1 KiB.";

/// All cases.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "plain",
        title: "Plain HTTP/1.1",
        about: ABOUT_PLAIN,
        contenders: &[
            contender!("wrk", "wrk", |p| format!(
                "-t1 -c64 -d{}s http://127.0.0.1:{}/",
                p.seconds, p.server.plain
            )),
            contender!("Doorbuster", "doorbuster", |p| format!(
                "hit http://127.0.0.1:{}/ --connections 64 --for {}s --quiet",
                p.server.plain, p.seconds
            )),
            contender!("C, the floor", "floor", |p| format!("127.0.0.1 {} 64 {}", p.server.plain, p.seconds)),
            contender!("oha", "oha", |p| format!(
                "--no-tui -c 64 -z {}s http://127.0.0.1:{}/",
                p.seconds, p.server.plain
            )),
            contender!("hey", "hey", |p| format!(
                "-c 64 -z {}s http://127.0.0.1:{}/",
                p.seconds, p.server.plain
            )),
            Contender {
                label: "Goose",
                program: "goose",
                arguments: |place| Ok(goose(place)),
                paths: "/",
                note: nothing,
            },
        ],
    },
    Case {
        name: "tls",
        title: "HTTP/1.1 over TLS 1.3",
        about: ABOUT_PLAIN,
        contenders: &[
            contender!("wrk", "wrk", |p| format!(
                "-t1 -c64 -d{}s https://127.0.0.1:{}/",
                p.seconds, p.server.tls
            )),
            contender!("Doorbuster", "doorbuster", |p| format!(
                "hit https://127.0.0.1:{}/ --insecure --connections 64 --for {}s --quiet",
                p.server.tls, p.seconds
            )),
            contender!("oha", "oha", |p| format!(
                "--no-tui --insecure -c 64 -z {}s https://127.0.0.1:{}/",
                p.seconds, p.server.tls
            )),
            contender!("Goose", "goose", |p| format!(
                "--host https://127.0.0.1:{} --accept-invalid-certs -u64 -r64 -t{} --no-reset-metrics -q",
                p.server.tls, p.seconds
            )),
        ],
    },
    Case {
        name: "http2",
        title: "HTTP/2, 64 connections with one stream each",
        about: "Over TLS 1.3, closed loop, a body of 1 KiB.",
        contenders: &[
            contender!("oha", "oha", |p| format!(
                "--no-tui --insecure --http2 -c 64 -p 1 -z {}s https://127.0.0.1:{}/",
                p.seconds, p.server.http2
            )),
            contender!("Doorbuster", "doorbuster", |p| format!(
                "hit https://127.0.0.1:{}/ --insecure --http2 --connections 64 --for {}s --quiet",
                p.server.http2, p.seconds
            )),
            contender!("h2load", "h2load", |p| format!(
                "-c64 -m1 -t1 -D {} https://127.0.0.1:{}/",
                p.seconds, p.server.http2
            )),
        ],
    },
    Case {
        name: "streams",
        title: "HTTP/2, one connection with 64 streams",
        about: "Over TLS 1.3, closed loop, a body of 1 KiB.",
        contenders: &[
            contender!("oha", "oha", |p| format!(
                "--no-tui --insecure --http2 -c 1 -p 64 -z {}s https://127.0.0.1:{}/",
                p.seconds, p.server.http2
            )),
            contender!("Doorbuster", "doorbuster", |p| format!(
                "hit https://127.0.0.1:{}/ --insecure --http2 --connections 1 --streams 64 --for {}s --quiet",
                p.server.http2, p.seconds
            )),
            contender!("h2load", "h2load", |p| format!(
                "-c1 -m64 -t1 -D {} https://127.0.0.1:{}/",
                p.seconds, p.server.http2
            )),
        ],
    },
    Case {
        name: "journey",
        title: "A journey of three requests",
        about: "A page that sets a cookie, a page with it, a form that is posted with it; statuses are checked; 64 shoppers. wrk sends its plain GET, Goose the same three requests.",
        contenders: &[
            contender!("wrk (plain GET)", "wrk", |p| format!(
                "-t1 -c64 -d{}s http://127.0.0.1:{}/",
                p.seconds, p.server.plain
            )),
            Contender {
                label: "Doorbuster",
                program: "doorbuster",
                arguments: journey,
                paths: "/",
                note: nothing,
            },
            Contender {
                label: "Goose",
                program: "goose",
                arguments: |place| Ok(goose(place)),
                paths: "/first,/second,/third",
                note: nothing,
            },
        ],
    },
    Case {
        name: "bodies",
        title: "Bodies of 64 KiB that nobody reads",
        about: "64 keep-alive connections, closed loop. Half the ratio is twice the throughput of a CPU second.",
        contenders: &[
            contender!("wrk", "wrk", |p| format!(
                "-t1 -c64 -d{}s http://127.0.0.1:{}/64k.bin",
                p.seconds, p.server.plain
            )),
            contender!("Doorbuster", "doorbuster", |p| format!(
                "hit http://127.0.0.1:{}/64k.bin --connections 64 --for {}s --quiet",
                p.server.plain, p.seconds
            )),
        ],
    },
    Case {
        name: "flat",
        title: "Cost by number of connections",
        about: "Doorbuster alone, closed loop, a body of 1 KiB; wrk beside it at the same numbers.",
        contenders: &[
            contender!("Doorbuster, 1,000", "doorbuster", |p| format!(
                "hit http://127.0.0.1:{}/ --connections 1000 --for {}s --quiet",
                p.server.plain, p.seconds
            )),
            contender!("Doorbuster, 10", "doorbuster", |p| format!(
                "hit http://127.0.0.1:{}/ --connections 10 --for {}s --quiet",
                p.server.plain, p.seconds
            )),
            contender!("Doorbuster, 10,000", "doorbuster", |p| format!(
                "hit http://127.0.0.1:{}/ --connections 10000 --for {}s --quiet",
                p.server.plain,
                p.seconds.max(10)
            )),
            contender!("wrk, 10", "wrk", |p| format!(
                "-t1 -c10 -d{}s http://127.0.0.1:{}/",
                p.seconds, p.server.plain
            )),
            contender!("wrk, 1,000", "wrk", |p| format!(
                "-t1 -c1000 -d{}s http://127.0.0.1:{}/",
                p.seconds, p.server.plain
            )),
            contender!("wrk, 10,000", "wrk", |p| format!(
                "-t1 -c10000 -d{}s http://127.0.0.1:{}/",
                p.seconds.max(10),
                p.server.plain
            )),
        ],
    },
    Case {
        name: "steps",
        title: "Cost by number of steps",
        about: "64 shoppers walk through one journey of one step, or through 60 such that are told apart: tallies and frames are the difference.",
        contenders: &[
            Contender {
                label: "1 step",
                program: "doorbuster",
                arguments: |place| steps(place, 1),
                paths: "/",
                note: nothing,
            },
            Contender {
                label: "60 steps",
                program: "doorbuster",
                arguments: |place| steps(place, 60),
                paths: "/",
                note: nothing,
            },
        ],
    },
    Case {
        name: "arrivals",
        title: "Open arrivals",
        about: "One GET an arrival, evenly spaced; requests are the server's count, which is exact where it is rate × seconds. What Doorbuster says of itself is the p99 of its schedule lag, round by round.",
        contenders: &[
            contender!("C, 5,000/s", "open", |p| format!(
                "127.0.0.1 {} 64 {} 5000",
                p.server.plain, p.seconds
            )),
            contender!("C, 20,000/s", "open", |p| format!(
                "127.0.0.1 {} 64 {} 20000",
                p.server.plain, p.seconds
            )),
            contender!("Doorbuster, 5,000/s", "doorbuster", lag, |p| format!(
                "hit http://127.0.0.1:{}/ --rate 5000/s --for {}s",
                p.server.plain, p.seconds
            )),
            contender!("Doorbuster, 20,000/s", "doorbuster", lag, |p| format!(
                "hit http://127.0.0.1:{}/ --rate 20000/s --for {}s",
                p.server.plain, p.seconds
            )),
        ],
    },
];

/// Writes a plan with journeys that are written already; returns what runs it.
fn rehearse(name: &str, journeys: &str, load: &str, place: &Place<'_>) -> Result<Vec<String>, String> {
    let plan = format!(
        "name: {name}\ntarget: http://127.0.0.1:{}\nregions: [here]\njourneys: [{journeys}]\nload: {load}\nwarmup: 0s\n",
        place.server.plain
    );
    let path = write(name, "plan.yaml", &plan)?;
    Ok(vec!["rehearse".to_owned(), path.display().to_string(), "--quiet".to_owned()])
}

fn journey(place: &Place<'_>) -> Result<Vec<String>, String> {
    let journey = "journey: three
steps:
  - { step: first, get: /first, expect: { status: 200 } }
  - { step: second, get: /second, expect: { status: 200 } }
  - { step: third, post: /third, form: { product: lamp, quantity: 1 }, expect: { status: 200 } }
";
    let load = format!("{{ shoppers: [{{ hold: 64, for: {}s }}] }}", place.seconds);
    write("three", "journey.yaml", journey)?;
    rehearse("three", "journey.yaml", &load, place)
}

fn steps(place: &Place<'_>, count: usize) -> Result<Vec<String>, String> {
    let name = format!("steps-{count}");
    let load = format!("{{ shoppers: [{{ hold: 64, for: {}s }}] }}", place.seconds);
    let mut journeys = Vec::new();
    for number in 0..count {
        let journey = format!("journey: j{number}\nsteps:\n  - {{ step: s{number}, get: / }}\n");
        write(&name, &format!("j{number}.yaml"), &journey)?;
        journeys.push(format!("j{number}.yaml"));
    }
    rehearse(&name, &journeys.join(", "), &load, place)
}
