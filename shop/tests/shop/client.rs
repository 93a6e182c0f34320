//! A viewer: one connection, one session cookie, nothing hidden.

use std::io::Read as _;
use std::net::SocketAddr;

use bytes::Bytes;
use doorbuster_shop::{Options, Shop};
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A shop with the default options, changed.
pub(crate) fn open(change: impl FnOnce(&mut Options)) -> Shop {
    let mut options = Options::default();
    change(&mut options);
    Shop::start(options).unwrap()
}

pub(crate) struct Client {
    pub(crate) host: String,
    connection: SendRequest<Full<Bytes>>,
    pub(crate) sid: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Client {
    /// A viewer in the region with that index.
    pub(crate) async fn of(shop: &Shop, region: usize) -> Client {
        Client::at(shop.edges()[region].address).await
    }

    pub(crate) async fn at(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).await.unwrap();
        let (connection, driver) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(driver);
        Client { host: address.to_string(), connection, sid: None }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    pub(crate) async fn get_with(&mut self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, path, headers, "").await
    }

    pub(crate) async fn post(&mut self, path: &str, form: &str) -> Answer {
        self.send(Method::POST, path, &[("content-type", "application/x-www-form-urlencoded")], form).await
    }

    pub(crate) async fn json(&mut self, method: Method, path: &str, body: &str) -> Answer {
        self.send(method, path, &[("content-type", "application/json")], body).await
    }

    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", &self.host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(sid) = &self.sid {
            request = request.header("cookie", format!("AWSALB=x; sid={sid}"));
        }
        let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
        self.connection.ready().await.unwrap();
        let answer = self.connection.send_request(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, body };
        if let Some(sid) = answer.cookie("sid") {
            self.sid = Some(sid);
        }
        answer
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The first word of `X-Cache`, empty where there is none.
    pub(crate) fn x_cache(&self) -> &str {
        self.header("x-cache").and_then(|value| value.strip_suffix(" from cloudfront")).unwrap_or_default()
    }

    pub(crate) fn age(&self) -> Option<u64> {
        self.header("age").map(|age| age.parse().unwrap())
    }

    /// The value of a cookie that the answer sets.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let lines = self.headers.get_all("set-cookie").into_iter().map(|line| line.to_str().unwrap());
        let pairs = lines.filter_map(|line| line.split(';').next()?.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.decoded()).unwrap()
    }

    pub(crate) fn decoded(&self) -> Vec<u8> {
        let mut decoded = Vec::new();
        match self.header("content-encoding") {
            Some("br") => brotli::Decompressor::new(&self.body[..], 4096).read_to_end(&mut decoded).unwrap(),
            Some("gzip") => flate2::read::GzDecoder::new(&self.body[..]).read_to_end(&mut decoded).unwrap(),
            Some(other) => panic!("unknown encoding {other}"),
            None => return self.body.to_vec(),
        };
        decoded
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// All that stands between two marks, in order.
    pub(crate) fn all_between(&self, before: &str, after: &str) -> Vec<String> {
        let text = self.text();
        text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).map(str::to_owned).collect()
    }

    /// What stands between two marks.
    pub(crate) fn between(&self, before: &str, after: &str) -> String {
        let found = self.all_between(before, after);
        found.first().cloned().unwrap_or_else(|| panic!("no {before}…{after} in {}", self.text()))
    }

    pub(crate) fn csrf(&self) -> String {
        self.between("name=\"csrf\" value=\"", "\"")
    }
}
