//! Counts of real traffic for the objectives about it: read from where the probe before stopped, with what goes wrong.

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::book::{Book, Counted};
use super::trouble::Trouble;
use super::wall::Wall;
use crate::aws::Failure;
use crate::export::Reading;
use crate::export::aws;
use crate::export::traffic::{self, PERIOD_S, Reader};

/// How often it is asked for: its figures are by the minute.
const EVERY: Duration = Duration::from_secs(60);
/// How often a request is tried before it waits for its next turn.
const ATTEMPTS: u32 = 3;

/// Whoever reads real traffic.
pub(crate) struct Traffic {
    counts: Option<mpsc::Receiver<Counted>>,
    how: watch::Receiver<How>,
    trouble: Trouble,
    task: JoinHandle<()>,
}

/// How reading goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct How {
    /// Reads that failed.
    failures: u64,
    /// Why the last one did; `None` once one does not.
    problem: Option<String>,
}

/// An objective about real traffic, and up to when that has been counted for it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Begun {
    objective: String,
    until_s: i64,
}

impl Traffic {
    /// Starts to read for the ledger's objectives; `None` where none of them is about real traffic.
    pub(crate) async fn start(book: &Book, wall: &Wall, aws_endpoint: Option<&str>) -> Option<Self> {
        let source = book.slo().traffic.as_ref()?;
        let of_traffic = book.slo().objectives.iter().filter(|objective| objective.is_traffic);
        let begun: Vec<Begun> = of_traffic
            .map(|objective| begun(&objective.text, book.counted_until(&objective.text), wall.now_s()))
            .collect();
        let from_s = begun.iter().map(|begun| begun.until_s).min()?;
        let client = aws::client(&source.aws_region, aws_endpoint, ATTEMPTS).await;
        let reader = Reader::new(client, source.load_balancer.clone(), from_s);
        let (sender, receiver) = mpsc::channel(64);
        let (tells, how) = watch::channel(How::default());
        let task = tokio::spawn(read(reader, begun, wall.clone(), sender, tells));
        let trouble = Trouble::new("real traffic cannot be read at present", "real traffic is read again");
        Some(Self { counts: Some(receiver), how, trouble, task })
    }

    /// The next count.
    pub(crate) async fn counted(&mut self) -> Counted {
        if let Some(counts) = &mut self.counts {
            if let Some(counted) = counts.recv().await {
                return counted;
            }
            self.counts = None;
        }
        std::future::pending().await
    }

    /// What is to be said of how it goes.
    pub(crate) fn trouble(&mut self) -> Option<String> {
        let how = self.how.borrow();
        self.trouble.look(how.problem.as_deref())
    }

    /// How it goes, for other systems.
    pub(crate) fn reading(&self) -> Reading {
        let how = self.how.borrow();
        Reading { failures: how.failures, is_failing: how.problem.is_some() }
    }

    /// Reads no more.
    pub(crate) fn stop(&self) {
        self.task.abort();
    }
}

/// From where an objective goes on: the end of the newest minute that it has, or now where it has none yet.
fn begun(objective: &str, counted_until_s: Option<i64>, now_s: i64) -> Begun {
    let until_s = counted_until_s.map_or(now_s, |until_s| until_s.min(now_s));
    Begun { objective: objective.to_owned(), until_s: until_s.div_euclid(PERIOD_S) * PERIOD_S }
}

/// Reads without end.
async fn read(
    mut reader: Reader,
    begun: Vec<Begun>,
    wall: Wall,
    counts: mpsc::Sender<Counted>,
    tells: watch::Sender<How>,
) {
    let mut every = interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let found = reader.counted(wall.now_s()).await;
        for counted in taken(&begun, found, &tells) {
            if counts.send(counted).await.is_err() {
                return;
            }
        }
    }
}

/// What a read comes to for each objective. What cannot be read now is read the next time.
fn taken(
    begun: &[Begun],
    found: Result<Vec<traffic::Counted>, Failure>,
    tells: &watch::Sender<How>,
) -> Vec<Counted> {
    let found = match found {
        Ok(found) => found,
        Err(failure) => {
            tells.send_modify(|how| {
                how.failures += 1;
                how.problem = Some(failure.why);
            });
            return Vec::new();
        }
    };
    tells.send_modify(|how| how.problem = None);
    let mut taken = Vec::new();
    for count in found {
        // An objective that is new to the plan begins later than the others.
        for begun in begun.iter().filter(|begun| count.at_s > begun.until_s) {
            let (objective, at_s) = (begun.objective.clone(), count.at_s);
            taken.push(Counted { objective, at_s, good: count.good, total: count.total });
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 1_800_000_000;

    #[test]
    fn each_objective_goes_on_where_it_stopped() {
        assert_eq!(begun("a", Some(MINUTE - 600), MINUTE + 7).until_s, MINUTE - 600);
        assert_eq!(begun("a", None, MINUTE + 7).until_s, MINUTE, "nothing of the past is its own");
        assert_eq!(begun("a", Some(MINUTE + 900), MINUTE + 7).until_s, MINUTE, "the clock went back");
        let begun = [begun("old", Some(MINUTE - 120), MINUTE), begun("new", None, MINUTE)];
        let count = |at_s| traffic::Counted { at_s, good: 9, total: 10 };
        let tells = watch::Sender::new(How::default());
        let found = Ok(vec![count(MINUTE - 120), count(MINUTE - 60), count(MINUTE + 60)]);
        let taken = taken(&begun, found, &tells);
        let taken: Vec<(&str, i64)> =
            taken.iter().map(|counted| (counted.objective.as_str(), counted.at_s)).collect();
        assert_eq!(taken, [("old", MINUTE - 60), ("old", MINUTE + 60), ("new", MINUTE + 60)]);
    }

    #[test]
    fn what_cannot_be_read_is_known_until_it_can() {
        let tells = watch::Sender::new(How::default());
        let failure = || Failure { is_final: false, why: "access denied".to_owned() };
        for failures in 1..=2 {
            assert!(taken(&[], Err(failure()), &tells).is_empty());
            let expected = How { failures, problem: Some("access denied".to_owned()) };
            assert_eq!(*tells.borrow(), expected);
        }
        taken(&[], Ok(Vec::new()), &tells);
        assert_eq!(*tells.borrow(), How { failures: 2, problem: None });
    }
}
