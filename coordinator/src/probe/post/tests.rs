use tokio::sync::mpsc;

use super::due::HEARD_WITHIN;
use super::*;

const SECOND: Duration = Duration::from_secs(1);
const SECOND_NS: u64 = 1_000_000_000;
const READY_WITHIN: Duration = Duration::from_secs(10);

fn walker(number: usize) -> (Walker, mpsc::UnboundedReceiver<ToAgent>) {
    let (to, hears) = mpsc::unbounded_channel();
    (Walker { number, agent: Agent::here(to) }, hears)
}

/// A post whose agents stay as long as they can, or so long.
fn post(now: Instant, stays: Option<Duration>) -> Post {
    Post::new(now, Terms { ready_within: READY_WITHIN, every: 10 * SECOND, stays, ahead: 3 * SECOND })
}

/// A post whose agent 1 began at second 7 since 1970, `now`, and stays for a minute.
fn relayed(now: Instant) -> (Post, mpsc::UnboundedReceiver<ToAgent>) {
    let mut post = post(now, Some(60 * SECOND));
    let (first, hears) = walker(1);
    post.launched(first, now);
    assert!(post.start(Begin { unix_ns: 7 * SECOND_NS, at: now }, now));
    (post, hears)
}

#[test]
fn who_is_lost_again_and_again_comes_ever_later() {
    let waits: Vec<u64> = (0..9).map(|failures| away(failures).as_secs()).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    let now = Instant::now();
    let mut post = post(now, None);
    assert_eq!(post.due(now), Some(Due::Launch));
    for (number, wait) in [(1, 1), (2, 2), (3, 4)] {
        post.launched(walker(number).0, now);
        assert_eq!(post.lose(now), Duration::from_secs(wait));
    }
    post.launched(walker(4).0, now);
    assert!(post.start(Begin { unix_ns: 7, at: now }, now));
    assert_eq!(post.lose(now + WELL_AFTER), SECOND, "it had done well meanwhile");
    assert_eq!(post.lose(now + WELL_AFTER), 2 * SECOND);
}

#[test]
fn each_state_has_its_patience() {
    let now = Instant::now();
    let begin = Begin { unix_ns: 7, at: now };
    let mut post = post(now, None);
    let (walker, mut hears) = walker(1);
    assert!(!post.start(begin, now), "nobody is there");
    post.launched(walker, now);
    assert_eq!((post.due(now), post.role(1), post.role(2)), (None, Some(Role::There), None));
    assert!(matches!(post.due(now + READY_WITHIN), Some(Due::Lost(why)) if why.contains("not ready")));
    assert!(post.start(begin, now));
    assert_eq!((post.start_unix_ns(1), hears.try_recv()), (Some(7), Ok(ToAgent::Start { at_unix_ns: 7 })));
    let later = now + 14 * SECOND;
    post.heard(later);
    assert_eq!(post.due(now + HEARD_WITHIN), None);
    assert!(matches!(post.due(later + HEARD_WITHIN), Some(Due::Lost(why)) if why.contains("said nothing")));
    post.stop(later);
    assert_eq!((post.is_stopping(), hears.try_recv()), (true, Ok(ToAgent::Stop)));
    assert_eq!(post.due(later + STOP_WITHIN), Some(Due::Over));
    post.stop(later);
    assert!(post.is_stopping() && hears.try_recv().is_err(), "it is told once");
    post.end();
    assert!(post.is_over() && post.deadline().is_none());
}

#[test]
fn who_takes_over_begins_exactly_where_the_other_ends() {
    let now = Instant::now();
    let (mut post, mut first_hears) = relayed(now);
    assert!(first_hears.try_recv().is_ok());
    post.heard(now + 56 * SECOND);
    assert_eq!((post.due(now + 56 * SECOND), post.deadline()), (None, Some(now + 57 * SECOND)));
    let next = Begin { unix_ns: 67 * SECOND_NS, at: now + 60 * SECOND };
    assert_eq!(post.due(now + 57 * SECOND), Some(Due::Relieve(next)));
    let (second, mut hears) = walker(2);
    post.relieve(second, next, now + 57 * SECOND);
    assert_eq!((post.role(2), post.start_unix_ns(2)), (Some(Role::Relief), None), "it is not ready");
    post.relief_ready();
    post.relief_ready();
    assert_eq!(hears.try_recv(), Ok(ToAgent::Start { at_unix_ns: 67 * SECOND_NS }));
    assert!(hears.try_recv().is_err(), "it is told once");
    assert_eq!(post.agents().count(), 2);
    assert_eq!(post.due(now + 59 * SECOND), None);
    assert_eq!(post.due(now + 60 * SECOND), Some(Due::HandOver));
    assert!(post.hand_over(now + 60 * SECOND));
    assert_eq!((post.role(1), post.role(2)), (Some(Role::Leaving), Some(Role::There)));
    let starts = (post.start_unix_ns(1), post.start_unix_ns(2));
    assert_eq!(starts, (Some(7 * SECOND_NS), Some(67 * SECOND_NS)), "what it walks to the end still counts");
    post.heard(now + 116 * SECOND);
    assert_eq!(post.deadline(), Some(now + 117 * SECOND), "and so on");
    post.left(1);
    assert_eq!((post.role(1), post.agents().count()), (None, 1));
}

#[test]
fn who_does_not_leave_is_let_go() {
    let now = Instant::now();
    let (mut post, _first_hears) = relayed(now);
    let next = post.next_begin().unwrap();
    post.relieve(walker(2).0, next, now + 57 * SECOND);
    post.relief_ready();
    assert!(post.hand_over(now + 60 * SECOND));
    let by = now + 60 * SECOND + DRAIN_MAX + STOP_WITHIN;
    post.heard(by);
    post.relieve_at = None;
    assert_eq!(post.due(by), Some(Due::Left(1)));
    post.left(1);
    assert_ne!(post.due(by), Some(Due::Left(1)));
}

#[test]
fn who_comes_late_takes_over_all_the_same() {
    let now = Instant::now();
    let (mut post, _first_hears) = relayed(now);
    let next = post.next_begin().unwrap();
    let (second, mut hears) = walker(2);
    post.relieve(second, next, now + 57 * SECOND);
    assert!(post.hand_over(now + 60 * SECOND), "it is on the way");
    assert_eq!(post.start_unix_ns(2), None);
    let late = Begin { unix_ns: 70 * SECOND_NS, at: now + 63 * SECOND };
    assert!(post.start(late, now + 63 * SECOND));
    assert_eq!(hears.try_recv(), Ok(ToAgent::Start { at_unix_ns: 67 * SECOND_NS }), "as it was agreed");
    assert_eq!(post.start_unix_ns(2), Some(67 * SECOND_NS));
    assert_eq!(post.ends_at(), Some(now + 120 * SECOND));
}

#[test]
fn whoever_fails_to_take_over_is_replaced_while_there_is_time() {
    let now = Instant::now();
    let (mut post, _first_hears) = relayed(now);
    let next = post.next_begin().unwrap();
    let at = now + 57 * SECOND;
    post.heard(at);
    post.relieve(walker(2).0, next, at);
    assert_eq!(post.due(at + READY_WITHIN), Some(Due::HandOver), "its time comes first");
    post.lose_relief(at);
    assert_eq!((post.role(2), post.due(at)), (None, None));
    assert_eq!(post.due(at + RELIEF_AGAIN), Some(Due::Relieve(next)));
    assert!(!post.hand_over(now + 60 * SECOND), "nobody is there");
    assert_eq!(post.role(1), Some(Role::Leaving));
    assert_eq!(post.due(now + 60 * SECOND), Some(Due::Launch));
}

#[test]
fn a_loss_takes_whoever_was_to_take_over_along() {
    let now = Instant::now();
    let (mut post, _first_hears) = relayed(now);
    let next = post.next_begin().unwrap();
    post.relieve(walker(2).0, next, now + 57 * SECOND);
    post.lose(now + 58 * SECOND);
    assert_eq!((post.role(1), post.role(2)), (None, None), "two of them would walk everything twice");
    assert_eq!(post.deadline(), Some(now + 59 * SECOND));
}

#[test]
fn a_stop_is_for_everybody() {
    let now = Instant::now();
    let (mut post, mut first_hears) = relayed(now);
    let next = post.next_begin().unwrap();
    post.relieve(walker(2).0, next, now + 57 * SECOND);
    post.relief_ready();
    assert!(post.hand_over(now + 60 * SECOND));
    post.stop(now + 61 * SECOND);
    let heard: Vec<ToAgent> = std::iter::from_fn(|| first_hears.try_recv().ok()).collect();
    assert_eq!(heard.last(), Some(&ToAgent::Stop));
    post.end();
    assert!(!post.is_over(), "one still leaves");
    assert_eq!(post.due(now + 66 * SECOND), Some(Due::Left(1)));
    post.left(1);
    assert!(post.is_over());
}

#[test]
fn who_has_walked_everything_is_relieved_in_its_time() {
    let now = Instant::now();
    let (mut relayed, _hears) = relayed(now);
    assert!(!relayed.walked(now + 19 * SECOND), "more is due before it is over");
    assert!(relayed.walked(now + 20 * SECOND) && relayed.role(1).is_none());
    let next = Begin { unix_ns: 67 * SECOND_NS, at: now + 60 * SECOND };
    assert_eq!(relayed.due(now + 56 * SECOND), None, "nobody is to say anything");
    assert_eq!(relayed.due(now + 57 * SECOND), Some(Due::Relieve(next)));
    relayed.relieve(walker(2).0, next, now + 57 * SECOND);
    relayed.relief_ready();
    assert_eq!(relayed.due(now + 60 * SECOND), Some(Due::HandOver));
    assert!(relayed.hand_over(now + 60 * SECOND));
    assert_eq!((relayed.role(2), relayed.agents().count()), (Some(Role::There), 1));
    let mut endless = post(now, None);
    endless.launched(walker(1).0, now);
    endless.start(Begin { unix_ns: 7, at: now }, now);
    assert!(!endless.walked(now + 1_000 * SECOND));
}
