//! The board: an object of S3 by which a coordinator tells its agents what it cannot send them. It is looked at again and
//! again, and what is new on it is passed on.

use std::time::Duration;

use doorbuster_wire::{Board, ToAgent};
use http::{HeaderMap, StatusCode};
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use super::object::{Objects, said, shown};
use super::say;
use crate::child::Input;
use crate::lease::LEASE;

/// The largest board: the ids of as many agents as a region has.
const BYTES_MAX: usize = 4 << 20;

/// How often the board is looked at, and for how long it may tell nothing.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// Between two looks, as long as nobody has said when second 0 is.
    pub before_start: Duration,
    /// Between two looks after that. A stop reaches the agent within this and `answer_within`.
    pub after_start: Duration,
    /// How long one look may take.
    pub answer_within: Duration,
    /// How long the agent may be there after the coordinator wrote a new value of the lease's counter.
    pub silence_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            before_start: Duration::from_millis(500),
            after_start: Duration::from_secs(2),
            answer_within: Duration::from_millis(1_500),
            silence_max: LEASE,
        }
    }
}

/// Why the board is looked at no more.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The coordinator lets the agent go.
    LetGo,
    /// It has said nothing new for too long.
    Silent,
}

/// What was seen of a board so far.
#[derive(Debug, Default)]
struct Seen {
    lease: u64,
    has_start: bool,
    has_stop: bool,
}

impl Seen {
    /// What is new on a board, in the order in which an agent is to hear it. Where a stop stands beside a start that nobody has
    /// heard of, nothing begins any more.
    fn news(&mut self, board: &Board) -> Vec<ToAgent> {
        let mut news = Vec::new();
        if board.lease > self.lease {
            self.lease = board.lease;
            news.push(ToAgent::Lease { counter: board.lease });
        }
        if board.stop {
            if !std::mem::replace(&mut self.has_stop, true) {
                news.push(ToAgent::Stop);
            }
        } else if let Some(at_unix_ns) = board.start_at_unix_ns
            && !std::mem::replace(&mut self.has_start, true)
        {
            news.push(ToAgent::Start { at_unix_ns });
        }
        news
    }
}

/// Passes on to the agent of assignment `id` what the board at `url` tells, until it is to end.
///
/// A value of the lease's counter that is new at one look was written after the look before began, and nobody knows when. So
/// its time counts from there: whoever ends at [`End::Silent`] has not outlived the last writing by more than
/// [`Limits::silence_max`]. The agent's own lease counts from when it hears of the value, and ends later.
pub(super) async fn follow(
    objects: &mut Objects,
    url: &Url,
    id: &str,
    to: &mut Input,
    limits: &Limits,
) -> End {
    let mut seen = Seen::default();
    // When the last look began that showed a board. What the first one shows was written when nobody looked yet.
    let mut looked_at = Instant::now();
    let mut ends = looked_at + limits.silence_max;
    let mut trouble = String::new();
    loop {
        let began = Instant::now();
        let Ok(looked) = timeout_at(ends, look(objects, url, limits)).await else { return End::Silent };
        match looked {
            Ok(board) => {
                trouble.clear();
                if board.let_go.iter().any(|other| other == id) {
                    return End::LetGo;
                }
                let news = seen.news(&board);
                if news.iter().any(|message| matches!(message, ToAgent::Lease { .. })) {
                    ends = looked_at + limits.silence_max;
                }
                looked_at = began;
                // An agent that takes nothing in holds nothing up.
                if timeout_at(ends, tell(to, &news)).await.is_err() {
                    return End::Silent;
                }
            }
            Err(why) if why != trouble => {
                say(&format!("looking at the board {}: {why}", shown(url)));
                trouble = why;
            }
            Err(_) => {}
        }
        // A look that came to nothing is soon made up for, and so are those before it.
        let is_late = ends.saturating_duration_since(Instant::now()) < limits.silence_max / 2;
        let is_calm = seen.has_start && trouble.is_empty() && !is_late;
        let pause = sleep(if is_calm { limits.after_start } else { limits.before_start });
        if timeout_at(ends, pause).await.is_err() {
            return End::Silent;
        }
    }
}

/// Tells the agent what is new. One that hears nothing any more has ended, or is about to: what it says at its end tells more.
async fn tell(to: &mut Input, news: &[ToAgent]) {
    for message in news {
        let _ = to.tell(message).await;
    }
}

/// One look.
async fn look(objects: &mut Objects, url: &Url, limits: &Limits) -> Result<Board, String> {
    let answer = objects.get(url, &HeaderMap::new(), BYTES_MAX, limits.answer_within).await?;
    if answer.status != StatusCode::OK {
        return Err(said(&answer));
    }
    Board::decode(&answer.body).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_told_once_and_in_order() {
        let mut seen = Seen::default();
        let board =
            |lease, start_at_unix_ns, stop| Board { lease, start_at_unix_ns, stop, let_go: Vec::new() };
        let (lease, start) = (|counter| ToAgent::Lease { counter }, ToAgent::Start { at_unix_ns: 9 });
        assert_eq!(seen.news(&Board::default()), []);
        assert_eq!(seen.news(&board(1, None, false)), [lease(1)]);
        assert_eq!(seen.news(&board(1, None, false)), [], "an old counter renews nothing");
        assert_eq!(seen.news(&board(2, Some(9), false)), [lease(2), start]);
        assert_eq!(seen.news(&board(1, Some(9), false)), [], "S3 may show what was there before");
        assert_eq!(seen.news(&board(3, Some(9), true)), [lease(3), ToAgent::Stop]);
        assert_eq!(seen.news(&board(4, Some(9), true)), [lease(4)]);
    }

    #[test]
    fn who_comes_after_the_stop_begins_nothing() {
        let board = Board { lease: 8, start_at_unix_ns: Some(9), stop: true, let_go: Vec::new() };
        assert_eq!(Seen::default().news(&board), [ToAgent::Lease { counter: 8 }, ToAgent::Stop]);
    }
}
