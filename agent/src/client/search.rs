//! A body's search for what other shoppers entered.

use std::rc::Rc;

use doorbuster_model::cdn::{MarkSearch, Marks};

use super::HeadLines;

/// The most bytes of an answer's head that are kept for a proof; headers beyond them are left out.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// Looks through a decoded body as it comes.
#[derive(Debug)]
pub(crate) struct Search {
    marks: Rc<Marks>,
    looking: MarkSearch,
    /// What proves what may be found.
    pub heads: Heads,
}

/// The heads of an exchange, as far as nobody knows them any more when its body has come. As they are: nothing is taken
/// apart, and no secret is hidden, before anything is found.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    /// The value of the Cookie header that was sent; empty where there was none.
    pub cookies: Vec<u8>,
    /// The answer's headers, a line each.
    lines: Vec<u8>,
}

impl Search {
    /// Looks for the markers of all shoppers but `own`.
    pub(crate) fn new(marks: &Rc<Marks>, own: u64) -> Self {
        Self { marks: Rc::clone(marks), looking: MarkSearch::new(own), heads: Heads::default() }
    }

    /// Looks through the next piece.
    pub(super) fn look(&mut self, piece: &[u8]) {
        self.looking.look(&self.marks, piece);
    }

    /// Whose marker was found, if anybody's but the own.
    pub(super) fn foreign(&self) -> Option<u64> {
        self.looking.foreign()
    }
}

impl Heads {
    /// Keeps the cookies that were sent, and the answer's headers.
    pub(crate) fn of(cookies: Vec<u8>, answered: HeadLines<'_>) -> Self {
        let mut lines = Vec::with_capacity(1_024);
        answered.each(|name, value| {
            if lines.len() + name.len() + value.len() + 3 <= HEAD_BYTES_MAX {
                lines.extend_from_slice(name);
                lines.extend_from_slice(b": ");
                lines.extend_from_slice(value);
                lines.push(b'\n');
            }
        });
        Self { cookies, lines }
    }

    /// The answer's headers.
    pub(crate) fn answered(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let lines = self.lines.split(|byte| *byte == b'\n');
        lines.filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii_start()))
        })
    }
}

#[cfg(test)]
mod tests {
    use http::header::{AGE, HeaderMap, HeaderValue, SET_COOKIE};

    use super::*;

    #[test]
    fn heads_are_kept_as_they_were_and_within_bounds() {
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, HeaderValue::from_static("sid=a:b; Path=/"));
        headers.append(AGE, HeaderValue::from_static("5"));
        let heads = Heads::of(b"sid=1".to_vec(), HeadLines::Http2(&headers));
        let answered: Vec<(&[u8], &[u8])> = heads.answered().collect();
        assert_eq!(answered, [(&b"set-cookie"[..], &b"sid=a:b; Path=/"[..]), (&b"age"[..], &b"5"[..])]);
        for _ in 0..1_000 {
            headers.append("x-long", HeaderValue::from_static("of a hundred bytes, as long as headers of a shop are that somebody has written with little to say"));
        }
        let heads = Heads::of(Vec::new(), HeadLines::Http2(&headers));
        assert!(heads.lines.len() <= HEAD_BYTES_MAX && heads.answered().count() > 100);
    }
}
