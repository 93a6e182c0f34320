//! What a server takes of what is offered to it: handshakes without a request.

use std::io;
use std::sync::Arc;

use doorbuster_model::cdn::audit::{Declined, HANDSHAKES, Offer, Offered};
use rustls::{ClientConfig, ProtocolVersion};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use url::Url;

use super::Duty;
use super::fetch::sha256;
use super::hello::{self, Answer, Version};
use crate::client::Origin;
use crate::worker::Worker;

/// The most bytes of an answer to an old hello that are read: a server's version comes with the first of them.
const ANSWER_BYTES_MAX: usize = 4_096;

/// Makes an offer to the server of `url`.
pub(super) async fn make(worker: &Worker, duty: &Duty, offer: Offer, url: &Url) -> Result<Offered, Declined> {
    worker.tallies.borrow_mut().at(worker.clock.now_ns()).count(HANDSHAKES, 1);
    let origin = Origin::of(url);
    match offer {
        Offer::Anything => agree(worker, &origin, speaking(&worker.job.tls, &[b"h2", b"http/1.1"])).await,
        Offer::Http1 => agree(worker, &origin, speaking(&worker.job.tls, &[b"http/1.1"])).await,
        Offer::Tls12 => agree(worker, &origin, Arc::clone(&duty.tls_1_2)).await,
        Offer::Tls10 => greet(worker, &origin, Version::TLS_1_0).await,
        Offer::Tls11 => greet(worker, &origin, Version::TLS_1_1).await,
    }
}

/// A whole handshake.
async fn agree(worker: &Worker, origin: &Origin, config: Arc<ClientConfig>) -> Result<Offered, Declined> {
    let agreed = worker.connector.shake_hands(origin, config).await;
    let agreed = agreed.map_err(|error| Declined::Unknown(error.message))?;
    let tls = match agreed.version {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3".to_owned(),
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2".to_owned(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    };
    let http = String::from_utf8_lossy(&agreed.protocol.unwrap_or_default()).into_owned();
    Ok(Offered { tls, http })
}

/// A hello of an old version, and the beginning of what is answered. Connecting and answering together may take as long as
/// connecting may elsewhere.
async fn greet(worker: &Worker, origin: &Origin, version: Version) -> Result<Offered, Declined> {
    let random = sha256(worker.run.id.as_bytes()).unwrap_or_default();
    let hello = hello::hello(version, &origin.host, random);
    let limit = worker.job.plan.http.timeouts.connect;
    let answer = async {
        let mut stream = worker.connector.bare(origin).await.map_err(|error| error.message)?;
        Ok::<_, String>(converse(&mut stream, &hello, version).await)
    };
    match timeout(limit, answer).await {
        Ok(Ok(Answer::Takes(version))) => Ok(Offered { tls: version.to_string(), http: String::new() }),
        Ok(Ok(Answer::Refuses(how))) => Err(Declined::Refused(how)),
        Ok(Ok(Answer::Unclear(why)) | Err(why)) => Err(Declined::Unknown(why)),
        Err(_) => Err(Declined::Unknown(format!("no answer within {limit:?}"))),
    }
}

/// Says hello, and listens until the answer tells, ends or is too long.
async fn converse(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    hello: &[u8],
    version: Version,
) -> Answer {
    if let Err(error) = stream.write_all(hello).await {
        return broken(&[], &error);
    }
    let mut came = Vec::new();
    let mut room = [0; 512];
    loop {
        match stream.read(&mut room).await {
            Ok(0) => return hello::ended(&came),
            Ok(length) => came.extend_from_slice(room.get(..length).unwrap_or_default()),
            Err(error) => return broken(&came, &error),
        }
        if let Some(answer) = hello::read(&came, version) {
            return answer;
        }
        if came.len() >= ANSWER_BYTES_MAX {
            return Answer::Unclear(format!("{} bytes of its answer do not tell", came.len()));
        }
    }
}

/// What a connection says that breaks.
fn broken(came: &[u8], error: &io::Error) -> Answer {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    match error.kind() {
        BrokenPipe | ConnectionAborted | ConnectionReset => hello::ended(came),
        _ => Answer::Unclear(format!("the connection broke: {error}")),
    }
}

/// The configuration with these protocols alone.
fn speaking(config: &ClientConfig, protocols: &[&[u8]]) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config)
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    /// What is made of a server that answers so, a byte at a time, and closes; and what it was told.
    async fn said(answer: &[u8]) -> (Answer, Vec<u8>) {
        let (mut here, mut there) = duplex(64);
        let hello = hello::hello(Version::TLS_1_0, "shop.test", [7; 32]);
        let (length, answer) = (hello.len(), answer.to_vec());
        let server = tokio::spawn(async move {
            let mut told = vec![0; length];
            there.read_exact(&mut told).await.unwrap();
            for byte in answer {
                // Who has heard enough hangs up.
                if there.write_all(&[byte]).await.is_err() {
                    break;
                }
            }
            told
        });
        let answer = converse(&mut here, &hello, Version::TLS_1_0).await;
        drop(here);
        (answer, server.await.unwrap())
    }

    #[tokio::test]
    async fn a_server_is_heard_until_it_tells() {
        let refused = |how: &str| Answer::Refuses(how.to_owned());
        let unclear = |why: &str| Answer::Unclear(why.to_owned());
        for (answered, expected) in [
            (&b"\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01 and so on"[..], Answer::Takes(Version::TLS_1_0)),
            (b"\x15\x03\x01\x00\x02\x02\x46", refused("alert protocol_version")),
            (b"", refused("closed the connection")),
            (b"\x16\x03\x01\x00\x2a\x02", unclear("its answer broke off after 6 bytes")),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", unclear("it does not answer in TLS")),
        ] {
            let (answer, told) = said(answered).await;
            assert_eq!(answer, expected);
            assert_eq!(told, hello::hello(Version::TLS_1_0, "shop.test", [7; 32]));
        }
        let warnings = b"\x15\x03\x01\x00\x02\x01\x70".repeat(1_000);
        let (endless, _) = said(&warnings).await;
        assert!(matches!(&endless, Answer::Unclear(why) if why.contains("do not tell")), "{endless:?}");
    }

    #[test]
    fn who_hangs_up_refuses_and_what_else_breaks_tells_nothing() {
        let of = |kind: io::ErrorKind| broken(&[], &io::Error::from(kind));
        assert_eq!(of(io::ErrorKind::ConnectionReset), Answer::Refuses("closed the connection".to_owned()));
        assert!(matches!(of(io::ErrorKind::PermissionDenied), Answer::Unclear(_)));
    }
}
