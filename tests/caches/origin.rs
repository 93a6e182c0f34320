//! A shop without an edge: what the caches of the tests stand before.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::util::{read_head_text, server};

/// What it remembers.
#[derive(Default)]
struct Shop {
    /// The notes that shoppers wrote into their carts; a session is the position of its own.
    notes: Mutex<Vec<String>>,
    /// How many pages were made.
    pages: AtomicU64,
}

/// An answer but for its length.
struct Answer {
    status: &'static str,
    lines: String,
    body: Vec<u8>,
}

/// Starts it. It compresses nothing, and begins a session on every page, as shops do that leave the rest to the edge.
pub(super) fn start() -> SocketAddr {
    let shop = Arc::new(Shop::default());
    server(move |stream| shop.serve(stream))
}

impl Shop {
    fn serve(&self, mut stream: TcpStream) {
        while let Some(head) = read_head_text(&mut stream) {
            let length = field(&head, "content-length").and_then(|length| length.parse::<usize>().ok());
            let mut form = vec![0_u8; length.unwrap_or(0)];
            if stream.read_exact(&mut form).is_err() {
                return;
            }
            let Answer { status, lines, body } = self.answer(&head, &String::from_utf8_lossy(&form));
            let length = body.len();
            let mut bytes =
                format!("HTTP/1.1 {status}\r\n{lines}Content-Length: {length}\r\n\r\n").into_bytes();
            if !head.starts_with("HEAD ") {
                bytes.extend(body);
            }
            if stream.write_all(&bytes).is_err() {
                return;
            }
        }
    }

    fn answer(&self, head: &str, form: &str) -> Answer {
        let target = head.split(' ').nth(1).unwrap_or("/");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        match path {
            "/cart/add" => self.added(form),
            "/cart" => {
                own("text/html", &format!("<html><p>Your cart: {}</p>{}</html>", self.note(head), list()))
            }
            "/api/cart" => own("application/json", &format!("{{\"note\":\"{}\"}}", self.note(head))),
            "/" | "/search" | "/p/1" | "/p/2" => self.page(path, query),
            "/static/shop.css" => file("text/css", b"body { margin: 0; color: black }\n".repeat(200)),
            "/static/shop.js" => file("text/javascript", b"fetch(\"/api/cart\").then(show);\n".repeat(200)),
            "/static/tent.png" => file("image/png", picture()),
            "/broken" => failed("503 Service Unavailable"),
            _ => failed("404 Not Found"),
        }
    }

    /// The page of an address, by the parameters that matter.
    fn page(&self, path: &str, query: &str) -> Answer {
        let mut pairs: Vec<&str> = query.split('&').collect();
        pairs.retain(|pair| pair.starts_with("q=") || pair.starts_with("page="));
        pairs.sort_unstable();
        let body = format!(
            "<html><link rel=\"stylesheet\" href=\"/static/shop.css\"><script src=\"/static/shop.js\"></script>\n\
             <h1>{path} {}</h1><img src=\"/static/tent.png\"><a href=\"/cart\">Cart</a>\n\
             <a href=\"/search?q=tent&amp;page=2\">More tents</a>{}</html>",
            pairs.join(" "),
            list()
        );
        let page = self.pages.fetch_add(1, Ordering::Relaxed);
        let mut answer = cacheable("text/html; charset=utf-8", 300, body.into_bytes());
        answer.lines += &format!("Set-Cookie: visit={page:016}; Path=/\r\n");
        answer
    }

    /// Keeps what a shopper wrote, and who it was.
    fn added(&self, form: &str) -> Answer {
        let note = form.split('&').find_map(|pair| pair.strip_prefix("note=")).unwrap_or_default();
        let mut notes = self.notes.lock().unwrap();
        notes.push(note.to_owned());
        let session = notes.len() - 1;
        let lines = format!(
            "Location: /cart\r\nCache-Control: private, no-store\r\nSet-Cookie: session={session}; Path=/\r\n"
        );
        Answer { status: "303 See Other", lines, body: Vec::new() }
    }

    /// What the shopper wrote who asks.
    fn note(&self, head: &str) -> String {
        let cookies = field(head, "cookie").unwrap_or_default();
        let session = cookies.split(';').find_map(|pair| pair.trim().strip_prefix("session="));
        let session = session.and_then(|session| session.parse::<usize>().ok());
        session.and_then(|session| self.notes.lock().unwrap().get(session).cloned()).unwrap_or_default()
    }
}

/// The value of a header in a request's head.
fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (known, value) = line.split_once(':')?;
        known.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// What belongs to one shopper.
fn own(kind: &str, text: &str) -> Answer {
    let lines = format!("Content-Type: {kind}\r\nCache-Control: private, no-store\r\n");
    Answer { status: "200 OK", lines, body: text.as_bytes().to_vec() }
}

/// A file whose content never changes.
fn file(kind: &str, body: Vec<u8>) -> Answer {
    cacheable(kind, 31_536_000, body)
}

fn cacheable(kind: &str, lifetime_s: u32, body: Vec<u8>) -> Answer {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let lines = format!(
        "Content-Type: {kind}\r\nCache-Control: public, max-age={lifetime_s}\r\nETag: \"{:x}\"\r\n",
        hasher.finish()
    );
    Answer { status: "200 OK", lines, body }
}

/// An error, which tells no lifetime.
fn failed(status: &'static str) -> Answer {
    let body = format!("<html><h1>{status}</h1>{}</html>", list()).into_bytes();
    Answer { status, lines: "Content-Type: text/html\r\n".to_owned(), body }
}

/// So much text that compression is worth it.
fn list() -> String {
    (0..120).map(|number| format!("<li>Tents and lamps, number {number}</li>\n")).collect()
}

/// What looks like a picture, and cannot be compressed.
fn picture() -> Vec<u8> {
    let mut state = 1_u32;
    let noise = (0..4_000).map(|_| {
        // Numerical Recipes' generator; its upper bits are good enough.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    b"\x89PNG\r\n\x1a\n".iter().copied().chain(noise).collect()
}
