//! Letting agents in: what their first message must say, and whether their certificate says so, too.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use doorbuster_link::{SILENCE_MAX, certificate_name};
use doorbuster_wire::{Downward, PROTOCOL, Upward};
use jiff::Timestamp;
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::Streaming;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::roster::{Link, Roster};
use crate::launch::skew::mismatch;

/// How long an agent may take to say who it is.
const FIRST_WITHIN: Duration = Duration::from_secs(10);
/// How many messages wait for a seat before the stream waits.
const WAITING_MAX: usize = 64;

/// Takes an agent's stream: refuses it, or hands it to the roster and carries its messages on until it breaks.
pub(super) async fn admit(
    roster: Arc<Roster>,
    certificate: CertificateDer<'static>,
    mut stream: Streaming<Bytes>,
    to: mpsc::Sender<Downward>,
) {
    let Ok(Some(first)) = timeout(FIRST_WITHIN, next(&mut stream)).await else { return };
    let (agent, region, received) = match look(&roster, &certificate, first) {
        Ok(known) => known,
        Err(why) => {
            let _ = to.send(Downward::Refused { why }).await;
            return;
        }
    };
    let (said, from) = mpsc::channel(WAITING_MAX);
    roster.arrive(Link { agent, region, received, from, to });
    // Silence is a broken stream, too.
    while let Ok(Some(message)) = timeout(SILENCE_MAX, next(&mut stream)).await {
        // That somebody is there is all that this one says.
        if message != Upward::Alive && said.send(message).await.is_err() {
            return;
        }
        if said.is_closed() {
            return;
        }
    }
}

/// The next message; `None` where none follows, or none that can be understood.
async fn next(stream: &mut Streaming<Bytes>) -> Option<Upward> {
    Upward::decode(&stream.message().await.ok()??).ok()
}

/// Looks at a first message.
fn look(
    roster: &Roster,
    certificate: &CertificateDer<'_>,
    first: Upward,
) -> Result<(String, String, u64), String> {
    let Upward::Join { agent, region, protocol, version, received } = first else {
        return Err("an agent's first message says who it is".to_owned());
    };
    if !is_named(certificate, &agent) {
        return Err(format!(
            "the certificate is not that of {agent}; remove the agent's state, and enrol it again"
        ));
    }
    if protocol != PROTOCOL {
        return Err(mismatch(roster.launch_of(&region), None, &version, protocol));
    }
    roster.knows(&region)?;
    Ok((agent, region, received))
}

/// How long a certificate still holds; not at all where nobody can tell.
pub(super) fn holds_for(certificate: &CertificateDer<'_>, now: Timestamp) -> Duration {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate.as_ref()) else { return Duration::ZERO };
    let left_s = parsed.validity().not_after.timestamp().saturating_sub(now.as_second());
    Duration::from_secs(u64::try_from(left_s).unwrap_or(0))
}

/// Whether a certificate is this agent's. That the authority signed it, and when, TLS has seen to.
pub(super) fn is_named(certificate: &CertificateDer<'_>, agent: &str) -> bool {
    let Ok(name) = ServerName::try_from(certificate_name(agent)) else { return false };
    let parsed = ParsedCertificate::try_from(certificate);
    parsed.and_then(|parsed| verify_server_name(&parsed, &name)).is_ok()
}
