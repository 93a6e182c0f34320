//! One answer of HTTP/1.1, read as its bytes come: framing after RFC 9112, without I/O.
//!
//! What could be read in two ways is refused: behind a proxy it may be read in the other one.

use std::mem::MaybeUninit;

use httparse::{Error, ParserConfig, Response, Status};

use super::chunked::{Chunked, Piece};
use super::framing::{Framing, Length};
use crate::client::{Broken, HeadLines, Header, Receiver};

/// The longest head, in bytes.
pub(crate) const HEAD_BYTES_MAX: usize = 64 << 10;
/// The most headers of an answer.
pub(crate) const HEADERS_MAX: usize = 100;
/// The most answers that only announce another one (100, 103).
const INTERIM_MAX: u8 = 16;

/// An answer under way.
#[derive(Debug)]
pub(crate) struct Reading {
    state: State,
    /// The beginning of a head that did not come in one piece.
    partial: Vec<u8>,
    interim: u8,
    /// Whether the request was a HEAD, whose answer has no body.
    to_head: bool,
    /// Whether the connection may carry another exchange afterwards.
    persistent: bool,
}

#[derive(Debug)]
enum State {
    Head,
    /// So many bytes of body are to come.
    Length(u64),
    Chunked(Chunked),
    /// The body ends with the connection.
    UntilClose,
    Over,
}

/// How far an answer is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More is to come.
    More,
    /// It is complete; so many of the bytes belonged to it.
    Over(usize),
}

impl Reading {
    /// Nothing read yet of the answer to a request, which was a HEAD or was not.
    pub(crate) fn new(to_head: bool) -> Self {
        Self { state: State::Head, partial: Vec::new(), interim: 0, to_head, persistent: true }
    }

    /// Takes the next bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8], receiver: &mut impl Receiver) -> Result<Progress, Broken> {
        let mut at = 0;
        while at < bytes.len() {
            match &mut self.state {
                State::Head => {
                    at += self.head(&bytes[at..], receiver)?;
                    if matches!(self.state, State::Over) {
                        return Ok(Progress::Over(at));
                    }
                }
                State::Length(left) => {
                    let take = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len() - at);
                    receiver.data(&bytes[at..at + take])?;
                    at += take;
                    *left -= take as u64;
                    if *left == 0 {
                        self.state = State::Over;
                        return Ok(Progress::Over(at));
                    }
                }
                State::Chunked(chunked) => match chunked.next(bytes, &mut at).map_err(Broken::protocol)? {
                    Piece::Data(range) => receiver.data(&bytes[range])?,
                    Piece::More => {}
                    Piece::Over(used) => {
                        self.state = State::Over;
                        return Ok(Progress::Over(used));
                    }
                },
                State::UntilClose => {
                    receiver.data(&bytes[at..])?;
                    at = bytes.len();
                }
                State::Over => return Ok(Progress::Over(at)),
            }
        }
        Ok(Progress::More)
    }

    /// The connection ended. The error says that the answer is not complete.
    pub(crate) fn end(&self) -> Result<(), Broken> {
        match &self.state {
            State::UntilClose | State::Over => Ok(()),
            State::Head if self.partial.is_empty() => {
                Err(Broken::reset("it was closed before the answer came"))
            }
            // Its last line was not read yet, and may be what no head has.
            State::Head => Err(not_http(&self.partial)
                .unwrap_or_else(|| Broken::reset("it was closed in the middle of the answer's head"))),
            State::Length(left) => {
                Err(Broken::body(format!("the connection was closed {left} bytes too early")))
            }
            State::Chunked(_) => Err(Broken::body("the connection was closed before the last chunk")),
        }
    }

    /// Whether the answer's head is still to come, at least in part.
    pub(crate) fn is_in_head(&self) -> bool {
        matches!(self.state, State::Head)
    }

    /// How many bytes of the body are to come, where that is known.
    pub(crate) fn left(&self) -> Option<u64> {
        match self.state {
            State::Length(left) => Some(left),
            _ => None,
        }
    }

    /// So many bytes of a body of known length came and were not looked at.
    pub(crate) fn skip(&mut self, bytes: u64) -> Progress {
        if let State::Length(left) = &mut self.state {
            *left = left.saturating_sub(bytes);
            if *left == 0 {
                self.state = State::Over;
            }
        }
        if matches!(self.state, State::Over) { Progress::Over(0) } else { Progress::More }
    }

    /// Whether the connection may carry another exchange, once the answer is complete.
    pub(crate) fn persistent(&self) -> bool {
        self.persistent && matches!(self.state, State::Over)
    }

    /// Takes bytes of a head; how many of them.
    fn head(&mut self, bytes: &[u8], receiver: &mut impl Receiver) -> Result<usize, Broken> {
        if self.partial.is_empty() {
            let used = self.parse(bytes, receiver)?;
            if used.is_none() {
                self.keep(bytes)?;
            }
            return Ok(used.unwrap_or(bytes.len()));
        }
        let before = self.partial.len();
        self.keep(bytes)?;
        // Without the end of a line there is no end of a head: so a head that trickles in is not parsed anew each time.
        if !bytes.contains(&b'\n') {
            return Ok(bytes.len());
        }
        let partial = std::mem::take(&mut self.partial);
        match self.parse(&partial, receiver)? {
            Some(used) => Ok(used.saturating_sub(before)),
            None => {
                self.partial = partial;
                Ok(bytes.len())
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        // What lies beyond the limit is a body's beginning, or too much.
        let room = HEAD_BYTES_MAX.saturating_sub(self.partial.len());
        if room == 0 {
            return Err(Broken::protocol(format!("its head is over {HEAD_BYTES_MAX} bytes")));
        }
        self.partial.extend_from_slice(bytes);
        Ok(())
    }

    /// Reads a whole head; how long it is, or `None` when it is not complete.
    fn parse(&mut self, bytes: &[u8], receiver: &mut impl Receiver) -> Result<Option<usize>, Broken> {
        let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
        let Some((length, response)) = read_head(bytes, &mut headers)? else { return Ok(None) };
        let (status, is_1_1) = (response.code.unwrap_or(0), response.version == Some(1));
        if (100..200).contains(&status) {
            self.interim += 1;
            if status == 101 || self.interim > INTERIM_MAX {
                return Err(Broken::protocol(format!(
                    "an answer with status {status} that nobody asked for"
                )));
            }
            return Ok(Some(length));
        }
        if status < 100 {
            return Err(Broken::protocol(format!("a status of {status:03}")));
        }
        // First all that could make it no answer: one that is refused is not shown.
        let mut known = [Header::Other; HEADERS_MAX];
        let mut framing = Framing::new(is_1_1);
        for (known, line) in known.iter_mut().zip(&*response.headers) {
            *known = Header::of(line.name.as_bytes());
            framing.header(*known, line.value).map_err(Broken::protocol)?;
        }
        let framing = framing.end().map_err(Broken::protocol)?;
        receiver.status(status);
        for (known, line) in known.iter().zip(&*response.headers) {
            receiver.header(*known, line.name.as_bytes(), line.value);
        }
        receiver.head_ends(HeadLines::Http1(response.headers));
        let bodiless = self.to_head || matches!(status, 204 | 304);
        self.state = match framing.body {
            _ if bodiless => State::Over,
            Length::Known(0) => State::Over,
            Length::Known(length) => State::Length(length),
            Length::Chunked => State::Chunked(Chunked::new()),
            Length::Unknown => State::UntilClose,
        };
        // A 204 that announces a body may send one, which would be taken for the next answer.
        let announces = !self.to_head
            && match framing.body {
                Length::Known(length) => status == 204 && length > 0,
                Length::Chunked => bodiless,
                Length::Unknown => false,
            };
        self.persistent = framing.persistent && !announces && !matches!(self.state, State::UntilClose);
        Ok(Some(length))
    }
}

/// Why bytes cannot be the beginning of a head, if they cannot.
fn not_http(bytes: &[u8]) -> Option<Broken> {
    let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    read_head(bytes, &mut headers).err()
}

/// Takes a head apart: how long it is, and what it says; `None` where it is not complete.
fn read_head<'h, 'b>(
    bytes: &'b [u8],
    headers: &'h mut [MaybeUninit<httparse::Header<'b>>],
) -> Result<Option<(usize, Response<'h, 'b>)>, Broken> {
    let mut response = Response::new(&mut []);
    let parsed = ParserConfig::default().parse_response_with_uninit_headers(&mut response, bytes, headers);
    match parsed {
        Ok(Status::Complete(length)) if length <= HEAD_BYTES_MAX => Ok(Some((length, response))),
        Ok(Status::Complete(_)) => Err(Broken::protocol(format!("its head is over {HEAD_BYTES_MAX} bytes"))),
        Ok(Status::Partial) => Ok(None),
        Err(Error::TooManyHeaders) => Err(Broken::protocol(format!("it has over {HEADERS_MAX} headers"))),
        Err(why) => Err(Broken::protocol(why)),
    }
}
