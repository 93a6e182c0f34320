//! The client of each of Goose's users, as the plan's `http` says.

use std::net::SocketAddr;
use std::sync::Arc;

use doorbuster_agent::Job;
use reqwest::header::ACCEPT_ENCODING;
use reqwest::redirect::Policy;
use reqwest::{Client, Proxy, Url};

use crate::hosts::may_request;

/// Where whatever is meant for a stranger is led instead: nobody can listen on port 0, so nothing leaves this machine.
const NOWHERE: &str = "http://127.0.0.1:0";

/// A client with cookies and connections of its own, that says who it is. It connects to no stranger, and follows no
/// redirect to one.
pub(crate) fn client(job: &Arc<Job>) -> reqwest::Result<Client> {
    let http = &job.plan.http;
    let mut headers = job.headers.clone();
    // Reqwest asks for what it can decode, as long as nobody else has.
    headers.remove(ACCEPT_ENCODING);
    let mut tls = (*job.tls).clone();
    // Goose builds reqwest without HTTP/2.
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let known = Arc::clone(job);
    let redirects = Policy::custom(move |attempt| {
        if may_request(&known, attempt.url()) { Policy::default().redirect(attempt) } else { attempt.stop() }
    });
    let known = Arc::clone(job);
    // Asked before anything is connected, so that a stranger's name is not even looked up.
    let guard = Proxy::custom(move |url: &Url| (!may_request(&known, url)).then_some(NOWHERE));
    let mut builder = Client::builder()
        .default_headers(headers)
        .cookie_store(true)
        .gzip(true)
        .connect_timeout(http.timeouts.connect)
        .timeout(http.timeouts.total)
        .redirect(redirects)
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .proxy(guard);
    if let Some(proxy) = &http.proxy {
        builder = builder.proxy(Proxy::all(proxy.as_str())?);
    }
    for (rule, address) in &http.resolve {
        let host = rule.rsplit_once(':').map_or(rule.as_str(), |(host, _)| host);
        builder = builder.resolve(host, SocketAddr::new(*address, 0));
    }
    builder.build()
}
