//! What redirects carry along, over the wire.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use crate::util::{Folder, count, read_head_text, run, server, turn};

type Heads = Arc<Mutex<Vec<String>>>;

/// Reads a request with its body; its head.
fn request(stream: &mut TcpStream) -> Option<String> {
    let head = read_head_text(stream)?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    Some(head)
}

/// A server that keeps the heads of its requests, and answers each with a status and a Location.
fn leading(answer: impl Fn(&str) -> (u16, String) + Send + Sync + Clone + 'static) -> (SocketAddr, Heads) {
    let heads = Heads::default();
    let kept = Arc::clone(&heads);
    let address = server(move |mut stream| {
        while let Some(head) = request(&mut stream) {
            let (status, location) = answer(&head);
            kept.lock().unwrap().push(head);
            let answer = format!("HTTP/1.1 {status} \r\nlocation: {location}\r\ncontent-length: 2\r\n\r\nok");
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    (address, heads)
}

fn value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[test]
fn a_form_that_is_led_to_another_host_and_back() {
    let _turn = turn();
    // The other host knows the shop by what the request says.
    let (other, other_heads) =
        leading(|head| (302, format!("{}done", value(head, "referer").unwrap_or_default())));
    let (shop, shop_heads) = leading(move |head| {
        if head.starts_with("POST") { (307, format!("http://{other}/hop")) } else { (200, String::new()) }
    });
    let folder = Folder::new();
    folder.write(
        "journey.yaml",
        "journey: led\norigin: true\nsteps:\n  - { step: page, get: /page }\n  - { step: sent, post: /go, form: { q: lamp }, headers: { authorization: secret } }\n",
    );
    let plan = folder.write(
        "plan.yaml",
        format!(
            "name: redirects\ntarget: \"http://{shop}\"\nregions: [here]\njourneys: [journey.yaml]\nload: {{ arrivals: [{{ hold: 1/s, for: 1s }}] }}\n"
        ),
    );
    let finished = run(&["rehearse", &plan, "--quiet"]);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert_eq!(count(&finished.report, "global.steps.sent.hops.requests"), 2);
    let (shop_heads, other_heads) = (shop_heads.lock().unwrap(), other_heads.lock().unwrap());
    let of = |head: &String| {
        let names = ["referer", "origin", "content-type", "authorization"];
        let values = names.map(|name| value(head, name).unwrap_or("-").to_owned()).join(" ");
        format!("{} {values}", head.split(" HTTP").next().unwrap())
    };
    let form = "application/x-www-form-urlencoded";
    let found: Vec<String> = shop_heads.iter().chain(other_heads.iter()).map(of).collect();
    let expected = [
        "GET /page - - - -".to_owned(),
        format!("POST /go http://{shop}/page http://{shop} {form} secret"),
        format!("GET /done http://{shop}/ - - -"),
        format!("POST /hop http://{shop}/ null {form} -"),
    ];
    assert_eq!(found, expected);
}
