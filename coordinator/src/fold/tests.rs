use super::*;
use doorbuster_model::cdn::{Counts, Evidence, Pop, Rule};
use doorbuster_model::segment::split_weighted;
use doorbuster_model::spacing::Spacing;
use doorbuster_model::tally::Place;
use doorbuster_model::{Phase, Shape};

fn fold() -> Fold {
    let phase = Phase {
        name: "hold".into(),
        kind: doorbuster_model::pace::Kind::Hold,
        shape: Shape::Flat(100_000),
        length_ns: 2_000_000_000,
    };
    let pace = Pace::try_new(vec![phase]).unwrap();
    let model = Model::Open(Spacing::Even);
    let agents = split_weighted(&[1, 1])
        .into_iter()
        .enumerate()
        .map(|(region, segment)| AgentState::new(region, segment, &pace, model))
        .collect();
    Fold::new(agents, 2, pace, model, Vec::new(), vec![ClassId(0)])
}

fn tick(second: u32, started: u64) -> Tick {
    let mut tick = Tick { second, ..Tick::default() };
    tick.tally.arrivals.started = started;
    tick
}

#[test]
fn seconds_are_complete_once_every_agent_is_past_them() {
    let mut fold = fold();
    fold.tick(0, &tick(0, 50));
    fold.complete(false);
    assert!(fold.timeline().is_empty());
    fold.tick(1, &tick(0, 50));
    fold.complete(false);
    let planned: Vec<u64> = fold.timeline().iter().map(|row| row.arrivals_planned).collect();
    assert_eq!(planned, [50, 50]);
    fold.tick(0, &tick(1, 50));
    fold.agents[1].ended = Ended::Lost("killed".into());
    fold.complete(false);
    assert_eq!(fold.timeline().len(), 4, "a lost agent holds nobody up");
    assert_eq!(fold.timeline()[3].arrivals_started, 0);
    assert_eq!(fold.timeline()[3].arrivals_planned, 50);
}

/// One region whose agent is relieved after three seconds of six, with ten arrivals a second.
fn relay() -> Fold {
    let phase = Phase {
        name: "hold".into(),
        kind: doorbuster_model::pace::Kind::Hold,
        shape: Shape::Flat(10_000),
        length_ns: 6_000_000_000,
    };
    let pace = Pace::try_new(vec![phase]).unwrap();
    let model = Model::Open(Spacing::Even);
    let parts =
        doorbuster_model::generation::generations(6_000_000_000, Some(std::time::Duration::from_secs(3)));
    let of = |part| AgentState::new(0, Segment::whole(), &pace, model).in_generation(part, &pace);
    let agents = parts.into_iter().map(of).collect();
    Fold::new(agents, 1, pace.clone(), model, Vec::new(), Vec::new())
}

#[test]
fn who_is_relieved_drains_while_the_next_has_begun() {
    let mut fold = relay();
    let planned: Vec<_> =
        fold.agents.iter().map(|agent| (agent.arrivals_planned, agent.next_second)).collect();
    assert_eq!(planned, [(30, 0), (30, 3)]);
    for second in 0..3 {
        fold.tick(0, &tick(second, 10));
    }
    fold.complete(false);
    assert_eq!(fold.timeline().len(), 3, "the next one's seconds are later: it holds up none of these");
    fold.tick(1, &tick(3, 10));
    fold.complete(false);
    assert_eq!(fold.timeline().len(), 3, "the first may still tell of that second");
    fold.tick(0, &tick(3, 0));
    fold.agents[0].finish(4);
    fold.complete(false);
    let last = fold.timeline().last().unwrap();
    assert_eq!((last.second, last.arrivals_planned, last.arrivals_started), (3, 10, 10));
    assert_eq!((fold.agents[0].ticks_missing, &fold.agents[0].ended), (0, &Ended::Finished));
    fold.tick(1, &tick(4, 10));
    fold.agents[1].finish(3);
    assert_eq!(fold.agents[1].ticks_missing, 1, "three of its own, of which two came");
    assert!(fold.over());
}

#[test]
fn what_a_lost_generation_lacks_is_told_second_by_second() {
    let mut fold = relay();
    fold.tick(0, &tick(0, 10));
    fold.agents[0].ended = Ended::Lost("killed".into());
    fold.tick(1, &tick(3, 10));
    fold.complete(true);
    let told: Vec<_> =
        fold.timeline().iter().map(|row| (row.second, row.arrivals_planned, row.arrivals_started)).collect();
    assert_eq!(told, [(0, 10, 10), (1, 10, 0), (2, 10, 0), (3, 10, 10)]);
}

#[test]
fn the_tallies_of_complete_seconds_can_be_taken_once() {
    let mut fold = fold().keeping_seconds();
    fold.tick(0, &tick(0, 50));
    fold.tick(0, &tick(1, 49));
    fold.tick(1, &tick(0, 48));
    fold.complete(false);
    let started = |seconds: Vec<(u32, Vec<Tally>)>| -> Vec<(u32, Vec<u64>)> {
        let of = |tallies: Vec<Tally>| tallies.iter().map(|tally| tally.arrivals.started).collect();
        seconds.into_iter().map(|(second, tallies)| (second, of(tallies))).collect()
    };
    assert_eq!(started(fold.take_seconds()), [(0, vec![50, 48])]);
    fold.complete(true);
    assert_eq!(started(fold.take_seconds()), [(1, vec![49, 0])]);
    assert!(fold.take_seconds().is_empty());
    let mut plain = self::fold();
    plain.tick(0, &tick(0, 50));
    plain.complete(true);
    assert!(plain.take_seconds().is_empty(), "where nobody wants them, none are kept");
}

#[test]
fn hits_are_told_by_second_and_class() {
    let mut fold = fold();
    let mut first = tick(0, 0);
    let counts = |hits, refresh_hits, misses| Counts { hits, refresh_hits, misses, ..Counts::default() };
    let place =
        |class, pop: &str| Place { class: ClassId(class), section: 0, pop: Pop::parse(pop.as_bytes()) };
    first.tally.caching = BTreeMap::from([
        (place(0, "NRT57"), counts(1, 0, 4)),
        (place(1, "NRT57"), counts(9, 1, 0)),
        (place(1, "NRT12"), counts(5, 0, 5)),
        (place(2, "NRT12"), counts(0, 0, 0)),
    ]);
    fold.tick(0, &first);
    fold.complete(true);
    let row = &fold.timeline()[0];
    assert_eq!((row.hits, row.misses), (15, 9));
    assert_eq!(row.classes, BTreeMap::from([(ClassId(0), (1, 5)), (ClassId(1), (14, 20))]));
    assert_eq!(row.cacheable, (14, 20), "what is never cached has no part in it");
}

#[test]
fn findings_are_merged_per_region_with_the_earliest_evidence() {
    let mut fold = fold();
    let found = |count, first_ns, url: &str| {
        let key = FindingKey { rule: Rule::PrivateHit, class: ClassId(0), pop: None };
        let evidence = Evidence { url: url.to_owned(), ..Evidence::default() };
        vec![(key, Finding { count, first_ns, last_ns: first_ns + 5, evidence })]
    };
    fold.found(0, found(2, 700, "/late"), 0);
    fold.found(0, found(3, 400, "/early"), 9);
    fold.found(1, found(1, 100, "/elsewhere"), 0);
    let told = |region: usize| {
        let (_, finding) = fold.findings[region].iter().next().unwrap();
        (finding.count, finding.first_ns, finding.last_ns, finding.evidence.url.as_str())
    };
    assert_eq!((told(0), told(1)), ((5, 400, 705, "/early"), (1, 100, 105, "/elsewhere")));
    assert_eq!((fold.findings[0].not_kept, fold.findings[1].not_kept), (9, 0));
}

#[test]
fn a_repeated_second_counts_once_and_a_skipped_one_is_missing() {
    let mut fold = fold();
    fold.tick(0, &tick(0, 50));
    fold.tick(0, &tick(0, 50));
    fold.tick(0, &tick(3, 1));
    assert_eq!(fold.regions[0].arrivals.started, 51);
    assert_eq!((fold.agents[0].ticks_missing, fold.agents[0].arrivals_started), (2, 51));
}
