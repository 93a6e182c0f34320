//! Being asked to stop: SIGINT, which Ctrl-C sends, and SIGTERM.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::Error;

/// Hears both signals, as long as it lives.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Listens from now on: neither signal ends the process by itself any more.
    ///
    /// # Errors
    /// [`Error::System`] when the system does not let it.
    pub(crate) fn listen() -> Result<Self, Error> {
        let listen =
            |kind| signal(kind).map_err(|source| Error::System { what: "listening for signals", source });
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Returns once somebody asks to stop, and once more for each further time.
    pub(crate) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
