//! An agent, driven as a coordinator drives it: over standard input and output.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use doorbuster_model::Assignment;
use doorbuster_wire::{Frames, FromAgent, Message, PROTOCOL, ToAgent};

/// The built binary as an agent. Nobody renews its lease: within 15 s it is to be over.
pub(crate) struct Agent {
    child: Child,
    input: ChildStdin,
    said: Receiver<FromAgent>,
    reader: JoinHandle<()>,
}

impl Agent {
    /// Starts one, and hands it this assignment.
    pub(crate) fn start(assignment: Assignment) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_doorbuster"))
            .args(["agent", "--stdio"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (says, said) = channel();
        let reader = thread::spawn(move || {
            let (mut frames, mut buffer) = (Frames::default(), vec![0; 64 << 10]);
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                frames.push(&buffer[..count]);
                while let Some(frame) = frames.next_frame().unwrap() {
                    says.send(FromAgent::decode(&frame).unwrap()).unwrap();
                }
            }
        });
        let mut agent = Self { child, input, said, reader };
        agent.tell(&ToAgent::Hello { protocol: PROTOCOL, version: "test".to_owned() });
        agent.tell(&ToAgent::Assign(Box::new(assignment)));
        agent
    }

    /// Tells it something. An agent that has ended hears no more; what it said last tells why.
    pub(crate) fn tell(&mut self, message: &ToAgent) {
        drop(self.input.write_all(&message.encode().unwrap()));
    }

    /// What it says next; an error once it was silent for so long, or has ended.
    pub(crate) fn next(&self, wait: Duration) -> Result<FromAgent, RecvTimeoutError> {
        self.said.recv_timeout(wait)
    }

    /// Waits for its end. Returns its exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        self.reader.join().unwrap();
        self.child.wait().unwrap().code()
    }
}

/// Nanoseconds since 1970.
pub(crate) fn unix_ns() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}
