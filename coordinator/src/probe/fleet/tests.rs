use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use doorbuster_model::assignment::Secrets;
use doorbuster_model::plan::fleet::LaunchBy;
use doorbuster_model::{Overrides, Segment, Task};
use tokio::time::{sleep, timeout};

use super::*;
use crate::probe::post::Terms;

/// An agent as it was launched: what it was given, what it hears, and how it speaks.
pub(crate) struct Launched {
    number: usize,
    assignment: Assignment,
    pub(crate) hears: mpsc::UnboundedReceiver<ToAgent>,
    says: Events,
}

impl Launched {
    pub(crate) fn say(&self, report: Report) {
        self.says.try_send((self.number, Event::Said(FromAgent::Report(report)))).unwrap();
    }

    pub(crate) fn started(&self) {
        let version = "test".to_owned();
        self.say(Report::Started { clock_unix_ns: 0, version, workers: 1, descriptors_max: 100 });
    }

    pub(crate) fn tick(&self, second: u32) {
        self.say(Report::Tick(Box::new(Tick { second, ..Tick::default() })));
    }
}

pub(crate) type Agents = Rc<RefCell<Vec<Launched>>>;

pub(crate) const NOW_S: u64 = 1_795_000_000;

/// A fleet of so many regions, whose agents the test plays.
pub(crate) fn fleet(regions: usize) -> (Fleet, Agents) {
    fleet_staying(regions, None)
}

/// The same, with agents that stay so long.
fn fleet_staying(regions: usize, stays: Option<Duration>) -> (Fleet, Agents) {
    let agents = Agents::default();
    let launched = Rc::clone(&agents);
    let launch: Launch = Box::new(move |number, _, assignment, says| {
        let (to, hears) = mpsc::unbounded_channel();
        launched.borrow_mut().push(Launched { number, assignment, hears, says });
        Ok(Agent::here(to))
    });
    let assignment = |region: usize| Assignment {
        id: format!("r-{region}"),
        run: "r".to_owned(),
        region: format!("region-{region}"),
        segment: Segment::whole(),
        agents_here: 1,
        plan: String::new(),
        overrides: Overrides::default(),
        files: Arc::default(),
        secrets: Secrets::default(),
        today: 0,
        task: Task::Probe { every_ms: 20_000 },
        generation: None,
        not_after_unix_ms: 0,
    };
    let terms = Terms {
        ready_within: Duration::from_secs(10),
        every: Duration::from_secs(20),
        stays,
        ahead: Duration::from_secs(3),
    };
    let start_ahead = Duration::from_millis(150);
    let station = |region| {
        let assignment = assignment(region);
        Station { assignment, launch: LaunchBy::Local, terms, start_ahead }
    };
    let stations = (0..regions).map(station).collect();
    (Fleet::new(stations, launch, Wall::of_runtime(NOW_S)), agents)
}

/// Lets the fleet do what is due within so long, in which nothing is to happen.
async fn quiet(fleet: &mut Fleet, length: Duration) {
    let news = timeout(length, fleet.next()).await;
    assert!(news.is_err(), "{news:?}");
}

#[tokio::test(start_paused = true)]
async fn each_region_has_an_agent_that_is_told_when_to_begin() {
    let (mut fleet, agents) = fleet(2);
    quiet(&mut fleet, Duration::from_millis(10)).await;
    let ids: Vec<String> = agents.borrow().iter().map(|agent| agent.assignment.id.clone()).collect();
    assert_eq!(ids, ["r-0-1", "r-1-2"]);
    assert_eq!(agents.borrow()[0].assignment.today, 20_775);
    agents.borrow()[1].started();
    let news = fleet.next().await;
    assert!(matches!(news, News { region: 1, what: Happened::Up }), "{news:?}");
    quiet(&mut fleet, Duration::from_secs(5)).await;
    let hears = &mut agents.borrow_mut()[1].hears;
    let heard: Vec<ToAgent> = std::iter::from_fn(|| hears.try_recv().ok()).collect();
    let leases = heard.iter().filter(|said| matches!(said, ToAgent::Lease { .. })).count();
    assert!(leases >= 2, "{heard:?}");
    let start = heard.iter().find_map(|said| match said {
        ToAgent::Start { at_unix_ns } => Some(*at_unix_ns),
        _ => None,
    });
    let ahead_ns = start.unwrap() - NOW_S * SECOND_NS;
    assert!((150_000_000..200_000_000).contains(&ahead_ns), "{ahead_ns}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_agent_is_started_again_under_another_id() {
    let (mut fleet, agents) = fleet(1);
    quiet(&mut fleet, Duration::from_millis(10)).await;
    agents.borrow()[0].started();
    fleet.next().await;
    agents.borrow()[0].says.try_send((1, Event::Gone("killed".to_owned()))).unwrap();
    let News { what: Happened::Down { why, again_in }, .. } = fleet.next().await else {
        panic!("it is lost")
    };
    assert_eq!((why.as_str(), again_in), ("killed", Duration::from_secs(1)));
    quiet(&mut fleet, Duration::from_millis(900)).await;
    assert_eq!(agents.borrow().len(), 1, "not yet");
    quiet(&mut fleet, Duration::from_millis(200)).await;
    assert_eq!(agents.borrow()[1].assignment.id, "r-0-2");
    agents.borrow()[0].tick(5);
    quiet(&mut fleet, Duration::from_millis(10)).await;
    // Nobody is ready within ten seconds: lost again, and away for longer.
    let News { what: Happened::Down { why, again_in }, .. } = fleet.next().await else {
        panic!("it is late")
    };
    assert_eq!((why.as_str(), again_in), ("it was not ready within 10 s", Duration::from_secs(2)));
}

#[tokio::test(start_paused = true)]
async fn walks_and_seconds_are_told_with_their_times() {
    let (mut fleet, agents) = fleet(1);
    quiet(&mut fleet, Duration::from_millis(10)).await;
    agents.borrow()[0].started();
    fleet.next().await;
    sleep(Duration::from_secs(3)).await;
    let walk = Probed { journey: 0, began_ns: 1, is_good: true, steps: Vec::new() };
    agents.borrow()[0].say(Report::Probed(vec![walk.clone()]));
    agents.borrow()[0].tick(2);
    let News { what: Happened::Walked { start_unix_ns, walks }, .. } = fleet.next().await else {
        panic!("walks come first")
    };
    assert_eq!(walks, [walk]);
    let News { what: Happened::Second { at_s, tick }, .. } = fleet.next().await else { panic!("a second") };
    assert_eq!((at_s, tick.second), (seconds(start_unix_ns) + 3, 2));
    // Twelve seconds on, the agent says that fifty have passed.
    sleep(Duration::from_secs(9)).await;
    agents.borrow()[0].tick(49);
    let News { what: Happened::Down { why, .. }, .. } = fleet.next().await else { panic!("it is adrift") };
    assert!(why.ends_with("s apart"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn silence_is_a_loss_and_a_stop_is_none() {
    let (mut fleet, agents) = fleet(2);
    quiet(&mut fleet, Duration::from_millis(10)).await;
    for number in 0..2 {
        agents.borrow()[number].started();
        fleet.next().await;
    }
    for second in 0..14 {
        sleep(Duration::from_secs(1)).await;
        agents.borrow()[0].tick(second);
        fleet.next().await;
    }
    let news = fleet.next().await;
    let News { region: 1, what: Happened::Down { why, .. } } = &news else { panic!("{news:?}") };
    assert_eq!(why, "it has said nothing for 15 s");
    fleet.stop();
    assert!(!fleet.is_over());
    agents.borrow()[0].say(Report::Finished { ticks: 14 });
    quiet(&mut fleet, Duration::from_millis(10)).await;
    assert!(fleet.is_over());
    quiet(&mut fleet, Duration::from_secs(100)).await;
    assert_eq!(agents.borrow().len(), 2, "nobody comes any more");
}

/// When each of these agents was told that its second 0 begins.
fn starts(agents: &Agents) -> Vec<Option<u64>> {
    let start = |agent: &mut Launched| {
        std::iter::from_fn(|| agent.hears.try_recv().ok()).find_map(|said| match said {
            ToAgent::Start { at_unix_ns } => Some(at_unix_ns),
            _ => None,
        })
    };
    agents.borrow_mut().iter_mut().map(start).collect()
}

#[tokio::test(start_paused = true)]
async fn who_stays_a_while_is_relieved_without_a_gap() {
    let (mut fleet, agents) = fleet_staying(1, Some(Duration::from_secs(10)));
    quiet(&mut fleet, Duration::from_millis(10)).await;
    agents.borrow()[0].started();
    fleet.next().await;
    let part = agents.borrow()[0].assignment.generation.unwrap();
    assert_eq!((part.from_ns, part.to_ns, part.is_last), (0, 10 * SECOND_NS, false));
    quiet(&mut fleet, Duration::from_secs(6)).await;
    assert_eq!(agents.borrow().len(), 1);
    quiet(&mut fleet, Duration::from_secs(2)).await;
    assert_eq!(agents.borrow()[1].assignment.id, "r-0-2", "in time");
    agents.borrow()[1].started();
    quiet(&mut fleet, Duration::from_secs(1)).await;
    let told = starts(&agents);
    assert_eq!(told[1].unwrap() - told[0].unwrap(), 10 * SECOND_NS, "exactly where the other ends");
    // Both tell what they walked: the one to its end, the other from its beginning on.
    quiet(&mut fleet, Duration::from_millis(1_500)).await;
    let walk = Probed { journey: 0, began_ns: 9_900_000_000, is_good: true, steps: Vec::new() };
    for (number, start) in told.iter().enumerate() {
        agents.borrow()[number].say(Report::Probed(vec![walk.clone()]));
        let News { what: Happened::Walked { start_unix_ns, .. }, .. } = fleet.next().await else {
            panic!("a walk")
        };
        assert_eq!(Some(start_unix_ns), *start);
    }
    agents.borrow()[0].say(Report::Finished { ticks: 11 });
    agents.borrow()[0].says.try_send((1, Event::Gone("ended".to_owned()))).unwrap();
    quiet(&mut fleet, Duration::from_secs(5)).await;
    assert_eq!(agents.borrow().len(), 2, "nobody comes who is not needed");
    agents.borrow()[1].tick(5);
    let news = fleet.next().await;
    assert!(matches!(news, News { what: Happened::Second { .. }, .. }), "{news:?}");
    fleet.stop();
    agents.borrow()[1].say(Report::Finished { ticks: 6 });
    quiet(&mut fleet, Duration::from_millis(10)).await;
    assert!(fleet.is_over());
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_has_walked_everything_is_relieved_when_its_time_is_over() {
    let (mut fleet, agents) = fleet_staying(1, Some(Duration::from_secs(10)));
    quiet(&mut fleet, Duration::from_millis(10)).await;
    agents.borrow()[0].started();
    fleet.next().await;
    quiet(&mut fleet, Duration::from_secs(9)).await;
    agents.borrow()[1].started();
    quiet(&mut fleet, Duration::from_millis(500)).await;
    agents.borrow()[0].say(Report::Finished { ticks: 10 });
    quiet(&mut fleet, Duration::from_secs(5)).await;
    assert_eq!(agents.borrow().len(), 2);
    agents.borrow()[1].say(Report::Failed { message: "no room".to_owned() });
    let News { what: Happened::Down { why, .. }, .. } = fleet.next().await else { panic!("it is lost") };
    assert_eq!(why, "no room");
}

#[tokio::test(start_paused = true)]
async fn where_nobody_takes_over_the_region_is_down() {
    let (mut fleet, agents) = fleet_staying(1, Some(Duration::from_secs(10)));
    quiet(&mut fleet, Duration::from_millis(10)).await;
    agents.borrow()[0].started();
    fleet.next().await;
    quiet(&mut fleet, Duration::from_millis(7_500)).await;
    for number in 1..4 {
        let event = Event::Gone("throttled".to_owned());
        agents.borrow()[number].says.try_send((number + 1, event)).unwrap();
        if number < 3 {
            quiet(&mut fleet, Duration::from_millis(1_100)).await;
        }
    }
    let News { what: Happened::Down { why, .. }, .. } = fleet.next().await else { panic!("nobody is there") };
    assert!(why.contains("nobody was there to take over"), "{why}");
    quiet(&mut fleet, Duration::from_secs(2)).await;
    assert_eq!(agents.borrow().len(), 5, "somebody begins anew");
}

#[tokio::test(start_paused = true)]
async fn an_agent_of_another_protocol_is_told_how_to_follow() {
    let (mut fleet, agents) = fleet(1);
    quiet(&mut fleet, Duration::from_millis(10)).await;
    let hello = FromAgent::Hello { protocol: PROTOCOL + 1, version: "9.9.9".to_owned() };
    agents.borrow()[0].says.try_send((1, Event::Said(hello))).unwrap();
    let News { what: Happened::Down { why, .. }, .. } = fleet.next().await else { panic!("it is refused") };
    assert!(why.contains("the agent 9.9.9 speaks protocol"), "{why}");
    assert!(why.ends_with("run the command again"), "{why}");
}
