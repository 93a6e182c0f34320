//! An agent as a process of its own: this program again, or another one, that carries out one assignment over its standard
//! input and output.
//!
//! Whoever takes assignments from afar runs each in such a process: one that must end is killed, whatever it is doing, and
//! nothing of it is left for the next.

use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use doorbuster_wire::{Frames, FromAgent, Message, ToAgent};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::Error;

/// How much is read at a time.
const READ_BYTES: usize = 64 << 10;

/// What is run.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// The words after its name.
    pub args: Vec<String>,
}

impl Program {
    /// This program, with these words after its name.
    ///
    /// # Errors
    /// When the system does not know where it is.
    pub(crate) fn own(args: &[&str]) -> Result<Self, Error> {
        let path = std::env::current_exe().map_err(system("finding this program for its agents"))?;
        Ok(Self { path, args: args.iter().map(|&arg| arg.to_owned()).collect() })
    }
}

/// Starts a process: what it is told, what it says, and what ends it. It has a process group of its own; its standard error
/// is this process's.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn start(program: &Program) -> Result<(Input, Output, Guard), Error> {
    let mut process = Command::new(&program.path)
        .args(&program.args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(system("starting an agent's process"))?;
    let missing =
        || system("speaking with an agent's process")(io::Error::other("it has no input or output"));
    let input = process.stdin.take().ok_or_else(missing)?;
    let output = process.stdout.take().ok_or_else(missing)?;
    let id = process.id().and_then(|id| i32::try_from(id).ok());
    let output = Output { stdout: output, frames: Frames::default(), buffer: vec![0; READ_BYTES] };
    Ok((Input(input), output, Guard { process, group: id.and_then(Pid::from_raw) }))
}

fn system(what: &'static str) -> impl Fn(io::Error) -> Error {
    move |source| Error::System { what, source }
}

/// What a process is told. Dropping it closes the process's input, and an agent ends at that.
#[derive(Debug)]
pub(crate) struct Input(ChildStdin);

impl Input {
    /// Tells it something. Who gives this up half-way has told it half a frame, and nothing can follow.
    ///
    /// # Errors
    /// When it no longer listens.
    pub(crate) async fn tell(&mut self, message: &ToAgent) -> Result<(), Error> {
        let frame = message.encode().map_err(Error::Process)?;
        let told = async {
            self.0.write_all(&frame).await?;
            self.0.flush().await
        };
        told.await.map_err(system("writing to an agent's process"))
    }
}

/// What a process says.
#[derive(Debug)]
pub(crate) struct Output {
    stdout: ChildStdout,
    frames: Frames,
    buffer: Vec<u8>,
}

impl Output {
    /// What it says next; `None` once it has closed its output. Nothing is lost where this is given up half-way.
    ///
    /// # Errors
    /// When it says what cannot be understood.
    pub(crate) async fn next(&mut self) -> Result<Option<FromAgent>, Error> {
        loop {
            if let Some(frame) = self.frames.next_frame().map_err(Error::Process)? {
                return FromAgent::decode(&frame).map(Some).map_err(Error::Process);
            }
            let count = self.stdout.read(&mut self.buffer).await;
            match count.map_err(system("reading from an agent's process"))? {
                0 => return Ok(None),
                count => self.frames.push(&self.buffer[..count]),
            }
        }
    }
}

/// What ends a process, with all that it has started: at the latest when this is dropped.
#[derive(Debug)]
pub(crate) struct Guard {
    process: Child,
    group: Option<Pid>,
}

impl Guard {
    /// Waits until it has ended, and kills it where that takes longer than `within`. How it ended.
    pub(crate) async fn ended(mut self, within: Duration) -> Option<ExitStatus> {
        let Ok(status) = timeout(within, self.process.wait()).await else { return self.end().await };
        // It may have left others behind. While there are any, nobody else has the group's number.
        self.kill();
        status.ok()
    }

    /// Kills it, and waits until it is gone. How it ended.
    pub(crate) async fn end(mut self) -> Option<ExitStatus> {
        self.kill();
        self.process.wait().await.ok()
    }

    fn kill(&mut self) {
        if let Some(group) = self.group {
            // Nobody may be left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Once it was waited for, its number may be somebody else's.
        if self.process.id().is_some() {
            self.kill();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use doorbuster_model::Report;
    use doorbuster_wire::PROTOCOL;
    use tokio::time::Instant;

    use super::*;

    fn shell(script: &str) -> Program {
        Program { path: "/bin/sh".into(), args: vec!["-c".to_owned(), script.to_owned()] }
    }

    /// A message as a word for `printf`.
    fn octal(message: &FromAgent) -> String {
        message.encode().unwrap().iter().map(|byte| format!("\\{byte:03o}")).collect()
    }

    #[tokio::test]
    async fn what_it_says_and_how_it_ends_comes_to_light() {
        let said = [
            FromAgent::Hello { protocol: PROTOCOL, version: "0.1.0".to_owned() },
            FromAgent::Report(Report::Finished { ticks: 3 }),
        ];
        let script = format!("printf '{}{}'; exit 3", octal(&said[0]), octal(&said[1]));
        let (_to, mut from, guard) = start(&shell(&script)).unwrap();
        for message in said {
            assert_eq!(from.next().await.unwrap(), Some(message));
        }
        assert_eq!(from.next().await.unwrap(), None);
        let status = guard.ended(Duration::from_secs(10)).await.unwrap();
        assert_eq!(status.code(), Some(3));
    }

    #[tokio::test]
    async fn what_it_is_told_comes_in_frames() {
        let folder = std::env::temp_dir().join(format!("doorbuster-child-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let told = folder.join("told");
        let (mut to, mut from, guard) = start(&shell(&format!("exec cat > '{}'", told.display()))).unwrap();
        let messages = [ToAgent::Lease { counter: 7 }, ToAgent::Stop];
        for message in &messages {
            to.tell(message).await.unwrap();
        }
        drop(to);
        assert_eq!(from.next().await.unwrap(), None);
        assert!(guard.ended(Duration::from_secs(10)).await.unwrap().success());
        let bytes = std::fs::read(&told).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(bytes, [messages[0].encode().unwrap(), messages[1].encode().unwrap()].concat());
    }

    #[tokio::test]
    async fn killing_it_takes_those_along_that_it_started() {
        // Both keep its output open, and hear nothing.
        let (_to, mut from, guard) = start(&shell("sleep 600 & wait")).unwrap();
        let began = Instant::now();
        let status = guard.end().await.unwrap();
        assert_eq!(status.signal(), Some(9));
        let end = timeout(Duration::from_secs(10), from.next()).await;
        assert!(matches!(end, Ok(Ok(None))), "somebody still holds its output: {end:?}");
        assert!(began.elapsed() < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn one_that_nobody_holds_is_killed() {
        let (_to, mut from, guard) = start(&shell("sleep 600 & wait")).unwrap();
        drop(guard);
        let end = timeout(Duration::from_secs(10), from.next()).await;
        assert!(matches!(end, Ok(Ok(None))), "{end:?}");
    }

    #[tokio::test]
    async fn noise_in_its_output_is_no_message() {
        let (_to, mut from, _guard) = start(&shell("echo hello, this is no frame")).unwrap();
        let error = from.next().await.unwrap_err();
        assert!(matches!(error, Error::Process(_)), "{error}");
        let absent = Program { path: "/nonexistent/agent".into(), args: Vec::new() };
        assert!(matches!(start(&absent), Err(Error::System { .. })));
    }
}
