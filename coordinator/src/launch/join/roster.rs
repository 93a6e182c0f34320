//! Who is there: agents that are free, agents that have an assignment, assignments that wait for an agent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use doorbuster_model::Assignment;
use doorbuster_model::plan::fleet::LaunchBy;
use doorbuster_wire::{Downward, Upward};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// How many KiB of assignments may be on their way to agents at the same time: of each there is a copy of its own from when it
/// is told until it has come. At least one may, however long it is.
const ON_THE_WAY_KIB_MAX: u32 = 256 << 10;

/// How many messages wait for a stream to take them: all that a seat keeps, and as many words on what was received.
pub(super) const TOLD_MAX: usize = 2_048;

/// An agent's stream, after its first message.
#[derive(Debug)]
pub(super) struct Link {
    /// The agent's name, which its certificate proves.
    pub agent: String,
    /// Its region.
    pub region: String,
    /// The last sequence that it received: above 0 it has an assignment.
    pub received: u64,
    /// What it sends. Ends when the stream has broken.
    pub from: mpsc::Receiver<Upward>,
    /// What it is sent. Dropping it ends the stream.
    pub to: mpsc::Sender<Downward>,
}

impl Link {
    /// Sends a message. False where the other side reads nothing, and too much waits: the stream is to begin anew. Where it is
    /// broken, reading from it says so.
    pub(super) fn send(&self, message: Downward) -> bool {
        !matches!(self.to.try_send(message), Err(TrySendError::Full(_)))
    }

    fn is_gone(&self) -> bool {
        self.to.is_closed()
    }
}

/// An agent for an assignment.
#[derive(Debug)]
pub(super) struct Taken {
    /// Its stream.
    pub link: Link,
    /// Its streams after that, should one break: no more than there may be connections.
    pub returns: mpsc::UnboundedReceiver<Link>,
}

/// An assignment that waits.
#[derive(Debug)]
struct Waiting {
    region: String,
    to: oneshot::Sender<Taken>,
}

#[derive(Debug, Default)]
struct Inside {
    free: Vec<Link>,
    /// Agents with an assignment, and where their next stream goes.
    busy: HashMap<String, mpsc::UnboundedSender<Link>>,
    waiting: Vec<Waiting>,
    is_closed: bool,
}

impl Inside {
    /// Takes an agent that has no seat here.
    fn welcome(&mut self, link: Link) {
        if link.received > 0 {
            // What it carries out is another coordinator's, or was given up: nobody listens to that any more.
            link.send(Downward::Over);
            return;
        }
        link.send(Downward::Welcome { received: 0 });
        // It may have come back before its last stream was seen to break.
        self.free.retain(|other| other.agent != link.agent);
        self.free.push(link);
        self.settle();
    }

    /// Gives assignments that wait to agents that are free.
    fn settle(&mut self) {
        self.free.retain(|link| !link.is_gone());
        self.waiting.retain(|waiting| !waiting.to.is_closed());
        let mut position = 0;
        while let Some(waiting) = self.waiting.get(position) {
            let Some(free) = self.free.iter().position(|link| link.region == waiting.region) else {
                position += 1;
                continue;
            };
            let (waiting, link) = (self.waiting.remove(position), self.free.remove(free));
            let (seat, returns) = mpsc::unbounded_channel();
            let agent = link.agent.clone();
            match waiting.to.send(Taken { link, returns }) {
                Ok(()) => {
                    self.busy.insert(agent, seat);
                }
                // It does not wait any more.
                Err(taken) => self.free.push(taken.link),
            }
        }
    }
}

/// Who is there.
#[derive(Debug)]
pub(super) struct Roster {
    /// The regions that agents may be in.
    regions: Vec<String>,
    /// Those of them whose agents a group on EC2 starts.
    on_ec2: Vec<String>,
    inside: Mutex<Inside>,
    /// Room for assignments on their way, in KiB.
    room: Arc<Semaphore>,
}

impl Roster {
    pub(super) fn new(regions: Vec<String>) -> Self {
        let room = Semaphore::new(usize::try_from(ON_THE_WAY_KIB_MAX).unwrap_or(usize::MAX));
        Self { regions, on_ec2: Vec::new(), inside: Mutex::default(), room: Arc::new(room) }
    }

    /// The same where a group on EC2 starts the agents of these regions.
    pub(super) fn with_ec2(self, on_ec2: Vec<String>) -> Self {
        Self { on_ec2, ..self }
    }

    /// Who starts the agents of a region.
    pub(super) fn launch_of(&self, region: &str) -> LaunchBy {
        if self.on_ec2.iter().any(|known| known == region) { LaunchBy::Ec2 } else { LaunchBy::Join }
    }

    /// Whether agents of this region are wanted; otherwise which are.
    ///
    /// # Errors
    /// Words with the remedy, for whoever runs the agent.
    pub(super) fn knows(&self, region: &str) -> Result<(), String> {
        if self.regions.iter().any(|known| known == region) {
            return Ok(());
        }
        let known = self.regions.join(", ");
        Err(format!(
            "this run has no region \"{region}\" with agents that join; it has {known}: start the agent with --region and one of these, or add the region to the plan with `launch: join`"
        ))
    }

    /// Takes an agent's stream: its seat goes on with it, or it is free.
    pub(super) fn arrive(&self, link: Link) {
        let mut inside = self.lock();
        if inside.is_closed {
            return;
        }
        let link = match inside.busy.get(&link.agent) {
            None => link,
            Some(seat) => match seat.send(link) {
                Ok(()) => return,
                // Its seat has just been given up.
                Err(mpsc::error::SendError(link)) => {
                    inside.busy.remove(&link.agent);
                    link
                }
            },
        };
        inside.welcome(link);
    }

    /// Asks for an agent of a region. Dropping the answer takes the question back.
    pub(super) fn take(&self, region: &str) -> oneshot::Receiver<Taken> {
        let (to, taken) = oneshot::channel();
        let mut inside = self.lock();
        inside.waiting.push(Waiting { region: region.to_owned(), to });
        inside.settle();
        taken
    }

    /// Waits for room for an assignment on its way; it is free again once that is dropped. `None` never comes, as nobody closes
    /// it.
    pub(super) async fn room(&self, assignment: &Assignment) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).acquire_many_owned(weight_kib(assignment)).await.ok()
    }

    /// An agent has no assignment any more.
    pub(super) fn release(&self, agent: &str) {
        self.lock().busy.remove(agent);
    }

    /// Lets those who are free go, and takes nobody any more.
    pub(super) fn close(&self) {
        let mut inside = self.lock();
        inside.is_closed = true;
        inside.free.clear();
        inside.waiting.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What of an assignment may be long, in KiB.
fn weight_kib(assignment: &Assignment) -> u32 {
    let files: usize = assignment.files.values().map(String::len).sum();
    let kib = (files + assignment.plan.len()) >> 10;
    u32::try_from(kib).unwrap_or(u32::MAX).clamp(1, ON_THE_WAY_KIB_MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use futures_util::FutureExt;

    use super::*;

    fn link(
        agent: &str,
        region: &str,
        received: u64,
    ) -> (Link, mpsc::Sender<Upward>, mpsc::Receiver<Downward>) {
        let (said, from) = mpsc::channel(4);
        let (to, told) = mpsc::channel(TOLD_MAX);
        (Link { agent: agent.to_owned(), region: region.to_owned(), received, from, to }, said, told)
    }

    fn roster() -> Roster {
        Roster::new(vec!["tokyo".to_owned(), "london".to_owned()])
    }

    #[test]
    fn an_unknown_region_is_refused_with_the_known_ones() {
        let roster = roster();
        assert_eq!(roster.knows("london"), Ok(()));
        let refused = roster.knows("paris").unwrap_err();
        assert!(refused.contains("tokyo, london") && refused.contains("--region"), "{refused}");
    }

    #[test]
    fn assignments_get_agents_of_their_region_in_turn() {
        let roster = roster();
        let (mut first, mut second) = (roster.take("tokyo"), roster.take("tokyo"));
        let (tokyo, _tokyo_said, mut told) = link("a", "tokyo", 0);
        let (london, _london_said, _london_told) = link("b", "london", 0);
        roster.arrive(london);
        assert!(first.try_recv().is_err());
        roster.arrive(tokyo);
        assert_eq!(first.try_recv().unwrap().link.agent, "a");
        assert_eq!(told.try_recv(), Ok(Downward::Welcome { received: 0 }));
        assert!(second.try_recv().is_err());
        assert_eq!(roster.take("london").try_recv().unwrap().link.agent, "b");
    }

    #[test]
    fn a_broken_stream_comes_back_to_its_seat() {
        let roster = roster();
        let (first, _said, _told) = link("a", "tokyo", 0);
        roster.arrive(first);
        let mut taken = roster.take("tokyo").try_recv().unwrap();
        let (again, _said_again, mut told_again) = link("a", "tokyo", 3);
        roster.arrive(again);
        assert_eq!(taken.returns.try_recv().unwrap().received, 3);
        assert!(told_again.try_recv().is_err(), "the seat answers");
        // Once the seat is given up, what it did is over; and then it is free.
        drop(taken);
        let (late, _late_said, mut told_late) = link("a", "tokyo", 3);
        roster.arrive(late);
        assert_eq!(told_late.try_recv(), Ok(Downward::Over));
        let (free, _free_said, mut told_free) = link("a", "tokyo", 0);
        roster.arrive(free);
        assert_eq!(told_free.try_recv(), Ok(Downward::Welcome { received: 0 }));
        assert_eq!(roster.take("tokyo").try_recv().unwrap().link.agent, "a");
    }

    #[test]
    fn who_has_left_is_not_taken_and_who_does_not_wait_gets_nobody() {
        let roster = roster();
        let (left, _said, told) = link("a", "tokyo", 0);
        roster.arrive(left);
        drop(told);
        drop(roster.take("tokyo"));
        let (here, _said_here, _told_here) = link("b", "tokyo", 0);
        roster.arrive(here);
        assert_eq!(roster.take("tokyo").try_recv().unwrap().link.agent, "b");
    }

    #[test]
    fn so_much_is_on_its_way_and_no_more() {
        let roster = roster();
        let assignment = |mib: usize| {
            let long = ("ca.pem".to_owned(), "x".repeat(mib << 20));
            let assignment = crate::launch::join::tests::assignment("r-0", "tokyo");
            Assignment { files: BTreeMap::from([long]).into(), ..assignment }
        };
        let long = assignment(10);
        let mut on_their_way: Vec<_> =
            std::iter::from_fn(|| roster.room(&long).now_or_never().flatten()).collect();
        assert_eq!(on_their_way.len(), 25);
        assert!(
            roster.room(&assignment(0)).now_or_never().flatten().is_some(),
            "there is a rest for short ones"
        );
        assert!(roster.room(&long).now_or_never().is_none());
        on_their_way.pop();
        assert!(roster.room(&long).now_or_never().flatten().is_some(), "one has come");
    }

    #[test]
    fn an_agent_is_there_once() {
        let roster = roster();
        let (first, _said, mut told) = link("a", "tokyo", 0);
        let (second, _said_again, _told_again) = link("a", "tokyo", 0);
        roster.arrive(first);
        roster.arrive(second);
        assert_eq!(told.try_recv(), Ok(Downward::Welcome { received: 0 }));
        assert_eq!(told.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
        assert!(roster.take("tokyo").try_recv().is_ok());
        assert!(roster.take("tokyo").try_recv().is_err());
        roster.close();
        let (late, _late_said, mut told_late) = link("c", "tokyo", 0);
        roster.arrive(late);
        assert_eq!(told_late.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
    }
}
