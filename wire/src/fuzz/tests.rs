//! The committed corpus: what each seed is, what reads it, and that everything holds for it and what is near it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use doorbuster_model::assignment::Audit;
use doorbuster_model::cdn::audit::{Proof, Ruling};
use doorbuster_model::cdn::{ClassId, Evidence, Finding, FindingKey, Pop, Rule};
use doorbuster_model::report::{Exchange, Marker, ProbeFailure, Probed, ProbedStep};
use doorbuster_model::sample::{ConnectTimes, Times};
use doorbuster_model::tally::{Exchanges, Failures};
use doorbuster_model::{
    Assignment, ErrorClass, Generation, Health, Histogram, Key, Part, Report, Tally, Task, Tick,
};
use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::proto::{self, from_agent, to_agent, upward};
use crate::{ToAgent, tests::assignment};

/// The longest seed: fuzzing begins from them all.
const SEED_BYTES_MAX: usize = 1 << 10;

/// What is to read a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Frames,
    Upward,
    Enrol,
    Invocation,
    Bundle,
    Board,
    Downward,
    Enrolled,
}

impl Reader {
    fn read(self, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::Frames => {
                let came = read([parts(bytes).1]);
                came.frames.iter().try_for_each(|frame| FromAgent::decode(frame).map(drop))?;
                came.ended.map_or(Ok(()), Err)
            }
            Self::Upward => Upward::decode(bytes).map(drop),
            Self::Enrol => Enrol::decode(bytes).map(drop),
            Self::Invocation => Invocation::parse(bytes).map(drop),
            Self::Bundle => Bundle::assignment(bytes).map(drop),
            Self::Board => Board::decode(bytes).map(drop),
            Self::Downward => Downward::decode(bytes).map(drop),
            Self::Enrolled => Enrolled::decode(bytes).map(drop),
        }
    }
}

/// A file of the corpus.
struct Seed {
    name: &'static str,
    reader: Reader,
    bytes: Vec<u8>,
    /// A part of why it is refused; `None` for what is read.
    refused: Option<&'static str>,
}

fn good(name: &'static str, reader: Reader, bytes: Vec<u8>) -> Seed {
    Seed { name, reader, bytes, refused: None }
}

fn bad(name: &'static str, reader: Reader, bytes: Vec<u8>, why: &'static str) -> Seed {
    Seed { name, reader, bytes, refused: Some(why) }
}

fn hello() -> FromAgent {
    FromAgent::Hello { protocol: 4, version: "1.2.3".to_owned() }
}

fn headers(name: &str, value: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), value.to_owned())]
}

fn evidence() -> Evidence {
    Evidence {
        method: "GET".to_owned(),
        url: "http://shop.test/cart".to_owned(),
        status: 200,
        asked: headers("cookie", "[…]"),
        answered: headers("age", "5"),
        note: "why".to_owned(),
    }
}

/// A second of two answers and a failure.
fn tick() -> FromAgent {
    let mut latency = Histogram::new();
    [5, 300].into_iter().for_each(|value_us| latency.record_us(value_us));
    let key = Key { journey: 1, step: 2, part: Part::Asset, section: 0 };
    let exchanges = Exchanges {
        requests: 3,
        requests_sent: 3,
        errors: [0, 0, 0, 0, 0, 0, 0, 0, 1],
        statuses: BTreeMap::from([(200, 2), (503, 1)]),
        bytes_wire: 4_096,
        latency,
        ..Exchanges::default()
    };
    let failures = Failures { count: 1, example: "GET http://shop.test/: cut".to_owned() };
    let tally = Tally {
        exchanges: BTreeMap::from([(key, exchanges)]),
        unclassified: BTreeMap::from([("/cart".to_owned(), 1)]),
        counters: BTreeMap::from([("seen".to_owned(), 300)]),
        failures: BTreeMap::from([((1, 2, ErrorClass::Body), failures)]),
        ..Tally::default()
    };
    let health = Health {
        cpu_milli: 900,
        cpu_limit_milli: 2_000,
        descriptors: 30,
        descriptors_max: 20_000,
        shoppers: 7,
        connections: 12,
    };
    FromAgent::Report(Report::Tick(Box::new(Tick { second: 3, tally, health })))
}

/// What is said of load, of a trace, of an audit and of a probe.
fn reports() -> [Vec<FromAgent>; 2] {
    let version = "1.2.3".to_owned();
    let started = Report::Started { clock_unix_ns: 1 << 60, version, workers: 2, descriptors_max: 20_000 };
    let exchange = Exchange {
        key: Key { journey: 1, step: 2, part: Part::Hop, section: 0 },
        method: "POST".to_owned(),
        url: "http://shop.test/".to_owned(),
        request_headers: headers("a", "b"),
        request_body: b"x=1".to_vec(),
        status: Some(302),
        headers: headers("location", "/"),
        body: vec![0xff, 0],
        times: Times { sent_ns: Some(3), ended_ns: 9, ..Times::default() },
        opened: Some(ConnectTimes { dns_ns: None, connect_ns: 1, tls_ns: Some(2) }),
        bytes_wire: 200,
        problem: "why".to_owned(),
        is_tolerated: true,
        values: headers("title", "Socks"),
    };
    let marker = Marker { journey: 1, name: "order".to_owned(), value: "7".to_owned() };
    let key = FindingKey { rule: Rule::PrivateHit, class: ClassId(1), pop: Pop::parse(b"NRT57-P1") };
    let finding = Finding { count: 2, first_ns: 3, last_ns: 4, evidence: evidence() };
    let proof = Proof {
        class: "static".to_owned(),
        promise: "kept".to_owned(),
        title: "who asks again gets a copy".to_owned(),
        ruling: Ruling::Warn,
        observed: "no hit in 5 fetches".to_owned(),
        rule: "hit-ratio".to_owned(),
        remedy: "Look at what is missed.".to_owned(),
        evidence: Some(evidence()),
    };
    let failure = Some(ProbeFailure::new(ErrorClass::Status, "expected status 200, got 503"));
    let step = ProbedStep { step: 3, failure, latency_ns: Some(0), page_ns: None };
    let walk = Probed { journey: 2, began_ns: 1 << 40, is_good: false, steps: vec![step] };
    let failed = Report::Failed { message: "out of descriptors".to_owned() };
    let load =
        vec![hello(), FromAgent::Report(started), tick(), FromAgent::Report(Report::Finished { ticks: 4 })];
    let others = [
        Report::Exchange(Box::new(exchange)),
        Report::Markers { second: 3, markers: vec![marker] },
        Report::Findings { second: 3, findings: vec![(key, finding)], not_kept: 9 },
        Report::Proof(Box::new(proof)),
        Report::Probed(vec![walk]),
        failed,
    ];
    [load, others.into_iter().map(FromAgent::Report).collect()]
}

/// A stream of messages and of what is behind them, in pieces of these lengths.
fn stream(lengths: &[u8], messages: &[FromAgent], behind: &[u8]) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(lengths.len()).unwrap()];
    bytes.extend_from_slice(lengths);
    messages.iter().for_each(|message| bytes.extend(message.encode().unwrap()));
    bytes.extend_from_slice(behind);
    bytes
}

fn seeds_of_coordinator() -> Vec<Seed> {
    let [load, others] = reports();
    let join = Upward::Join {
        agent: "host-7".to_owned(),
        region: "tokyo".to_owned(),
        protocol: 4,
        version: "1.2.3".to_owned(),
        received: 300,
    };
    let said = Upward::Said { sequence: 3, message: tick() }.encode();
    let wrong = |message: Option<proto::FromAgent>| {
        proto::Upward { body: Some(upward::Body::Said(proto::Said { sequence: 1, message })) }.encode_to_vec()
    };
    let wrong_tick =
        |tick: proto::Tick| wrong(Some(proto::FromAgent { body: Some(from_agent::Body::Tick(tick)) }));
    let failures = vec![proto::Failures { class: 9, count: 1, ..Default::default() }];
    let class = wrong_tick(proto::Tick { failures, ..Default::default() });
    let sum = proto::Histogram { sum_us: 5, ..Default::default() };
    let sum = wrong_tick(proto::Tick { lag: Some(sum), ..Default::default() });
    let enrol =
        Enrol { token: "t-0123".to_owned(), csr_pem: "-----BEGIN CERTIFICATE REQUEST-----\n".to_owned() };
    let enrol = enrol.encode();
    let cut = enrol[..enrol.len() - 1].to_vec();
    // 16 MiB, of which three bytes come.
    let waits = stream(&[4, 14, 2, 0, 1], &[hello()], b"\x01\0\0\0abc");
    let http = stream(&[], &[hello()], b"HTTP/1.1 200 OK\r\n");
    let page = stream(&[3], &[], b"\0\0\0\x06<html>");
    vec![
        good("frames-load", Reader::Frames, stream(&[1, 3, 0, 2, 7], &load, b"")),
        good("frames-others", Reader::Frames, stream(&[200, 200], &others, b"")),
        good("frames-wait", Reader::Frames, waits),
        bad("frames-http", Reader::Frames, http, "a frame of 1213486160 bytes came"),
        bad("frames-page", Reader::Frames, page, "a frame of 6 bytes is no message"),
        good("join", Reader::Upward, join.encode()),
        good("said", Reader::Upward, said),
        good("received", Reader::Upward, Upward::Received { sequence: 300 }.encode()),
        good("alive", Reader::Upward, Upward::Alive.encode()),
        bad("said-nothing", Reader::Upward, wrong(None), "whose body cannot be"),
        bad("said-class", Reader::Upward, class, "whose error class cannot be"),
        bad("said-sum", Reader::Upward, sum, "whose histogram cannot be"),
        good("enrol", Reader::Enrol, enrol),
        bad("enrol-cut", Reader::Enrol, cut, "is no message"),
    ]
}

fn invocation(bundle: Bundle) -> Vec<u8> {
    let url = |name: &str| format!("https://b.s3.eu-west-2.amazonaws.com/runs/r/{name}?X-Amz-Signature=1");
    let (board_url, claim_url) = (url("board"), url("claim-0"));
    Invocation { bundle, board_url, claim_url, protocol: 4, version: "1.2.3".to_owned() }.to_json()
}

fn seeds_of_agent() -> Vec<Seed> {
    let frame = |assignment: Assignment| ToAgent::Assign(Box::new(assignment)).encode().unwrap();
    let generation = Generation { number: 1, from_ns: 5, to_ns: 1 << 40, is_last: false };
    let load = Assignment {
        task: Task::Load,
        generation: Some(generation),
        not_after_unix_ms: 1 << 40,
        ..assignment()
    };
    let audit = Audit {
        pages: vec!["/?a=b".to_owned()],
        rate_milli: 10_000,
        is_patient: true,
        policy: Some("cdn: {}".to_owned()),
        journey: None,
    };
    let audit = Assignment { task: Task::Audit(Box::new(audit)), ..assignment() };
    let load = frame(load);
    let segment = proto::Segment { cycle: 2, slots: vec![5] };
    let segment = proto::Assignment { segment: Some(segment), ..Default::default() };
    let segment = proto::ToAgent { body: Some(to_agent::Body::Assignment(segment)) };
    let segment = crate::frame::framed(&segment).unwrap();
    let url = "https://b.s3.eu-west-2.amazonaws.com/runs/r/bundle-0?X-Amz-Signature=2".to_owned();
    let named = invocation(Bundle::Url(url));
    let both = String::from_utf8(named.clone()).unwrap().replace("{", "{\"assignment\":\"\",").into_bytes();
    let board = |start_at_unix_ns: Option<u64>, let_go: &[&str]| {
        let let_go: Vec<String> = let_go.iter().map(|id| (*id).to_owned()).collect();
        Board { lease: 300, start_at_unix_ns, stop: !let_go.is_empty(), let_go }.encode()
    };
    let page = b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>".to_vec();
    let told = Downward::Told { sequence: 1, message: ToAgent::Assign(Box::new(assignment())) };
    let enrolled = Enrolled { certificate_pem: "-----BEGIN".to_owned(), ca_pem: "-----BEGIN".to_owned() };
    vec![
        good("invocation", Reader::Invocation, invocation(Bundle::Frame(load.clone()))),
        good("invocation-long", Reader::Invocation, named),
        bad("invocation-both", Reader::Invocation, both, "exactly one of assignment and assignment_url"),
        bad("bundle-cut", Reader::Bundle, load[..load.len() - 1].to_vec(), "whose assignment cannot be"),
        good("bundle-load", Reader::Bundle, load),
        good("bundle-audit", Reader::Bundle, frame(audit)),
        bad("bundle-segment", Reader::Bundle, segment, "whose segment cannot be"),
        bad("bundle-stop", Reader::Bundle, ToAgent::Stop.encode().unwrap(), "whose assignment cannot be"),
        good("board", Reader::Board, board(None, &[])),
        good("board-let-go", Reader::Board, board(Some(1 << 60), &["r-1", "r-2"])),
        bad("board-page", Reader::Board, page, "is no message"),
        good("welcome", Reader::Downward, Downward::Welcome { received: 300 }.encode()),
        good("refused", Reader::Downward, Downward::Refused { why: "no such region".to_owned() }.encode()),
        good("told", Reader::Downward, told.encode()),
        good("over", Reader::Downward, Downward::Over.encode()),
        good("enrolled", Reader::Enrolled, enrolled.encode()),
    ]
}

/// A target's name, what it does, and its seeds.
type Target = (&'static str, fn(&[u8]), Vec<Seed>);

/// The targets, with their seeds.
fn targets() -> [Target; 2] {
    [("agent", agent, seeds_of_agent()), ("coordinator", coordinator, seeds_of_coordinator())]
}

/// `RENEW=1` writes them anew.
#[test]
fn the_committed_seeds_are_these_messages() {
    for (target, _, seeds) in targets() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        for seed in seeds {
            let path = folder.join(seed.name);
            if std::env::var_os("RENEW").is_some() {
                fs::write(&path, &seed.bytes).unwrap();
            }
            let committed = fs::read(&path).unwrap_or_default();
            assert_eq!(committed, seed.bytes, "{target}/{} differs; RENEW=1 writes it anew", seed.name);
            assert!(committed.len() <= SEED_BYTES_MAX, "{target}/{}", seed.name);
        }
    }
}

#[test]
fn every_seed_is_read_or_refused_as_it_is_meant() {
    for seed in targets().into_iter().flat_map(|(_, _, seeds)| seeds) {
        let read = seed.reader.read(&seed.bytes).map_err(|why| why.to_string());
        match (&read, seed.refused) {
            (Ok(()), None) => {}
            (Err(why), Some(part)) => assert!(why.contains(part), "{}: {why}", seed.name),
            _ => panic!("{}: {read:?}", seed.name),
        }
    }
}

/// Seeds, and whatever else fuzzing found worth keeping.
#[test]
fn the_committed_corpus_holds() {
    for (target, feed, seeds) in targets() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= seeds.len(), "{target}");
        files.iter().for_each(|path| feed(&fs::read(path).unwrap()));
    }
}

#[test]
fn frames_come_the_same_wherever_a_stream_is_split() {
    let seeds = seeds_of_coordinator();
    for seed in seeds.iter().filter(|seed| seed.reader == Reader::Frames) {
        let stream = parts(&seed.bytes).1;
        let whole = read([stream]);
        for place in 0..=stream.len() {
            let (first, second) = stream.split_at(place);
            assert_eq!(read([first, second]), whole, "{} at {place}", seed.name);
        }
        assert_eq!(read(stream.chunks(1)), whole, "{}", seed.name);
    }
}

#[test]
fn pieces_are_a_stream() {
    let split = pieces(&[2, 0, 3], b"abcdefg");
    assert_eq!(split, ["ab", "", "cde", "fg"].map(str::as_bytes));
    assert_eq!(pieces(&[9], b"ab").concat(), b"ab");
    assert_eq!(parts(b"\x02\x05\x06abc"), (b"\x05\x06".as_slice(), b"abc".as_slice()));
    assert_eq!(parts(b"\x09a"), (b"a".as_slice(), b"".as_slice()));
}

proptest! {
    #[test]
    fn whatever_comes_holds(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        seed in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        for (_, feed, mut seeds) in targets() {
            feed(&bytes);
            let mut near = seeds.swap_remove(seed.index(seeds.len())).bytes;
            let place = place.index(near.len());
            near[place] = byte;
            feed(&near);
        }
    }
}
