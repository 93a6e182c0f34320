//! Exact delivery over a stream that breaks and comes back: each message once, in order.
//!
//! One side numbers what it sends and keeps it until the other side has said that it came; after a break it sends the rest
//! again. The other side takes each number once. Nothing here sends or waits.

use std::collections::VecDeque;

use crate::{FromAgent, ToAgent, proto};

/// What has a weight, so that what waits can be bounded in bytes.
pub trait Weigh {
    /// Its length in bytes as it is sent, nearly.
    fn weight_bytes(&self) -> usize;
}

impl Weigh for Vec<u8> {
    fn weight_bytes(&self) -> usize {
        self.len()
    }
}

impl Weigh for FromAgent {
    fn weight_bytes(&self) -> usize {
        prost::Message::encoded_len(&proto::FromAgent::from(self))
    }
}

impl Weigh for ToAgent {
    fn weight_bytes(&self) -> usize {
        prost::Message::encoded_len(&proto::ToAgent::from(self))
    }
}

/// There is no room for one more message: the other side has received nothing for long.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{count} messages of {bytes} bytes wait to be received by the other side, and no more are kept")]
pub struct Full {
    /// How many wait.
    pub count: usize,
    /// How many bytes they have.
    pub bytes: usize,
}

/// What was sent and has not been received yet, as far as is known.
#[derive(Debug)]
pub struct Sending<T> {
    /// The sequence of the first that waits, or of the next.
    first: u64,
    waiting: VecDeque<(usize, T)>,
    bytes: usize,
    count_max: usize,
    bytes_max: usize,
}

impl<T: Weigh> Sending<T> {
    /// Keeps at most so many messages and bytes.
    pub fn new(count_max: usize, bytes_max: usize) -> Self {
        Self { first: 1, waiting: VecDeque::new(), bytes: 0, count_max, bytes_max }
    }

    /// Takes a message that is sent now; returns its sequence, from 1.
    ///
    /// # Errors
    /// [`Full`], and the message is not taken.
    pub fn push(&mut self, message: T) -> Result<u64, Full> {
        let (count, bytes) = (self.waiting.len(), self.bytes);
        let weight = message.weight_bytes();
        if count >= self.count_max || weight > self.bytes_max.saturating_sub(bytes) {
            return Err(Full { count, bytes });
        }
        self.bytes += weight;
        self.waiting.push_back((weight, message));
        Ok(self.sent())
    }
}

impl<T> Sending<T> {
    /// The sequence of the last message; 0 before the first.
    pub fn sent(&self) -> u64 {
        self.first - 1 + self.waiting.len() as u64
    }

    /// Everything up to this sequence was received. False where so much was never sent: the other side speaks of another
    /// conversation.
    pub fn acknowledge(&mut self, sequence: u64) -> bool {
        if sequence > self.sent() {
            return false;
        }
        while self.first <= sequence
            && let Some((weight, _)) = self.waiting.pop_front()
        {
            self.bytes -= weight;
            self.first += 1;
        }
        true
    }

    /// What is to be sent again after a break, with its sequences, in order.
    pub fn unacknowledged(&self) -> impl Iterator<Item = (u64, &T)> {
        (self.first..).zip(self.waiting.iter().map(|(_, message)| message))
    }
}

/// What is to be done with a message that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// It is the next.
    New,
    /// It came before.
    Duplicate,
    /// Others before it did not come: the stream is to begin anew.
    Gap,
}

/// What was received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receiving {
    received: u64,
}

impl Receiving {
    /// Takes the sequence of a message that came.
    pub fn take(&mut self, sequence: u64) -> Take {
        if sequence <= self.received {
            return Take::Duplicate;
        }
        if sequence - self.received > 1 {
            return Take::Gap;
        }
        self.received = sequence;
        Take::New
    }

    /// The last sequence up to which everything came; 0 before the first.
    pub fn received(&self) -> u64 {
        self.received
    }
}

#[cfg(test)]
mod tests {
    use doorbuster_model::Report;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn so_much_waits_and_no_more() {
        let mut sending = Sending::<Vec<u8>>::new(3, 10);
        assert_eq!((sending.push(vec![0; 4]), sending.push(vec![0; 6])), (Ok(1), Ok(2)));
        assert_eq!(sending.push(vec![0]), Err(Full { count: 2, bytes: 10 }), "bytes");
        assert_eq!(sending.push(Vec::new()), Ok(3));
        assert_eq!(sending.push(Vec::new()), Err(Full { count: 3, bytes: 10 }), "count");
        assert!(sending.acknowledge(2) && sending.acknowledge(1), "what is known already is no news");
        assert_eq!(sending.unacknowledged().collect::<Vec<_>>(), [(3, &Vec::new())]);
        assert_eq!(sending.push(vec![0; 10]), Ok(4), "who was refused has used no number up");
        assert!(!sending.acknowledge(5), "nobody receives what was never sent");
        assert_eq!((sending.unacknowledged().count(), sending.sent()), (2, 4));
    }

    #[test]
    fn messages_weigh_what_they_send() {
        let message = "why".repeat(100);
        let failed = FromAgent::Report(Report::Failed { message });
        assert!((300..320).contains(&failed.weight_bytes()));
        assert!(ToAgent::Stop.weight_bytes() < 5);
    }

    #[test]
    fn a_gap_is_not_taken() {
        use Take::{Duplicate, Gap, New};
        let mut receiving = Receiving::default();
        let taken = [1, 1, 3, 2, 3, 1, 0, u64::MAX].map(|sequence| receiving.take(sequence));
        assert_eq!(taken, [New, Duplicate, Gap, New, New, Duplicate, Duplicate, Gap]);
        assert_eq!(receiving.received(), 3);
    }

    /// What happens to a link.
    #[derive(Clone, Debug)]
    enum Happens {
        /// Somebody wants to say something.
        Say,
        /// The next message under way arrives.
        Arrive,
        /// The next message under way arrives, and so does a copy.
        ArriveTwice,
        /// The receiver says how far it is, and that arrives.
        Acknowledge,
        /// The stream breaks with whatever is under way, and comes back.
        Break,
    }

    fn happens() -> impl Strategy<Value = Happens> {
        prop_oneof![
            4 => Just(Happens::Say),
            4 => Just(Happens::Arrive),
            1 => Just(Happens::ArriveTwice),
            2 => Just(Happens::Acknowledge),
            1 => Just(Happens::Break),
        ]
    }

    proptest! {
        #[test]
        fn everything_comes_once_and_in_order_however_often_the_stream_breaks(
            story in prop::collection::vec(happens(), 0..400),
        ) {
            let (mut sending, mut receiving) = (Sending::new(20, 1_000), Receiving::default());
            let (mut wire, mut came) = (VecDeque::<(u64, Vec<u8>)>::new(), Vec::new());
            let mut said = 0_u64;
            let take = |came: &mut Vec<Vec<u8>>, receiving: &mut Receiving, (sequence, message)| {
                let taken = receiving.take(sequence);
                if taken == Take::New {
                    came.push(message);
                }
                taken
            };
            for happens in story.into_iter().chain([Happens::Break]) {
                match happens {
                    Happens::Say => {
                        let message = said.to_be_bytes().to_vec();
                        if let Ok(sequence) = sending.push(message.clone()) {
                            said += 1;
                            wire.push_back((sequence, message));
                        }
                    }
                    Happens::Arrive | Happens::ArriveTwice => {
                        if let Some(message) = wire.pop_front() {
                            if matches!(happens, Happens::ArriveTwice) {
                                let taken = take(&mut came, &mut receiving, message.clone());
                                prop_assert_eq!(taken, Take::New);
                                prop_assert_eq!(take(&mut came, &mut receiving, message), Take::Duplicate);
                            } else {
                                prop_assert_eq!(take(&mut came, &mut receiving, message), Take::New);
                            }
                        }
                    }
                    Happens::Acknowledge => {
                        prop_assert!(sending.acknowledge(receiving.received()));
                    }
                    Happens::Break => {
                        wire.clear();
                        prop_assert!(sending.acknowledge(receiving.received()));
                        let again = sending.unacknowledged();
                        wire.extend(again.map(|(sequence, message)| (sequence, message.clone())));
                    }
                }
            }
            for message in wire {
                prop_assert_eq!(take(&mut came, &mut receiving, message), Take::New);
            }
            let all: Vec<Vec<u8>> = (0..said).map(|number| number.to_be_bytes().to_vec()).collect();
            prop_assert_eq!(came, all);
            prop_assert!(sending.acknowledge(receiving.received()));
            prop_assert_eq!(sending.unacknowledged().count(), 0);
        }

        #[test]
        fn whoever_sends_again_what_was_not_acknowledged_leaves_duplicates_and_no_gap(
            sent in 1_usize..50,
            arrived in 0_usize..50,
            acknowledged in 0_u64..50,
        ) {
            let (mut sending, mut receiving) = (Sending::new(100, 1_000), Receiving::default());
            for number in 0..sent {
                let sequence = sending.push(vec![0]).unwrap();
                if number < arrived {
                    receiving.take(sequence);
                }
            }
            // The acknowledgement of the rest was lost.
            sending.acknowledge(acknowledged.min(receiving.received()));
            let before = receiving.received();
            for (sequence, _) in sending.unacknowledged() {
                let taken = receiving.take(sequence);
                prop_assert_eq!(taken, if sequence <= before { Take::Duplicate } else { Take::New });
            }
            prop_assert_eq!(receiving.received(), sent as u64);
        }
    }
}
