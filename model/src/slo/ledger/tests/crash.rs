//! What is saved is enough: a ledger that was restored has the future of the one that was not.

use proptest::prelude::*;

use super::*;
use crate::slo::page::{Page, Unsaved};

/// A store of what was not saved yet.
#[derive(Clone, Default)]
struct Store {
    pages: BTreeMap<(SeriesKey, u32, i64), Page>,
    memo: Vec<u8>,
}

impl Store {
    fn save(&mut self, unsaved: Unsaved) {
        for (key, length_s, start_s) in unsaved.dropped {
            self.pages.remove(&(key, length_s, start_s));
        }
        for (key, page) in unsaved.pages {
            self.pages.insert((key, page.length_s, page.start_s), page);
        }
        if let Some(memo) = unsaved.memo {
            self.memo = memo;
        }
    }

    fn saved(&self) -> Saved {
        let pages = self.pages.iter().map(|((key, _, _), page)| (key.clone(), page.clone()));
        Saved { pages: pages.collect(), memo: self.memo.clone() }
    }
}

fn quick() -> Slo {
    let rule = |name: &str, severity, tenths, long_s, short_s| Rule {
        name: name.to_owned(),
        severity,
        factor: crate::slo::Factor::of_tenths(tenths),
        long_s,
        short_s,
    };
    Slo {
        rules: vec![
            rule("fast", Severity::Page, 144, 600, 60),
            rule("slow", Severity::Page, 60, 1_800, 120),
            rule("late", Severity::Ticket, 10, 7_200, 600),
        ],
        min_failures: 2,
        ..Slo::new(objectives(&["checkout availability 99%", "traffic availability 99% over 4d"]), 20)
    }
}

/// Something that happens to a ledger.
#[derive(Clone, Debug)]
enum Act {
    Probe { region: usize, ago_s: i64, is_good: bool },
    Heard { region: usize },
    Traffic { ago_s: i64, failed: u64 },
    Evaluate { after_s: i64 },
    Silence { scope: bool, for_s: i64 },
    Unsilence,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        10 => (0_usize..3, -70_i64..200, prop::bool::weighted(0.6))
            .prop_map(|(region, ago_s, is_good)| Act::Probe { region, ago_s, is_good }),
        1 => (0_usize..3).prop_map(|region| Act::Heard { region }),
        2 => (0_i64..400_000, 0_u64..100).prop_map(|(ago_s, failed)| Act::Traffic { ago_s, failed }),
        6 => (1_i64..40).prop_map(|after_s| Act::Evaluate { after_s }),
        1 => (-4_000_i64..50_000).prop_map(|after_s| Act::Evaluate { after_s }),
        1 => (any::<bool>(), 10_i64..2_000).prop_map(|(scope, for_s)| Act::Silence { scope, for_s }),
        1 => Just(Act::Unsilence),
    ]
}

fn carry_out(act: &Act, ledger: &mut Ledger, now_s: &mut i64) -> Vec<Notice> {
    match act {
        Act::Probe { region, ago_s, is_good } => {
            ledger.probed(&probed(REGIONS[*region], *now_s - ago_s, *is_good));
        }
        Act::Heard { region } => ledger.heard(REGIONS[*region], *now_s),
        Act::Traffic { ago_s, failed } => {
            let objective = "traffic availability 99% over 4d";
            ledger.counted(objective, &Scope::Global, *now_s - ago_s, 100 - failed, 100);
        }
        Act::Evaluate { after_s } => {
            *now_s += after_s;
            return ledger.evaluate(*now_s);
        }
        Act::Silence { scope, for_s } => {
            ledger.silence(silence("s", scope.then_some("tokyo"), *now_s, *now_s + for_s));
        }
        Act::Unsilence => ledger.unsilence("s"),
    }
    Vec::new()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn restored_at_any_moment_it_has_the_same_future(
        acts in prop::collection::vec(act(), 1..120),
        crash in 0_usize..120,
        saves in prop::collection::vec(any::<bool>(), 120),
    ) {
        let (slo, regions) = (quick(), own(&REGIONS));
        let mut ledger = Ledger::new(&slo, &regions, 20);
        let (mut store, mut now_s) = (Store::default(), BEGIN_S);
        let crash = crash % acts.len();
        for (act, saves) in acts[..crash].iter().zip(&saves) {
            carry_out(act, &mut ledger, &mut now_s);
            if *saves {
                store.save(ledger.unsaved());
            }
        }
        store.save(ledger.unsaved());
        prop_assert_eq!(ledger.unsaved(), Unsaved::default(), "nothing changed since");
        let mut restored = Ledger::restore(&slo, &regions, 20, store.saved());
        prop_assert_eq!(restored.unsaved(), Unsaved::default(), "what was read need not be saved");
        prop_assert_eq!(restored.standing(now_s), ledger.standing(now_s));
        for act in &acts[crash..] {
            let mut same_s = now_s;
            let told = carry_out(act, &mut restored, &mut same_s);
            prop_assert_eq!(told, carry_out(act, &mut ledger, &mut now_s));
            prop_assert_eq!(restored.standing(now_s), ledger.standing(now_s));
        }
        prop_assert_eq!(restored.oddities(), ledger.oddities());
        prop_assert_eq!(restored.unsaved(), ledger.unsaved());
    }
}

#[test]
fn what_the_plan_no_longer_has_is_told_to_be_over() {
    let mut world = World::usual();
    world.good(HOUR_S);
    world.outage(5 * MINUTE_S);
    let told = world.pass(2 * MINUTE_S, |region, _| (region != 2).then_some(false));
    assert_eq!(shown(&told), ["no-data new-york firing"]);
    let mut store = Store::default();
    store.save(world.ledger.unsaved());
    let slo = Slo::new(objectives(&["browse availability 99%"]), 20);
    let mut ledger = Ledger::restore(&slo, &own(&["tokyo"]), 20, store.saved());
    let told = ledger.evaluate(world.now_s + BUCKET_S);
    let expected = ["no-data new-york", "page global", "page london", "page new-york", "page tokyo"]
        .map(|it| format!("{it} resolved"));
    assert_eq!(shown(&told), expected);
    assert!(told.iter().all(|notice| notice.summary.ends_with("is no longer watched")), "{told:?}");
    assert!(ledger.evaluate(world.now_s + 2 * BUCKET_S).is_empty(), "once");
}

#[test]
fn what_the_plan_no_longer_has_is_dropped_when_its_window_is_past() {
    let mut world = World::usual();
    world.good(2 * HOUR_S);
    let mut store = Store::default();
    store.save(world.ledger.unsaved());
    let kept = store.pages.len();
    let without = Slo::new(objectives(&["browse availability 99%"]), 20);
    let regions = own(&REGIONS);
    let mut ledger = Ledger::restore(&without, &regions, 20, store.saved());
    ledger.evaluate(world.now_s + BUCKET_S);
    store.save(ledger.unsaved());
    assert_eq!(store.pages.len(), kept, "the objective may come back");
    // One that comes back in time has all that was counted.
    let mut again = Ledger::restore(&Slo::new(objectives(&[CHECKOUT]), 20), &regions, 20, store.saved());
    again.evaluate(world.now_s + 2 * BUCKET_S);
    let standing = again.standing(world.now_s + 2 * BUCKET_S);
    assert_eq!(standing.objectives[0].count.total, 3 * 360);
    // A month later the time must have held for a while before anything is dropped.
    let later_s = world.now_s + 31 * DAY_S;
    ledger.evaluate(later_s);
    store.save(ledger.unsaved());
    assert_eq!(store.pages.len(), kept);
    ledger.evaluate(later_s + 10 * MINUTE_S);
    store.save(ledger.unsaved());
    assert!(store.pages.is_empty(), "{:?}", store.pages.keys());
}

#[test]
fn what_cannot_be_read_is_counted_and_the_rest_is_used() {
    let mut world = World::usual();
    world.good(HOUR_S);
    let mut store = Store::default();
    store.save(world.ledger.unsaved());
    let mut saved = store.saved();
    saved.memo = b"{\"version\":2}".to_vec();
    saved.pages[0].1.bytes[0] = 9;
    let mut ledger = Ledger::restore(&Slo::new(objectives(&[CHECKOUT]), 20), &own(&REGIONS), 20, saved);
    assert_eq!(ledger.oddities().not_read, 2);
    ledger.evaluate(world.now_s);
    let standing = ledger.standing(world.now_s);
    let total =
        |scope: &str| standing.objectives.iter().find(|it| it.scope.name() == scope).unwrap().count.total;
    assert_eq!((total("global"), total("tokyo")), (540 - 45, 180), "a page of five minutes is missing");
}

#[test]
fn a_crash_during_an_outage_tells_everything_once() {
    let mut world = World::usual();
    world.good(HOUR_S);
    let mut store = Store::default();
    store.save(world.ledger.unsaved());
    // What is told after this was not saved, and is told again under the same names.
    let before = world.outage(5 * MINUTE_S);
    let slo = Slo::new(objectives(&[CHECKOUT]), 20);
    world.ledger = Ledger::restore(&slo, &own(&REGIONS), 20, store.saved());
    world.now_s = BEGIN_S + HOUR_S;
    let after = world.outage(5 * MINUTE_S);
    assert_eq!(before, after);
    store.save(world.ledger.unsaved());
    world.ledger = Ledger::restore(&slo, &own(&REGIONS), 20, store.saved());
    world.now_s += 40;
    assert!(world.outage(5 * MINUTE_S).is_empty(), "it was told");
    let standing = world.standing("global");
    assert_eq!(standing.gaps_s, 50, "nobody listened, and it shows");
}

#[test]
fn counts_of_real_traffic_go_on_from_the_newest_after_a_crash() {
    let (slo, regions, mut store) = (quick(), own(&REGIONS), Store::default());
    let objective = "traffic availability 99% over 4d";
    let mut ledger = Ledger::new(&slo, &regions, 20);
    ledger.evaluate(BEGIN_S);
    assert_eq!(ledger.counted_until(objective), None);
    for at_s in [BEGIN_S - 60, BEGIN_S, BEGIN_S - 120] {
        ledger.counted(objective, &Scope::Global, at_s, 99, 100);
    }
    ledger.evaluate(BEGIN_S + 10);
    store.save(ledger.unsaved());
    let restored = Ledger::restore(&slo, &regions, 20, store.saved());
    assert_eq!(restored.counted_until(objective), Some(BEGIN_S));
    assert_eq!(restored.counted_until("checkout availability 99%"), None, "nobody counts for it");
}
