//! TLS for the gateway's outgoing connections, with rustls and one cryptography provider.
//!
//! Owns the choice of trust: the platform's authorities, those of a file, or any certificate. Promises to verify
//! certificates unless the caller asks for [`unverified`]. Knows nothing of the protocol inside.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme, WantsVerifier,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;
use thiserror::Error;

/// The reasons why a TLS configuration cannot be created.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsConfigError {
    /// The CA file cannot be read.
    #[error("cannot read the CA file {}: {source}", path.display())]
    Read {
        /// The path of the file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The CA file contains no certificate.
    #[error("{} contains no certificate in PEM format", path.display())]
    NoCertificate {
        /// The path of the file.
        path: PathBuf,
    },
    /// rustls rejects the configuration.
    #[error("cannot set up TLS: {0}")]
    Rustls(#[from] rustls::Error),
}

/// Returns a configuration that trusts the authorities in the PEM file `ca_file`, or those of the platform.
///
/// # Errors
/// See [`TlsConfigError`].
pub fn verified(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, TlsConfigError> {
    let builder = builder(Arc::new(aws_lc_rs::default_provider()))?;
    let builder = match ca_file {
        Some(path) => builder.with_root_certificates(roots(path)?),
        None => builder.with_platform_verifier()?,
    };
    Ok(Arc::new(builder.with_no_client_auth()))
}

/// Returns a configuration that accepts any certificate.
///
/// # Errors
/// Returns [`TlsConfigError::Rustls`].
pub fn unverified() -> Result<Arc<ClientConfig>, TlsConfigError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(AnyCertificate { provider: Arc::clone(&provider) });
    let config = builder(provider)?.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    Ok(Arc::new(config))
}

fn builder(provider: Arc<CryptoProvider>) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()
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

/// Accepts any certificate, but requires that the server holds its private key.
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
