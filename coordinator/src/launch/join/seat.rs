//! An assignment's seat: the agent that has it, however often its stream breaks.
//!
//! What is told is numbered and kept until it was received, and told again on the next stream; what is said is taken once.
//! The seat is given up when the agent cannot have a lease any more: 15 s after the last lease that it certainly got was
//! told. Its process stops at that time, too, by its own clock.
//!
//! None of that begins before the assignment has come, which may be megabytes on a slow line: whoever launched it says how long
//! that may take. Until then the seat is given up when the agent is gone for as long as a lease.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use doorbuster_model::Assignment;
use doorbuster_wire::{Downward, FromAgent, PROTOCOL, Receiving, Sending, Take, ToAgent, Upward};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, sleep_until};

use super::roster::{Link, Roster, Taken};
use crate::launch::{Event, Events, Handed};

/// How long an agent works without a new lease.
const LEASE: Duration = Duration::from_secs(15);
/// The most messages that wait for an agent out of reach: leases do not wait, and little else is told.
const WAITING_MAX: usize = 1_000;
/// The most bytes of them: an assignment with room to spare.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// Gives an assignment to an agent of its region, notes when that was `handed` it, and keeps its seat until it is over. Ends
/// when `orders` does: the agent is let go.
pub(super) async fn attend(
    roster: Arc<Roster>,
    number: usize,
    assignment: Assignment,
    mut orders: mpsc::UnboundedReceiver<ToAgent>,
    events: Events,
    handed: Handed,
) {
    let mut early = Vec::new();
    let taken = roster.take(&assignment.region);
    let taken = wait(async { taken.await.ok() }, &mut orders, &mut early).await;
    let Some(Taken { link, mut returns }) = taken else { return };
    let agent = link.agent.clone();
    let Some(room) = wait(roster.room(&assignment), &mut orders, &mut early).await else {
        roster.release(&agent);
        link.send(Downward::Over);
        return;
    };
    let mut seat = Seat::new(number, events, Instant::now());
    let mut link = Some(link);
    let mut gone = seat.hand_over(assignment, room, handed).err();
    for order in early {
        gone = gone.or(seat.order(order).err());
    }
    if gone.is_none() {
        seat.flush(link.as_ref(), Instant::now());
        gone = seat.keep(&mut link, &mut returns, &mut orders).await;
    }
    // First of all: when the agent hears that it is free, it is.
    roster.release(&agent);
    if let Some(link) = link {
        link.send(Downward::Over);
    }
    let gone = gone.map(|why| (number, Event::Gone(format!("{agent}: {why}"))));
    for event in seat.unheard.take().into_iter().chain(gone) {
        // The run may be over already; then nobody listens.
        let _ = seat.events.send(event).await;
    }
}

/// Waits for what the assignment needs; `None` where it is let go first. What is ordered meanwhile is kept.
async fn wait<T>(
    needed: impl Future<Output = Option<T>>,
    orders: &mut mpsc::UnboundedReceiver<ToAgent>,
    early: &mut Vec<ToAgent>,
) -> Option<T> {
    let mut needed = pin!(needed);
    loop {
        tokio::select! {
            needed = &mut needed => return needed,
            order = orders.recv() => match order? {
                // Only the newest lease is worth anything.
                ToAgent::Lease { counter } => {
                    early.retain(|order| !matches!(order, ToAgent::Lease { .. }));
                    early.push(ToAgent::Lease { counter });
                }
                order => early.push(order),
            },
        }
    }
}

/// What is known of an agent with an assignment.
struct Seat {
    number: usize,
    events: Events,
    /// What was said and is to be heard first. Nothing more is read meanwhile.
    unheard: Option<(usize, Event)>,
    sending: Sending<ToAgent>,
    receiving: Receiving,
    /// The last sequence that the agent received.
    acknowledged: u64,
    /// The last sequence that was told on the present stream.
    told: u64,
    /// The newest lease, until it is told: an old one tells nothing, so none waits in line.
    lease: Option<u64>,
    /// Leases that were told, and of which nobody knows yet whether they came: their sequences, and when.
    leases: VecDeque<(u64, Instant)>,
    /// When the newest lease that certainly came was told, or the assignment came.
    leased_at: Instant,
    /// The assignment, until it has come.
    on_its_way: Option<OnItsWay>,
    /// Since when there is no stream.
    apart_since: Option<Instant>,
}

/// An assignment that was told, and of which nobody knows yet whether it came.
struct OnItsWay {
    sequence: u64,
    /// When it was told last.
    handed: Handed,
    /// Its room among those that are on their way.
    _room: OwnedSemaphorePermit,
}

impl Seat {
    fn new(number: usize, events: Events, now: Instant) -> Self {
        Self {
            number,
            events,
            unheard: None,
            sending: Sending::new(WAITING_MAX, WAITING_BYTES_MAX),
            receiving: Receiving::default(),
            acknowledged: 0,
            told: 0,
            lease: None,
            leases: VecDeque::new(),
            leased_at: now,
            on_its_way: None,
            apart_since: None,
        }
    }

    /// Hands the assignment over, which has that room for its way.
    fn hand_over(
        &mut self,
        assignment: Assignment,
        room: OwnedSemaphorePermit,
        handed: Handed,
    ) -> Result<(), String> {
        self.order(ToAgent::Hello { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").to_owned() })?;
        self.order(ToAgent::Assign(Box::new(assignment)))?;
        self.on_its_way = Some(OnItsWay { sequence: self.sending.sent(), handed, _room: room });
        Ok(())
    }

    /// Keeps the seat until the agent is let go (`None`), or is lost, and why.
    async fn keep(
        &mut self,
        link: &mut Option<Link>,
        returns: &mut mpsc::UnboundedReceiver<Link>,
        orders: &mut mpsc::UnboundedReceiver<ToAgent>,
    ) -> Option<String> {
        let events = self.events.clone();
        loop {
            let ends_at = self.ends_at();
            tokio::select! {
                order = orders.recv() => {
                    if let Err(why) = self.order(order?) {
                        return Some(why);
                    }
                }
                heard = hear(link), if self.unheard.is_none() => {
                    let goes_on = heard.is_some_and(|message| self.take(message, link.as_ref()));
                    if !goes_on {
                        // Its place is kept.
                        *link = None;
                        self.apart_since = Some(Instant::now());
                    }
                }
                room = events.reserve(), if self.unheard.is_some() => {
                    // The run may be over already; then nobody listens.
                    if let (Ok(room), Some(event)) = (room, self.unheard.take()) {
                        room.send(event);
                    }
                }
                Some(back) = returns.recv() => match self.resume(&back) {
                    Ok(()) => {
                        *link = Some(back);
                        self.apart_since = None;
                    }
                    Err(why) => {
                        *link = Some(back);
                        return Some(why);
                    }
                },
                () = sleep_until(ends_at.unwrap_or_else(Instant::now)), if ends_at.is_some() => {
                    let lease = LEASE.as_secs();
                    let and = match &self.on_its_way {
                        Some(_) => "its assignment had not come",
                        None => "has stopped by its lease",
                    };
                    return Some(format!("it was out of reach for {lease} s, and {and}"));
                }
            }
            if !self.flush(link.as_ref(), Instant::now()) {
                *link = None;
                self.apart_since = Some(Instant::now());
            }
        }
    }

    /// When the seat is given up, if nothing is heard.
    fn ends_at(&self) -> Option<Instant> {
        let since = match &self.on_its_way {
            Some(_) => self.apart_since,
            None => Some(self.leased_at),
        };
        since.map(|since| since + LEASE)
    }

    /// Takes an order for the agent.
    fn order(&mut self, order: ToAgent) -> Result<(), String> {
        if let ToAgent::Lease { counter } = order {
            self.lease = Some(counter);
            return Ok(());
        }
        self.sending.push(order).map(|_| ()).map_err(|full| full.to_string())
    }

    /// Tells what was not told on this stream yet. False where the stream is to begin anew.
    fn flush(&mut self, link: Option<&Link>, now: Instant) -> bool {
        let Some(link) = link else { return true };
        // Behind an assignment leases would only be late.
        if self.on_its_way.is_none()
            && let Some(counter) = self.lease.take()
        {
            // Without room for it there will be none for what matters, either, which then is the reason.
            if let Ok(sequence) = self.sending.push(ToAgent::Lease { counter }) {
                self.leases.push_back((sequence, now));
            }
        }
        let after = self.told;
        for (sequence, message) in self.sending.unacknowledged().filter(|(sequence, _)| *sequence > after) {
            if let Some(told) = self.on_its_way.as_ref().filter(|told| told.sequence == sequence) {
                // Told again, it had not come: the agent says on each stream what it has received.
                told.handed.note();
            }
            if !link.send(Downward::Told { sequence, message: message.clone() }) {
                return false;
            }
            self.told = sequence;
        }
        true
    }

    /// Takes a message. False where the stream is to begin anew.
    fn take(&mut self, message: Upward, link: Option<&Link>) -> bool {
        match message {
            Upward::Said { sequence, message } => match self.receiving.take(sequence) {
                Take::New => {
                    self.hear(message);
                    self.acknowledge_to(link)
                }
                Take::Duplicate => self.acknowledge_to(link),
                Take::Gap => false,
            },
            Upward::Received { sequence } => self.received(sequence),
            Upward::Alive => true,
            Upward::Join { .. } => false,
        }
    }

    fn hear(&mut self, message: FromAgent) {
        // The run may be over already; then nobody listens.
        if let Err(TrySendError::Full(event)) = self.events.try_send((self.number, Event::Said(message))) {
            self.unheard = Some(event);
        }
    }

    /// Says what was received. False where the stream is to begin anew.
    fn acknowledge_to(&self, link: Option<&Link>) -> bool {
        link.is_none_or(|link| link.send(Downward::Received { sequence: self.receiving.received() }))
    }

    /// The agent received everything up to this sequence. False where that cannot be.
    fn received(&mut self, sequence: u64) -> bool {
        if !self.sending.acknowledge(sequence) {
            return false;
        }
        self.acknowledged = self.acknowledged.max(sequence);
        if self.on_its_way.as_ref().is_some_and(|told| told.sequence <= sequence) {
            self.on_its_way = None;
            // The agent's own lease began no later.
            self.leased_at = Instant::now();
        }
        while let Some((lease, told_at)) = self.leases.front().copied()
            && lease <= sequence
        {
            self.leased_at = self.leased_at.max(told_at);
            self.leases.pop_front();
        }
        true
    }

    /// Goes on with another stream.
    fn resume(&mut self, link: &Link) -> Result<(), String> {
        if link.received < self.acknowledged {
            return Err("it was started again, and what it was doing is lost".to_owned());
        }
        if !self.received(link.received) {
            return Err("it speaks of another assignment".to_owned());
        }
        self.told = link.received;
        link.send(Downward::Welcome { received: self.receiving.received() });
        Ok(())
    }
}

/// The next message of a stream; `None` where it has broken. Without a stream there is none.
async fn hear(link: &mut Option<Link>) -> Option<Upward> {
    match link {
        Some(link) => link.from.recv().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use doorbuster_model::Report;
    use futures_util::FutureExt;

    use super::*;
    use crate::launch::join::roster::TOLD_MAX;
    use crate::launch::queue;

    fn link(received: u64) -> (Link, mpsc::Sender<Upward>, mpsc::Receiver<Downward>) {
        let (said, from) = mpsc::channel(64);
        let (to, told) = mpsc::channel(TOLD_MAX);
        (Link { agent: "a".to_owned(), region: "tokyo".to_owned(), received, from, to }, said, told)
    }

    /// The same where nobody asks when the assignment was handed over.
    async fn attend(
        roster: Arc<Roster>,
        number: usize,
        assignment: Assignment,
        orders: mpsc::UnboundedReceiver<ToAgent>,
        events: Events,
    ) {
        super::attend(roster, number, assignment, orders, events, Handed::default()).await;
    }

    fn all(told: &mut mpsc::Receiver<Downward>) -> Vec<Downward> {
        std::iter::from_fn(|| told.try_recv().ok()).collect()
    }

    fn said(sequence: u64) -> Upward {
        let ticks = u32::try_from(sequence).unwrap();
        Upward::Said { sequence, message: FromAgent::Report(Report::Finished { ticks }) }
    }

    #[test]
    fn after_a_break_each_message_is_told_and_taken_once() {
        let now = Instant::now();
        let (events, mut happened) = queue();
        let mut seat = Seat::new(4, events, now);
        let (first, _said, mut told) = link(0);
        for order in [ToAgent::Lease { counter: 1 }, ToAgent::Start { at_unix_ns: 5 }] {
            seat.order(order).unwrap();
        }
        seat.flush(Some(&first), now);
        assert_eq!(all(&mut told).len(), 2);
        assert!(seat.take(said(1), Some(&first)) && seat.take(said(2), Some(&first)));
        assert_eq!(all(&mut told), [1, 2].map(|sequence| Downward::Received { sequence }));
        // The agent got one message, and not our word on the second of its own. Leases that nobody hears do not pile up.
        seat.flush(None, now);
        for counter in 2..50 {
            seat.order(ToAgent::Lease { counter }).unwrap();
        }
        let (second, _said_again, mut told_again) = link(1);
        seat.resume(&second).unwrap();
        seat.flush(Some(&second), now);
        let again = all(&mut told_again);
        assert_eq!(again[0], Downward::Welcome { received: 2 });
        assert_eq!(again.len(), 3, "{again:?}");
        assert!(matches!(again[2], Downward::Told { sequence: 3, message: ToAgent::Lease { counter: 49 } }));
        assert!(seat.take(said(2), Some(&second)) && seat.take(said(3), Some(&second)));
        assert!(!seat.take(said(5), Some(&second)), "a gap ends the stream");
        let sequences: Vec<u32> = std::iter::from_fn(|| happened.try_recv().ok())
            .map(|(number, event)| match event {
                Event::Said(FromAgent::Report(Report::Finished { ticks })) if number == 4 => ticks,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(sequences, [1, 2, 3]);
    }

    #[test]
    fn a_lease_counts_from_when_it_was_told_once_it_is_known_to_have_come() {
        let now = Instant::now();
        let (events, _happened) = queue();
        let mut seat = Seat::new(0, events, now);
        let (link, _said, _told) = link(0);
        for second in [2, 4, 6] {
            seat.order(ToAgent::Lease { counter: second }).unwrap();
            seat.flush(Some(&link), now + Duration::from_secs(second));
        }
        assert_eq!(seat.leased_at, now);
        assert!(seat.received(2));
        assert_eq!(seat.leased_at, now + Duration::from_secs(4));
        assert!(!seat.received(9), "nobody receives what was never told");
    }

    #[test]
    fn a_stream_that_nobody_reads_begins_anew() {
        let now = Instant::now();
        let (events, _happened) = queue();
        let mut seat = Seat::new(0, events, now);
        let (link, _said, mut told) = link(0);
        let taken = (0..=TOLD_MAX).take_while(|_| seat.take(said(1), Some(&link))).count();
        assert_eq!(taken, TOLD_MAX);
        seat.order(ToAgent::Stop).unwrap();
        assert!(!seat.flush(Some(&link), now));
        assert_eq!(all(&mut told).len(), TOLD_MAX);
        assert!(seat.flush(Some(&link), now), "what was not told is told once there is room");
        assert!(matches!(all(&mut told)[..], [Downward::Told { sequence: 1, message: ToAgent::Stop }]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_is_read_no_further_than_there_is_room() {
        let (events, mut happened) = mpsc::channel(1);
        let roster = Arc::new(Roster::new(vec!["tokyo".to_owned()]));
        let (_orders, from_conductor) = mpsc::unbounded_channel();
        let (first, said_first, mut told) = link(0);
        roster.arrive(first);
        let assignment = crate::launch::join::tests::assignment("r-0", "tokyo");
        tokio::spawn(attend(Arc::clone(&roster), 0, assignment, from_conductor, events));
        for sequence in 1..=5 {
            said_first.send(said(sequence)).await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let received = |told: &Downward| matches!(told, Downward::Received { .. });
        let taken = all(&mut told).into_iter().filter(received).count();
        assert_eq!(taken, 2, "one that is to be heard next, and one after that");
        for sequence in 1..=5 {
            let event = happened.recv().await;
            let Some((0, Event::Said(FromAgent::Report(Report::Finished { ticks })))) = event else {
                panic!("{event:?}")
            };
            assert_eq!(ticks, sequence);
        }
    }

    #[test]
    fn an_agent_that_was_started_again_is_lost() {
        let now = Instant::now();
        let (events, _happened) = queue();
        let mut seat = Seat::new(0, events, now);
        let (first, _said, _told) = link(0);
        seat.order(ToAgent::Stop).unwrap();
        seat.flush(Some(&first), now);
        assert!(seat.received(1));
        let (again, _said_again, mut told) = link(0);
        assert!(seat.resume(&again).unwrap_err().contains("started again"));
        assert!(all(&mut told).is_empty());
        let (other, _said_other, _told_other) = link(7);
        assert!(seat.resume(&other).unwrap_err().contains("another assignment"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_seat_is_kept_for_a_lease_and_then_given_up() {
        let began = Instant::now();
        let (events, mut happened) = queue();
        let roster = Arc::new(Roster::new(vec!["tokyo".to_owned()]));
        let (orders, from_conductor) = mpsc::unbounded_channel();
        let (first, said_first, mut told) = link(0);
        roster.arrive(first);
        let assignment = crate::launch::join::tests::assignment("r-0", "tokyo");
        let seat = attend(Arc::clone(&roster), 3, assignment, from_conductor, events);
        tokio::spawn(seat);
        orders.send(ToAgent::Lease { counter: 1 }).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let heard = all(&mut told);
        assert_eq!(heard.len(), 3, "welcome, hello, the assignment: {heard:?}");
        said_first.send(Upward::Received { sequence: 2 }).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        let lease = Downward::Told { sequence: 3, message: ToAgent::Lease { counter: 1 } };
        assert_eq!(all(&mut told), [lease]);
        said_first.send(Upward::Received { sequence: 3 }).await.unwrap();
        drop(said_first);
        let (number, gone) = happened.recv().await.unwrap();
        assert!(matches!(&gone, Event::Gone(why) if why.contains("stopped by its lease")), "{gone:?}");
        assert_eq!(number, 3);
        let waited = began.elapsed();
        assert!((LEASE..LEASE + Duration::from_secs(2)).contains(&waited), "{waited:?}");
        // What comes back of it is told that it is over.
        let (late, _said_late, mut told_late) = link(3);
        roster.arrive(late);
        assert_eq!(all(&mut told_late), [Downward::Over]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_assignment_may_take_as_long_as_it_takes_while_the_agent_is_there() {
        let (events, mut happened) = queue();
        let roster = Arc::new(Roster::new(vec!["tokyo".to_owned()]));
        let (orders, from_conductor) = mpsc::unbounded_channel();
        let (first, said_first, mut told) = link(0);
        roster.arrive(first);
        let assignment = crate::launch::join::tests::assignment("r-0", "tokyo");
        tokio::spawn(attend(Arc::clone(&roster), 3, assignment, from_conductor, events));
        for counter in 1..=60 {
            orders.send(ToAgent::Lease { counter }).unwrap();
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        assert_eq!(all(&mut told).len(), 3, "welcome, hello, the assignment: no lease waits behind it");
        // The line breaks, and is there again in time, with an agent that got the hello.
        drop(said_first);
        tokio::time::sleep(LEASE - Duration::from_secs(1)).await;
        let (second, said_second, mut told_again) = link(1);
        roster.arrive(second);
        tokio::time::sleep(10 * LEASE).await;
        assert!(happened.try_recv().is_err());
        said_second.send(Upward::Received { sequence: 2 }).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let newest = Downward::Told { sequence: 3, message: ToAgent::Lease { counter: 60 } };
        assert_eq!(all(&mut told_again).last(), Some(&newest));
        // From then on there is a lease, and this agent has received none.
        tokio::time::sleep(LEASE - Duration::from_secs(2)).await;
        assert!(happened.try_recv().is_err());
        tokio::time::sleep(Duration::from_secs(2)).await;
        let gone = happened.try_recv().unwrap().1;
        assert!(matches!(&gone, Event::Gone(why) if why.contains("stopped by its lease")), "{gone:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_assignment_is_handed_over_when_it_is_told_to_who_has_not_received_it() {
        let (events, _happened) = queue();
        let roster = Arc::new(Roster::new(vec!["tokyo".to_owned()]));
        let (_orders, from_conductor) = mpsc::unbounded_channel();
        let assignment = crate::launch::join::tests::assignment("r-0", "tokyo");
        let handed = Handed::default();
        let seat = super::attend(Arc::clone(&roster), 3, assignment, from_conductor, events, handed.clone());
        tokio::spawn(seat);
        let while_long = || tokio::time::sleep(Duration::from_secs(5));
        while_long().await;
        assert_eq!(handed.at(), None, "nobody is there");
        let (first, said_first, _told) = link(0);
        roster.arrive(first);
        while_long().await;
        let at_first = handed.at().unwrap();
        drop(said_first);
        while_long().await;
        assert_eq!(handed.at(), Some(at_first), "there is no stream");
        // It comes back with the hello alone.
        let (second, said_second, _told_again) = link(1);
        roster.arrive(second);
        while_long().await;
        let again = handed.at().unwrap();
        assert_eq!(again.since(at_first).as_secs(), 10);
        // And again with everything.
        drop(said_second);
        let (third, _said_third, _told_nothing) = link(2);
        roster.arrive(third);
        while_long().await;
        assert_eq!(handed.at(), Some(again));
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_before_the_assignment_has_come_is_lost() {
        let (events, mut happened) = queue();
        let roster = Arc::new(Roster::new(vec!["tokyo".to_owned()]));
        let (_orders, from_conductor) = mpsc::unbounded_channel();
        let (first, said_first, _told) = link(0);
        roster.arrive(first);
        let assignment = crate::launch::join::tests::assignment("r-0", "tokyo");
        tokio::spawn(attend(Arc::clone(&roster), 3, assignment, from_conductor, events));
        tokio::time::sleep(Duration::from_secs(60)).await;
        let left = Instant::now();
        drop(said_first);
        let gone = happened.recv().await.unwrap().1;
        assert!(matches!(&gone, Event::Gone(why) if why.contains("had not come")), "{gone:?}");
        assert!((LEASE..LEASE + Duration::from_secs(1)).contains(&left.elapsed()), "{:?}", left.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn an_assignment_goes_out_once_there_is_room_and_makes_room_when_it_has_come() {
        let (events, _happened) = queue();
        let roster = Arc::new(Roster::new(vec!["tokyo".to_owned()]));
        let (first, said, mut told) = link(0);
        roster.arrive(first);
        let long = ("ca.pem".to_owned(), "x".repeat(8 << 20));
        let assignment = crate::launch::join::tests::assignment("r-0", "tokyo");
        let assignment = Assignment { files: BTreeMap::from([long]).into(), ..assignment };
        // Room for others, until there is none for this one.
        let mut others: Vec<_> =
            std::iter::from_fn(|| roster.room(&assignment).now_or_never().flatten()).collect();
        let (orders, from_conductor) = mpsc::unbounded_channel();
        tokio::spawn(attend(Arc::clone(&roster), 0, assignment.clone(), from_conductor, events));
        let while_long = || tokio::time::sleep(Duration::from_secs(1));
        while_long().await;
        assert_eq!(all(&mut told), [Downward::Welcome { received: 0 }]);
        others.pop();
        while_long().await;
        assert_eq!(all(&mut told).len(), 2, "hello, the assignment");
        assert!(roster.room(&assignment).now_or_never().is_none());
        said.send(Upward::Received { sequence: 2 }).await.unwrap();
        while_long().await;
        assert!(roster.room(&assignment).now_or_never().is_some());
        drop(orders);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_let_go_hears_that_it_is_over() {
        let (events, mut happened) = queue();
        let roster = Arc::new(Roster::new(vec!["tokyo".to_owned()]));
        let (orders, from_conductor) = mpsc::unbounded_channel();
        let assignment = crate::launch::join::tests::assignment("r-0", "tokyo");
        let seat = attend(Arc::clone(&roster), 0, assignment, from_conductor, events);
        let seat = tokio::spawn(seat);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let (link, _said, mut told) = link(0);
        roster.arrive(link);
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(orders);
        seat.await.unwrap();
        assert_eq!(all(&mut told).last(), Some(&Downward::Over));
        assert!(happened.recv().await.is_none(), "nothing was lost");
    }
}
