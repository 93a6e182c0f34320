//! What fuzzing feeds, and what must hold whatever that is. Only with the feature `fuzz`.

use url::Url;

use crate::client::http1::{Progress, Reading};
use crate::client::{Broken, HeadLines, Header, Receiver};
use crate::cookies::{COOKIES_MAX, Cookies, Scopes};

/// Everything that was shown of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shown {
    status: u16,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
    /// Where the answer ended, and whether the connection may go on: what smuggling is about.
    ended: Option<(usize, bool)>,
}

impl Receiver for Shown {
    fn sent(&mut self) {}

    fn came(&mut self) {}

    fn status(&mut self, status: u16) {
        assert_eq!(self.status, 0, "two answers to one request");
        self.status = status;
    }

    fn header(&mut self, _: Header, name: &[u8], value: &[u8]) {
        self.headers.push((name.to_vec(), value.to_vec()));
    }

    fn head_ends(&mut self, lines: HeadLines<'_>) {
        let mut again = Vec::new();
        lines.each(|name, value| again.push((name.to_vec(), value.to_vec())));
        assert_eq!(again, self.headers, "another head than the one that was shown");
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.body.extend_from_slice(bytes);
        Ok(())
    }

    fn only_counts(&self) -> bool {
        false
    }

    fn skipped(&mut self, _: u64) -> Result<(), Broken> {
        Ok(())
    }
}

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, to_head: bool) -> Option<Shown> {
    let (mut reading, mut shown) = (Reading::new(to_head), Shown::default());
    let mut before = 0;
    for piece in pieces {
        match reading.feed(piece, &mut shown) {
            Ok(Progress::More) => before += piece.len(),
            Ok(Progress::Over(used)) => {
                shown.ended = Some((before + used, reading.persistent()));
                return Some(shown);
            }
            Err(_) => return None,
        }
    }
    reading.end().is_ok().then_some(shown)
}

/// An answer of HTTP/1.1, behind two bytes that say how it is split and whether a HEAD was asked.
///
/// # Panics
/// Where reading it whole and in pieces are two things.
pub fn answer(bytes: &[u8]) {
    let [split, head, answer @ ..] = bytes else { return };
    let pieces = answer.chunks(usize::from(*split).max(1));
    let to_head = head % 2 == 1;
    assert_eq!(read([answer], to_head), read(pieces, to_head));
}

/// Feeds Set-Cookie lines, one to a line, to a shopper's jar.
pub fn cookies(lines: &str) {
    let (jar, scopes) = (Cookies::default(), Scopes::default());
    let Ok(url) = Url::parse("https://www.shop.test/cart/add") else { return };
    for line in lines.split('\n') {
        jar.keep(line, &url, &scopes);
    }
    let mut sent = Vec::new();
    jar.write(&url, &mut sent);
    assert!(sent.split(|byte| *byte == b';').count() <= COOKIES_MAX, "a jar of over {COOKIES_MAX} cookies");
    assert!(!sent.iter().any(|byte| *byte < b' '), "a control character in a header");
}
