use std::cell::RefCell;
use std::rc::Rc;

use tokio::task::{LocalSet, spawn_local, yield_now};
use tokio::time::{Duration, Instant, sleep, timeout};

use super::Clock;

/// Runs `work` with a clock that rings, in paused time.
fn with_clock<F: Future<Output = ()> + 'static>(work: impl FnOnce(Rc<Clock>) -> F) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let clock = Rc::new(Clock::new(Instant::now().into()).unwrap());
        let work = work(Rc::clone(&clock));
        tokio::select! {
            () = work => {}
            () = clock.ring() => {}
        }
    });
}

#[test]
fn everybody_wakes_in_time_and_never_early() {
    with_clock(|clock| async move {
        let woken = Rc::new(RefCell::new(Vec::new()));
        for us in [5_000, 100, 7_300, 100, 0, 20_000, 19_999] {
            let (clock, woken) = (Rc::clone(&clock), Rc::clone(&woken));
            spawn_local(async move {
                clock.sleep_until_ns(us * 1_000).await;
                woken.borrow_mut().push((us, clock.now_ns() / 1_000));
            });
        }
        sleep(Duration::from_millis(30)).await;
        let woken = woken.borrow();
        assert_eq!(
            woken.iter().map(|(us, _)| *us).collect::<Vec<_>>(),
            [0, 100, 100, 5_000, 7_300, 19_999, 20_000]
        );
        for (us, at_us) in woken.iter() {
            // Paused time goes by whole milliseconds.
            assert!(at_us >= us && *at_us <= us + 2_000, "{us} {at_us}");
        }
    });
}

#[test]
fn second_0_is_waited_for() {
    with_clock(|_| async move {
        let start = Instant::now() + Duration::from_millis(250);
        let clock = Clock::new(start.into()).unwrap();
        tokio::select! {
            () = clock.sleep_until_ns(0) => {}
            () = clock.ring() => {}
        }
        assert!(Instant::now() >= start && clock.now_ns() < 3_000_000);
    });
}

#[test]
fn who_leaves_early_leaves_a_place_for_the_next() {
    with_clock(|clock| async move {
        for _ in 0..100 {
            let _ = timeout(Duration::from_millis(1), clock.sleep_until_ns(u64::MAX / 2)).await;
            clock.sleep_until_ns(clock.now_ns() + 3_000_000).await;
        }
        yield_now().await;
        // Those who sleep for good keep theirs until their time; all others share one.
        assert_eq!(clock.sleepers.borrow().beds.len(), 101);
        assert_eq!(clock.sleepers.borrow().free.len(), 1);
    });
}
