//! One assignment, carried out in a process of its own: from the claim to the last report.

use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;
use doorbuster_model::plan::Responses;
use doorbuster_model::{Assignment, Plan, Report};
use doorbuster_wire::{
    Bundle, Error as WireError, FRAME_BYTES_MAX, FromAgent, Invocation, Message, PROTOCOL, ToAgent,
};
use http::HeaderMap;
use tokio::time::{Instant, sleep_until};
use url::Url;

use super::board::{self, Limits};
use super::claim::claim;
use super::object::Objects;
use super::reply::{Reply, hello};
use super::say;
use crate::Error;
use crate::child::{self, Output, Program};
use crate::health::raise_descriptors;
use crate::job::Job;
use crate::session::{VERSION, in_time, unix_ns};

/// How long a process may take to end once it has closed its output.
const END_WITHIN: Duration = Duration::from_secs(5);

const READING: &str = "reading the invocation";

/// What a function was invoked to do, once all of it is there.
pub(super) struct Duty {
    assignment: Box<Assignment>,
    board_url: Url,
    claim_url: Url,
    /// The coordinator's version.
    version: String,
}

impl Duty {
    /// Reads an invocation, and fetches what it only names.
    pub(super) async fn read(invocation: &Invocation, objects: &mut Objects) -> Result<Self, Error> {
        let assignment = match &invocation.bundle {
            Bundle::Frame(frame) => Bundle::assignment(frame),
            Bundle::Url(text) => {
                let (what, url) = ("fetching the assignment", address(text)?);
                let frame = objects.whole(what, &url, &HeaderMap::new(), FRAME_BYTES_MAX + 4).await?;
                Bundle::assignment(&frame)
            }
        };
        let fail = |error: WireError| Error::Aws { what: READING, why: error.to_string() };
        Ok(Self {
            assignment: Box::new(assignment.map_err(fail)?),
            board_url: address(&invocation.board_url)?,
            claim_url: address(&invocation.claim_url)?,
            version: invocation.version.clone(),
        })
    }

    /// Whether the plan wants the answer all at once.
    pub(super) fn is_told_whole(&self) -> bool {
        let plan = Plan::read("plan", &self.assignment.plan);
        plan.is_ok_and(|plan| matches!(plan.fleet.responses, Responses::Whole))
    }

    /// Carries it out in a process of `program`, until `deadline` at the latest. What becomes of it is said in the answer.
    pub(super) async fn carry_out(
        self,
        program: &Program,
        mut objects: Objects,
        mut reply: Reply,
        limits: &Limits,
        deadline: Instant,
    ) {
        let id = self.assignment.id.clone();
        if let Err(error) = self.run(program, &mut objects, &mut reply, limits, deadline).await {
            say(&format!("assignment {id}: {error}"));
            // Where nobody takes the answer any more, that is what went wrong.
            let _ = reply.fail(error.to_string()).await;
        }
    }

    async fn run(
        self,
        program: &Program,
        objects: &mut Objects,
        reply: &mut Reply,
        limits: &Limits,
        deadline: Instant,
    ) -> Result<(), Error> {
        let ready = self.ready()?;
        let Self { assignment, board_url, claim_url, version } = self;
        let id = assignment.id.clone();
        if !claim(objects, &claim_url, &ready).await? {
            let why = format!("this is a duplicate of {id}, which was claimed already; nothing was sent");
            return Err(Error::Assignment(why));
        }
        let (mut to, mut from, guard) = child::start(program)?;
        let first = ToAgent::Hello { protocol: PROTOCOL, version };
        let second = ToAgent::Assign(assignment);
        let told = async {
            for message in [first, second] {
                if to.tell(&message).await.is_err() {
                    // What it says at its end tells more.
                    break;
                }
            }
            board::follow(objects, &board_url, &id, &mut to, limits).await
        };
        let end = tokio::select! {
            biased;
            heard = pass_on(&mut from, reply) => End::Heard(heard),
            end = told => End::Board(end),
            () = sleep_until(deadline) => End::Deadline,
        };
        // An agent that is still there ends at the end of its input.
        drop(to);
        let why = match end {
            End::Heard(Ok(true)) => {
                guard.ended(END_WITHIN).await;
                return Ok(());
            }
            End::Heard(Ok(false)) => lost(guard.ended(END_WITHIN).await),
            End::Heard(Err(error)) => {
                guard.end().await;
                error.to_string()
            }
            End::Board(board::End::LetGo) => {
                guard.end().await;
                return Err(Error::CoordinatorGone { why: "the coordinator let the agent go" });
            }
            End::Board(board::End::Silent) => {
                guard.end().await;
                "the coordinator did not renew the lease for 15 s; the agent's process was killed".to_owned()
            }
            End::Deadline => {
                guard.end().await;
                "the function's time is nearly over, and its load is not; give the function a longer timeout (15 minutes at most), or the plan's `fleet` a shorter `generation`".to_owned()
            }
        };
        say(&format!("assignment {id}: {why}"));
        reply.break_off(why).await
    }

    /// What an agent says that is ready, as the claim holds it: everything that can be found out without the agent's process.
    fn ready(&self) -> Result<Bytes, Error> {
        let now_unix_ns = unix_ns();
        in_time(self.assignment.not_after_unix_ms, now_unix_ns / 1_000_000)?;
        let job = Job::read(&self.assignment)?;
        let started = Report::Started {
            clock_unix_ns: now_unix_ns,
            version: VERSION.to_owned(),
            workers: u32::try_from(job.workers()).unwrap_or(u32::MAX),
            // The agent's process inherits it.
            descriptors_max: raise_descriptors(),
        };
        let mut frames = hello().encode().map_err(Error::Process)?;
        frames.extend(FromAgent::Report(started).encode().map_err(Error::Process)?);
        Ok(Bytes::from(frames))
    }
}

/// How it came to an end.
enum End {
    /// The process has closed its output; whether it had said its last word. Or it says what cannot be understood, or nobody
    /// takes what it says.
    Heard(Result<bool, Error>),
    Board(board::End),
    Deadline,
}

/// Passes on what the process says, to its end. Whether its last word was meant to be that.
async fn pass_on(from: &mut Output, reply: &mut Reply) -> Result<bool, Error> {
    let mut is_over = false;
    while let Some(message) = from.next().await? {
        is_over = matches!(&message, FromAgent::Report(Report::Finished { .. } | Report::Failed { .. }));
        reply.say(&message).await?;
    }
    Ok(is_over)
}

fn lost(status: Option<ExitStatus>) -> String {
    let how = match status {
        Some(status) => format!("ended with {status}"),
        None => "ended, nobody knows how,".to_owned(),
    };
    format!(
        "the agent's process {how} before its load was over; the function's log says more, and a function with more memory may help"
    )
}

fn address(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    // It may hold a signature: what it is, is not said.
    url.ok_or_else(|| Error::Aws { what: READING, why: "one of its addresses is none of HTTP".to_owned() })
}
