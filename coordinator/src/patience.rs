//! Waiting for an end that takes a while: whoever waits is told for what, and need not.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// What takes longer than this is told of.
const TOLD_AFTER: Duration = Duration::from_secs(1);

/// Waits for an end, and says `what` is waited for where that takes a while. Who asks is told so at once; who asks again does
/// not wait, and what has not ended by then is dropped. `was_asked` says whether somebody asked before.
pub(crate) async fn wait(
    end: impl Future<Output = ()>,
    what: &str,
    mut was_asked: bool,
    mut asked: impl AsyncFnMut(),
    say: impl Fn(&str),
) {
    let mut end = pin!(end);
    let told_at = Instant::now() + TOLD_AFTER;
    let mut is_told = false;
    loop {
        let is_asked = tokio::select! {
            // Nobody asks for what has happened.
            biased;
            () = &mut end => return,
            () = asked() => true,
            () = sleep_until(told_at), if !is_told => false,
        };
        if is_asked && was_asked {
            say(&format!("not waiting any longer for {what}"));
            return;
        }
        was_asked |= is_asked;
        is_told = true;
        let once_more = if was_asked { ", once more does not wait" } else { "" };
        say(&format!("waiting for {what}{once_more}"));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    use tokio::time::sleep;

    use super::*;

    /// What is said while something is waited for that ends after so long, if ever, and is asked for at these times (seconds);
    /// and how long that took.
    async fn said(ends_after: Option<Duration>, was_asked: bool, asks_s: &[u64]) -> (Vec<String>, Duration) {
        let began = Instant::now();
        let end = async {
            match ends_after {
                Some(length) => sleep(length).await,
                None => std::future::pending().await,
            }
        };
        let mut asks: VecDeque<Instant> =
            asks_s.iter().map(|at_s| began + Duration::from_secs(*at_s)).collect();
        let asked = async || match asks.front().copied() {
            Some(at) => {
                sleep_until(at).await;
                asks.pop_front();
            }
            None => std::future::pending().await,
        };
        let lines = RefCell::new(Vec::new());
        wait(end, "the end", was_asked, asked, |line| lines.borrow_mut().push(line.to_owned())).await;
        (lines.into_inner(), began.elapsed())
    }

    const WAITING: &str = "waiting for the end";
    const ONCE_MORE: &str = "waiting for the end, once more does not wait";
    const NO_LONGER: &str = "not waiting any longer for the end";

    #[tokio::test(start_paused = true)]
    async fn a_short_wait_is_not_told_of_and_a_long_one_once() {
        let ends = |millis| Some(Duration::from_millis(millis));
        assert_eq!(said(ends(0), false, &[]).await.0, [""; 0]);
        assert_eq!(said(ends(900), true, &[]).await.0, [""; 0]);
        let (lines, took) = said(ends(5_000), false, &[]).await;
        assert_eq!((lines, took.as_secs()), (vec![WAITING.to_owned()], 5));
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_once_is_told_and_who_asks_again_does_not_wait() {
        let (lines, took) = said(None, false, &[3, 8]).await;
        assert_eq!(lines, [WAITING, ONCE_MORE, NO_LONGER]);
        assert_eq!(took.as_secs(), 8);
        let (lines, took) = said(Some(Duration::from_secs(20)), false, &[0]).await;
        assert_eq!((lines, took.as_secs()), (vec![ONCE_MORE.to_owned()], 20));
    }

    #[tokio::test(start_paused = true)]
    async fn who_had_asked_before_asks_again() {
        let (lines, took) = said(None, true, &[4]).await;
        assert_eq!(lines, [ONCE_MORE, NO_LONGER]);
        assert_eq!(took.as_secs(), 4);
    }
}
