//! A shop of a few paths, on loopback, that remembers what it was asked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A server that runs until this program ends.
pub(crate) struct Shop {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    heads: Vec<String>,
    /// Where `/away` leads, and by the header `X-Other` every page.
    other: String,
}

impl Shop {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let known = Arc::new(Mutex::new(Known::default()));
        let shared = Arc::clone(&known);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let known = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &known));
            }
        });
        Self { address, known }
    }

    /// Leads its visitors to another shop, by a name that is not this one's.
    pub(crate) fn lead_to(&self, other: &Self) {
        self.known.lock().unwrap().other = format!("http://localhost:{}", other.address.port());
    }

    /// The heads of all requests.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.known.lock().unwrap().heads.clone()
    }

    /// How many requests began with `line`.
    pub(crate) fn requests(&self, line: &str) -> u64 {
        self.heads().iter().filter(|head| head.starts_with(line)).count() as u64
    }
}

/// Serves one connection.
fn serve(mut stream: TcpStream, known: &Mutex<Known>) {
    while let Some(head) = head(&mut stream) {
        let path = head.split([' ', '?']).nth(1).unwrap_or("/").to_owned();
        let other = {
            let mut known = known.lock().unwrap();
            known.heads.push(head);
            known.other.clone()
        };
        if path == "/hang" {
            // Until the client goes.
            while stream.read(&mut [0]).is_ok_and(|count| count > 0) {}
            return;
        }
        let status = match path.as_str() {
            "/missing" => "404 Not Found",
            "/away" => "302 Found",
            _ => "200 OK",
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nLocation: {other}/followed\r\nX-Other: {other}\r\nContent-Length: 2\r\n\r\nok"
        );
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// A request's head; `None` at the end of the stream.
fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}
