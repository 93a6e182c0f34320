//! Agents as child processes: `doorbuster agent --stdio`, or the plan's own program.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use doorbuster_model::Assignment;
use doorbuster_wire::{Frames, FromAgent, Message, PROTOCOL, ToAgent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::{Agent, Event, Events};
use crate::Error;

/// How long a child may take to end once its output is closed, and to close it once it was let go.
const END_WITHIN: Duration = Duration::from_secs(5);

pub(super) fn launch(
    number: usize,
    program: Option<&Path>,
    assignment: Assignment,
    events: Events,
) -> Result<Agent, Error> {
    let system = |what| move |source| Error::System { what, source };
    let mut command = match program {
        // Such a program is an agent and nothing else, so it needs no word to say so.
        Some(program) => Command::new(program),
        None => {
            let own = std::env::current_exe().map_err(system("finding this program for its agents"))?;
            let mut command = Command::new(own);
            command.args(["agent", "--stdio"]);
            command
        }
    };
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // A group of its own: Ctrl-C in a terminal is for the coordinator, which stops its agents in good order.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(system("starting an agent"))?;
    let missing = || system("speaking with an agent")(std::io::Error::other("it has no input or output"));
    let input = child.stdin.take().ok_or_else(missing)?;
    let output = child.stdout.take().ok_or_else(missing)?;
    let (to, commands) = mpsc::unbounded_channel();
    // The receiver is handed to the writer below, so these two wait for it.
    let _ = to.send(ToAgent::Hello { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").to_owned() });
    let _ = to.send(ToAgent::Assign(Box::new(assignment)));
    let let_go = tokio::spawn(write(input, commands));
    tokio::spawn(async move {
        let said = tokio::select! {
            said = read(number, output, &events) => said,
            // One that hangs does not even notice.
            () = async { let _ = let_go.await; sleep(END_WITHIN).await } => {
                let _ = child.start_kill();
                Err("it was let go and did not end".to_owned())
            }
        };
        let status = reap(child).await;
        // The run may be over already; then nobody listens.
        let _ = events.send((number, Event::Gone(farewell(said, status)))).await;
    });
    Ok(Agent::here(to))
}

/// Writes commands until the coordinator drops its end, which closes the child's input.
async fn write(mut input: ChildStdin, mut commands: mpsc::UnboundedReceiver<ToAgent>) {
    while let Some(command) = commands.recv().await {
        let Ok(frame) = command.encode() else { return };
        if input.write_all(&frame).await.is_err() || input.flush().await.is_err() {
            return;
        }
    }
}

/// Reads reports until the stream ends. The error says what is wrong with it.
async fn read(number: usize, mut output: ChildStdout, events: &Events) -> Result<(), String> {
    let mut frames = Frames::default();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = output.read(&mut buffer).await.map_err(|error| error.to_string())?;
        if count == 0 {
            return Ok(());
        }
        frames.push(&buffer[..count]);
        while let Some(frame) = frames.next_frame().map_err(|error| error.to_string())? {
            let said = FromAgent::decode(&frame).map_err(|error| error.to_string())?;
            if events.send((number, Event::Said(said))).await.is_err() {
                return Ok(());
            }
        }
    }
}

async fn reap(mut child: Child) -> Option<ExitStatus> {
    match timeout(END_WITHIN, child.wait()).await {
        Ok(status) => status.ok(),
        Err(_) => {
            let _ = child.kill().await;
            child.wait().await.ok()
        }
    }
}

fn farewell(said: Result<(), String>, status: Option<ExitStatus>) -> String {
    let ended = match status {
        Some(status) => format!("its process ended with {status}"),
        None => "its process could not be waited for".to_owned(),
    };
    match said {
        Ok(()) => ended,
        Err(why) => format!("{why}; {ended}"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use doorbuster_model::assignment::Secrets;
    use doorbuster_model::{Overrides, Segment, Task};

    use super::*;
    use crate::launch::queue;

    #[tokio::test]
    async fn a_child_that_hangs_ends_once_it_is_let_go() {
        let folder = std::env::temp_dir().join(format!("doorbuster-launch-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let program = folder.join("hangs");
        // It hears nothing and says nothing, and keeps its output open.
        std::fs::write(&program, "#!/bin/sh\nexec sleep 600\n").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let assignment = Assignment {
            id: "a".to_owned(),
            run: "r".to_owned(),
            region: "tokyo".to_owned(),
            segment: Segment::whole(),
            agents_here: 1,
            plan: String::new(),
            overrides: Overrides::default(),
            files: Arc::default(),
            secrets: Secrets::default(),
            today: 0,
            task: Task::Load,
            generation: None,
            not_after_unix_ms: 0,
        };
        let (events, mut happened) = queue();
        let agent = launch(7, Some(&program), assignment, events).unwrap();
        drop(agent);
        let gone = timeout(Duration::from_secs(20), happened.recv()).await.unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let Some((7, Event::Gone(why))) = &gone else { panic!("{gone:?}") };
        assert!(why.starts_with("it was let go and did not end; its process ended with signal: 9"), "{why}");
    }
}
