//! A probe: each of the plan's journeys, walked once per interval by somebody who has never been here, without end, or as
//! long as the agent's part of it lasts.
//!
//! When which walk is due is the pure [`Rota`]'s. Here each is started in time or counted as skipped, and one that lasts
//! longer than the interval holds up no other. Its exchanges count as all others do, in the seconds in which they end; what
//! the walk came to is told beside them.

mod record;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use doorbuster_journeys::Journey;
use doorbuster_model::Rota;
use doorbuster_model::report::Probed;
use tokio::task::spawn_local;

use crate::crowd::{Crowd, Present};
use crate::visit::{Visited, Visitor, walk_through};
use crate::worker::Worker;

pub(crate) use record::{Records, begin, failed, note, note_page, note_unsent, went_well};

/// The most walks through one journey at a time: a target that has frozen is waited for by so many, and not by more.
const AT_ONCE_MAX: u32 = 32;
/// Who is later than this is not sent at all: what such a walk would measure is this machine.
const LATE_NS_MAX: u64 = 1_000_000_000;
const DAY_NS: u64 = 86_400_000_000_000;

/// What an agent is told of a probe.
#[derive(Debug)]
pub(crate) struct Duty {
    /// When whose walk is due.
    pub rota: Rota,
    /// The region's position in the plan.
    pub region: usize,
}

/// Walks what is due in the agent's part of the probe; without end, until whoever polls this leaves, where it has none.
pub(crate) async fn run(worker: &Rc<Worker>, crowd: &Rc<Crowd>) {
    let Some(duty) = &worker.job.probe else { return };
    let mut today = Today { day: None, journeys: worker.journeys.clone() };
    let mut posts: Vec<Post> =
        (0..worker.journeys.len()).map(|journey| Post::new(worker, duty, journey)).collect();
    let ends_ns = worker.job.ends_ns();
    while let Some(post) =
        posts.iter_mut().min_by_key(|post| post.due_ns).filter(|post| post.due_ns < ends_ns)
    {
        worker.clock.sleep_until_ns(post.due_ns).await;
        let now_ns = worker.clock.now_ns();
        let is_late = now_ns.saturating_sub(post.due_ns) > LATE_NS_MAX;
        let place = if is_late { None } else { post.place() };
        match place.zip(today.journey(post.journey, worker.start_unix_ns.saturating_add(post.due_ns))) {
            Some((place, journey)) => {
                if let Some(present) = crowd.enter(worker) {
                    let number = duty.rota.number(duty.region, post.journey, post.interval);
                    let route = (post.journey, journey);
                    spawn_local(walk(Rc::clone(worker), number, route, post.due_ns, (present, place)));
                }
            }
            None => worker.tallies.borrow_mut().at(now_ns).count("probes_skipped", 1),
        }
        post.next(duty);
    }
}

/// One walk, from its beginning to what is told of it.
async fn walk(
    worker: Rc<Worker>,
    number: u64,
    route: (usize, Arc<Journey>),
    due_ns: u64,
    _there: (Present, Place),
) {
    let journey = u16::try_from(route.0).unwrap_or(u16::MAX);
    let record = record::Account::open(&worker, number);
    let visitor = Visitor::new(&worker, number);
    let now_ns = worker.clock.now_ns();
    let (visited, ended_ns) = walk_through(&visitor, route, number, due_ns, now_ns).await;
    let steps = record.close();
    let is_good = match visited {
        Visited::Completed => true,
        Visited::Failed | Visited::Broken => false,
        // A journey that had nothing to ask for says nothing about the target, unless it failed at that.
        Visited::Unsent if steps.is_empty() => return,
        Visited::Unsent => steps.iter().all(|step| step.failure.is_none()),
        // Nor does one without data; that it has none is counted.
        Visited::Gone => return,
    };
    worker.tallies.borrow_mut().probe(Probed { journey, began_ns: due_ns, is_good, steps }, ended_ns);
}

/// A journey that is walked again and again.
struct Post {
    /// Its position in the plan.
    journey: usize,
    /// The interval of its next walk.
    interval: u64,
    /// When that is due, by the run's clock. From here on by that alone: what the wall clock does in between is no
    /// reason to hurry or to wait.
    due_ns: u64,
    under_way: Rc<Cell<u32>>,
}

/// One of the places for walks through a journey; given up when dropped.
struct Place(Rc<Cell<u32>>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Post {
    fn new(worker: &Worker, duty: &Duty, journey: usize) -> Self {
        let from_unix_ns = worker.start_unix_ns.saturating_add(worker.job.begins_ns());
        let interval = duty.rota.interval_from(duty.region, journey, from_unix_ns);
        let due_unix_ns = duty.rota.due_unix_ns(duty.region, journey, interval);
        let due_ns = due_unix_ns.saturating_sub(worker.start_unix_ns);
        Self { journey, interval, due_ns, under_way: Rc::default() }
    }

    /// A place for one more walk, if there is one.
    fn place(&self) -> Option<Place> {
        let under_way = self.under_way.get();
        (under_way < AT_ONCE_MAX).then(|| {
            self.under_way.set(under_way + 1);
            Place(Rc::clone(&self.under_way))
        })
    }

    fn next(&mut self, duty: &Duty) {
        self.interval += 1;
        self.due_ns = self.due_ns.saturating_add(duty.rota.every_ns());
    }
}

/// The journeys as they are today: days that they speak of count from it.
struct Today {
    /// In days since 1970-01-01.
    day: Option<u64>,
    journeys: Vec<Arc<Journey>>,
}

impl Today {
    /// A journey by its position, at `unix_ns` nanoseconds since 1970.
    fn journey(&mut self, position: usize, unix_ns: u64) -> Option<Arc<Journey>> {
        let day = unix_ns / DAY_NS;
        if self.day != Some(day) {
            self.day = Some(day);
            for journey in &mut self.journeys {
                Arc::make_mut(journey).set_today(i64::try_from(day).unwrap_or(i64::MAX));
            }
        }
        self.journeys.get(position).map(Arc::clone)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use doorbuster_journeys::Journey;

    use super::{AT_ONCE_MAX, DAY_NS, Post, Today};

    #[test]
    fn so_many_walk_a_journey_at_once_and_not_more() {
        let post = Post { journey: 0, interval: 0, due_ns: 0, under_way: Default::default() };
        let mut places: Vec<_> = (0..AT_ONCE_MAX).map(|_| post.place().unwrap()).collect();
        assert!(post.place().is_none());
        places.pop();
        assert!(post.place().is_some(), "who ends makes room");
        assert!(post.place().is_some(), "a place that nobody took is free again");
    }

    #[test]
    fn a_journey_is_made_anew_once_a_day() {
        let text = "journey: t\nsteps: [{ step: a, get: / }]";
        let journey = Arc::new(Journey::parse("t", text).unwrap());
        let mut today = Today { day: None, journeys: vec![journey] };
        let at = |today: &mut Today, unix_ns| today.journey(0, unix_ns).unwrap();
        let morning = at(&mut today, 5 * DAY_NS);
        assert!(Arc::ptr_eq(&morning, &at(&mut today, 6 * DAY_NS - 1)));
        assert!(!Arc::ptr_eq(&morning, &at(&mut today, 6 * DAY_NS)), "who is under way keeps the day before");
        assert!(today.journey(1, 0).is_none());
    }
}
