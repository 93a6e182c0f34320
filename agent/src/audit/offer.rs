//! What a server takes of what is offered to it: handshakes without a request.

use std::sync::Arc;

use doorbuster_model::cdn::audit::{Offer, Offered};
use rustls::{ClientConfig, ProtocolVersion};
use url::Url;

use super::Duty;
use crate::client::Origin;
use crate::worker::Worker;

/// Makes an offer to the server of `url`. The error says why it was not taken.
pub(super) async fn make(worker: &Worker, duty: &Duty, offer: Offer, url: &Url) -> Result<Offered, String> {
    let config = match offer {
        Offer::Anything => speaking(&worker.job.tls, &[b"h2", b"http/1.1"]),
        Offer::Http1 => speaking(&worker.job.tls, &[b"http/1.1"]),
        Offer::Tls12 => Arc::clone(&duty.tls_1_2),
    };
    worker.tallies.borrow_mut().at(worker.clock.now_ns()).count("handshakes", 1);
    let agreed = worker.connector.shake_hands(&Origin::of(url), config).await;
    let agreed = agreed.map_err(|error| error.message)?;
    let tls = match agreed.version {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3".to_owned(),
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2".to_owned(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    };
    let http = String::from_utf8_lossy(&agreed.protocol.unwrap_or_default()).into_owned();
    Ok(Offered { tls, http })
}

/// The configuration with these protocols alone.
fn speaking(config: &ClientConfig, protocols: &[&[u8]]) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config)
}
