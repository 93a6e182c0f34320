//! The agent as a function of AWS Lambda.
//!
//! An invocation is an assignment or a round of a probe. An assignment is claimed (`claim`), so that none is carried out twice,
//! and carried out by a process of its own (`duty`), which hears of lease, start and stop by way of a board that is looked at
//! every two seconds (`board`); what it says is the function's answer, streamed while it comes (`reply`, `runtime`). A round of
//! a probe (`probe`) needs no coordinator: its figures are printed in the form of which CloudWatch makes metrics (`emf`).

mod board;
mod claim;
mod duty;
mod emf;
mod object;
mod probe;
mod reply;
mod runtime;
mod signature;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::pin::pin;
use std::time::Duration;

use doorbuster_wire::{Error as WireError, Invocation, PROTOCOL};
use tokio::time::Instant;

use crate::Error;
use crate::child::Program;
use crate::session::{VERSION, unix_ns};
use board::Limits;
use duty::Duty;
use object::Objects;
use probe::Order;
use reply::Said;
use runtime::{Invoked, Runtime};

/// So long before AWS would end the function it has ended by itself.
const SPARE: Duration = Duration::from_secs(5);
/// What kind of failure it is when an invocation cannot even begin to be carried out.
const INVOCATION: &str = "Agent.Invocation";
/// When a probe's round could not be walked, whatever the target did.
const PROBE: &str = "Agent.Probe";
/// When there is nothing to serve with.
const INIT: &str = "Agent.Init";

/// Serves invocations one after another, as long as AWS hands over any. `runtime_api` is host and port of the Runtime API, as
/// AWS says it in `AWS_LAMBDA_RUNTIME_API`. Assignments are carried out by processes of this program with `--stdio`.
///
/// # Errors
/// [`Error`] when the Runtime API is not what it should be; AWS begins anew then.
pub fn serve(runtime_api: &str) -> Result<(), Error> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let tokio = tokio.map_err(|source| Error::System { what: "starting the function's runtime", source })?;
    tokio.block_on(async {
        let runtime = Runtime::new(runtime_api);
        match Program::own(&["--stdio"]) {
            Ok(program) => Function { runtime, program, limits: Limits::default() }.serve().await,
            Err(error) => {
                // It ends either way.
                let _ = runtime.fail_to_begin(INIT, &error.to_string()).await;
                Err(error)
            }
        }
    })
}

/// Says something in the function's log.
fn say(text: &str) {
    // Without a log there is nobody to say so to.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// A function, in one execution environment.
struct Function {
    runtime: Runtime,
    /// What carries out an assignment.
    program: Program,
    limits: Limits,
}

impl Function {
    async fn serve(&self) -> Result<(), Error> {
        loop {
            let invoked = self.runtime.next().await?;
            let left = Duration::from_millis(invoked.deadline_unix_ms.saturating_sub(unix_ns() / 1_000_000));
            let deadline = Instant::now() + left.saturating_sub(SPARE);
            match Order::of(&invoked.payload) {
                Some(order) => self.probe(&invoked, order, deadline).await?,
                None => self.load(&invoked, deadline).await?,
            }
        }
    }

    /// Carries out an assignment.
    async fn load(&self, invoked: &Invoked, deadline: Instant) -> Result<(), Error> {
        let invocation = match Invocation::parse(&invoked.payload) {
            Ok(invocation) => invocation,
            Err(error) => return self.refuse(invoked, INVOCATION, &error.to_string()).await,
        };
        let (mut reply, said) = reply::channel();
        if invocation.protocol != PROTOCOL {
            let error = Error::Wire(WireError::Protocol {
                coordinator: invocation.version,
                coordinator_protocol: invocation.protocol,
                agent: VERSION.to_owned(),
                agent_protocol: PROTOCOL,
            });
            say(&error.to_string());
            // The coordinator knows more to say of it, once it has seen the hello.
            let work = async move { drop(reply.fail(error.to_string()).await) };
            return self.answer(&invoked.id, said, false, work).await;
        }
        let read = async {
            let mut objects = Objects::new()?;
            let duty = Duty::read(&invocation, &mut objects).await?;
            Ok::<_, Error>((duty, objects))
        };
        match read.await {
            Ok((duty, objects)) => {
                let is_whole = duty.is_told_whole();
                let work = duty.carry_out(&self.program, objects, reply, &self.limits, deadline);
                self.answer(&invoked.id, said, is_whole, work).await
            }
            Err(error) => self.refuse(invoked, INVOCATION, &error.to_string()).await,
        }
    }

    /// Walks a round of a probe.
    async fn probe(
        &self,
        invoked: &Invoked,
        order: Result<Order, Error>,
        deadline: Instant,
    ) -> Result<(), Error> {
        let walked = async { order?.walk(&invoked.id, &self.program, deadline).await };
        match walked.await {
            Ok(walked) => {
                let mut lines = walked.lines(unix_ns() / 1_000_000).join("\n");
                lines.push('\n');
                // Without standard output there are no metrics, and that is seen.
                let _ = std::io::stdout().lock().write_all(lines.as_bytes());
                self.runtime.respond_json(&invoked.id, walked.summary()).await
            }
            Err(error) => self.refuse(invoked, PROBE, &error.to_string()).await,
        }
    }

    /// Answers that the invocation is none that can be carried out.
    async fn refuse(&self, invoked: &Invoked, kind: &'static str, why: &str) -> Result<(), Error> {
        say(why);
        self.runtime.fail(&invoked.id, kind, why).await
    }

    /// Answers with what `work` says, as long as somebody takes it.
    async fn answer(
        &self,
        id: &str,
        said: Said,
        is_whole: bool,
        work: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let mut answer = pin!(self.runtime.respond(id, said, is_whole));
        let mut work = pin!(work);
        tokio::select! {
            // Whoever is at work leaves, and its process with it.
            answered = &mut answer => answered,
            () = &mut work => answer.await,
        }
    }
}
