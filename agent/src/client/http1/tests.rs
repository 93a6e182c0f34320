//! The client against a corpus of answers, and against hyper.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::answer::{HEAD_BYTES_MAX, HEADERS_MAX, Progress, Reading};
use super::{Http1, Scratch};
use crate::client::stream::Stream;
use crate::client::{Broken, HeadLines, Header, Receiver};

/// What was received.
#[derive(Debug, Default, PartialEq, Eq)]
struct Received {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    /// Only counts its body.
    blind: bool,
    heads: u32,
    /// Wants no more than so many bytes of the body.
    enough_bytes: Option<usize>,
    /// How often something came.
    times: u32,
}

impl Receiver for Received {
    fn sent(&mut self) {}

    fn came(&mut self) {
        self.times += 1;
    }

    fn status(&mut self, status: u16) {
        self.status = status;
    }

    fn header(&mut self, _: Header, name: &[u8], value: &[u8]) {
        self.headers.push((String::from_utf8(name.to_ascii_lowercase()).unwrap(), value.to_vec()));
    }

    fn head_ends(&mut self, lines: HeadLines<'_>) {
        self.heads += 1;
        let mut again = Vec::new();
        lines.each(|name, value| {
            again.push((String::from_utf8(name.to_ascii_lowercase()).unwrap(), value.to_vec()));
        });
        assert_eq!(again, self.headers, "what is shown at the end is what was shown before");
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.body.extend_from_slice(bytes);
        Ok(())
    }

    fn only_counts(&self) -> bool {
        self.blind
    }

    fn skipped(&mut self, bytes: u64) -> Result<(), Broken> {
        self.body.resize(self.body.len() + usize::try_from(bytes).unwrap(), b'x');
        Ok(())
    }

    fn has_enough(&mut self) -> bool {
        self.enough_bytes.is_some_and(|enough| self.body.len() >= enough)
    }
}

/// What an answer is taken for: status, headers and body, and whether the connection can go on.
#[derive(Debug, PartialEq, Eq)]
struct Taken {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    reusable: bool,
}

/// Reads `answer`, which comes in `pieces` and then ends.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, to_head: bool) -> Result<Taken, Broken> {
    let (mut reading, mut received) = (Reading::new(to_head), Received::default());
    let mut over = None;
    for piece in pieces {
        if over.is_some() {
            over = Some(false);
            break;
        }
        if let Progress::Over(used) = reading.feed(piece, &mut received)? {
            over = Some(used == piece.len());
        }
    }
    if over.is_none() {
        reading.end()?;
    }
    assert_eq!(received.heads, 1);
    Ok(Taken {
        status: received.status,
        headers: received.headers,
        body: received.body,
        reusable: over == Some(true) && reading.persistent(),
    })
}

fn body_of(answer: &str) -> Result<String, String> {
    let taken = read([answer.as_bytes()], false);
    taken.map(|taken| String::from_utf8(taken.body).unwrap()).map_err(|broken| broken.message)
}

/// Answers that every client must read alike, and whether they answer a HEAD.
fn good_answers() -> Vec<(String, bool)> {
    let long_value = "v".repeat(8_000);
    let many: String = (0..HEADERS_MAX - 1).map(|number| format!("x-{number}: {number}\r\n")).collect();
    let plain = [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello".to_owned(),
        "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n".to_owned(),
        "HTTP/1.1 200 \r\nCONTENT-LENGTH:3\r\nx-empty:\r\n\r\nabc".to_owned(),
        "HTTP/1.1 200 OK\ncontent-length: 5\n\nhello".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok".to_owned(),
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned(),
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok".to_owned(),
        "HTTP/1.1 200 OK\r\n\r\nuntil the end".to_owned(),
        "HTTP/1.0 200 OK\r\n\r\n".to_owned(),
        "HTTP/1.1 404 Not Found\r\nset-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 1\r\n\r\nx".to_owned(),
        "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        "HTTP/1.1 304 Not Modified\r\ncontent-length: 77\r\netag: \"a\"\r\n\r\n".to_owned(),
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_owned(),
        "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 100 \r\n\r\nHTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n0005;a=b;c=\"d\"\r\nhello\r\nA \r\n0123456789\r\n0;x\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 7\r\nx-more: 8\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\nx-long: {long_value}\r\ncontent-length: 1\r\n\r\nx"),
        format!("HTTP/1.1 200 OK\r\n{many}content-length: 1\r\n\r\nx"),
    ];
    let heads = [
        "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    ];
    let plain = plain.into_iter().map(|answer| (answer, false));
    plain.chain(heads.map(|answer| (answer.to_owned(), true))).collect()
}

/// A target that gives one answer to one request and closes.
async fn serve(answer: Vec<u8>) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.readable().await.unwrap();
        let _ = stream.try_read(&mut [0; 4_096]);
        stream.write_all(&answer).await.unwrap();
    });
    TcpStream::connect(address).await.unwrap()
}

/// hyper's reading of an answer: status, headers and body.
async fn by_hyper(answer: &str, to_head: bool) -> Result<(u16, Vec<(String, Vec<u8>)>, Vec<u8>), String> {
    let stream = TokioIo::new(serve(answer.as_bytes().to_vec()).await);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(stream).await.unwrap();
    tokio::spawn(connection);
    let method = if to_head { "HEAD" } else { "GET" };
    let request = http::Request::builder().method(method).uri("/").body(Empty::new()).unwrap();
    let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let headers = response.headers().iter();
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    headers.sort();
    let body = response.into_body().collect().await.map_err(|error| error.to_string())?;
    Ok((status, headers, body.to_bytes().to_vec()))
}

#[tokio::test]
async fn good_answers_are_read_as_hyper_reads_them_wherever_they_are_split() {
    for (answer, to_head) in good_answers() {
        let whole =
            read([answer.as_bytes()], to_head).unwrap_or_else(|broken| panic!("{answer}: {broken:?}"));
        let (status, headers, body) = by_hyper(&answer, to_head).await.unwrap();
        let mut own = whole.headers.clone();
        own.sort();
        assert_eq!((whole.status, &own, &whole.body), (status, &headers, &body), "{answer}");
        for at in 1..answer.len() {
            let (before, after) = answer.as_bytes().split_at(at);
            assert_eq!(read([before, after], to_head).as_ref(), Ok(&whole), "{answer} split at {at}");
        }
        assert_eq!(read(answer.as_bytes().chunks(1), to_head), Ok(whole), "{answer} byte by byte");
    }
}

#[test]
fn the_connection_goes_on_only_where_that_is_certain() {
    let reusable = |answer: &str| read([answer.as_bytes()], false).unwrap().reusable;
    let length = |more: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n{more}\r\nx");
    assert!(reusable(&length("")));
    assert!(reusable("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"));
    assert!(reusable(
        &length("").replace("1.1", "1.0").replace("length: 1", "length: 1\r\nconnection: keep-alive")
    ));
    assert!(!reusable(&length("").replace("1.1", "1.0")));
    assert!(!reusable(&length("connection: x, Close\r\n")));
    assert!(!reusable(&length("connection: keep-alive, close\r\n")));
    assert!(
        !reusable(&(length("") + "HTTP/1.1 200 OK")),
        "what comes behind an answer belongs to no request"
    );
    assert!(!reusable("HTTP/1.1 200 OK\r\n\r\nx"));
    assert!(reusable("HTTP/1.1 204 No Content\r\n\r\n"));
    assert!(!reusable("HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n"));
    assert!(reusable("HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n"));
}

#[test]
fn shapes_that_smuggle_are_refused() {
    let chunked = "transfer-encoding: chunked\r\n";
    for (headers, why) in [
        (format!("content-length: 5\r\n{chunked}"), "both a length and a transfer coding"),
        (format!("{chunked}content-length: 5\r\n"), "both a length and a transfer coding"),
        ("content-length: 5\r\ncontent-length: 6\r\n".to_owned(), "lengths that contradict each other"),
        ("content-length: 5, 6\r\n".to_owned(), "lengths that contradict each other"),
        ("content-length: +5\r\n".to_owned(), "a length that is no number"),
        ("content-length: -5\r\n".to_owned(), "a length that is no number"),
        ("content-length: 5 5\r\n".to_owned(), "a length that is no number"),
        ("content-length: 0x5\r\n".to_owned(), "a length that is no number"),
        ("content-length:\r\n".to_owned(), "a length that is no number"),
        ("content-length: 18446744073709551616\r\n".to_owned(), "a length that is no number"),
        ("transfer-encoding: gzip, chunked\r\n".to_owned(), "a transfer coding other than chunked"),
        ("transfer-encoding: chunked, identity\r\n".to_owned(), "a transfer coding other than chunked"),
        ("transfer-encoding: xchunked\r\n".to_owned(), "a transfer coding other than chunked"),
        (format!("{chunked}{chunked}"), "a transfer coding other than chunked"),
        ("transfer-encoding : chunked\r\n".to_owned(), "invalid header name"),
        ("content-length: 5\r\n folded: 1\r\n".to_owned(), "invalid header name"),
        ("a b: 1\r\n".to_owned(), "invalid header name"),
        ("a\0: 1\r\n".to_owned(), "invalid header name"),
    ] {
        let found = body_of(&format!("HTTP/1.1 200 OK\r\n{headers}\r\nhello")).unwrap_err();
        assert!(found.contains(why), "{headers:?}: {found}");
    }
    let old = body_of(&format!("HTTP/1.0 200 OK\r\n{chunked}\r\n0\r\n\r\n")).unwrap_err();
    assert!(old.contains("a transfer coding"), "{old}");
    for (body, why) in [
        ("5\nhello\r\n0\r\n\r\n", "no number"),
        ("5;a\nhello\r\n0\r\n\r\n", "line feed alone"),
        ("-5\r\nhello\r\n0\r\n\r\n", "no number"),
        ("0x5\r\nhello\r\n0\r\n\r\n", "no number"),
        ("\r\nhello\r\n0\r\n\r\n", "no number"),
        ("5 5\r\nhello\r\n0\r\n\r\n", "no number"),
        ("10000000000000000\r\n", "too large"),
        ("5\r\nhello0\r\n\r\n", "longer than its size"),
        ("5\r\nhello\n0\r\n\r\n", "longer than its size"),
        ("5\rhello", "without a line feed"),
        ("0\r\nx: 1\n\r\n", "line feed alone"),
        ("0\r\nx: 1\rx\r\n\r\n", "without a line feed"),
        ("0\r\n\rx", "ends badly"),
    ] {
        let found = body_of(&format!("HTTP/1.1 200 OK\r\n{chunked}\r\n{body}")).unwrap_err();
        assert!(found.contains(why), "{body:?}: {found}");
    }
}

#[test]
fn what_never_ends_is_bounded() {
    let endless = |begin: &str, filler: &str| {
        let (mut reading, mut received) = (Reading::new(false), Received::default());
        reading.feed(begin.as_bytes(), &mut received).unwrap();
        let mut fed = 0;
        loop {
            if let Err(broken) = reading.feed(filler.repeat(500).as_bytes(), &mut received) {
                return broken.message;
            }
            fed += filler.len() * 500;
            assert!(fed < 4 * HEAD_BYTES_MAX, "{begin}");
        }
    };
    assert!(endless("HTTP/1.1 200 OK\r\nx: ", "v").contains("its head is over"));
    assert!(endless("HTTP/1.1 200 OK\r\n", "x: y\r\n").contains("headers"));
    assert!(endless("HTTP/1.1 100 Go\r\n\r\n", "HTTP/1.1 100 Go\r\n\r\n").contains("nobody asked for"));
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    assert!(endless(&format!("{chunked}5;"), "x").contains("extension is too long"));
    assert!(endless(&format!("{chunked}0\r\n"), "x: y\r\n").contains("trailers are too long"));
    assert!(endless(chunked, "0").contains("size is too long"));
    assert!(endless(&format!("{chunked}5"), " ").contains("size is too long"));
    assert!(body_of("HTTP/1.1 099 What\r\n\r\n").unwrap_err().contains("099"));
    assert!(body_of("HTTP/1.1 101 Switching Protocols\r\n\r\n").unwrap_err().contains("101"));
}

#[test]
fn what_breaks_off_is_no_answer() {
    for (answer, why) in [
        ("", "before the answer came"),
        ("HTTP/1.1 200", "in the middle of the answer's head"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell", "1 bytes too early"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", "before the last chunk"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "not HTTP as it should be"),
        ("\u{16}\u{3}\u{1}", "not HTTP as it should be"),
    ] {
        let found = body_of(answer).unwrap_err();
        assert!(found.contains(why), "{answer:?}: {found}");
    }
}

proptest! {
    /// Whatever comes, and however it is split: no panic, and always the same reading.
    #[test]
    fn any_bytes_are_read_one_way(
        begin in prop::sample::select(vec!["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"]),
        rest in "([0-9a-fA-F]{1,3}\r\n|[ -~]{0,9}\r\n|content-length: [0-9]{1,2}\r\n|\r\n|\n|.){0,24}",
        split in 1..40_usize,
    ) {
        let answer = format!("{begin}{rest}");
        let whole = read([answer.as_bytes()], false);
        let pieces = read(answer.as_bytes().chunks(split), false);
        // What comes behind a whole answer is seen only where it comes in the same piece.
        match (whole, pieces) {
            (Ok(whole), Ok(pieces)) => {
                prop_assert_eq!(whole.body, pieces.body);
                prop_assert_eq!(whole.headers, pieces.headers);
            }
            (Err(whole), Err(pieces)) => prop_assert_eq!(whole.class, pieces.class),
            (whole, pieces) => prop_assert!(false, "{:?} {:?}", whole, pieces),
        }
    }
}

/// Exchanges with a target that gives `answers`, one after another, however they are cut into pieces.
async fn exchange(answers: &[&str], blind: bool, request: &[u8]) -> Vec<Result<(Received, bool), Broken>> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let all: Vec<Vec<u8>> = answers.iter().map(|answer| answer.as_bytes().to_vec()).collect();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for answer in all {
            stream.readable().await.unwrap();
            while stream.try_read(&mut [0; 65_536]).is_ok_and(|bytes| bytes > 0) {}
            for piece in answer.chunks(7_000) {
                stream.write_all(piece).await.unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    let stream = Stream::Plain(TcpStream::connect(address).await.unwrap());
    let mut connection = Http1::new(stream, Box::new(()));
    let scratch = Scratch::default();
    let mut results = Vec::new();
    for _ in answers {
        let mut received = Received { blind, ..Received::default() };
        connection.send(request, request.len()).unwrap();
        let result = connection.receive(false, &mut received, &scratch).await;
        results.push(result.map(|reusable| (received, reusable)));
    }
    results
}

#[tokio::test]
async fn bodies_that_nobody_looks_at_are_counted_to_the_byte() {
    let body = "x".repeat(300_000);
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    for blind in [false, true] {
        let results =
            exchange(&[&answer, &answer, "HTTP/1.1 204 \r\n\r\n"], blind, b"GET / HTTP/1.1\r\n\r\n").await;
        let lengths: Vec<_> = results.iter().map(|result| result.as_ref().unwrap().0.body.len()).collect();
        assert_eq!(lengths, [300_000, 300_000, 0]);
        assert!(results.iter().all(|result| result.as_ref().unwrap().1));
    }
    let broken =
        exchange(&[&answer[..200_000]], true, b"GET / HTTP/1.1\r\n\r\n").await.remove(0).unwrap_err();
    assert!(broken.message.contains("bytes too early"), "{broken:?}");
}

#[tokio::test]
async fn a_long_request_goes_out_while_the_answer_is_waited_for() -> Result<(), Infallible> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let request: Vec<u8> = (0..8_000_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    let expected = request.clone();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut got = vec![0; expected.len()];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut got).await.unwrap();
        assert!(got == expected);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    });
    let stream = Stream::Plain(TcpStream::connect(address).await.unwrap());
    let mut connection = Http1::new(stream, Box::new(()));
    assert!(connection.send(&request, 100).unwrap(), "the head fits into the socket's buffer");
    let mut received = Received::default();
    let reusable = connection.receive(false, &mut received, &Scratch::default()).await.unwrap();
    assert!(reusable && received.status == 200);
    server.await.unwrap();
    Ok(())
}

#[tokio::test]
async fn an_answer_that_ends_with_its_connection_ends_then() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.readable().await.unwrap();
        let _ = stream.try_read(&mut [0; 64]);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello").await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    });
    let mut connection = Http1::new(Stream::Plain(TcpStream::connect(address).await.unwrap()), Box::new(()));
    connection.send(b"GET / HTTP/1.1\r\n\r\n", 18).unwrap();
    let mut received = Received::default();
    let reusable = connection.receive(false, &mut received, &Scratch::default()).await.unwrap();
    assert!(!reusable && received.body == b"hello");
    assert_eq!(received.times, 2, "the body, and a tenth of a second later the end");
}

#[tokio::test]
async fn who_has_enough_reads_no_further() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.readable().await.unwrap();
        let _ = stream.try_read(&mut [0; 64]);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello").await.unwrap();
        // Nothing more comes as long as somebody listens.
        let _ = stream.readable().await;
    });
    let mut connection = Http1::new(Stream::Plain(TcpStream::connect(address).await.unwrap()), Box::new(()));
    connection.send(b"GET / HTTP/1.1\r\n\r\n", 18).unwrap();
    let mut received = Received { enough_bytes: Some(5), ..Received::default() };
    let scratch = Scratch::default();
    let reading = connection.receive(false, &mut received, &scratch);
    let reusable = tokio::time::timeout(Duration::from_secs(5), reading).await.unwrap().unwrap();
    assert!(!reusable && received.body == b"hello");
    let whole = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
    let results = exchange(&[whole], false, b"GET / HTTP/1.1\r\n\r\n").await;
    assert!(results[0].as_ref().unwrap().1, "an answer that is complete leaves its connection as it is");
}

#[tokio::test]
async fn an_answer_before_the_request_is_out_ends_the_connection_s_use() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.readable().await.unwrap();
        stream.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        stream
    });
    let mut connection = Http1::new(Stream::Plain(TcpStream::connect(address).await.unwrap()), Box::new(()));
    connection.send(&vec![b'x'; 32 << 20], 100).unwrap();
    let mut received = Received::default();
    let reusable = connection.receive(false, &mut received, &Scratch::default()).await.unwrap();
    assert_eq!((received.status, reusable), (413, false));
    drop(server.await.unwrap());
}

#[tokio::test]
async fn a_resting_connection_that_was_closed_is_known_as_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut connection = Http1::new(Stream::Plain(TcpStream::connect(address).await.unwrap()), Box::new(()));
    let (stream, _) = listener.accept().await.unwrap();
    assert!(connection.is_open());
    drop(stream);
    let closed = async {
        while connection.is_open() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), closed).await.unwrap();
}
