//! The files of `[server.tls]`: from PEM to what handshakes need.
//!
//! Promises that what it returns can be used: the key belongs to the certificate. Errors name the file and its setting,
//! and nothing of a key.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    InconsistentKeys, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    server::{VerifierBuilderError, WebPkiClientVerifier, danger::ClientCertVerifier},
    sign::{CertifiedKey, SingleCertAndKey},
};
use thiserror::Error;

use super::{TlsSettings, expiry::expiry};

const CERTIFICATE: &str = "server.tls.certificate";
const KEY: &str = "server.tls.key";
const CLIENT_CA: &str = "server.tls.client_ca";

/// Why the files cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsFileError {
    /// A file cannot be read.
    #[error("cannot read {} ({key}): {source}", path.display())]
    Read {
        /// The setting.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file holds nothing of what it is for.
    #[error("{} ({key}) contains no {wanted}", path.display())]
    Empty {
        /// The setting.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
    },
    /// A file is damaged, or holds what this gateway cannot use.
    #[error("{} ({key}) cannot be used: {reason}", path.display())]
    Unusable {
        /// The setting.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The files belong to different pairs.
    #[error("the key in {} ({KEY}) does not belong to the certificate in {} ({CERTIFICATE})", key.display(), certificate.display())]
    Mismatch {
        /// The file with the key.
        key: PathBuf,
        /// The file with the certificate.
        certificate: PathBuf,
    },
}

/// What the files hold, as it was read.
pub(super) struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// What handshakes need.
pub(super) struct Material {
    pub(super) config: Arc<ServerConfig>,
    /// See [`expiry`].
    pub(super) expires: Option<i64>,
}

impl Files {
    /// Reads the files. Blocks.
    ///
    /// # Errors
    /// [`TlsFileError::Read`].
    pub(super) fn read(settings: &TlsSettings) -> Result<Self, TlsFileError> {
        let read = |key, path: &Path| {
            fs::read(path).map_err(|source| TlsFileError::Read { key, path: path.to_owned(), source })
        };
        Ok(Self {
            certificate: read(CERTIFICATE, &settings.certificate)?,
            key: read(KEY, &settings.key)?,
            client_ca: settings.client_ca.as_deref().map(|path| read(CLIENT_CA, path)).transpose()?,
        })
    }

    /// Tells other contents from these.
    pub(super) fn digest(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for file in [Some(&self.certificate), Some(&self.key), self.client_ca.as_ref()].into_iter().flatten() {
            hasher.update(&file.len().to_le_bytes()).update(file);
        }
        hasher.finalize()
    }

    /// Makes the configuration of handshakes. Every one has a store of sessions of its own: a session that began under
    /// other authorities for clients cannot be resumed.
    ///
    /// # Errors
    /// [`TlsFileError`].
    pub(super) fn parse(&self, settings: &TlsSettings) -> Result<Material, TlsFileError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let chain = certificates(&self.certificate, CERTIFICATE, &settings.certificate)?;
        let expires = chain.first().and_then(expiry);
        let certified = certified(chain, &self.key, settings, &provider)?;
        let verifier = match (&settings.client_ca, &self.client_ca) {
            (Some(path), Some(pem)) => verifier(pem, path, settings.client_certificate_required, &provider)?,
            _ => WebPkiClientVerifier::no_client_auth(),
        };
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| unusable(CERTIFICATE, &settings.certificate, &error))?;
        let mut config =
            builder.with_client_cert_verifier(verifier).with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Material { config: Arc::new(config), expires })
    }
}

fn certificates(pem: &[u8], key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| unusable(key, path, &error))?;
    if found.is_empty() {
        return Err(TlsFileError::Empty { key, path: path.to_owned(), wanted: "certificate in PEM format" });
    }
    Ok(found)
}

fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: &[u8],
    settings: &TlsSettings,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsFileError> {
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsFileError::Empty {
            key: KEY,
            path: settings.key.clone(),
            wanted: "private key in PEM format (PKCS#8, PKCS#1 or SEC1, not encrypted)",
        },
        error => unusable(KEY, &settings.key, &error),
    })?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            TlsFileError::Mismatch { key: settings.key.clone(), certificate: settings.certificate.clone() }
        }
        rustls::Error::InvalidCertificate(_) => unusable(CERTIFICATE, &settings.certificate, &error),
        error => unusable(KEY, &settings.key, &error),
    })
}

fn verifier(
    pem: &[u8],
    path: &Path,
    required: bool,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsFileError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem, CLIENT_CA, path)? {
        roots.add(certificate).map_err(|error| unusable(CLIENT_CA, path, &error))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let builder = if required { builder } else { builder.allow_unauthenticated() };
    builder.build().map_err(|error: VerifierBuilderError| unusable(CLIENT_CA, path, &error))
}

fn unusable(key: &'static str, path: &Path, error: &dyn std::error::Error) -> TlsFileError {
    TlsFileError::Unusable { key, path: path.to_owned(), reason: error.to_string() }
}
