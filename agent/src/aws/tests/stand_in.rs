//! A stand-in for AWS: the Runtime API of one function, and objects of S3 by their addresses.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long anything may take.
const WITHIN: Duration = Duration::from_secs(40);

/// What AWS has been told, and tells.
pub(crate) struct Aws {
    /// Where it listens.
    pub address: SocketAddr,
    invocations: mpsc::UnboundedSender<Invoked>,
    answers: tokio::sync::Mutex<mpsc::UnboundedReceiver<Answer>>,
    shared: Arc<Shared>,
}

struct Shared {
    waiting: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invoked>>,
    answered: mpsc::UnboundedSender<Answer>,
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    /// How often each was asked for.
    gets: Mutex<BTreeMap<String, u64>>,
}

struct Invoked {
    id: String,
    deadline_unix_ms: u128,
    payload: Vec<u8>,
}

/// How a function answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Which invocation.
    pub id: String,
    /// `response` or `error`.
    pub kind: String,
    /// The request's headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// What followed that.
    pub trailers: HeaderMap,
}

impl Aws {
    /// Listens on a free port.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (invocations, waiting) = mpsc::unbounded_channel();
        let (answered, answers) = mpsc::unbounded_channel();
        let (waiting, answers) = (tokio::sync::Mutex::new(waiting), tokio::sync::Mutex::new(answers));
        let shared =
            Arc::new(Shared { waiting, answered, objects: Mutex::default(), gets: Mutex::default() });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&serving);
                let service = service_fn(move |request| serve(Arc::clone(&shared), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, invocations, answers, shared }
    }

    /// The address of an object.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://{}/{name}?X-Amz-Signature=s", self.address)
    }

    /// Puts an object.
    pub(crate) fn put(&self, name: &str, object: Vec<u8>) {
        self.shared.objects.lock().unwrap().insert(format!("/{name}"), object);
    }

    /// An object, if it is there.
    pub(crate) fn object(&self, name: &str) -> Option<Vec<u8>> {
        self.shared.objects.lock().unwrap().get(&format!("/{name}")).cloned()
    }

    /// How often an object was asked for.
    pub(crate) fn gets(&self, name: &str) -> u64 {
        self.shared.gets.lock().unwrap().get(&format!("/{name}")).copied().unwrap_or(0)
    }

    /// Invokes the function, which has so long.
    pub(crate) fn invoke(&self, id: &str, payload: Vec<u8>, length: Duration) {
        let deadline_unix_ms = (SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + length).as_millis();
        let invoked = Invoked { id: id.to_owned(), deadline_unix_ms, payload };
        assert!(self.invocations.send(invoked).is_ok());
    }

    /// The function's next answer, once it is complete.
    pub(crate) async fn answer(&self) -> Answer {
        timeout(WITHIN, async { self.answers.lock().await.recv().await }).await.unwrap().unwrap()
    }
}

async fn serve(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let response = match (method.as_str(), parts.as_slice()) {
        ("GET", ["2018-06-01", "runtime", "invocation", "next"]) => {
            let Some(invoked) = shared.waiting.lock().await.recv().await else { return Ok(status(500)) };
            Response::builder()
                .header("Lambda-Runtime-Aws-Request-Id", invoked.id)
                .header("Lambda-Runtime-Deadline-Ms", invoked.deadline_unix_ms.to_string())
                .body(Full::new(Bytes::from(invoked.payload)))
                .unwrap()
        }
        ("POST", ["2018-06-01", "runtime", "invocation", id, kind]) => {
            let headers = request.headers().clone();
            // Where the function breaks off, there is no answer.
            let Ok(body) = request.into_body().collect().await else { return Ok(status(400)) };
            let trailers = body.trailers().cloned().unwrap_or_default();
            let (id, kind) = ((*id).to_owned(), (*kind).to_owned());
            let _ = shared.answered.send(Answer { id, kind, headers, body: body.to_bytes(), trailers });
            status(202)
        }
        ("GET", _) => {
            *shared.gets.lock().unwrap().entry(path.clone()).or_default() += 1;
            let object = shared.objects.lock().unwrap().get(&path).cloned();
            object.map_or_else(|| status(404), |object| Response::new(Full::new(Bytes::from(object))))
        }
        ("PUT", _) => {
            let is_new = request.headers().get("if-none-match").is_some_and(|value| value == "*");
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let mut objects = shared.objects.lock().unwrap();
            if is_new && objects.contains_key(&path) {
                status(412)
            } else {
                objects.insert(path.clone(), body.to_vec());
                status(200)
            }
        }
        _ => status(405),
    };
    Ok(response)
}

fn status(status: u16) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::default()).unwrap()
}
