//! A ledger by itself: what probes come to, who is told and when, clocks that step, crashes.

mod crash;
mod oracle;
mod simulations;

use super::*;
use crate::slo::count::Count;
use crate::slo::notice::{AlertStatus, NoticeKind};
use crate::slo::probed::{Probed, ProbedStep};
use crate::slo::series::BUCKET_S;
use crate::slo::standing::ObjectiveStanding;

const BEGIN_S: i64 = 1_764_201_600;
const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 86_400;
const REGIONS: [&str; 3] = ["tokyo", "london", "new-york"];
const CHECKOUT: &str = "checkout availability 99.99% over 30d";

fn own(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn objectives(texts: &[&str]) -> Vec<Objective> {
    texts.iter().map(|text| Objective::parse(text).unwrap()).collect()
}

fn probed(region: &str, at_s: i64, is_good: bool) -> Probed {
    let step = ProbedStep { step: "pay".to_owned(), is_good, latency_ns: is_good.then_some(50_000_000) };
    Probed { region: region.to_owned(), journey: "checkout".to_owned(), at_s, steps: vec![step], is_good }
}

/// A plan that probes, and the time.
struct World {
    ledger: Ledger,
    regions: Vec<String>,
    every_s: i64,
    now_s: i64,
}

impl World {
    fn new(slo: &Slo, regions: &[&str], every_s: u32) -> Self {
        let regions = own(regions);
        let mut ledger = Ledger::new(slo, &regions, every_s);
        assert!(ledger.evaluate(BEGIN_S).is_empty());
        Self { ledger, regions, every_s: i64::from(every_s), now_s: BEGIN_S }
    }

    fn usual() -> Self {
        Self::new(&Slo::new(objectives(&[CHECKOUT]), 20), &REGIONS, 20)
    }

    /// Lets time go by. The regions take turns; `outcome` says what becomes of a region's probe, if it has any.
    fn pass(&mut self, seconds: i64, outcome: impl Fn(usize, i64) -> Option<bool>) -> Vec<Notice> {
        let mut notices = Vec::new();
        let turn_s = self.every_s / i64::try_from(self.regions.len()).unwrap();
        for _ in 0..seconds {
            self.now_s += 1;
            for (nth, region) in self.regions.iter().enumerate() {
                let is_due = (self.now_s - turn_s * i64::try_from(nth).unwrap()) % self.every_s == 0;
                if let Some(is_good) = outcome(nth, self.now_s).filter(|_| is_due) {
                    self.ledger.probed(&probed(region, self.now_s, is_good));
                }
            }
            if self.now_s % BUCKET_S == 0 {
                notices.extend(self.ledger.evaluate(self.now_s));
            }
        }
        notices
    }

    fn good(&mut self, seconds: i64) -> Vec<Notice> {
        self.pass(seconds, |_, _| Some(true))
    }

    fn outage(&mut self, seconds: i64) -> Vec<Notice> {
        self.pass(seconds, |_, _| Some(false))
    }

    fn standing(&self, scope: &str) -> ObjectiveStanding {
        let standing = self.ledger.standing(self.now_s);
        standing.objectives.into_iter().find(|standing| standing.scope.name() == scope).unwrap()
    }
}

/// `page global firing`, sorted.
fn shown(notices: &[Notice]) -> Vec<String> {
    let word = |notice: &Notice| match &notice.kind {
        NoticeKind::Burn { .. } => notice.severity.word(),
        NoticeKind::NoData => "no-data",
    };
    let line = |notice: &Notice| {
        let status = format!("{:?}", notice.status).to_lowercase();
        format!("{} {} {status}", word(notice), notice.scope)
    };
    let mut lines: Vec<String> = notices.iter().map(line).collect();
    lines.sort();
    lines
}

fn silence(id: &str, scope: Option<&str>, from_s: i64, to_s: i64) -> Silence {
    Silence {
        id: id.to_owned(),
        objective: None,
        scope: scope.map(Scope::named),
        from_s,
        to_s,
        reason: "test".to_owned(),
    }
}

#[test]
fn an_outage_is_one_page_in_each_scope_and_no_ticket() {
    let mut world = World::usual();
    assert!(world.good(2 * HOUR_S).is_empty());
    let began = world.outage(30 * MINUTE_S);
    let everywhere =
        ["page global firing", "page london firing", "page new-york firing", "page tokyo firing"];
    assert_eq!(shown(&began), everywhere);
    let global = began.iter().find(|notice| notice.scope == Scope::Global).unwrap();
    assert_eq!(
        (global.sequence, global.at_s, &global.objective),
        (0, global.began_s, &Some(CHECKOUT.to_owned()))
    );
    assert_eq!(global.incident, format!("{CHECKOUT}|global|page|{}", global.began_s));
    assert!(
        global.summary.starts_with(&format!("{CHECKOUT} (global): its budget burns ")),
        "{}",
        global.summary
    );
    for detail in ["factor", "burn_long", "burn_short", "failed", "total", "suspected", "budget_left"] {
        assert!(global.details.iter().any(|(name, _)| name == detail), "{detail}: {:?}", global.details);
    }
    assert!(global.details.iter().all(|(name, _)| name != "rule"), "its kind has it: {:?}", global.details);
    let standing = world.standing("global");
    assert!(standing.budget_spent.unwrap() > 1.0 && standing.exhausted_in_s == Some(0), "{standing:?}");
    assert!(standing.burns.iter().all(|reading| reading.burn.unwrap() > 14.4));
    // A day later everything is over, and the tickets have been spoken for.
    let ended = world.good(DAY_S);
    assert_eq!(shown(&ended), everywhere.map(|line| line.replace("firing", "resolved")));
    assert_eq!(ended.iter().find(|notice| notice.scope == Scope::Global).unwrap().incident, global.incident);
    assert!(ended.iter().all(|notice| notice.sequence == 1 && notice.began_s < notice.at_s));
    let views = world.ledger.standing(world.now_s).alerts;
    assert!(views.iter().all(|view| view.status == AlertStatus::Resolved), "{views:?}");
}

#[test]
fn failures_that_one_probe_saw_are_suspected_and_alert_nobody() {
    let mut world = World::usual();
    world.good(HOUR_S);
    // Every tenth minute a probe of london fails, and no other.
    let told = world.pass(6 * HOUR_S, |region, at_s| Some(region != 1 || at_s % 600 >= 20));
    assert!(told.is_empty(), "{told:?}");
    let (global, london) = (world.standing("global").count, world.standing("london").count);
    assert_eq!((global.failed, global.suspected), (0, 36));
    assert_eq!((london.failed, london.suspected, london.good()), (0, 36, london.total));
    assert_eq!(world.standing("tokyo").count.suspected, 0);
    let views = world.ledger.standing(world.now_s).alerts;
    let pending = |scope: &str| {
        views.iter().any(|view| view.scope.name() == scope && view.status == AlertStatus::Pending)
    };
    assert!(pending("global") && pending("london") && !pending("tokyo"), "{views:?}");
}

#[test]
fn counters_never_fall_and_are_those_of_this_process() {
    let mut world = World::usual();
    let of = |world: &World, scope: &str| {
        world.ledger.counters().find(|(key, _)| key.scope.name() == scope).map(|(_, count)| count).unwrap()
    };
    world.good(HOUR_S);
    let before = of(&world, "global");
    assert_eq!((before.total, before.failed, before.suspected), (3 * 180, 0, 0));
    world.outage(10 * MINUTE_S);
    let after = of(&world, "global");
    // The first failure of an outage is suspected and confirmed by the second, and counts as both.
    assert_eq!((after.total, after.failed), (3 * 210, 3 * 30));
    assert!(after.suspected > 0 && after.suspected >= world.standing("global").count.suspected);
    world.good(40 * DAY_S);
    let late = of(&world, "global");
    assert!(late.failed == after.failed && late.suspected == after.suspected, "{late:?}");
    assert_eq!(world.standing("global").count.failed, 0, "its window is past the outage");
    let saved = world.ledger.unsaved();
    let kept = Saved { pages: saved.pages, memo: saved.memo.unwrap_or_default() };
    let again = Ledger::restore(&Slo::new(objectives(&[CHECKOUT]), 20), &own(&REGIONS), 20, kept);
    assert!(again.counters().all(|(_, count)| count == Count::default()), "a restart begins with 0");
}

#[test]
fn a_confirmation_raises_no_counter_of_an_event_of_another_process() {
    let mut world = World::usual();
    world.good(HOUR_S);
    let began_s = world.now_s;
    world.ledger.probed(&probed("tokyo", began_s + 1, false));
    world.ledger.evaluate(began_s + 10);
    let unsaved = world.ledger.unsaved();
    let saved = Saved { pages: unsaved.pages, memo: unsaved.memo.unwrap() };
    world.ledger = Ledger::restore(&Slo::new(objectives(&[CHECKOUT]), 20), &own(&REGIONS), 20, saved);
    world.ledger.evaluate(began_s + 20);
    world.ledger.probed(&probed("london", began_s + 25, false));
    world.ledger.evaluate(began_s + 30);
    world.now_s = began_s + 30;
    assert_eq!(world.standing("global").count.failed, 2, "each confirms the other");
    let of = |scope: &str| {
        world.ledger.counters().find(|(key, _)| key.scope.name() == scope).map(|(_, count)| count)
    };
    let own = Count { total: 1, failed: 1, suspected: 1 };
    assert_eq!((of("tokyo"), of("london"), of("global")), (Some(Count::default()), Some(own), Some(own)));
}

#[test]
fn without_confirmation_every_failure_counts() {
    let slo = Slo { confirm_s: None, ..Slo::new(objectives(&[CHECKOUT]), 20) };
    let mut world = World::new(&slo, &REGIONS, 20);
    let told = world.pass(HOUR_S, |region, at_s| Some(region != 1 || at_s % 600 >= 20));
    assert_eq!(shown(&told), ["page global firing", "page london firing"]);
    assert_eq!(world.standing("global").count.suspected, 0);
}

#[test]
fn one_region_alone_is_told_of_once() {
    let mut world = World::new(&Slo::new(objectives(&[CHECKOUT]), 20), &["here"], 20);
    world.good(HOUR_S);
    let told = world.outage(10 * MINUTE_S);
    assert_eq!(shown(&told), ["page global firing"]);
    assert_eq!(world.standing("here").count, world.standing("global").count);
    let own = Slo::new(objectives(&["london checkout availability 99.99%"]), 20);
    let mut world = World::new(&own, &REGIONS, 20);
    world.good(HOUR_S);
    let told = world.outage(10 * MINUTE_S);
    assert_eq!(shown(&told), ["page london firing"]);
    assert_eq!(world.ledger.standing(world.now_s).objectives.len(), 1);
    // Another region's probes confirm, and do not count.
    assert_eq!(world.standing("london").count.total, 3 * 70);
    assert_eq!(world.standing("london").count.suspected, 0);
}

#[test]
fn a_silence_holds_back_what_is_told_and_nothing_else() {
    let mut world = World::usual();
    world.good(HOUR_S);
    let from_s = world.now_s;
    world.ledger.silence(silence("all", None, from_s, from_s + 20 * MINUTE_S));
    assert!(world.outage(19 * MINUTE_S).is_empty());
    let views = world.ledger.standing(world.now_s).alerts;
    assert!(views.iter().any(|view| view.status == AlertStatus::Firing && view.is_silenced), "{views:?}");
    let told = world.outage(2 * MINUTE_S);
    assert_eq!(told.len(), 4, "the silence is over, and it still burns: {told:?}");
    assert!(
        told.iter()
            .all(|notice| notice.began_s < from_s + 10 * MINUTE_S && notice.at_s >= from_s + 20 * MINUTE_S)
    );
    // What was told to burn is told to be over when the silence ends.
    world.good(10 * MINUTE_S);
    let long_s = world.now_s + 5 * HOUR_S;
    world.ledger.silence(silence("tokyo", Some("tokyo"), world.now_s, long_s));
    let told = world.good(4 * HOUR_S);
    assert_eq!(shown(&told), ["page global resolved", "page london resolved", "page new-york resolved"]);
    world.ledger.unsilence("tokyo");
    assert_eq!(shown(&world.good(MINUTE_S)), ["page tokyo resolved"]);
}

#[test]
fn what_began_and_ended_in_silence_is_never_told() {
    let mut world = World::usual();
    world.good(HOUR_S);
    let from_s = world.now_s;
    world.ledger.silence(silence("all", None, from_s, from_s + DAY_S));
    assert!(world.outage(5 * MINUTE_S).is_empty());
    assert!(world.good(DAY_S + HOUR_S).is_empty());
}

#[test]
fn a_global_page_speaks_for_the_regions_tickets() {
    let rules = vec![
        Rule {
            name: "p".to_owned(),
            severity: Severity::Page,
            long_s: 600,
            short_s: 60,
            ..Rule::defaults()[0].clone()
        },
        Rule {
            name: "t".to_owned(),
            severity: Severity::Ticket,
            long_s: 600,
            short_s: 60,
            ..Rule::defaults()[3].clone()
        },
    ];
    let slo = Slo {
        rules,
        min_failures: 1,
        ..Slo::new(objectives(&["traffic availability 99.99%", CHECKOUT]), 20)
    };
    let mut world = World::new(&slo, &REGIONS, 20);
    world.good(20 * MINUTE_S);
    // Tokyo alone burns a little: counts instead of probes make that possible.
    let tokyo = Scope::named("tokyo");
    let now_s = world.now_s;
    world.ledger.counted(CHECKOUT, &tokyo, now_s - 5, 99_980, 100_000);
    assert_eq!(shown(&world.good(10)), ["ticket tokyo firing"]);
    world.good(30 * MINUTE_S);
    let now_s = world.now_s;
    world.ledger.counted(CHECKOUT, &Scope::Global, now_s - 5, 90_000, 100_000);
    world.ledger.counted(CHECKOUT, &tokyo, now_s - 5, 99_980, 100_000);
    assert_eq!(shown(&world.good(10)), ["page global firing"]);
    let views = world.ledger.standing(world.now_s).alerts;
    assert!(views.iter().any(|view| view.scope == tokyo && view.is_inhibited), "{views:?}");
    // A page that nobody hears speaks for nobody.
    world.good(30 * MINUTE_S);
    let now_s = world.now_s;
    world.ledger.silence(silence("g", Some("global"), now_s, now_s + HOUR_S));
    world.ledger.counted(CHECKOUT, &Scope::Global, now_s - 5, 90_000, 100_000);
    world.ledger.counted(CHECKOUT, &tokyo, now_s - 5, 99_980, 100_000);
    assert_eq!(shown(&world.good(10)), ["ticket tokyo firing"]);
}

#[test]
fn a_region_that_stops_reporting_never_looks_healthy() {
    let mut world = World::usual();
    world.good(HOUR_S);
    let told = world.pass(10 * MINUTE_S, |region, _| (region != 1).then_some(true));
    assert_eq!(shown(&told), ["no-data london firing"]);
    assert_eq!(
        (told[0].severity, told[0].objective.clone()),
        (Severity::Ticket, None),
        "the others still report"
    );
    assert_eq!(told[0].at_s, BEGIN_S + HOUR_S + 50, "a minute after it was heard last, 14 s before");
    let standing = world.ledger.standing(world.now_s);
    assert!(standing.regions[1].is_silent && !standing.regions[0].is_silent);
    let london = world.standing("london");
    assert!(london.gaps_s >= 570 && world.standing("global").gaps_s == 0, "{london:?}");
    let short = london.burns.iter().find(|reading| reading.rule == "page-14.4" && !reading.is_long).unwrap();
    assert_eq!((short.burn, short.count.total), (None, 0), "no data is no burn rate of 0");
    let told = world.pass(10 * MINUTE_S, |_, _| None);
    assert_eq!(shown(&told), ["no-data new-york firing", "no-data tokyo firing"]);
    assert!(told.iter().any(|notice| notice.severity == Severity::Page), "nobody watches any more");
    assert!(world.standing("global").gaps_s >= 540);
    assert!(world.good(MINUTE_S - 10).is_empty(), "a sign of life is not enough");
    let told = world.good(MINUTE_S);
    assert_eq!(
        shown(&told),
        ["no-data london resolved", "no-data new-york resolved", "no-data tokyo resolved"]
    );
    // Signs of life are enough to be alive.
    for _ in 0..30 {
        world.pass(10, |_, _| None);
        REGIONS.iter().for_each(|region| world.ledger.heard(region, world.now_s));
    }
    assert!(world.ledger.standing(world.now_s).regions.iter().all(|region| !region.is_silent));
}

#[test]
fn an_agent_that_dies_again_and_again_is_one_incident() {
    let mut world = World::usual();
    world.good(HOUR_S);
    // London is heard for half a minute of every hundred seconds.
    let told = world.pass(6 * HOUR_S, |region, at_s| (region != 1 || at_s % 100 < 30).then_some(true));
    assert_eq!(shown(&told), ["no-data london firing"]);
    let told = world.good(2 * HOUR_S);
    assert_eq!(shown(&told), ["no-data london resolved"]);
}

#[test]
fn real_traffic_that_is_not_counted_never_looks_healthy() {
    let traffic = "traffic availability 99.99%";
    let mut world = World::new(&Slo::new(objectives(&[traffic, CHECKOUT]), 20), &REGIONS, 20);
    let began = world.good(10 * MINUTE_S);
    assert_eq!(shown(&began), ["no-data global firing"], "nothing ever came");
    assert_eq!((began[0].severity, began[0].objective.as_deref()), (Severity::Ticket, Some(traffic)));
    assert_eq!(began[0].incident, format!("{traffic}|global|no-data|{}", BEGIN_S + 310));
    let views = world.ledger.standing(world.now_s).alerts;
    let is_it = |view: &AlertView| view.incident == began[0].incident && view.is_told;
    assert!(views.iter().any(|view| is_it(view) && view.status == AlertStatus::Firing), "{views:?}");
    let mut told = Vec::new();
    for _ in 0..10 {
        world.ledger.counted(traffic, &Scope::Global, world.now_s, 100, 100);
        told.extend(world.good(MINUTE_S));
    }
    assert_eq!(shown(&told), ["no-data global resolved"]);
    assert_eq!((told[0].sequence, &told[0].incident), (1, &began[0].incident));
    let again = world.good(10 * MINUTE_S);
    assert_eq!(shown(&again), ["no-data global firing"]);
    assert_ne!(again[0].incident, began[0].incident);
    // Who drops the objective is told that nobody watches it.
    let unsaved = world.ledger.unsaved();
    let saved = Saved { pages: unsaved.pages, memo: unsaved.memo.unwrap() };
    let mut without = Ledger::restore(&Slo::new(objectives(&[CHECKOUT]), 20), &own(&REGIONS), 20, saved);
    assert_eq!(shown(&without.evaluate(world.now_s + BUCKET_S)), ["no-data global resolved"]);
}

#[test]
fn an_alert_does_not_end_because_data_stop() {
    let mut world = World::usual();
    world.good(HOUR_S);
    assert_eq!(world.outage(10 * MINUTE_S).len(), 4);
    let told = world.pass(DAY_S, |_, _| None);
    assert!(told.iter().all(|notice| notice.kind == NoticeKind::NoData), "{:?}", shown(&told));
    let told = world.good(HOUR_S);
    let burns: Vec<&Notice> = told.iter().filter(|notice| notice.kind != NoticeKind::NoData).collect();
    assert!(
        burns.len() == 4 && burns.iter().all(|notice| notice.status == AlertStatus::Resolved),
        "{burns:?}"
    );
}

#[test]
fn what_was_missed_is_caught_up_with() {
    let mut late = World::usual();
    let mut punctual = World::usual();
    let bad = |_: usize, at_s: i64| Some(!(BEGIN_S + HOUR_S..BEGIN_S + HOUR_S + 600).contains(&at_s));
    let told = punctual.pass(3 * HOUR_S, bad);
    assert_eq!(told.len(), 8);
    // The same probes, and nobody evaluates for an hour; then all that happened is told as it happened.
    late.pass(HOUR_S, bad);
    let mut other = World::usual();
    other.pass(HOUR_S, bad);
    for _ in 0..2 * HOUR_S {
        other.now_s += 1;
        for (nth, region) in REGIONS.iter().enumerate() {
            if (other.now_s - 6 * i64::try_from(nth).unwrap()) % 20 == 0 {
                let is_good = bad(nth, other.now_s).unwrap();
                other.ledger.probed(&probed(region, other.now_s, is_good));
            }
        }
    }
    assert_eq!(other.ledger.evaluate(other.now_s), told);
    assert_eq!(other.ledger.oddities(), Oddities::default());
    // After a long absence it begins 6 hours before now, and says so.
    let told = late.ledger.evaluate(late.now_s + DAY_S);
    assert!(told.is_empty(), "nobody is blamed for what nobody could hear: {told:?}");
    assert_eq!(late.ledger.oddities().skipped_s, 18 * 3_600);
    late.now_s += DAY_S;
    assert!(late.standing("global").gaps_s >= 86_000);
}

#[test]
fn clocks_that_step_lose_nothing_and_invent_nothing() {
    let mut world = World::usual();
    world.good(HOUR_S);
    let total = world.standing("global").count.total;
    // The future is not trusted, by more than a minute.
    for ahead_s in [30, 61, 100_000, i64::MAX - BEGIN_S - 100_000] {
        world.ledger.probed(&probed("tokyo", world.now_s + ahead_s, true));
        world.ledger.counted(CHECKOUT, &Scope::Global, world.now_s + ahead_s, 1, 1);
    }
    world.ledger.probed(&probed("tokyo", i64::MIN, true));
    world.ledger.probed(&probed("tokyo", world.now_s - 31 * DAY_S, true));
    world.ledger.probed(&probed("tokyo", world.now_s - 29 * DAY_S, true));
    world.ledger.probed(&probed("paris", world.now_s, true));
    world.ledger.evaluate(world.now_s);
    world.good(MINUTE_S);
    let oddities = world.ledger.oddities();
    assert_eq!((oddities.in_future, oddities.too_old, oddities.unknown), (6, 2, 1));
    let after = world.standing("global").count.total;
    assert_eq!(after - total, 2 + 1 + 9, "two of the next half minute, one of weeks ago, and a minute's own");
    // The clock goes back by an hour: alerts go on, by the new time.
    assert_eq!(world.outage(10 * MINUTE_S).len(), 4);
    world.now_s -= HOUR_S;
    let told = world.outage(10 * MINUTE_S);
    assert!(told.is_empty(), "{:?}", shown(&told));
    assert_eq!(world.ledger.oddities().clock_steps_back, 1);
    let told = world.good(DAY_S);
    assert_eq!(told.len(), 4, "{:?}", shown(&told));
}

#[test]
fn a_clock_that_was_wrong_once_loses_nothing() {
    let mut world = World::usual();
    world.good(4 * DAY_S);
    world.outage(HOUR_S);
    let from_s = world.now_s;
    world.ledger.silence(silence("all", None, from_s, from_s + DAY_S));
    let before = world.standing("global").count;
    drop(world.ledger.unsaved());
    world.ledger.evaluate(world.now_s + 31 * DAY_S);
    assert_eq!(world.standing("global").count.total, 0);
    // What was counted meanwhile bears its own time, and waits for a clock that knows better.
    let unsaved = world.ledger.unsaved();
    assert_eq!((unsaved.pages, unsaved.dropped), (Vec::new(), Vec::new()));
    world.good(MINUTE_S);
    let after = world.standing("global").count;
    assert_eq!((after.total, after.failed), (before.total + 9, before.failed));
    assert!(world.ledger.unsaved().dropped.is_empty());
    assert_eq!(world.ledger.oddities().too_old, 0);
    assert_eq!(world.ledger.silences().len(), 1);
    world.good(15 * MINUTE_S);
    assert!(!world.ledger.unsaved().dropped.is_empty(), "the time has held");
    // A time that holds is believed.
    world.now_s += 31 * DAY_S;
    world.good(11 * MINUTE_S);
    assert_eq!(world.standing("global").count.total, 99);
    assert!(world.ledger.unsaved().dropped.len() > 900);
    assert!(world.ledger.silences().is_empty());
}

#[test]
fn an_incident_after_a_step_back_is_not_the_one_before() {
    let mut world = World::usual();
    world.good(HOUR_S);
    let first = world.outage(5 * MINUTE_S);
    assert_eq!(first.len(), 4);
    world.good(DAY_S);
    // The same time again, with what was counted in it.
    world.now_s -= DAY_S + 10 * MINUTE_S;
    let unsaved = world.ledger.unsaved();
    let saved = Saved { pages: unsaved.pages, memo: unsaved.memo.unwrap() };
    world.ledger = Ledger::restore(&Slo::new(objectives(&[CHECKOUT]), 20), &own(&REGIONS), 20, saved);
    let second = world.outage(20 * MINUTE_S);
    for notice in &first {
        let again = second.iter().find(|again| again.scope == notice.scope && again.kind == notice.kind);
        assert!(again.unwrap().began_s > notice.began_s, "{again:?} after {notice:?}");
    }
}

#[test]
fn a_reading_of_every_window_is_that_of_its_events() {
    let slo = Slo { confirm_s: None, ..Slo::new(objectives(&["checkout/pay p(latency < 200ms) 99%"]), 20) };
    let mut world = World::new(&slo, &["here"], 20);
    world.pass(HOUR_S, |_, at_s| Some(at_s % 200 != 0));
    let standing = world.standing("global");
    assert_eq!((standing.count.total, standing.count.failed), (180, 18));
    let spent = standing.budget_spent.unwrap();
    assert!((spent - 10.0).abs() < 1e-9, "{spent}");
    let reading = |rule: &str, is_long| {
        standing.burns.iter().find(|reading| reading.rule == rule && reading.is_long == is_long).unwrap()
    };
    assert_eq!(reading("page-14.4", true).count.total, 180);
    assert_eq!((reading("page-14.4", false).count.total, reading("page-14.4", false).window_s), (15, 300));
    assert_eq!(standing.exhausted_in_s, Some(0));
}

#[test]
fn whether_it_burns_is_exact_and_a_slow_burn_has_an_end() {
    let factor = crate::slo::Factor::of_tenths(60);
    let rule = Rule { name: "p".to_owned(), factor, ..Rule::defaults()[0].clone() };
    let slow = Rule::defaults()[3].clone();
    let traffic = "traffic availability 99.99%";
    let mut world =
        World::new(&Slo { rules: vec![rule, slow], ..Slo::new(objectives(&[traffic]), 20) }, &[], 20);
    let count = |world: &mut World, good, total| {
        world.now_s += BUCKET_S;
        world.ledger.counted(traffic, &Scope::Global, world.now_s, good, total);
        world.ledger.evaluate(world.now_s);
    };
    assert_eq!(world.standing("global").exhausted_in_s, None, "nothing was counted");
    count(&mut world, 1_000_000, 1_000_000);
    assert_eq!(world.standing("global").exhausted_in_s, None, "it does not burn");
    count(&mut world, 9_994, 10_000);
    // 6 of the 101 failures that 1,010,000 events may have: at this rate the other 95 last for 95 ÷ 6 × 30 days.
    let left_s = world.standing("global").exhausted_in_s.unwrap();
    assert!((40_000_000..42_000_000).contains(&left_s), "{left_s}");
    // Two hours later the window of an hour holds nothing of it; in that of three days it is still seen.
    world.now_s += 2 * HOUR_S;
    world.ledger.evaluate(world.now_s);
    let standing = world.standing("global");
    assert_eq!(standing.exhausted_in_s, Some(left_s));
    let reading = |standing: &ObjectiveStanding, rule: &str, is_long| {
        let found = standing.burns.iter().find(|reading| reading.rule == rule && reading.is_long == is_long);
        found.map(|reading| (reading.burn.is_some(), reading.is_burning))
    };
    assert_eq!(reading(&standing, "p", true), Some((false, false)), "without events nothing burns");
    // In floating point 0.0006 ÷ 0.0001 is 5.999….
    count(&mut world, 9_994, 10_000);
    let standing = world.standing("global");
    assert_eq!(reading(&standing, "p", true), Some((true, true)));
    assert_eq!(reading(&standing, "ticket-1", true), Some((true, false)));
}

#[test]
fn evaluating_four_hundred_series_is_cheap() {
    let texts: Vec<String> =
        (0..100).map(|n| format!("checkout availability 99.99% over {}d", 1 + n % 90)).collect();
    let mut list = objectives(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    for (nth, objective) in list.iter_mut().enumerate() {
        objective.text = format!("{nth}: {}", objective.text);
    }
    let mut world = World::new(&Slo::new(list, 20), &REGIONS, 20);
    world.good(2 * MINUTE_S);
    let evaluate = |world: &mut World| {
        world.now_s += BUCKET_S;
        let began = std::time::Instant::now();
        world.ledger.evaluate(world.now_s);
        began.elapsed()
    };
    let quickest = (0..50).map(|_| evaluate(&mut world)).min().unwrap();
    println!("one evaluation of {} series: {quickest:?}", world.ledger.entries.len());
    assert_eq!(world.ledger.entries.len(), 400);
    assert!(quickest < std::time::Duration::from_millis(100), "{quickest:?}");
}
