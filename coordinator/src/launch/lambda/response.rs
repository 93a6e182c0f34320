//! What a function answers, as it comes: the frames of an agent.

use std::mem;
use std::time::SystemTime;

use doorbuster_model::Report;
use doorbuster_wire::{Frames, FromAgent, Message};

use super::trouble::with_signature;
use crate::launch::{Event, Events};

/// How much may stand before the frames.
const PRELUDE_BYTES_MAX: usize = 64 << 10;
/// What ends it.
const PRELUDE_END: [u8; 8] = [0; 8];

/// Takes a response apart, and tells what the agent says.
#[derive(Debug)]
pub(super) struct Response<'a> {
    number: usize,
    events: &'a Events,
    has_said_hello: bool,
    has_started: bool,
    /// When the addresses that the agent was handed end, if they do.
    signs_until: Option<SystemTime>,
}

/// One run of bytes: of the response, or of the claim.
#[derive(Debug, Default)]
pub(super) struct Part {
    frames: Frames,
    prelude: Prelude,
    has_started: bool,
    has_failed: bool,
}

/// What stands before the frames. A runtime may begin a streamed response with what a web server would answer: JSON, then eight
/// zeros. Source: AWS Lambda Developer Guide, "Custom runtimes", `application/vnd.awslambda.http-integration-response`.
#[derive(Debug, Default)]
enum Prelude {
    /// Nobody knows yet whether there is one.
    #[default]
    Unknown,
    /// It is not over.
    Open(Vec<u8>),
    /// It is over, or there is none: frames begin with a length below 16 MiB, never with a brace.
    Over,
}

impl<'a> Response<'a> {
    /// What an agent says is told as from `number`.
    pub(super) fn new(number: usize, events: &'a Events) -> Self {
        Self { number, events, has_said_hello: false, has_started: false, signs_until: None }
    }

    /// The same of an agent whose addresses end then. If it fails later, that may be why, and it cannot know.
    pub(super) fn signed_until(self, signs_until: Option<SystemTime>) -> Self {
        Self { signs_until, ..self }
    }

    /// Takes bytes as they came, and waits where there is no room for what they say. Greetings are told once, though claim and
    /// response both hold them.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) async fn take(&mut self, part: &mut Part, bytes: &[u8]) -> Result<(), String> {
        part.push(bytes)?;
        while let Some(frame) = part.frames.next_frame().map_err(|error| error.to_string())? {
            let said = FromAgent::decode(&frame).map_err(|error| error.to_string())?;
            part.note(&said);
            let is_repeated = match &said {
                FromAgent::Hello { .. } => mem::replace(&mut self.has_said_hello, true),
                FromAgent::Report(Report::Started { .. }) => mem::replace(&mut self.has_started, true),
                FromAgent::Report(_) => false,
            };
            let said = match said {
                FromAgent::Report(Report::Failed { message }) => {
                    let message = with_signature(message, self.signs_until, SystemTime::now());
                    FromAgent::Report(Report::Failed { message })
                }
                said => said,
            };
            if !is_repeated {
                // The run may be over already; then nobody listens.
                let _ = self.events.send((self.number, Event::Said(said))).await;
            }
        }
        Ok(())
    }
}

impl Part {
    fn note(&mut self, said: &FromAgent) {
        match said {
            FromAgent::Report(Report::Started { .. }) => self.has_started = true,
            FromAgent::Report(Report::Failed { .. }) => self.has_failed = true,
            FromAgent::Hello { .. } | FromAgent::Report(_) => {}
        }
    }

    /// Whether the agent said in it that it is ready: it has claimed its assignment.
    pub(super) fn has_started(&self) -> bool {
        self.has_started
    }

    /// Whether the agent gave up before it was ready: what it was to do may be done by another one.
    pub(super) fn is_anothers(&self) -> bool {
        self.has_failed && !self.has_started
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some(first) = bytes.first() else { return Ok(()) };
        if matches!(self.prelude, Prelude::Unknown) {
            self.prelude = if *first == b'{' { Prelude::Open(Vec::new()) } else { Prelude::Over };
        }
        let Prelude::Open(read) = &mut self.prelude else {
            self.frames.push(bytes);
            return Ok(());
        };
        read.extend_from_slice(bytes);
        let end = read.windows(PRELUDE_END.len()).position(|eight| eight == PRELUDE_END);
        match end {
            Some(end) => {
                self.frames.push(&read[end + PRELUDE_END.len()..]);
                self.prelude = Prelude::Over;
                Ok(())
            }
            None if read.len() > PRELUDE_BYTES_MAX => {
                let begin = String::from_utf8_lossy(&read[..read.len().min(200)]).into_owned();
                Err(format!("it answered with what no agent says: {begin}"))
            }
            None => Ok(()),
        }
    }

    /// What came instead of frames, where nothing else did.
    pub(super) fn only_text(&self) -> Option<String> {
        match &self.prelude {
            Prelude::Open(read) => Some(String::from_utf8_lossy(read).into_owned()),
            Prelude::Unknown | Prelude::Over => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::launch::queue;

    fn frames() -> Vec<u8> {
        let hello = FromAgent::Hello { protocol: 4, version: "1".to_owned() };
        let started =
            Report::Started { clock_unix_ns: 1, version: "1".to_owned(), workers: 2, descriptors_max: 1_024 };
        [hello, FromAgent::Report(started), FromAgent::Report(Report::Finished { ticks: 3 })]
            .iter()
            .flat_map(|said| said.encode().unwrap())
            .collect()
    }

    fn said(events: &mut mpsc::Receiver<(usize, Event)>) -> Vec<&'static str> {
        let mut said = Vec::new();
        while let Ok((7, Event::Said(event))) = events.try_recv() {
            said.push(match event {
                FromAgent::Hello { .. } => "hello",
                FromAgent::Report(Report::Started { .. }) => "started",
                FromAgent::Report(Report::Finished { ticks: 3 }) => "finished",
                other => panic!("{other:?}"),
            });
        }
        said
    }

    #[tokio::test]
    async fn bytes_may_be_cut_anywhere_and_a_prelude_stand_before_them() {
        for prelude in [&b""[..], b"{\"statusCode\":200,\"headers\":{}}\0\0\0\0\0\0\0\0"] {
            let bytes = [prelude, &frames()].concat();
            for size in [1, 2, 3, 5, 7, 8, 9, bytes.len()] {
                let (sender, mut events) = queue();
                let (mut response, mut part) = (Response::new(7, &sender), Part::default());
                for cut in bytes.chunks(size) {
                    response.take(&mut part, cut).await.unwrap();
                }
                assert_eq!(said(&mut events), ["hello", "started", "finished"], "{size}");
                assert_eq!(part.only_text(), None);
            }
        }
    }

    #[tokio::test]
    async fn who_fails_before_he_is_ready_may_be_a_duplicate() {
        let (sender, _events) = queue();
        let failed = FromAgent::Report(Report::Failed { message: "a duplicate".to_owned() });
        let failed = failed.encode().unwrap();
        let mut response = Response::new(7, &sender);
        let mut duplicate = Part::default();
        response.take(&mut duplicate, &failed).await.unwrap();
        assert!(duplicate.is_anothers() && !duplicate.has_started());
        // What the claim said is no part of what the response says.
        let mut own = Part::default();
        response.take(&mut own, &[frames(), failed].concat()).await.unwrap();
        assert!(own.has_started() && !own.is_anothers());
    }

    #[tokio::test]
    async fn who_fails_after_its_credentials_ended_is_told_with_that() {
        let failed = || {
            let message = "the coordinator did not renew the lease for 15 s".to_owned();
            FromAgent::Report(Report::Failed { message }).encode().unwrap()
        };
        let told = async |signs_until| {
            let (sender, mut events) = queue();
            let mut response = Response::new(7, &sender).signed_until(signs_until);
            response.take(&mut Part::default(), &failed()).await.unwrap();
            match events.try_recv().unwrap() {
                (7, Event::Said(FromAgent::Report(Report::Failed { message }))) => message,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(told(None).await, "the coordinator did not renew the lease for 15 s");
        let ended = told(Some(SystemTime::UNIX_EPOCH)).await;
        assert!(ended.contains("for 15 s; the credentials"), "{ended}");
    }

    #[tokio::test]
    async fn greetings_are_told_once() {
        let (sender, mut events) = queue();
        let mut response = Response::new(7, &sender);
        let greeting =
            frames().len() - FromAgent::Report(Report::Finished { ticks: 3 }).encode().unwrap().len();
        response.take(&mut Part::default(), &frames()[..greeting]).await.unwrap();
        assert_eq!(said(&mut events), ["hello", "started"]);
        response.take(&mut Part::default(), &frames()).await.unwrap();
        assert_eq!(said(&mut events), ["finished"]);
    }

    #[tokio::test]
    async fn a_response_is_taken_no_further_than_there_is_room() {
        let (sender, mut events) = mpsc::channel(2);
        let (mut response, mut part) = (Response::new(7, &sender), Part::default());
        let frames = frames();
        let listening = async {
            tokio::task::yield_now().await;
            said(&mut events)
        };
        let (taken, heard) = tokio::join!(response.take(&mut part, &frames), listening);
        taken.unwrap();
        assert_eq!(heard, ["hello", "started"]);
        assert_eq!(said(&mut events), ["finished"]);
    }

    #[tokio::test]
    async fn what_is_no_frame_is_told() {
        let (sender, _events) = queue();
        let mut response = Response::new(7, &sender);
        let mut part = Part::default();
        response.take(&mut part, b"{\"errorMessage\":\"no\"}").await.unwrap();
        assert_eq!(part.only_text().unwrap(), "{\"errorMessage\":\"no\"}");
        let long = vec![b'{'; PRELUDE_BYTES_MAX + 1];
        assert!(response.take(&mut Part::default(), &long).await.unwrap_err().contains("no agent says: {{{"));
        assert!(response.take(&mut Part::default(), &[255; 8]).await.unwrap_err().contains("no Doorbuster"));
    }
}
