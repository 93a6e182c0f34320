//! The system's timer behind the clock.

use std::io;

use tokio::time::Instant;

pub(super) use system::Timer;

/// Linux: a timer of its own, exact to some microseconds. The runtime's rounds up to whole milliseconds.
#[cfg(all(target_os = "linux", not(test)))]
mod system {
    use super::{Instant, io};
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    pub(in crate::clock) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        #[expect(
            deprecated,
            reason = "its successor is unsafe, for descriptors that change hands; this one is owned"
        )]
        pub(in crate::clock) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            AsyncFd::with_interest(timer, Interest::READABLE).map(Self)
        }

        /// Goes off at `when`, and not at the time that was set before.
        pub(in crate::clock) fn set(&self, when: Instant) {
            // Zero would mean never.
            let after = when.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
            let value = Timespec {
                tv_sec: i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: after.subsec_nanos().into(),
            };
            let never = Timespec { tv_sec: 0, tv_nsec: 0 };
            let spec = Itimerspec { it_interval: never, it_value: value };
            // It fails only for times that are none.
            let _ = timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &spec);
        }

        /// Returns once it went off.
        pub(in crate::clock) async fn rings(&self) {
            loop {
                let Ok(mut ready) = self.0.readable().await else {
                    return std::future::pending().await;
                };
                let mut count = [0; 8];
                if let Ok(Ok(_)) = ready.try_io(|timer| Ok(rustix::io::read(timer, &mut count)?)) {
                    return;
                }
            }
        }
    }
}

/// Elsewhere, and in tests with paused time: the runtime's timer.
#[cfg(any(not(target_os = "linux"), test))]
mod system {
    use super::{Instant, io};
    use std::cell::RefCell;
    use std::future::{Future, poll_fn};
    use std::pin::Pin;
    use std::time::Duration;

    use tokio::time::{Sleep, sleep_until};

    /// As good as never.
    const FAR: Duration = Duration::from_secs(365 * 86_400);

    pub(in crate::clock) struct Timer(RefCell<Pin<Box<Sleep>>>);

    impl Timer {
        pub(in crate::clock) fn new() -> io::Result<Self> {
            Ok(Self(RefCell::new(Box::pin(sleep_until(Instant::now() + FAR)))))
        }

        /// Goes off at `when`, and not at the time that was set before.
        pub(in crate::clock) fn set(&self, when: Instant) {
            self.0.borrow_mut().as_mut().reset(when);
        }

        /// Returns once it went off.
        pub(in crate::clock) async fn rings(&self) {
            poll_fn(|context| self.0.borrow_mut().as_mut().poll(context)).await;
            self.set(Instant::now() + FAR);
        }
    }
}
