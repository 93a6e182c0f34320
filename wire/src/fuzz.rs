//! What fuzzing feeds, and what must hold whatever that is. With the feature `fuzz`; every test holds the committed corpus
//! to it, too.
//!
//! There are two targets, by who reads. Each feeds the same bytes to everything that this side reads from a network, so that
//! a seed is what somebody would send.

use bytes::Bytes;

use crate::{
    Board, Bundle, Downward, Enrol, Enrolled, Error, FRAME_BYTES_MAX, Frames, FromAgent, Invocation, Message,
    Upward,
};

#[cfg(test)]
mod tests;

/// What a buffer may take beside twice what came.
const SPARE_BYTES_MAX: usize = 64 << 10;
/// What stands behind an address, and must not be shown.
const SIGNATURE: &str = "?X-Amz-Signature=0f1e2d3c";

/// What came of a stream.
#[derive(Debug, Default, PartialEq, Eq)]
struct Came {
    frames: Vec<Bytes>,
    /// Why nothing more is read.
    ended: Option<Error>,
}

/// What comes to a coordinator: the frames of an agent, a message of one that dialled in, a request for a certificate.
/// Frames stand behind the lengths of the first pieces in which they come, and those behind how many they are, each in a byte.
///
/// # Panics
/// Where something does not hold.
pub fn coordinator(bytes: &[u8]) {
    frames(bytes);
    if let Ok(upward) = Upward::decode(bytes) {
        assert_eq!(Upward::decode(&upward.encode()), Ok(upward));
    }
    if let Ok(enrol) = Enrol::decode(bytes) {
        assert_eq!(Enrol::decode(&enrol.encode()), Ok(enrol));
    }
}

/// What comes to an agent: the payload of a function, the bundle and the board that it names, a message to one that dialled
/// in, a certificate.
///
/// # Panics
/// Where something does not hold.
pub fn agent(bytes: &[u8]) {
    if let Ok(invocation) = Invocation::parse(bytes) {
        assert_eq!(Invocation::parse(&invocation.to_json()), Ok(invocation.clone()));
        if let Bundle::Frame(frame) = &invocation.bundle {
            bundle(frame);
        }
        sign(invocation);
    }
    bundle(bytes);
    if let Ok(board) = Board::decode(bytes) {
        assert_eq!(Board::decode(&board.encode()), Ok(board));
    }
    if let Ok(downward) = Downward::decode(bytes) {
        assert_eq!(Downward::decode(&downward.encode()), Ok(downward));
    }
    if let Ok(enrolled) = Enrolled::decode(bytes) {
        assert_eq!(Enrolled::decode(&enrolled.encode()), Ok(enrolled));
    }
}

/// Frames come the same in any pieces, and what they say, said again, is the same.
fn frames(bytes: &[u8]) {
    let (lengths, stream) = parts(bytes);
    let whole = read([stream]);
    assert_eq!(read(pieces(lengths, stream)), whole, "in pieces of {lengths:?}");
    whole.assert_all_of(stream);

    let messages: Vec<FromAgent> =
        whole.frames.iter().filter_map(|frame| FromAgent::decode(frame).ok()).collect();
    let again: Result<Vec<Vec<u8>>, Error> = messages.iter().map(FromAgent::encode).collect();
    assert!(again.is_ok(), "what is far shorter than a frame may be does not outgrow one: {again:?}");
    let again = read([again.unwrap_or_default().concat().as_slice()]);
    assert_eq!(again.ended, None);
    let again: Vec<Result<FromAgent, Error>> =
        again.frames.iter().map(|frame| FromAgent::decode(frame)).collect();
    assert_eq!(again, messages.into_iter().map(Ok).collect::<Vec<_>>());
}

/// The lengths of the first pieces, and the stream that comes in them.
fn parts(bytes: &[u8]) -> (&[u8], &[u8]) {
    let Some((count, rest)) = bytes.split_first() else { return (&[], &[]) };
    rest.split_at(usize::from(*count).min(rest.len()))
}

/// A stream in pieces of these lengths, and what is left of it.
fn pieces<'a>(lengths: &[u8], mut stream: &'a [u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::with_capacity(lengths.len() + 1);
    for length in lengths {
        let (piece, rest) = stream.split_at(usize::from(*length).min(stream.len()));
        pieces.push(piece);
        stream = rest;
    }
    pieces.push(stream);
    pieces
}

/// Reads a stream as both sides do: after every piece, all frames that are whole. Whatever a length claims, what is held for
/// it is bounded by what came.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Came {
    let (mut frames, mut came) = (Frames::default(), Came::default());
    let mut bytes = 0;
    for piece in pieces {
        frames.push(piece);
        bytes += piece.len();
        loop {
            match frames.next_frame() {
                Ok(Some(frame)) => came.frames.push(frame),
                Ok(None) => break,
                Err(why) => {
                    assert_eq!(frames.next_frame().err().as_ref(), Some(&why), "it never becomes one");
                    came.ended = Some(why);
                    return came;
                }
            }
        }
        let capacity = frames.capacity();
        assert!(capacity <= 2 * bytes + SPARE_BYTES_MAX, "room for {capacity} bytes where {bytes} came");
    }
    came
}

impl Came {
    /// These frames, each behind its length, are how the stream begins, and nothing behind them can be read.
    fn assert_all_of(&self, stream: &[u8]) {
        let mut begins = Vec::with_capacity(stream.len());
        for frame in &self.frames {
            let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
            begins.extend_from_slice(&length.to_be_bytes());
            begins.extend_from_slice(frame);
        }
        let rest = stream.strip_prefix(begins.as_slice());
        assert!(rest.is_some(), "frames that never came");
        let rest = rest.unwrap_or_default();
        let claimed = rest.first_chunk::<4>().map(|prefix| u32::from_be_bytes(*prefix) as usize);
        let too_long = claimed.filter(|length| *length > FRAME_BYTES_MAX);
        assert_eq!(self.ended, too_long.map(|length| Error::FrameTooLong { length }));
        let is_short = claimed.is_none_or(|length| rest.len() < 4 + length);
        assert!(too_long.is_some() || is_short, "a whole frame was left");
    }
}

/// A bundle is its assignment, which survives being said again, and nothing more or less.
fn bundle(frame: &[u8]) {
    let Ok(assignment) = Bundle::assignment(frame) else { return };
    let (cut, longer) = (&frame[..frame.len() - 1], [frame, b"\0".as_slice()].concat());
    assert!(Bundle::assignment(cut).is_err() && Bundle::assignment(&longer).is_err());
    let again = Bundle::of(assignment.clone()).and_then(|bundle| match bundle {
        Bundle::Frame(frame) => Bundle::assignment(&frame),
        Bundle::Url(_) => Err(Error::Impossible { part: "assignment" }),
    });
    assert_eq!(again, Ok(assignment));
}

/// Whatever the addresses are, what they are signed with is not shown.
fn sign(mut invocation: Invocation) {
    let shown = format!("{invocation:?}");
    invocation.board_url.push_str(SIGNATURE);
    invocation.claim_url.push_str(SIGNATURE);
    if let Bundle::Url(url) = &mut invocation.bundle {
        url.push_str(SIGNATURE);
    }
    assert_eq!(format!("{invocation:?}"), shown);
}
