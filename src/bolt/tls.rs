//! TLS for `bolt+s` and `bolt+ssc`, with rustls and one cryptography provider.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;
use thiserror::Error;

use super::uri::Security;

/// Why no TLS configuration could be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsConfigError {
    /// The CA file cannot be read.
    #[error("cannot read the CA file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The CA file holds no certificate.
    #[error("{} holds no certificate in PEM form", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// rustls refuses.
    #[error("TLS cannot be set up: {0}")]
    Rustls(#[from] rustls::Error),
}

/// The configuration for `security`: `None` for plain Bolt. Without `ca_file` the platform's trust store decides.
///
/// # Errors
/// [`TlsConfigError`].
pub fn client_config(security: Security, ca_file: Option<&Path>) -> Result<Option<Arc<ClientConfig>>, TlsConfigError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = || ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let config = match (security, ca_file) {
        (Security::Plain, _) => return Ok(None),
        (Security::Verified, Some(path)) => builder()?.with_root_certificates(roots(path)?).with_no_client_auth(),
        (Security::Verified, None) => builder()?.with_platform_verifier()?.with_no_client_auth(),
        (Security::SelfSigned, _) => {
            let verifier = Arc::new(AnyCertificate { provider: Arc::clone(&provider) });
            builder()?.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
        }
    };
    Ok(Some(Arc::new(config)))
}

fn roots(path: &Path) -> Result<RootCertStore, TlsConfigError> {
    let pem = fs::read(path).map_err(|source| TlsConfigError::Read { path: path.into(), source })?;
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| TlsConfigError::NoCertificate { path: path.into() })?;
        store.add(certificate)?;
    }
    if store.is_empty() {
        return Err(TlsConfigError::NoCertificate { path: path.into() });
    }
    Ok(store)
}

/// Takes any certificate, but still demands that the server holds its key.
#[derive(Debug)]
struct AnyCertificate {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyCertificate {
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
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What to tell the operator beside rustls's own words, when it is the certificate that is at fault.
#[must_use]
pub fn advice(error: &io::Error) -> Option<&'static str> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    match error {
        // A bad signature is what an issuer's successor of the same name leaves.
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            Some("name the issuer's certificate in database.ca_file, or use bolt+ssc:// to accept any certificate")
        }
        rustls::Error::InvalidMessage(_) => Some("the port may not speak TLS: try bolt://"),
        _ => None,
    }
}
