//! The calls that agents make, over whatever connection they come.

use std::sync::Arc;

use bytes::Bytes;
use doorbuster_link::{ENROL, ENROL_BYTES_MAX, JOIN, MESSAGE_BYTES_MAX, Messages, RENEW};
use doorbuster_wire::{Downward, Enrol, Enrolled};
use futures_util::stream::poll_fn;
use hyper::body::Incoming;
use hyper::{Request, Response};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tonic::body::Body;
use tonic::server::Grpc;
use tonic::{Status, Streaming};
use tower::service_fn;

use super::gate::{admit, is_named};
use super::roster::{Roster, TOLD_MAX};
use crate::Error;
use crate::fleet::pki::{Pki, Refused, Tokens};

/// What answers.
#[derive(Debug)]
pub(super) struct Service {
    pub pki: Pki,
    pub roster: Arc<Roster>,
}

impl Service {
    /// Answers a call of whoever showed `certificate`, which TLS has checked.
    pub(super) async fn answer(
        self: Arc<Self>,
        certificate: Option<CertificateDer<'static>>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let path = request.uri().path().to_owned();
        match (path.as_str(), certificate) {
            (ENROL, _) => {
                let enrol = service_fn(move |request: tonic::Request<Bytes>| {
                    let service = Arc::clone(&self);
                    async move { service.enrol(&request.into_inner()).await }
                });
                grpc(ENROL_BYTES_MAX).unary(enrol, request).await
            }
            (RENEW, Some(certificate)) => {
                let renew = service_fn(move |request: tonic::Request<Bytes>| {
                    let renewed = self.renew(&certificate, &request.into_inner());
                    async move { renewed }
                });
                grpc(ENROL_BYTES_MAX).unary(renew, request).await
            }
            (JOIN, Some(certificate)) => {
                let join = service_fn(move |request: tonic::Request<Streaming<Bytes>>| {
                    let (to, mut told) = mpsc::channel::<Downward>(TOLD_MAX);
                    let roster = Arc::clone(&self.roster);
                    tokio::spawn(admit(roster, certificate.clone(), request.into_inner(), to));
                    let messages = poll_fn(move |context| {
                        told.poll_recv(context)
                            .map(|next| next.map(|message| Ok::<_, Status>(message.encode())))
                    });
                    async move { Ok::<_, Status>(tonic::Response::new(messages)) }
                });
                grpc(MESSAGE_BYTES_MAX).streaming(join, request).await
            }
            (RENEW | JOIN, None) => {
                Status::unauthenticated("no certificate was shown; enrol first").into_http()
            }
            _ => Status::unimplemented("this coordinator knows no such call; compare both versions")
                .into_http(),
        }
    }

    /// Gives a certificate for a token.
    async fn enrol(&self, message: &[u8]) -> Result<tonic::Response<Vec<u8>>, Status> {
        let Enrol { token, csr_pem } = Enrol::decode(message).map_err(|why| not_understood(&why))?;
        // Looked at first, as nothing is read or signed for strangers. Signed then, so that a request which is none costs no
        // token. Handed out last, to the one who burns it.
        let known = token.clone();
        self.of_tokens(move |tokens| tokens.knows(&known, Timestamp::now())).await?;
        let signed = self.pki.authority.sign(&csr_pem, Timestamp::now()).map_err(refused)?;
        self.of_tokens(move |tokens| tokens.burn(&token, Timestamp::now())).await?;
        Ok(self.enrolled(signed.pem))
    }

    /// Asks the tokens' file, which may take a while, whether a token is good.
    async fn of_tokens(
        &self,
        ask: impl FnOnce(&Tokens) -> Result<bool, Error> + Send + 'static,
    ) -> Result<(), Status> {
        let tokens = self.pki.tokens.clone();
        match spawn_blocking(move || ask(&tokens)).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(Status::permission_denied(
                "the token is not known, was used, or has expired; make another with `doorbuster fleet pki FOLDER --tokens 1`, for agents on EC2 with `doorbuster fleet up --agents-ec2 N --join URL`",
            )),
            Ok(Err(error)) => Err(Status::internal(error.to_string())),
            Err(_) => Err(Status::internal("the token could not be looked at")),
        }
    }

    /// Gives the next certificate for the key of the present one.
    fn renew(
        &self,
        certificate: &CertificateDer<'_>,
        message: &[u8],
    ) -> Result<tonic::Response<Vec<u8>>, Status> {
        let Enrol { csr_pem, .. } = Enrol::decode(message).map_err(|why| not_understood(&why))?;
        let signed = self.pki.authority.sign(&csr_pem, Timestamp::now()).map_err(refused)?;
        if !is_named(certificate, &signed.agent) {
            return Err(Status::permission_denied(
                "a certificate is renewed for its own key alone; enrol with a token",
            ));
        }
        Ok(self.enrolled(signed.pem))
    }

    fn enrolled(&self, certificate_pem: String) -> tonic::Response<Vec<u8>> {
        let ca_pem = self.pki.authority.pem.clone();
        tonic::Response::new(Enrolled { certificate_pem, ca_pem }.encode())
    }
}

fn grpc(message_bytes_max: usize) -> Grpc<Messages> {
    Grpc::new(Messages).max_decoding_message_size(message_bytes_max)
}

fn refused(Refused(why): Refused) -> Status {
    Status::invalid_argument(why)
}

fn not_understood(why: &doorbuster_wire::Error) -> Status {
    Status::invalid_argument(why.to_string())
}
