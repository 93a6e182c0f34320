//! What a function answers: an agent's frames, as they come or all at once.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use doorbuster_model::Report;
use doorbuster_wire::{FromAgent, Message, PROTOCOL};
use http::{HeaderMap, HeaderValue};
use hyper::body::{Body, Frame};
use serde_json::json;
use tokio::sync::mpsc;

use crate::Error;
use crate::session::VERSION;

/// The most messages that wait to be taken. An agent whose function is not heard waits, and ends with its lease.
const WAITING_MAX: usize = 64;
/// The largest answer that is told at once: AWS takes 6 MB, and Base64 makes four bytes of three.
const WHOLE_BYTES_MAX: usize = 4_500_000;

/// Trailers that say that a function failed after its answer had begun.
pub(super) const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
/// The same, in JSON in Base64.
pub(super) const ERROR_BODY: &str = "lambda-runtime-function-error-body";
/// What kind of failure that is.
const LOST: &str = "Agent.Lost";

/// Says what an agent says.
pub(super) struct Reply {
    frames: mpsc::Sender<Frame<Bytes>>,
    has_spoken: bool,
}

/// Takes what is said, as the body of a request to the Runtime API.
pub(super) struct Said(mpsc::Receiver<Frame<Bytes>>);

/// Both ends of an answer.
pub(super) fn channel() -> (Reply, Said) {
    let (frames, said) = mpsc::channel(WAITING_MAX);
    (Reply { frames, has_spoken: false }, Said(said))
}

/// What an agent says first.
pub(super) fn hello() -> FromAgent {
    FromAgent::Hello { protocol: PROTOCOL, version: VERSION.to_owned() }
}

impl Reply {
    /// Says something, once there is room for it.
    ///
    /// # Errors
    /// When nobody takes it any more.
    pub(super) async fn say(&mut self, message: &FromAgent) -> Result<(), Error> {
        let frame = message.encode().map_err(Error::Process)?;
        self.has_spoken = true;
        self.send(Frame::data(Bytes::from(frame))).await
    }

    /// Says why the agent ends, after its hello.
    ///
    /// # Errors
    /// As [`Reply::say`].
    pub(super) async fn fail(&mut self, message: String) -> Result<(), Error> {
        if !self.has_spoken {
            self.say(&hello()).await?;
        }
        self.say(&FromAgent::Report(Report::Failed { message })).await
    }

    /// As [`Reply::fail`], where it is no agent's decision: AWS is told as well, and counts it among the function's errors.
    ///
    /// # Errors
    /// As [`Reply::say`].
    pub(super) async fn break_off(&mut self, message: String) -> Result<(), Error> {
        let body = json!({ "errorType": LOST, "errorMessage": message }).to_string();
        let mut trailers = HeaderMap::new();
        trailers.insert(ERROR_TYPE, HeaderValue::from_static(LOST));
        if let Ok(body) = HeaderValue::from_str(&STANDARD.encode(body)) {
            trailers.insert(ERROR_BODY, body);
        }
        self.fail(message).await?;
        self.send(Frame::trailers(trailers)).await
    }

    async fn send(&self, frame: Frame<Bytes>) -> Result<(), Error> {
        let gone = Error::CoordinatorGone { why: "nobody takes the function's answer any more" };
        self.frames.send(frame).await.map_err(|_| gone)
    }
}

impl Said {
    /// All of it as one JSON text: the frames in Base64, because not every way of AWS's for whole answers leaves bytes that
    /// are no text as they are. What is too much is left out, and said.
    pub(super) async fn whole(mut self) -> String {
        let mut bytes = Vec::new();
        while let Some(frame) = self.0.recv().await {
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > WHOLE_BYTES_MAX {
                bytes = too_much();
                break;
            }
            bytes.extend_from_slice(&data);
        }
        format!("\"{}\"", STANDARD.encode(bytes))
    }
}

/// What is answered instead of more than AWS takes.
fn too_much() -> Vec<u8> {
    let message = format!(
        "the answer outgrew the {WHOLE_BYTES_MAX} bytes that a function may answer at once; shorten `generation` in the plan's `fleet`, or take a region with response streaming and `responses: streamed`"
    );
    let failed = FromAgent::Report(Report::Failed { message });
    [hello(), failed].iter().filter_map(|message| message.encode().ok()).flatten().collect()
}

impl Body for Said {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|frame| frame.map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use doorbuster_wire::Frames;

    use super::*;

    fn messages(text: &str) -> Vec<FromAgent> {
        let base64: String = serde_json::from_str(text).unwrap();
        let mut frames = Frames::default();
        frames.push(&STANDARD.decode(base64).unwrap());
        std::iter::from_fn(|| frames.next_frame().unwrap())
            .map(|frame| FromAgent::decode(&frame).unwrap())
            .collect()
    }

    #[tokio::test]
    async fn whole_answers_are_json_that_holds_the_frames() {
        let (mut reply, said) = channel();
        reply.break_off("it is gone".to_owned()).await.unwrap();
        drop(reply);
        let failed = FromAgent::Report(Report::Failed { message: "it is gone".to_owned() });
        assert_eq!(messages(&said.whole().await), [hello(), failed]);
    }

    #[tokio::test]
    async fn what_outgrows_an_answer_is_said_instead() {
        let (mut reply, said) = channel();
        let talk = async {
            let much = FromAgent::Report(Report::Failed { message: "x".repeat(1 << 20) });
            let mut count = 0;
            while reply.say(&much).await.is_ok() {
                count += 1;
                assert!(count < 1_000, "nobody stopped it");
            }
        };
        let (text, ()) = tokio::join!(said.whole(), talk);
        let told = messages(&text);
        let FromAgent::Report(Report::Failed { message }) = &told[1] else { panic!("{told:?}") };
        assert!(message.contains("shorten `generation`"), "{message}");
        assert!(text.len() < 6_000_000);
    }
}
