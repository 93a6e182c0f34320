//! The authority: who signs the certificates of agents, and of the server that they dial.

use std::time::Duration;

use doorbuster_link::{CERTIFICATE_LIFE, agent_name, certificate_name};
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData as _,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::OffsetDateTime;

/// How long the authority holds. Its own certificate is trusted because agents have it, not because of its dates.
const AUTHORITY_LIFE: Duration = Duration::from_secs(5 * 365 * 86_400);
/// How long a server's certificate holds; it is made anew long before.
const SERVER_LIFE: Duration = Duration::from_secs(48 * 3_600);
/// How far clocks may be apart: certificates hold from that long ago.
const CLOCKS_APART: Duration = Duration::from_secs(3_600);

/// Why nothing was signed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub String);

/// An authority that can sign.
#[derive(Debug)]
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, in PEM.
    pub pem: String,
    /// The same, in DER.
    pub certificate: CertificateDer<'static>,
}

/// A certificate that was signed for an agent.
#[derive(Debug)]
pub(crate) struct Signed {
    /// The agent's name.
    pub agent: String,
    /// The certificate.
    pub pem: String,
}

/// A new authority: its certificate and its key, in PEM.
pub(super) fn make() -> Result<(String, String), String> {
    let key = KeyPair::generate().map_err(|why| why.to_string())?;
    let mut params = params("Doorbuster fleet", AUTHORITY_LIFE, Timestamp::now())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&key).map_err(|why| why.to_string())?;
    Ok((certificate.pem(), key.serialize_pem()))
}

impl Authority {
    pub(super) fn read(certificate_pem: &str, key_pem: &str) -> Result<Self, String> {
        let key = KeyPair::from_pem(key_pem).map_err(|why| format!("its key: {why}"))?;
        let certificate =
            CertificateDer::from_pem_slice(certificate_pem.as_bytes()).map_err(|why| why.to_string())?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(|why| why.to_string())?;
        Ok(Self { issuer, pem: certificate_pem.to_owned(), certificate })
    }

    /// A server's certificate for these names, and its key.
    pub(crate) fn serve(
        &self,
        hosts: &[String],
        now: Timestamp,
    ) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), String> {
        let key = KeyPair::generate().map_err(|why| why.to_string())?;
        let names = CertificateParams::new(hosts.to_vec()).map_err(|why| why.to_string())?;
        let mut params = params("Doorbuster coordinator", SERVER_LIFE, now)?;
        params.subject_alt_names = names.subject_alt_names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.issuer).map_err(|why| why.to_string())?;
        Ok((certificate.into(), PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()))))
    }

    /// Signs for the key of a request, which proves that its sender has it. What else the request asks for is not looked at:
    /// the name follows from the key.
    ///
    /// # Errors
    /// [`Refused`] where the request is none.
    pub(crate) fn sign(&self, request_pem: &str, now: Timestamp) -> Result<Signed, Refused> {
        let refused =
            |why: rcgen::Error| Refused(format!("the request for a certificate cannot be used: {why}"));
        let mut request = CertificateSigningRequestParams::from_pem(request_pem).map_err(refused)?;
        let agent = agent_name(&request.public_key.subject_public_key_info());
        let mut params = params(&agent, CERTIFICATE_LIFE, now).map_err(Refused)?;
        let names = CertificateParams::new(vec![certificate_name(&agent)]).map_err(refused)?;
        params.subject_alt_names = names.subject_alt_names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        request.params = params;
        let certificate = request.signed_by(&self.issuer).map_err(refused)?;
        Ok(Signed { agent, pem: certificate.pem() })
    }
}

/// What all certificates have.
fn params(name: &str, life: Duration, now: Timestamp) -> Result<CertificateParams, String> {
    let now = OffsetDateTime::from_unix_timestamp(now.as_second()).map_err(|why| why.to_string())?;
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = now - CLOCKS_APART;
    params.not_after = now + life;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}
