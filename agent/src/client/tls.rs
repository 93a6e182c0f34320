//! How TLS is spoken.

use std::collections::BTreeMap;
use std::sync::Arc;

use doorbuster_model::plan::{Http, HttpVersion};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, SupportedProtocolVersion};

use crate::Error;

/// The configuration of every TLS connection. Sessions are not resumed: each connection of each shopper pays its
/// handshake, as a crowd's first connections do.
pub(crate) fn config(
    http: &Http,
    files: &BTreeMap<String, String>,
    ca_pem: Option<&str>,
) -> Result<ClientConfig, Error> {
    config_of(rustls::DEFAULT_VERSIONS, http, files, ca_pem)
}

/// The same for those who speak HTTP/1.1 with a public server that is no target.
pub(crate) fn public() -> Result<ClientConfig, Error> {
    config(&Http { version: HttpVersion::Http1, ..Http::default() }, &BTreeMap::new(), None)
}

/// The same for some versions of TLS alone.
pub(crate) fn config_of(
    versions: &[&'static SupportedProtocolVersion],
    http: &Http,
    files: &BTreeMap<String, String>,
    ca_pem: Option<&str>,
) -> Result<ClientConfig, Error> {
    let fail =
        |what: &str, why: &dyn std::fmt::Display| Error::Tls { what: what.to_owned(), why: why.to_string() };
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(|why| fail("the protocol versions", &why))?;
    let own_ca = http.ca.as_ref().map(|name| (name.as_str(), files.get(name).map_or("", String::as_str)));
    let builder = if http.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AcceptsAnything { provider }))
    } else {
        builder.with_root_certificates(roots(ca_pem.map(|pem| ("--cacert", pem)).or(own_ca))?)
    };
    let mut config = match &http.client_cert {
        None => builder.with_no_client_auth(),
        Some((certificates, key)) => {
            let text = |name: &String| files.get(name).map_or("", String::as_str);
            let chain = certificates_of(certificates, text(certificates))?;
            let secret =
                PrivateKeyDer::from_pem_slice(text(key).as_bytes()).map_err(|why| fail(key, &why))?;
            builder.with_client_auth_cert(chain, secret).map_err(|why| fail(certificates, &why))?
        }
    };
    config.resumption = Resumption::disabled();
    config.alpn_protocols = match http.version {
        HttpVersion::Negotiated => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        HttpVersion::Http1 => vec![b"http/1.1".to_vec()],
        HttpVersion::Http2 => vec![b"h2".to_vec()],
    };
    Ok(config)
}

/// The certificates that are trusted: an own authority's, or the public ones.
fn roots(own: Option<(&str, &str)>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    let Some((name, pem)) = own else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(roots);
    };
    for certificate in certificates_of(name, pem)? {
        roots.add(certificate).map_err(|why| Error::Tls { what: name.to_owned(), why: why.to_string() })?;
    }
    Ok(roots)
}

fn certificates_of(name: &str, pem: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let fail = |why: String| Error::Tls { what: name.to_owned(), why };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let certificates = certificates.map_err(|why| fail(why.to_string()))?;
    if certificates.is_empty() {
        return Err(fail("it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)".to_owned()));
    }
    Ok(certificates)
}

/// `--insecure`: signatures are checked, certificates are not.
#[derive(Debug)]
struct AcceptsAnything {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AcceptsAnything {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
