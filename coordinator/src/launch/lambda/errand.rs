//! One agent's invocation, from its first attempt to the end of its response.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvokeWithResponseStreamResponseEvent as Streamed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorbuster_model::{Assignment, Plan, Task};
use doorbuster_wire::ToAgent;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep};

use super::board::Board;
use super::bundle;
use super::place::{BOARD, Place};
use super::response::{Part, Response};
use super::trouble::{Function, Trouble, ended, with_signature};
use crate::aws::chain;
use crate::launch::{Event, Events, Handed};
use crate::pause::pause;

/// How long an agent that was let go may take to end: it looks at the board every 2 s, and the board has to be written.
const END_WITHIN: Duration = Duration::from_secs(6);
/// The first pause between attempts to invoke, and the longest.
const PAUSE: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How often it is looked whether an agent that answers as a whole has claimed its assignment.
const CLAIM_EVERY: Duration = Duration::from_millis(500);
/// What is said where an agent could not be told anything.
const UNWRITTEN: &str = "its board could not be written";
/// What is said of an invocation that went well.
const ENDED: &str = "its invocation ended";

/// An agent of a region.
#[derive(Debug)]
pub(super) struct Errand {
    place: Arc<Place>,
    plan: Arc<Plan>,
    number: usize,
    /// Whether its response comes at the end.
    is_whole: bool,
    /// How long it may take until it is invoked.
    ready_within: Duration,
    is_let_go: AtomicBool,
    /// When the addresses that it was handed end with the credentials that signed them, where those end.
    signs_until: OnceLock<SystemTime>,
    /// When it was invoked.
    handed: Handed,
}

/// How an agent was heard to the last.
#[derive(Debug, PartialEq, Eq)]
struct End {
    /// Why nothing more is heard of it.
    why: String,
    /// Whether it surely sends nothing any more. Whoever is merely not heard any more may work on, and is let go.
    is_over: bool,
}

impl End {
    fn over(why: String) -> Self {
        Self { why, is_over: true }
    }

    fn unheard(why: String) -> Self {
        Self { why, is_over: false }
    }

    /// Its invocation was answered to the end, `part` of which was heard of the agent. Another one may have what it was
    /// invoked for, and that one is not heard.
    fn complete(why: String, part: &Part) -> Self {
        Self { why, is_over: !part.is_anothers() }
    }
}

impl Errand {
    pub(super) fn new(
        place: Arc<Place>,
        plan: Arc<Plan>,
        number: usize,
        is_whole: bool,
        ready_within: Duration,
    ) -> Self {
        let (is_let_go, signs_until) = (AtomicBool::new(false), OnceLock::new());
        let handed = Handed::default();
        Self { place, plan, number, is_whole, ready_within, is_let_go, signs_until, handed }
    }

    /// The same, which notes when it invokes.
    pub(super) fn noting(self, handed: Handed) -> Self {
        Self { handed, ..self }
    }

    /// Carries the assignment out, and says that the agent is gone when that is over. Whoever drops the other end of
    /// `commands` lets it go.
    pub(super) async fn run(
        self,
        assignment: Assignment,
        commands: UnboundedReceiver<ToAgent>,
        events: Events,
    ) {
        let id = assignment.id.clone();
        // The agents of a load have one start, and one board. Each of a probe's has a start of its own.
        let own =
            matches!(assignment.task, Task::Probe { .. }).then(|| self.place.key(&format!("board-{id}")));
        let board = match &own {
            None => Ok(Arc::clone(&self.place.board)),
            Some(key) => Board::open(self.place.bucket.clone(), key.clone()).await.map(Arc::new),
        };
        let board = match board {
            Ok(board) => board,
            Err(failure) => {
                let why = format!("{UNWRITTEN}: {}", failure.why);
                let _ = events.send((self.number, Event::Gone(why))).await;
                return;
            }
        };
        let board_key = own.clone().unwrap_or_else(|| self.place.key(BOARD));
        let (End { mut why, is_over }, was_waited_for) = tokio::select! {
            end = Box::pin(self.signed(assignment, &board_key, &events)) => (end, false),
            // It stays on the board: it may still be about to begin.
            () = self.let_go(&id, &board, commands) => {
                (End::unheard("it was let go and did not end".to_owned()), true)
            }
        };
        if is_over {
            board.has_ended(&id);
        } else {
            // Under a lease that goes on for the others it would send for minutes, uncounted.
            board.let_go(&id);
        }
        if let Some(trouble) = board.trouble() {
            why = format!("{why}; {UNWRITTEN}: {trouble}");
        }
        // The run may be over already; then nobody listens.
        let _ = events.send((self.number, Event::Gone(why))).await;
        if !is_over && !was_waited_for {
            // Nobody takes the board down before it was read.
            sleep(END_WITHIN).await;
        }
        if let Some(key) = own.filter(|_| is_over) {
            board.stop();
            // What is left goes with the run, or by the bucket's own rules.
            let _ = self.place.bucket.delete(&key).await;
        }
    }

    /// Passes on what the agent is told until it is let go, and waits for its end then.
    async fn let_go(&self, id: &str, board: &Board, mut commands: UnboundedReceiver<ToAgent>) {
        while let Some(command) = commands.recv().await {
            board.tell(&command);
        }
        self.is_let_go.store(true, Ordering::Relaxed);
        board.let_go(id);
        sleep(END_WITHIN).await;
    }

    /// Carries the invocation out, and says so where its end may be that of what its addresses were signed with: an agent that
    /// cannot look at its board any more ends, and knows of no credentials.
    async fn signed(&self, assignment: Assignment, board_key: &str, events: &Events) -> End {
        // Why there are none is what handing over the assignment says.
        if let Ok(Some(until)) = self.place.bucket.signs_until().await {
            // It is set here alone.
            let _ = self.signs_until.set(until);
        }
        let end = Box::pin(self.invoke(assignment, board_key, events)).await;
        End { why: with_signature(end.why, self.signs_until.get().copied(), SystemTime::now()), ..end }
    }

    /// Invokes the function, again while it is too busy, and hears it to its end. Says why that came.
    async fn invoke(&self, assignment: Assignment, board_key: &str, events: &Events) -> End {
        let deadline = Instant::now() + self.ready_within;
        let claim = self.place.key(&bundle::claim(&assignment.id));
        let payload = match bundle::payload(&self.place, &self.plan, board_key, assignment).await {
            Ok(payload) => Blob::new(payload),
            Err(why) => return End::over(why),
        };
        let mut attempt = 0;
        // Whether an earlier attempt may have gone through, though nobody said so.
        let mut may_run = false;
        loop {
            self.place.turn().await;
            if self.is_let_go.load(Ordering::Relaxed) {
                return End { why: "it was let go before it was invoked".to_owned(), is_over: !may_run };
            }
            // What an earlier attempt may have invoked may be what is heard.
            if !may_run {
                self.handed.note();
            }
            let mut part = Part::default();
            let heard = if self.is_whole {
                self.whole(&payload, &claim, &mut part, events).await
            } else {
                self.streamed(&payload, &mut part, events).await
            };
            let trouble = match heard {
                // With two of them about, only the one that began is the one that ended.
                Ok(end) => return End { is_over: end.is_over && (!may_run || part.has_started()), ..end },
                Err(trouble) => trouble,
            };
            may_run |= trouble.may_run;
            let seed = u64::try_from(self.number).unwrap_or(0);
            let wait = pause(PAUSE, PAUSE_MAX, attempt, seed);
            if !trouble.is_passing || Instant::now() + wait >= deadline {
                return End { why: trouble.why, is_over: !may_run };
            }
            // One that begins cold has not claimed yet.
            sleep(wait).await;
            // An answer that was lost may be one of a function that runs: a second one would only find that out.
            if may_run && matches!(self.place.bucket.get(&claim).await, Ok(Some(_))) {
                return End::unheard(format!("{}; it runs, and nobody hears it", trouble.why));
            }
            attempt += 1;
        }
    }

    /// One attempt, whose response streams back.
    ///
    /// # Errors
    /// That there is no response.
    async fn streamed(&self, payload: &Blob, part: &mut Part, events: &Events) -> Result<End, Trouble> {
        let function = &self.place.function;
        let request = self.place.client.invoke_with_response_stream();
        let request = request.function_name(&self.place.name).payload(payload.clone());
        let answer = Box::pin(request.send()).await.map_err(|error| unanswered(&error, function))?;
        let mut stream = answer.event_stream;
        let mut response = Response::new(self.number, events).signed_until(self.signs_until.get().copied());
        loop {
            match stream.recv().await {
                Ok(Some(Streamed::PayloadChunk(chunk))) => {
                    let bytes = chunk.payload().map_or(&[][..], |payload| payload.as_ref());
                    if let Err(why) = response.take(part, bytes).await {
                        return Ok(End::unheard(format!("{function}: {why}")));
                    }
                }
                Ok(Some(Streamed::InvokeComplete(complete))) => {
                    let why = match complete.error_code() {
                        Some(code) => ended(function, code, complete.error_details().unwrap_or_default()),
                        None => part.only_text().map_or_else(
                            || ENDED.to_owned(),
                            |text| format!("{function} answered with what no agent says: {text}"),
                        ),
                    };
                    return Ok(End::complete(why, part));
                }
                // What is new to the protocol is nothing that an agent says.
                Ok(Some(_)) => {}
                Ok(None) => {
                    let why = format!("the response of {function} ended before it was complete");
                    return Ok(End::unheard(why));
                }
                Err(error) => {
                    let why = format!("the response of {function} broke: {}", chain(&error));
                    return Ok(End::unheard(why));
                }
            }
        }
    }

    /// One attempt, whose response comes as a whole at the end. That the agent is ready is seen by its claim.
    ///
    /// # Errors
    /// That there is no response.
    async fn whole(
        &self,
        payload: &Blob,
        claim: &str,
        part: &mut Part,
        events: &Events,
    ) -> Result<End, Trouble> {
        let function = &self.place.function;
        let mut response = Response::new(self.number, events).signed_until(self.signs_until.get().copied());
        let request = self.place.client.invoke().function_name(&self.place.name).payload(payload.clone());
        let mut invoked = Box::pin(request.send());
        let mut is_claimed = false;
        let answer = loop {
            tokio::select! {
                answer = &mut invoked => break answer,
                () = sleep(CLAIM_EVERY), if !is_claimed => {}
            }
            // Who may not list a bucket is refused what is not there yet, so a refusal is no news either.
            if let Ok(Some(greeting)) = self.place.bucket.get(claim).await {
                is_claimed = true;
                if let Err(why) = response.take(&mut Part::default(), &greeting).await {
                    return Ok(End::unheard(format!("{function}: {why}")));
                }
            }
        };
        let answer = answer.map_err(|error| {
            let trouble = unanswered(&error, function);
            // It runs, or ran: another attempt would be a duplicate.
            Trouble {
                is_passing: trouble.is_passing && !is_claimed,
                may_run: trouble.may_run || is_claimed,
                ..trouble
            }
        })?;
        let bytes = answer.payload().map_or(&[][..], |payload| payload.as_ref());
        if answer.function_error().is_some() {
            let (kind, message) = function_error(bytes);
            return Ok(End::complete(ended(function, &kind, &message), part));
        }
        let frames = match frames_of(bytes) {
            Ok(frames) => frames,
            Err(why) => return Ok(End::complete(format!("{function}: {why}"), part)),
        };
        let why = match response.take(part, &frames).await {
            Err(why) => format!("{function}: {why}"),
            Ok(()) => part.only_text().map_or_else(
                || ENDED.to_owned(),
                |text| format!("{function} answered with what no agent says: {text}"),
            ),
        };
        Ok(End::complete(why, part))
    }
}

/// Why there is no response. A server that fails may have passed the invocation on before.
fn unanswered<E>(error: &SdkError<E>, function: &Function) -> Trouble
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let status = error.raw_response().map(|answer| answer.status().as_u16());
    let trouble = Trouble::of(error, function);
    Trouble { may_run: trouble.may_run || status.is_some_and(|status| status >= 500), ..trouble }
}

/// The frames of a whole answer: as they are, or as a JSON string in Base64. A frame begins with its length in four bytes,
/// whose first is never a quotation mark: so long is none.
fn frames_of(payload: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    if payload.first() != Some(&b'"') {
        return Ok(Cow::Borrowed(payload));
    }
    let spoiled = |why: &dyn Display| {
        format!("its answer is spoiled ({why}): it was cut on the way, or no agent wrote it")
    };
    let text: String = serde_json::from_slice(payload).map_err(|why| spoiled(&why))?;
    STANDARD.decode(text).map(Cow::Owned).map_err(|why| spoiled(&why))
}

/// What a function's runtime says of its failure. Source: AWS Lambda Developer Guide, "Runtime API", error objects.
fn function_error(payload: &[u8]) -> (String, String) {
    let told: Value = serde_json::from_slice(payload).unwrap_or_default();
    let text = |key: &str| told.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("errorType"), text("errorMessage"))
}
