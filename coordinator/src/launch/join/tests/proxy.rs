//! A way between agent and desk that can be cut, blocked and slow.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// The way.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    cuts: Arc<AtomicU32>,
    state: Arc<State>,
}

/// How the way is at present.
#[derive(Default)]
struct State {
    is_parted: AtomicBool,
    /// How much passes, each way; 0 where there is no limit.
    bytes_per_s: AtomicU64,
}

impl Proxy {
    /// Passes everything on to `to`; the first `cuts_max` connections are cut after a random number of bytes.
    pub(super) async fn start(to: SocketAddr, seed: u64, cuts_max: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (cuts, state) = (Arc::new(AtomicU32::new(0)), Arc::new(State::default()));
        let proxy = Self { address, cuts: Arc::clone(&cuts), state: Arc::clone(&state) };
        tokio::spawn(async move {
            let mut random = seed;
            for count in 0.. {
                let (agent, _) = listener.accept().await.unwrap();
                // Numerical Recipes' generator: it need only be different each time.
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223) % (1 << 32);
                let most = if count < cuts_max { 500 + random % 6_000 } else { u64::MAX };
                let (cuts, state) = (Arc::clone(&cuts), Arc::clone(&state));
                tokio::spawn(async move {
                    state.passes().await;
                    let Ok(desk) = TcpStream::connect(to).await else { return };
                    let ((from_agent, to_agent), (from_desk, to_desk)) =
                        (agent.into_split(), desk.into_split());
                    let is_cut = tokio::select! {
                        is_cut = pass(from_agent, to_desk, most, &state) => is_cut,
                        is_cut = pass(from_desk, to_agent, most, &state) => is_cut,
                    };
                    cuts.fetch_add(u32::from(is_cut), Ordering::Relaxed);
                });
            }
        });
        proxy
    }

    /// How many connections were cut.
    pub(super) fn cuts(&self) -> u32 {
        self.cuts.load(Ordering::Relaxed)
    }

    /// Nothing passes any more, and nobody is told.
    pub(super) fn part(&self) {
        self.state.is_parted.store(true, Ordering::Relaxed);
    }

    /// Everything passes again.
    pub(super) fn heal(&self) {
        self.state.is_parted.store(false, Ordering::Relaxed);
    }

    /// No more than this passes each way from now on.
    pub(super) fn slow_down(&self, bytes_per_s: u64) {
        self.state.bytes_per_s.store(bytes_per_s, Ordering::Relaxed);
    }
}

impl State {
    /// Waits until anything passes.
    async fn passes(&self) {
        while self.is_parted.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits as long as so many bytes take.
    async fn carries(&self, bytes: usize) {
        let bytes_per_s = self.bytes_per_s.load(Ordering::Relaxed);
        if bytes_per_s > 0 {
            sleep(Duration::from_secs_f64(bytes as f64 / bytes_per_s as f64)).await;
        }
    }
}

/// Passes at most so many bytes on. Whether it was that which ended the way.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    most: u64,
    state: &State,
) -> bool {
    let (mut left, mut buffer) = (most, vec![0; 4_096]);
    while left > 0 {
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let Ok(count @ 1..) = from.read(&mut buffer[..most]).await else { return false };
        state.passes().await;
        state.carries(count).await;
        if to.write_all(&buffer[..count]).await.is_err() {
            return false;
        }
        left -= count as u64;
    }
    true
}
