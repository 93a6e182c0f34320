//! The client of our own requests to AWS: no redirects, bounds on everything, and the words of an answer that refuses.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Method, retry};
use tokio::time::timeout;

use super::{CONNECT_WITHIN, Failure, chain, is_final};
use crate::tls;

/// How long an answer may stay silent, before its beginning and between its parts.
const SILENT_MAX: Duration = Duration::from_secs(20);
/// How long an exchange may take as a whole.
const WHOLE_MAX: Duration = Duration::from_secs(120);
/// How slowly a body may go out, in bytes a second: it has its own time beside the answer's, because nobody answers before the
/// whole of it is there. Three regions are sent to at once, often from a home.
const UPLOAD_BYTES_PER_SECOND_MIN: u64 = 25_000;
/// The most of an answer that is read.
const BODY_BYTES_MAX: usize = 16 << 20;
/// How often a request is tried: everything that is asked by it may be asked twice.
const ATTEMPTS: u32 = 3;
/// How long the first pause between attempts is; the next is twice as long.
const PAUSE: Duration = Duration::from_millis(200);

/// The client. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Http {
    client: Result<reqwest::Client, String>,
    silent_max: Duration,
}

/// A request as it is sent.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Http {
    /// A client. That it cannot be is told by every request.
    pub(super) fn new() -> Self {
        let built = tls::client().map_err(|error| error.to_string()).and_then(|tls| {
            let builder = reqwest::Client::builder()
                .tls_backend_preconfigured(tls)
                .user_agent(concat!("Doorbuster/", env!("CARGO_PKG_VERSION")))
                // As the SDKs here, which go through none either.
                .no_proxy()
                .connect_timeout(CONNECT_WITHIN)
                .redirect(Policy::none())
                .retry(retry::never());
            // Whoever takes nothing of a body any more is not waited for until the end of its time.
            #[cfg(target_os = "linux")]
            let builder = builder.tcp_user_timeout(SILENT_MAX);
            builder.build().map_err(|error| chain(&error))
        });
        Self { client: built, silent_max: SILENT_MAX }
    }

    /// Sends a request, again where a service is not to be reached, broken or too busy. An answer says what came of it:
    /// others than those are not looked at.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(super) async fn send(&self, request: &Request) -> Result<Answer, Failure> {
        let mut pause = PAUSE;
        for _ in 1..ATTEMPTS {
            match self.once(request).await {
                Ok(answer) if !answer.is_passing() => return Ok(answer),
                _ => tokio::time::sleep(pause).await,
            }
            pause *= 2;
        }
        self.once(request).await
    }

    async fn once(&self, request: &Request) -> Result<Answer, Failure> {
        let failed = |why| Failure { is_final: false, why };
        let client = self.client.as_ref().map_err(|why| failed(format!("TLS cannot be set up: {why}")))?;
        let mut builder = client.request(request.method.clone(), &request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        // Addresses are left out: signed ones are as good as credentials.
        let broken = |error: reqwest::Error| failed(chain(&error.without_url()));
        let silent = |after: Duration| failed(format!("timed out: nothing came for {} s", after.as_secs()));
        // Not the client's own limit of silence, which counts from the request on, however well its body goes out.
        let uploading = upload_within(request.body.len());
        let begins_within = self.silent_max + uploading;
        let sent = builder.body(request.body.clone()).timeout(WHOLE_MAX + uploading).send();
        let sent = timeout(begins_within, sent).await.map_err(|_| silent(begins_within))?;
        let mut answer = sent.map_err(broken)?;
        let mut body = Vec::new();
        loop {
            let chunk = timeout(self.silent_max, answer.chunk()).await;
            let Some(chunk) = chunk.map_err(|_| silent(self.silent_max))?.map_err(broken)? else { break };
            if body.len() + chunk.len() > BODY_BYTES_MAX {
                let most = BODY_BYTES_MAX >> 20;
                let why = format!("the answer has over {most} MiB, and is not what it should be");
                return Err(Failure { is_final: true, why });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: answer.status().as_u16(), body })
    }
}

/// How long a body of so many bytes may take to go out.
fn upload_within(bytes: usize) -> Duration {
    Duration::from_secs(u64::try_from(bytes).unwrap_or(u64::MAX) / UPLOAD_BYTES_PER_SECOND_MIN)
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether another attempt may come to more.
    fn is_passing(&self) -> bool {
        self.status == 429 || self.status >= 500
    }

    /// What it says, as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The code of the error that it tells, in XML or JSON; empty where it tells none.
    pub(super) fn code(&self) -> String {
        let text = self.text();
        let json = || {
            let told: serde_json::Value = serde_json::from_str(&text).ok()?;
            let code = ["__type", "code", "Code"].iter().find_map(|key| told.get(key)?.as_str())?;
            // Some services put a namespace before it.
            Some(code.rsplit('#').next().unwrap_or(code).to_owned())
        };
        between(&text, "Code").map(str::to_owned).or_else(json).unwrap_or_default()
    }

    /// What it comes to where it is no success.
    pub(super) fn failure(&self) -> Failure {
        let (text, code) = (self.text(), self.code());
        let json = || {
            let told: serde_json::Value = serde_json::from_str(&text).ok()?;
            let message = ["message", "Message"].iter().find_map(|key| told.get(key)?.as_str())?;
            Some(message.to_owned())
        };
        let message = between(&text, "Message").map(unescaped).or_else(json).unwrap_or_default();
        let told = [code.as_str(), message.as_str()].into_iter().filter(|part| !part.is_empty());
        let told = told.collect::<Vec<_>>().join(": ");
        let why = match (self.status, told.is_empty()) {
            (status, true) => format!("it answered with status {status}"),
            (status, false) => format!("{told} (status {status})"),
        };
        Failure { is_final: is_final(Some(self.status), &code), why }
    }
}

/// What stands in the first element of this name.
pub(super) fn between<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(value, _)| value)
}

/// A value of XML as it is meant.
pub(super) fn unescaped(value: &str) -> String {
    // The ampersand last, so that nothing is taken for an escape that was none.
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(value.to_owned(), |value, (escape, meant)| value.replace(escape, meant))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn refusals_are_told_in_their_own_words() {
        let xml = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>It isn&apos;t there &amp;lt;</Message></Error>";
        let told = "NoSuchBucket: It isn't there &lt; (status 404)";
        assert_eq!(answer(404, xml).failure(), Failure { is_final: false, why: told.to_owned() });
        let json = "{\"__type\":\"com.amazon.logs#InvalidParameterException\",\"message\":\"no such group\"}";
        let told = "InvalidParameterException: no such group (status 400)";
        assert_eq!(answer(400, json).failure(), Failure { is_final: true, why: told.to_owned() });
        assert_eq!(answer(502, "<html>").failure().why, "it answered with status 502");
    }

    /// What takes one body of so many bytes for that long and answers then; the address of it.
    fn slow(bytes: usize, lasts: Duration) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/object", listener.local_addr().unwrap());
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut taken, mut buffer) = (Vec::new(), vec![0; 1 << 20]);
            let mut is_whole = false;
            while !is_whole {
                let count = stream.read(&mut buffer).unwrap_or(0);
                if count == 0 {
                    return;
                }
                if taken.is_empty() {
                    thread::sleep(lasts);
                }
                taken.extend_from_slice(&buffer[..count]);
                let head = taken.windows(4).position(|four| four == b"\r\n\r\n");
                is_whole = head.is_some_and(|at| taken.len() >= at + 4 + bytes);
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        });
        url
    }

    #[tokio::test]
    async fn an_upload_may_take_its_time_and_silence_may_not() {
        let http = Http { silent_max: Duration::from_millis(300), ..Http::new() };
        let put = |bytes: usize| {
            let url = slow(bytes, Duration::from_millis(900));
            Request { method: Method::PUT, url, headers: Vec::new(), body: vec![7; bytes] }
        };
        assert_eq!(http.once(&put(8 << 20)).await.unwrap().status, 200);
        let failure = http.once(&put(1)).await.unwrap_err();
        assert!(!failure.is_final && failure.why.starts_with("timed out"), "{failure:?}");
    }

    #[test]
    fn a_body_has_time_by_its_size() {
        assert_eq!(upload_within(0), Duration::ZERO);
        assert_eq!(upload_within(10_000_000), Duration::from_secs(400));
    }

    #[tokio::test]
    async fn who_is_not_there_is_tried_again_and_then_told_of() {
        let port = crate::aws::testing::free_port();
        let url = format!("http://127.0.0.1:{port}/bucket?X-Amz-Signature=secret");
        let request = Request { method: Method::GET, url, headers: Vec::new(), body: Vec::new() };
        let failure = Http::new().send(&request).await.unwrap_err();
        assert!(!failure.is_final && !failure.why.contains("secret"), "{failure:?}");
        assert!(failure.why.to_lowercase().contains("refused"), "{failure:?}");
    }
}
