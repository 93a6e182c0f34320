//! The link: one stream after the other, and the assignment that outlives them.

use std::pin::Pin;
use std::time::Duration;

use doorbuster_link::KEEP_ALIVE_EVERY;
use doorbuster_wire::{Downward, PROTOCOL, Take, Upward};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::calls::Stream;
use super::dial::Dialer;
use super::duty::Duty;
use crate::session::VERSION;

/// How often is looked whether the certificate is to be renewed.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(600);
/// A stream that lasted so long did well.
const WELL_AFTER: Duration = Duration::from_secs(10);

/// A dial under way, which has the dialler meanwhile.
type Dialling = Pin<Box<dyn Future<Output = (Dialer, Stream)> + Send>>;

/// Who keeps the link.
pub(super) struct Line {
    region: String,
    duty: Duty,
    way: Way,
}

/// How things stand with the stream.
enum Way {
    /// There is none yet.
    Dialling(Dialling),
    /// There is one.
    Open(Box<Open>),
    /// Between two of them, never while anybody waits.
    Changing,
}

/// A stream, and how far it is.
struct Open {
    stream: Stream,
    dialer: Dialer,
    since: Instant,
    /// The last sequence that was said on it; `None` until the coordinator has said how far it is.
    said: Option<u64>,
}

/// What to do after a message.
enum Next {
    /// Go on with the stream.
    Stay,
    /// Begin another at once.
    Again,
    /// Begin another after a while, for this reason.
    Later(String),
}

impl Line {
    /// Dials at once.
    pub(super) fn new(region: String, dialer: Dialer, duty: Duty) -> Self {
        Self { region, duty, way: Way::Dialling(Box::pin(dialer.dial(false))) }
    }

    /// Keeps it, for ever.
    pub(super) async fn keep(mut self) {
        let mut alive = interval(KEEP_ALIVE_EVERY);
        alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = tokio::select! {
                met = meet(&mut self.way) => match met {
                    Met::Joined(joined) => {
                        let (dialer, stream) = *joined;
                        self.join(dialer, stream);
                        Next::Stay
                    }
                    Met::Heard(Ok(message)) => self.take(message),
                    Met::Heard(Err(why)) => Next::Later(format!("the link broke: {why}")),
                },
                () = self.duty.go_on() => Next::Stay,
                _ = alive.tick() => {
                    if let Way::Open(open) = &self.way {
                        open.stream.send(Upward::Alive);
                    }
                    Next::Stay
                }
                _ = look.tick() => match &self.way {
                    // Dialling renews it.
                    Way::Open(open) if open.dialer.is_due(self.duty.is_at_work()) => Next::Again,
                    _ => Next::Stay,
                },
            };
            self.go(next);
            self.flush();
        }
    }

    /// Says who is there. What was not received is said again once the coordinator has answered.
    fn join(&mut self, dialer: Dialer, stream: Stream) {
        stream.send(Upward::Join {
            agent: dialer.name.clone(),
            region: self.region.clone(),
            protocol: PROTOCOL,
            version: VERSION.to_owned(),
            received: self.duty.received(),
        });
        self.way = Way::Open(Box::new(Open { stream, dialer, since: Instant::now(), said: None }));
    }

    fn take(&mut self, message: Downward) -> Next {
        let Way::Open(open) = &mut self.way else { return Next::Stay };
        match message {
            Downward::Welcome { received } => {
                if !self.duty.sending.acknowledge(received) {
                    self.duty.over();
                    return Next::Again;
                }
                open.said = Some(received);
                let (name, region) = (open.dialer.name.clone(), &self.region);
                open.dialer.say_once(&format!("joined as {name} in {region}"));
                Next::Stay
            }
            Downward::Refused { why } => Next::Later(format!("refused: {why}")),
            Downward::Told { sequence, message } => match self.duty.take(sequence, message) {
                Take::New | Take::Duplicate => {
                    open.stream.send(Upward::Received { sequence: self.duty.received() });
                    Next::Stay
                }
                Take::Gap => Next::Later("the link lost a message".to_owned()),
            },
            Downward::Received { sequence } => {
                if self.duty.sending.acknowledge(sequence) {
                    return Next::Stay;
                }
                Next::Later("the coordinator speaks of another assignment".to_owned())
            }
            Downward::Over => {
                self.duty.over();
                Next::Again
            }
        }
    }

    fn go(&mut self, next: Next) {
        let (calmly, why) = match next {
            Next::Stay => return,
            Next::Again => (false, None),
            Next::Later(why) => (true, Some(why)),
        };
        match std::mem::replace(&mut self.way, Way::Changing) {
            Way::Open(open) => {
                // Its stream ends here, and with it its connection.
                let Open { mut dialer, since, .. } = *open;
                if !calmly || since.elapsed() >= WELL_AFTER {
                    dialer.did_well();
                }
                if let Some(why) = why {
                    dialer.say_once(&why);
                }
                self.way = Way::Dialling(Box::pin(dialer.dial(calmly)));
            }
            other => self.way = other,
        }
    }

    /// Says what was not said on this stream yet.
    fn flush(&mut self) {
        let Way::Open(open) = &mut self.way else { return };
        let Some(said) = &mut open.said else { return };
        let after = *said;
        for (sequence, message) in
            self.duty.sending.unacknowledged().filter(|(sequence, _)| *sequence > after)
        {
            open.stream.send(Upward::Said { sequence, message: message.clone() });
            *said = sequence;
        }
    }
}

/// What the way brought.
enum Met {
    /// There is a stream.
    Joined(Box<(Dialer, Stream)>),
    /// What came on it, or why nothing comes any more.
    Heard(Result<Downward, String>),
}

/// Waits for what the way brings; nothing is lost where this is given up half-way.
async fn meet(way: &mut Way) -> Met {
    match way {
        Way::Dialling(dialling) => Met::Joined(Box::new(dialling.await)),
        Way::Open(open) => Met::Heard(open.stream.next().await),
        Way::Changing => std::future::pending().await,
    }
}
