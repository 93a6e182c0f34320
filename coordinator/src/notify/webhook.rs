//! A webhook: the JSON document of a notice, signed.

use url::Url;

use super::answer::NotDelivered;
use super::client::Request;
use super::document::Document;
use super::hmac::{hex, hmac_sha256};
use super::message::Message;
use super::secret::Secret;
use super::token::token;

/// The longest `Idempotency-Key`.
const KEY_BYTES_MAX: usize = 255;

#[derive(Clone, Debug)]
pub(super) struct Webhook {
    pub(super) url: Url,
    pub(super) secret: Secret,
}

impl Webhook {
    pub(super) fn request(&self, message: &Message<'_>) -> Result<Request, NotDelivered> {
        let mut request = Request::json(self.url.clone(), &Document::of(message))?;
        let signed = format!("{}.{}", message.now_s, request.body);
        let tag = hmac_sha256(self.secret.reveal().as_bytes(), signed.as_bytes());
        let signature = format!("t={},v1={}", message.now_s, hex(tag.as_ref()));
        request.headers.push(("x-doorbuster-signature", signature));
        request.headers.push(("idempotency-key", token(&message.key(), KEY_BYTES_MAX)));
        request.secrets.push(self.secret.clone());
        Ok(request)
    }
}
