//! Reading a plan's `http`.

use std::net::IpAddr;
use std::time::Duration;

use doorbuster_notation::{Fault, Faults, Fields, Node, parse_duration, parse_size};
use http::{HeaderName, HeaderValue};
use url::Url;

use super::load::word;
use super::{Http, HttpVersion, Timeouts};

const VERSIONS: [(&str, HttpVersion); 3] =
    [("auto", HttpVersion::Negotiated), ("1.1", HttpVersion::Http1), ("2", HttpVersion::Http2)];

pub(super) fn http(node: &Node, faults: &mut Faults) -> Http {
    let Some(mut fields) = faults.keep(Fields::of(node, "http")) else { return Http::default() };
    let headers = fields.optional("headers").map(|node| headers(node, faults)).unwrap_or_default();
    let basic_auth =
        fields.optional("basic_auth").and_then(|node| pair(node, "basic_auth", ["user", "password"], faults));
    let ca = fields.optional("ca").and_then(|node| faults.keep(node.scalar("a path")));
    let user_agent =
        fields.optional("user_agent").and_then(|node| faults.keep(node.parse_with("a text", header_text)));
    let client_cert =
        fields.optional("client_cert").and_then(|node| pair(node, "client_cert", ["cert", "key"], faults));
    let resolve = fields.optional("resolve").map(|node| resolve(node, faults)).unwrap_or_default();
    let proxy =
        fields.optional("proxy").and_then(|node| faults.keep(node.parse_with("a proxy's URL", proxy)));
    let version = word(fields.optional("version"), &VERSIONS, faults);
    let timeouts = fields.optional("timeouts").map(|node| timeouts(node, faults)).unwrap_or_default();
    let max_body =
        fields.optional("max_body").and_then(|node| faults.keep(node.parse_with("a size", parse_size)));
    let insecure = fields.optional("insecure").and_then(|node| faults.keep(node.boolean())).unwrap_or(false);
    fields.finish(faults);
    let max_body = max_body.unwrap_or(super::BODY_MAX_DEFAULT);
    Http {
        headers,
        basic_auth,
        ca,
        client_cert,
        resolve,
        proxy,
        user_agent,
        version,
        timeouts,
        max_body,
        insecure,
    }
}

fn headers(node: &Node, faults: &mut Faults) -> Vec<(String, String)> {
    let Some(entries) = faults.keep(node.map("headers as a mapping of names to values")) else {
        return Vec::new();
    };
    let mut headers = Vec::new();
    for (key, value) in entries {
        let Some(text) = faults.keep(value.scalar("a header's value")) else { continue };
        match check_header(&key.name, &text) {
            Ok(()) => headers.push((key.name.clone(), text)),
            Err(why) => faults.add(key.place, why),
        }
    }
    headers
}

/// Whether name and value can be sent as a header.
fn check_header(name: &str, value: &str) -> Result<(), String> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("\"{name}\" is not a header's name"))?;
    HeaderValue::from_str(value)
        .map_err(|_| format!("the value of the header \"{name}\" holds a control character"))?;
    if name.eq_ignore_ascii_case("user-agent") {
        return Err(
            "every request says User-Agent: Doorbuster/<version>; add to it with the plan's http.user_agent"
                .to_owned(),
        );
    }
    let own = ["host", "content-length", "transfer-encoding", "connection", "x-doorbuster-run"];
    if own.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(format!("the header \"{name}\" is set by Doorbuster itself; leave it out"));
    }
    Ok(())
}

/// Reads `--header 'K: V'`.
///
/// # Errors
/// A sentence with what was found and how to write it.
pub fn header_option(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| format!("\"{text}\" is not a header; write for example 'Accept-Language: ja'"))?;
    let (name, value) = (name.trim(), value.trim());
    check_header(name, value)?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A text that can be sent in a header.
fn header_text(text: &str) -> Result<String, String> {
    match HeaderValue::from_str(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("it holds a control character, so it cannot be sent in a header".to_owned()),
    }
}

/// A mapping of exactly two texts.
fn pair(
    node: &Node,
    what: &'static str,
    names: [&'static str; 2],
    faults: &mut Faults,
) -> Option<(String, String)> {
    let mut fields = faults.keep(Fields::of(node, what))?;
    let [first, second] = names.map(|name| {
        let node = fields.required(name);
        faults.keep(node.and_then(|node| node.scalar("a text")))
    });
    fields.finish(faults);
    first.zip(second)
}

fn resolve(node: &Node, faults: &mut Faults) -> Vec<(String, IpAddr)> {
    let Some(entries) = faults.keep(node.map("resolve as a mapping of host:port to an address")) else {
        return Vec::new();
    };
    let read = |(key, value): &(doorbuster_notation::Key, Node)| {
        let address = value.scalar("an address such as 127.0.0.1")?;
        resolve_rule(&format!("{}:{address}", key.name)).map_err(|why| Fault::new(key.place, why))
    };
    entries.iter().filter_map(|entry| faults.keep(read(entry))).collect()
}

/// Reads `HOST:PORT:ADDR`; a v6 address may stand in brackets.
pub(super) fn resolve_rule(text: &str) -> Result<(String, IpAddr), String> {
    let fail =
        || format!("\"{text}\" is not HOST:PORT:ADDRESS; write for example shop.example.com:443:127.0.0.1");
    let (host, rest) = text.split_once(':').ok_or_else(fail)?;
    let (port, address) = rest.split_once(':').ok_or_else(fail)?;
    let port: u16 = port.trim().parse().map_err(|_| fail())?;
    let address = address.trim().trim_start_matches('[').trim_end_matches(']');
    let address: IpAddr = address.parse().map_err(|_| fail())?;
    if host.is_empty() {
        return Err(fail());
    }
    Ok((format!("{}:{port}", host.trim().to_ascii_lowercase()), address))
}

fn proxy(text: &str) -> Result<Url, String> {
    let url = crate::target::parse(text)?;
    if url.scheme() == "http" { Ok(url) } else { Err(format!("\"{text}\": only http:// proxies are spoken")) }
}

fn timeouts(node: &Node, faults: &mut Faults) -> Timeouts {
    let default = Timeouts::default();
    let Some(mut fields) = faults.keep(Fields::of(node, "timeouts")) else { return default };
    let mut read = |name: &'static str, default| {
        let node = fields.optional(name);
        let above_zero = |text: &str| match parse_duration(text)? {
            Duration::ZERO => Err("0 would let nothing answer; give a duration above 0".to_owned()),
            duration => Ok(duration),
        };
        let value = node.and_then(|node| faults.keep(node.parse_with("a duration such as 10s", above_zero)));
        value.unwrap_or(default)
    };
    let timeouts = Timeouts {
        connect: read("connect", default.connect),
        first_byte: read("first_byte", default.first_byte),
        total: read("total", default.total),
    };
    fields.finish(faults);
    timeouts
}
