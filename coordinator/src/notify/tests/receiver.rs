//! A receiver that keeps the requests that it gets, whole, and plays back answers from a script.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) method: String,
    pub(super) path: String,
    /// By their names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

/// What is done with a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    /// Status, further header lines, and body.
    Says(u16, &'static str, &'static str),
    /// An answer whose body never ends.
    Floods(u16),
    /// Nothing comes.
    Hangs,
    /// The connection is broken off.
    Resets,
}

pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    /// Plays the answers one after the other, and the last one for ever.
    pub(super) async fn start(script: &'static [Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script, Arc::clone(&kept)));
            }
        });
        Self { address, received }
    }

    pub(super) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    /// What came so far.
    pub(super) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The one request that came.
    pub(super) fn only(&self) -> Received {
        let received = self.received();
        assert_eq!(received.len(), 1, "{received:?}");
        received[0].clone()
    }
}

async fn serve(mut stream: TcpStream, script: &'static [Answer], kept: Arc<Mutex<Vec<Received>>>) {
    let Some(request) = read(&mut stream).await else { return };
    let answer = {
        let mut kept = kept.lock().unwrap();
        kept.push(request);
        script[(kept.len() - 1).min(script.len() - 1)]
    };
    match answer {
        Answer::Says(status, lines, body) => {
            let length = body.len();
            let text = format!("HTTP/1.1 {status} x\r\n{lines}Content-Length: {length}\r\n\r\n{body}");
            let _ = stream.write_all(text.as_bytes()).await;
        }
        Answer::Floods(status) => {
            let head = format!("HTTP/1.1 {status} x\r\nContent-Length: 1000000000000\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            while stream.write_all(&[b'x'; 1_024]).await.is_ok() {}
        }
        Answer::Hangs => std::future::pending().await,
        Answer::Resets => stream.set_zero_linger().unwrap(),
    }
}

/// A whole request; `None` where the stream ends before it does.
async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let mut request = lines.next()?.split(' ').map(str::to_owned);
    let (method, path) = (request.next()?, request.next()?);
    let fields = lines.filter_map(|line| line.split_once(": "));
    let headers: BTreeMap<String, String> =
        fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Received { method, path, headers, body: String::from_utf8(body).unwrap() })
}
