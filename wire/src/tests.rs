//! Round trips, limits, and the generated code.

use std::collections::BTreeMap;
use std::path::Path;

use doorbuster_model::assignment::{Audit, Secrets};
use doorbuster_model::cdn::audit::{Proof, Ruling};
use doorbuster_model::cdn::{ClassId, Evidence, Finding, FindingKey, Head, Layer, Pop, Rule};
use doorbuster_model::report::{Exchange, Marker, ProbeFailure, Probed, ProbedStep};
use doorbuster_model::sample::{ConnectTimes, Times};
use doorbuster_model::tally::Journeys;
use doorbuster_model::{
    Assignment, ErrorClass, Generation, Health, Key, Overrides, Part, Report, Sample, Segment, Tally, Task,
    Tick,
};
use proptest::prelude::*;

use super::{
    Board, Bundle, Downward, Error, FRAME_BYTES_MAX, Frames, FromAgent, Invocation, Message, PROTOCOL,
    ToAgent, Upward,
};

/// The committed code is what the .proto says. `RENEW=1` writes it anew.
#[test]
fn the_generated_code_is_that_of_the_proto_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = std::env::temp_dir().join(format!("doorbuster-proto-{}", std::process::id()));
    std::fs::create_dir_all(&out).unwrap();
    let descriptors = protox::compile([root.join("agent.proto")], [root]).unwrap();
    prost_build::Config::new().btree_map(["."]).out_dir(&out).compile_fds(descriptors).unwrap();
    let generated = std::fs::read_to_string(out.join("doorbuster.agent.v1.rs")).unwrap();
    std::fs::remove_dir_all(&out).unwrap();
    let committed = root.join("src/proto.rs");
    if std::env::var_os("RENEW").is_some() {
        std::fs::write(&committed, &generated).unwrap();
    }
    assert!(
        std::fs::read_to_string(committed).unwrap() == generated,
        "run this test with RENEW=1 and commit the result"
    );
}

fn frame_of(message: &impl Message) -> Vec<u8> {
    message.encode().unwrap()
}

fn round_trip<M: Message + PartialEq + std::fmt::Debug>(message: &M) {
    let mut frames = Frames::default();
    frames.push(&frame_of(message));
    let frame = frames.next_frame().unwrap().unwrap();
    assert_eq!(&M::decode(&frame).unwrap(), message);
    assert_eq!(frames.next_frame(), Ok(None));
}

pub(crate) fn assignment() -> Assignment {
    Assignment {
        id: "a-1".to_owned(),
        run: "r-1".to_owned(),
        region: "tokyo".to_owned(),
        segment: Segment::whole().split(3).swap_remove(1),
        agents_here: 3,
        plan: "name: x".to_owned(),
        overrides: Overrides {
            target: Some("http://127.0.0.1".to_owned()),
            seed: Some(0),
            insecure: true,
            headers: vec![("A".to_owned(), "b".to_owned())],
            resolve: vec!["h:1:127.0.0.1".to_owned()],
            ca_pem: None,
            allow_hosts: vec!["h".to_owned()],
        },
        files: BTreeMap::from([("browse".to_owned(), "journey: browse".to_owned())]).into(),
        secrets: Secrets(BTreeMap::from([("PASSWORD".to_owned(), "hunter2".to_owned())])),
        today: 20_780,
        task: Task::Trace { walks: 3 },
        generation: None,
        not_after_unix_ms: 0,
    }
}

/// The part of a run from here to there, in nanoseconds.
fn part(from_ns: u64, to_ns: u64) -> Assignment {
    let generation = Generation { number: u32::MAX, from_ns, to_ns, is_last: from_ns == 7 };
    Assignment { task: Task::Load, generation: Some(generation), ..assignment() }
}

fn proof() -> Proof {
    Proof {
        class: "static".to_owned(),
        promise: "kept".to_owned(),
        title: "who asks again gets a copy".to_owned(),
        ruling: Ruling::Warn,
        observed: "no hit in 5 fetches".to_owned(),
        rule: "hit-ratio".to_owned(),
        remedy: "Look at what is missed.".to_owned(),
        evidence: Some(Evidence {
            method: "GET".to_owned(),
            url: "http://shop.test/a.css".to_owned(),
            status: 200,
            asked: vec![("accept-encoding".to_owned(), "br".to_owned())],
            answered: vec![("x-cache".to_owned(), "Miss from cloudfront".to_owned())],
            note: "why".to_owned(),
        }),
    }
}

#[test]
fn every_message_survives_the_wire() {
    let audit = Audit {
        pages: vec!["/?a=b".to_owned()],
        rate_milli: 10_000,
        is_patient: true,
        policy: Some("cdn: {}".to_owned()),
        journey: None,
    };
    for message in [
        ToAgent::Hello { protocol: PROTOCOL, version: "1.2.3".to_owned() },
        ToAgent::Assign(Box::new(assignment())),
        ToAgent::Assign(Box::new(Assignment { task: Task::Load, ..assignment() })),
        ToAgent::Assign(Box::new(Assignment { not_after_unix_ms: u64::MAX, ..part(7, 9) })),
        ToAgent::Assign(Box::new(Assignment { task: Task::Probe { every_ms: 5 }, ..part(0, 0) })),
        ToAgent::Assign(Box::new(Assignment { task: Task::Audit(Box::new(audit)), ..assignment() })),
        ToAgent::Assign(Box::new(Assignment { task: Task::Probe { every_ms: 20_000 }, ..assignment() })),
        ToAgent::Start { at_unix_ns: u64::MAX },
        ToAgent::Lease { counter: 7 },
        ToAgent::Stop,
    ] {
        round_trip(&message);
    }
    let started =
        Report::Started { clock_unix_ns: 5, version: "1".to_owned(), workers: 2, descriptors_max: 20_000 };
    let exchange = Exchange {
        key: Key { journey: 1, step: 2, part: Part::Hop, section: 0 },
        method: "POST".to_owned(),
        url: "http://shop.test/".to_owned(),
        request_headers: vec![("a".to_owned(), "b".to_owned())],
        request_body: b"x".to_vec(),
        status: Some(200),
        headers: vec![("c".to_owned(), "d".to_owned())],
        body: vec![0xff],
        times: Times { sent_ns: Some(3), ended_ns: 9, ..Times::default() },
        opened: Some(ConnectTimes { dns_ns: None, connect_ns: 1, tls_ns: Some(2) }),
        bytes_wire: 7,
        problem: "why".to_owned(),
        is_tolerated: true,
        values: vec![("v".to_owned(), "w".to_owned())],
    };
    let marker = Marker { journey: 1, name: "order".to_owned(), value: "7".to_owned() };
    round_trip(&FromAgent::Report(Report::Markers { second: 3, markers: vec![marker] }));
    round_trip(&FromAgent::Report(Report::Exchange(Box::new(exchange))));
    let evidence = Evidence {
        method: "GET".to_owned(),
        url: "http://shop.test/cart".to_owned(),
        status: 200,
        asked: vec![("a".to_owned(), "b".to_owned())],
        answered: vec![("Age".to_owned(), "5".to_owned())],
        note: "why".to_owned(),
    };
    let key =
        |pop: &str| FindingKey { rule: Rule::PrivateHit, class: ClassId(0), pop: Pop::parse(pop.as_bytes()) };
    let finding = Finding { count: 2, first_ns: 3, last_ns: 4, evidence };
    let findings = vec![(key(""), finding.clone()), (key("NRT57-P1"), finding)];
    round_trip(&FromAgent::Report(Report::Findings { second: 3, findings, not_kept: 9 }));
    for proof in [Proof { evidence: None, ruling: Ruling::NotApplicable, ..proof() }, proof()] {
        round_trip(&FromAgent::Report(Report::Proof(Box::new(proof))));
    }
    let step = |class: Option<ErrorClass>, latency_ns: Option<u64>| ProbedStep {
        step: 3,
        failure: class
            .map(|class| ProbeFailure::new(class, "GET http://shop.test/: expected status 200, got 503")),
        latency_ns,
        page_ns: latency_ns.filter(|_| class.is_none()),
    };
    let steps =
        vec![step(None, Some(0)), step(Some(ErrorClass::Dns), Some(7)), step(Some(ErrorClass::Body), None)];
    let walk = Probed { journey: 2, began_ns: 1 << 60, is_good: false, steps };
    let good = Probed { is_good: true, steps: Vec::new(), ..walk.clone() };
    round_trip(&FromAgent::Report(Report::Probed(vec![walk, good])));
    for report in [started, Report::Finished { ticks: 9 }, Report::Failed { message: "why".to_owned() }] {
        round_trip(&FromAgent::Report(report));
    }
    round_trip(&FromAgent::Hello { protocol: 9, version: String::new() });
}

#[test]
fn a_frame_that_claims_too_much_is_refused_before_it_comes() {
    let mut frames = Frames::default();
    frames.push(b"HTTP/1.1 200 OK");
    assert!(matches!(frames.next_frame(), Err(Error::FrameTooLong { .. })));
    let long = FromAgent::Report(Report::Failed { message: "x".repeat(FRAME_BYTES_MAX) });
    assert!(matches!(long.encode(), Err(Error::MessageTooLong { .. })));
}

#[test]
fn a_segment_that_cannot_be_is_refused() {
    let good = frame_of(&ToAgent::Assign(Box::new(assignment())));
    let mut broken = crate::proto::ToAgent { body: None };
    prost::Message::merge(&mut broken, &good[4..]).unwrap();
    if let Some(crate::proto::to_agent::Body::Assignment(assignment)) = &mut broken.body {
        assignment.segment = Some(crate::proto::Segment { cycle: 2, slots: vec![5] });
    }
    let bytes = prost::Message::encode_to_vec(&broken);
    assert_eq!(ToAgent::decode(&bytes), Err(Error::Impossible { part: "segment" }));
}

#[test]
fn a_generation_that_ends_before_it_begins_is_refused() {
    let frame = frame_of(&ToAgent::Assign(Box::new(part(9, 8))));
    assert_eq!(ToAgent::decode(&frame[4..]), Err(Error::Impossible { part: "generation" }));
}

fn any_tick() -> impl Strategy<Value = Tick> {
    let row =
        (0_u16..5, 0_u64..9_000_000_000, 0_u16..600, prop::option::of(0_usize..9), 0_usize..3, any::<bool>());
    (any::<u32>(), prop::collection::vec(row, 0..30)).prop_map(|(second, rows)| {
        let mut tally = Tally::default();
        for (step, ended_ns, status, error, part, opened) in rows {
            let error = error.map(|position| ErrorClass::ALL[position]);
            let connect = ConnectTimes { dns_ns: Some(ended_ns), connect_ns: 5, tls_ns: None };
            let key =
                Key { journey: 1, step, part: [Part::Main, Part::Asset, Part::Hop][part], section: step };
            let pop = format!("NRT{step}");
            let headers = [
                (if part == 2 { "X-Silent" } else { "X-Cache" }, "Miss from cloudfront"),
                ("X-Amz-Cf-Pop", if opened { pop.as_str() } else { "" }),
                (
                    "Server-Timing",
                    ["cdn-hit-layer;desc=EDGE", "cdn-hit-layer;desc=REC", "cdn-hit-layer;desc=x"][part],
                ),
            ];
            tally.record(&Sample {
                opened: opened.then_some(connect),
                status: Some(status),
                error,
                cut: step == 4,
                bytes_wire: ended_ns,
                bytes_decoded: error.is_none().then_some(ended_ns),
                head: Head::of(headers.map(|(name, value)| (name.as_bytes(), value.as_bytes()))),
                class: if part == 0 { ClassId(1) } else { ClassId::UNCLASSIFIED },
                is_text: opened,
                is_sampled: part == 1,
                is_first_miss: part == 1,
                layer: error.map(|_| Layer::ALL[part]),
                ..Sample::new(key, Times { ended_ns, sent_ns: Some(1), ..Times::default() })
            });
            tally.note_unclassified(&format!("/{step}"));
            tally.record_lag(ended_ns, true);
            tally.record_page_us(key, ended_ns);
            tally.journeys.entry(step).or_default().merge(&Journeys {
                started: 1,
                completed: 1,
                failed: 0,
                abandoned: 4,
                cut: 1,
            });
            tally.count("seen", 1);
            tally.fail(1, step, ErrorClass::Body, || "why".to_owned());
        }
        let health = Health {
            cpu_milli: 1,
            cpu_limit_milli: 2,
            descriptors: 3,
            descriptors_max: 4,
            shoppers: 5,
            connections: 6,
        };
        Tick { second, tally, health }
    })
}

proptest! {
    #[test]
    fn a_tick_survives_the_wire_in_any_pieces(tick in any_tick(), cut in 0_usize..400) {
        let message = FromAgent::Report(Report::Tick(Box::new(tick)));
        let bytes = frame_of(&message);
        let (first, second) = bytes.split_at(cut.min(bytes.len()));
        let mut frames = Frames::default();
        frames.push(first);
        let early = frames.next_frame().unwrap();
        frames.push(second);
        let frame = early.or_else(|| frames.next_frame().unwrap()).unwrap();
        prop_assert_eq!(FromAgent::decode(&frame).unwrap(), message);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (ToAgent::decode(&bytes), FromAgent::decode(&bytes));
        let _ = (Upward::decode(&bytes), Downward::decode(&bytes), Board::decode(&bytes));
        let _ = (Invocation::parse(&bytes), Bundle::assignment(&bytes));
    }
}
