//! Serving an assignment over standard input and output: how a coordinator runs agents as child processes.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::thread;
use std::time::Instant;

use doorbuster_wire::{Error as WireError, Frames, FromAgent, Message, ToAgent};
use tokio::sync::mpsc;

use crate::Error;
use crate::engine::{Engine, Own};
use crate::lease::Lease;
use crate::session::Session;

/// Frames that may wait for a coordinator that does not read: over half an hour of ticks.
const WAITING_MAX: usize = 2_048;

/// Serves one assignment that comes in frames on standard input; reports go out in frames on standard output.
///
/// Descriptor 1 is moved away first and points at standard error from then on, so that a stray print corrupts no
/// frame. Returns when the assignment is over. When the coordinator has gone (end of input, or a lease that is not
/// renewed) it returns at once with an error, and the caller ends the process, and with it all load.
///
/// # Errors
/// [`Error`], which was also sent to the coordinator as far as it still listens.
pub fn serve() -> Result<(), Error> {
    serve_with(&mut Own)
}

/// As [`serve`], with another engine that generates the load.
///
/// # Errors
/// As [`serve`].
pub fn serve_with(engine: &mut impl Engine) -> Result<(), Error> {
    let system = |what| move |source: io::Error| Error::System { what, source };
    let out = io::stdout().as_fd().try_clone_to_owned().map_err(system("duplicating standard output"))?;
    rustix::stdio::dup2_stdout(io::stderr()).map_err(|error| Error::System {
        what: "pointing descriptor 1 at standard error",
        source: error.into(),
    })?;
    let (commands, from) = mpsc::channel(64);
    thread::Builder::new()
        .name("reader".to_owned())
        .spawn(move || read(io::stdin(), &commands))
        .map_err(system("starting the reader's thread"))?;
    let (reports, waiting) = std::sync::mpsc::sync_channel::<Vec<u8>>(WAITING_MAX);
    let writer = thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || write(File::from(out), &waiting))
        .map_err(system("starting the writer's thread"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(system("starting the session's runtime"))?;
    let to = move |message: FromAgent| {
        // A full queue means a coordinator that has not read for half an hour: the lease has long ended by then.
        reports
            .try_send(message.encode()?)
            .map_err(|_| Error::CoordinatorGone { why: "the coordinator no longer reads reports" })
    };
    let session = Session { from, to, lease: Lease::new(Instant::now()) };
    let gone = runtime.block_on(session.serve(engine));
    if !matches!(gone, Err(Error::CoordinatorGone { .. })) {
        // The last report is on its way before the process ends.
        let _ = writer.join();
    }
    gone
}

fn read(mut input: impl Read, commands: &mpsc::Sender<Result<ToAgent, WireError>>) {
    let mut frames = Frames::default();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = match input.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        frames.push(&buffer[..count]);
        loop {
            let message = match frames.next_frame() {
                Ok(None) => break,
                Ok(Some(frame)) => ToAgent::decode(&frame),
                Err(error) => Err(error),
            };
            let broken = message.is_err();
            if commands.blocking_send(message).is_err() || broken {
                return;
            }
        }
    }
}

fn write(mut output: impl Write, waiting: &std::sync::mpsc::Receiver<Vec<u8>>) {
    for frame in waiting {
        if output.write_all(&frame).and_then(|()| output.flush()).is_err() {
            return;
        }
    }
}
