//! Who an agent is: its key, which its name follows from, and a certificate for it.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use doorbuster_link::agent_name;
use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};

use super::state::State;
use crate::Error;

/// A key, the authority to trust, and the certificate if there is one.
#[derive(Debug)]
pub(super) struct Identity {
    /// The agent's name.
    pub name: String,
    key: KeyPair,
    roots: Arc<RootCertStore>,
    certificate: Option<CertificateDer<'static>>,
}

impl Identity {
    /// What the folder holds; a key is made where there is none.
    pub(super) fn read(state: &State) -> Result<Self, Error> {
        let key = match state.key_pem()? {
            Some(pem) => KeyPair::from_pem(&pem).map_err(|why| unusable("the agent's key", &why))?,
            None => {
                let key = KeyPair::generate().map_err(|why| unusable("a new key", &why))?;
                state.keep_key(&key.serialize_pem())?;
                key
            }
        };
        let ca = state.ca_pem()?.ok_or_else(|| {
            Error::Join(
                "--ca: name the certificate of the coordinator's authority, ca.pem of its pki folder"
                    .to_owned(),
            )
        })?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
            let certificate = certificate.map_err(|why| unusable("the authority's certificate", &why))?;
            roots.add(certificate).map_err(|why| unusable("the authority's certificate", &why))?;
        }
        if roots.is_empty() {
            return Err(unusable("the authority's certificate", &"it holds none in PEM"));
        }
        let certificate = match state.certificate_pem()? {
            // One that cannot be read is none: the agent enrols again.
            Some(pem) => CertificateDer::from_pem_slice(pem.as_bytes()).ok(),
            None => None,
        };
        let name = agent_name(&key.subject_public_key_info());
        Ok(Self { name, key, roots: Arc::new(roots), certificate })
    }

    /// Whether the certificate is of this authority and for this agent, and still will be so much later.
    pub(super) fn holds_for(&self, later: Duration) -> bool {
        let Some(certificate) = &self.certificate else { return false };
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&self.roots), provider).build();
        let Ok(verifier) = verifier else { return false };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let then = UnixTime::since_unix_epoch(now + later);
        let is_named = rustls::pki_types::ServerName::try_from(doorbuster_link::certificate_name(&self.name))
            .is_ok_and(|name| {
                rustls::server::ParsedCertificate::try_from(certificate)
                    .and_then(|parsed| rustls::client::verify_server_name(&parsed, &name))
                    .is_ok()
            });
        is_named && verifier.verify_client_cert(certificate, &[], then).is_ok()
    }

    /// The request for a certificate, in PEM.
    pub(super) fn request(&self) -> Result<String, Error> {
        let request =
            CertificateParams::default().serialize_request(&self.key).and_then(|request| request.pem());
        request.map_err(|why| unusable("a request for a certificate", &why))
    }

    /// How TLS is spoken with the coordinator: with the certificate where `shows_it`, otherwise without one.
    pub(super) fn tls(&self, shows_it: bool) -> Result<Arc<ClientConfig>, Error> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(|why| unusable("TLS 1.3", &why))?
            .with_root_certificates(Arc::clone(&self.roots));
        let mut config = match self.certificate.as_ref().filter(|_| shows_it) {
            None => builder.with_no_client_auth(),
            Some(certificate) => {
                let key = PrivateKeyDer::from_pem_slice(self.key.serialize_pem().as_bytes())
                    .map_err(|why| unusable("the agent's key", &why))?;
                builder
                    .with_client_auth_cert(vec![certificate.clone()], key)
                    .map_err(|why| unusable("the agent's certificate", &why))?
            }
        };
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Arc::new(config))
    }
}

fn unusable(what: &str, why: &dyn std::fmt::Display) -> Error {
    Error::Tls { what: what.to_owned(), why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyUsagePurpose};

    use super::super::state::tests::Folder;
    use super::*;

    fn authority() -> (String, Issuer<'static, KeyPair>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let pem = params.self_signed(&key).unwrap().pem();
        (pem, Issuer::new(params, key))
    }

    fn certificate(
        issuer: &Issuer<'static, KeyPair>,
        name: &str,
        key: &KeyPair,
        days: std::ops::Range<(i32, u8, u8)>,
    ) -> String {
        let mut params = CertificateParams::new(vec![doorbuster_link::certificate_name(name)]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let day = |(year, month, day): (i32, u8, u8)| rcgen::date_time_ymd(year, month, day);
        params.not_before = day(days.start);
        params.not_after = day(days.end);
        params.signed_by(key, issuer).unwrap().pem()
    }

    #[test]
    fn a_key_is_made_once_and_gives_the_name() {
        let folder = Folder::new();
        let state = State::open(Some(&folder.0), None).unwrap();
        assert!(Identity::read(&state).unwrap_err().to_string().contains("--ca"));
        let (ca, _) = authority();
        state.keep_certificate("no certificate", &ca).unwrap();
        let first = Identity::read(&state).unwrap();
        assert!(first.name.starts_with("agent-"));
        assert_eq!(Identity::read(&state).unwrap().name, first.name);
        assert!(!first.holds_for(Duration::ZERO));
        assert!(first.request().unwrap().contains("CERTIFICATE REQUEST"));
        assert!(first.tls(true).is_ok(), "without a certificate there is none to show");
    }

    #[test]
    fn certificates_of_others_or_of_another_time_are_none() {
        let folder = Folder::new();
        let state = State::open(Some(&folder.0), None).unwrap();
        let (ca, issuer) = authority();
        let (_, stranger) = authority();
        state.keep_certificate("", &ca).unwrap();
        let identity = Identity::read(&state).unwrap();
        let (long, past) = ((2020, 1, 1)..(2400, 1, 1), (2020, 1, 1)..(2021, 1, 1));
        let own = &identity.name;
        for (issuer, name, days, holds) in [
            (&issuer, own.as_str(), long.clone(), true),
            (&stranger, own.as_str(), long.clone(), false),
            (&issuer, "agent-00000000000000000000", long, false),
            (&issuer, own.as_str(), past, false),
        ] {
            let pem = certificate(issuer, name, &identity.key, days.clone());
            state.keep_certificate(&pem, &ca).unwrap();
            let read = Identity::read(&state).unwrap();
            assert_eq!(read.holds_for(Duration::ZERO), holds, "{name} {days:?}");
            assert!(!read.holds_for(Duration::from_secs(400 * 366 * 86_400)), "the end is looked at");
            assert!(read.tls(true).is_ok());
        }
    }
}
