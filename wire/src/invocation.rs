//! What a function is invoked with: its assignment, and where it says and hears the rest.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorbuster_model::Assignment;
use serde::{Deserialize, Serialize};

use crate::{Error, Frames, Message, ToAgent};

/// The payload of an invocation, which is JSON. Who has its addresses may do what they are signed for, so that signatures are
/// shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The assignment.
    pub bundle: Bundle,
    /// Where the [`Board`](crate::Board) is, for GET.
    pub board_url: String,
    /// Where the assignment is claimed, for PUT with `if-none-match: *`: whoever is second has a duplicate.
    pub claim_url: String,
    /// The coordinator's [`PROTOCOL`](crate::PROTOCOL).
    pub protocol: u32,
    /// The coordinator's version, for people.
    pub version: String,
}

/// An assignment: one frame of [`ToAgent::Assign`]. Neither the secrets in it nor a signature is shown.
#[derive(Clone, PartialEq, Eq)]
pub enum Bundle {
    /// The frame itself.
    Frame(Vec<u8>),
    /// Where it is, for GET: for those that are too long for a payload.
    Url(String),
}

/// The payload as it is written.
#[derive(Deserialize, Serialize)]
struct Payload {
    #[serde(skip_serializing_if = "Option::is_none")]
    assignment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignment_url: Option<String>,
    board_url: String,
    claim_url: String,
    protocol: u32,
    version: String,
}

impl Invocation {
    /// The invocation of a payload. Keys that are not known are for a later version.
    ///
    /// # Errors
    /// [`Error::NotAnInvocation`] with what is wrong.
    pub fn parse(payload: &[u8]) -> Result<Self, Error> {
        let not = |why: String| Error::NotAnInvocation { why };
        let Payload { assignment, assignment_url, board_url, claim_url, protocol, version } =
            serde_json::from_slice(payload).map_err(|why| not(why.to_string()))?;
        let bundle = match (assignment, assignment_url) {
            (Some(text), None) => {
                let frame =
                    STANDARD.decode(text).map_err(|why| not(format!("assignment is no base64: {why}")))?;
                Bundle::Frame(frame)
            }
            (None, Some(url)) => Bundle::Url(url),
            _ => return Err(not("it needs exactly one of assignment and assignment_url".to_owned())),
        };
        Ok(Self { bundle, board_url, claim_url, protocol, version })
    }

    /// The invocation as a payload.
    pub fn to_json(&self) -> Vec<u8> {
        let (assignment, assignment_url) = match &self.bundle {
            Bundle::Frame(frame) => (Some(STANDARD.encode(frame)), None),
            Bundle::Url(url) => (None, Some(url.clone())),
        };
        let payload = Payload {
            assignment,
            assignment_url,
            board_url: self.board_url.clone(),
            claim_url: self.claim_url.clone(),
            protocol: self.protocol,
            version: self.version.clone(),
        };
        // Texts and a number under keys of our own: nothing that JSON could not say.
        serde_json::to_vec(&payload).unwrap_or_default()
    }
}

impl Bundle {
    /// The assignment as a bundle that is handed over with the payload.
    ///
    /// # Errors
    /// [`Error::MessageTooLong`].
    pub fn of(assignment: Assignment) -> Result<Self, Error> {
        ToAgent::Assign(Box::new(assignment)).encode().map(Self::Frame)
    }

    /// The assignment of a frame, its own or one that was fetched.
    ///
    /// # Errors
    /// As frames and messages have; [`Error::Impossible`] where it is not exactly one assignment.
    pub fn assignment(frame: &[u8]) -> Result<Assignment, Error> {
        let mut frames = Frames::default();
        frames.push(frame);
        let impossible = Error::Impossible { part: "assignment" };
        let Some(message) = frames.next_frame()? else { return Err(impossible) };
        match ToAgent::decode(&message)? {
            ToAgent::Assign(assignment) if message.len() + 4 == frame.len() => Ok(*assignment),
            _ => Err(impossible),
        }
    }
}

impl fmt::Debug for Invocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Invocation")
            .field("bundle", &self.bundle)
            .field("board_url", &unsigned(&self.board_url))
            .field("claim_url", &unsigned(&self.claim_url))
            .field("protocol", &self.protocol)
            .field("version", &self.version)
            .finish()
    }
}

impl fmt::Debug for Bundle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(frame) => write!(formatter, "Frame({} bytes)", frame.len()),
            Self::Url(url) => write!(formatter, "Url({:?})", unsigned(url)),
        }
    }
}

/// An address without its query, which is its signature.
fn unsigned(url: &str) -> &str {
    url.split('?').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PROTOCOL;

    fn invocation(bundle: Bundle) -> Invocation {
        Invocation {
            bundle,
            board_url: "https://b.s3.eu-west-2.amazonaws.com/runs/r/board?X-Amz-Signature=1".to_owned(),
            claim_url: "https://b.s3.eu-west-2.amazonaws.com/runs/r/claim-0?X-Amz-Signature=2".to_owned(),
            protocol: PROTOCOL,
            version: "1.2.3".to_owned(),
        }
    }

    #[test]
    fn an_invocation_survives_its_payload() {
        let at = Bundle::Url("https://b.s3.eu-west-2.amazonaws.com/bundle".to_owned());
        for bundle in [Bundle::Frame(vec![0, 0, 0, 2, 0xff, 1]), at] {
            let invocation = invocation(bundle);
            assert_eq!(Invocation::parse(&invocation.to_json()), Ok(invocation));
        }
        let payload = String::from_utf8(invocation(Bundle::Frame(vec![0xfb, 0xff])).to_json()).unwrap();
        assert!(payload.starts_with("{\"assignment\":\"+/8=\",\"board_url\":\"https://"), "{payload}");
        let later = payload.replace("{\"assignment\"", "{\"later\":[1],\"assignment\"");
        assert!(Invocation::parse(later.as_bytes()).is_ok(), "a newer coordinator may say more");
    }

    #[test]
    fn signatures_and_secrets_are_not_shown() {
        let shown = format!("{:?}", invocation(Bundle::Frame(b"hush".to_vec())));
        for told in ["Frame(4 bytes)", "/runs/r/board\"", "/runs/r/claim-0\"", "1.2.3"] {
            assert!(shown.contains(told), "{told}: {shown}");
        }
        // As text and as the numbers of its bytes.
        for secret in ["Signature", "?", "hush", "104"] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
        let at = Bundle::Url("https://b.example/bundle?X-Amz-Signature=3".to_owned());
        assert_eq!(format!("{at:?}"), "Url(\"https://b.example/bundle\")");
    }

    #[test]
    fn what_is_no_invocation_is_refused_with_why() {
        let good = String::from_utf8(invocation(Bundle::Frame(Vec::new())).to_json()).unwrap();
        let broken = good.replace("\"assignment\":\"\"", "\"assignment\":\"*\"");
        let neither = good.replace("\"assignment\":\"\",", "");
        let both = good.replace("{", "{\"assignment_url\":\"https://b\",");
        for (payload, expected) in [
            ("{}", "missing field `board_url`"),
            ("{\"version\":", "EOF while parsing"),
            (broken.as_str(), "assignment is no base64"),
            (neither.as_str(), "exactly one of assignment and assignment_url"),
            (both.as_str(), "exactly one of assignment and assignment_url"),
        ] {
            let why = Invocation::parse(payload.as_bytes()).unwrap_err().to_string();
            assert!(why.contains(expected), "{payload}: {why}");
        }
    }

    #[test]
    fn a_bundle_is_one_assignment_and_nothing_else() {
        let stop = ToAgent::Stop.encode().unwrap();
        let impossible = Err(Error::Impossible { part: "assignment" });
        assert_eq!(Bundle::assignment(&stop), impossible);
        assert_eq!(Bundle::assignment(&stop[..3]), impossible);
        let assignment = crate::tests::assignment();
        let Bundle::Frame(mut frame) = Bundle::of(assignment.clone()).unwrap() else { panic!("no frame") };
        assert_eq!(Bundle::assignment(&frame), Ok(assignment));
        frame.push(0);
        assert_eq!(Bundle::assignment(&frame), impossible);
    }
}
