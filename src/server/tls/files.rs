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

/// How a block of PEM begins.
const PEM: &[u8] = b"-----BEGIN ";

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
    /// A file is binary, as are certificates and keys in DER format.
    #[error(
        "{} ({key}) is not PEM text, which begins with -----BEGIN; convert it with `openssl {command} -in {} -out FILE`",
        path.display(), path.display()
    )]
    NotPem {
        /// The setting.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// The command of OpenSSL that understands the file.
        command: &'static str,
    },
    /// The key needs a passphrase, and there is no way to enter one.
    #[error(
        "{} ({KEY}) is encrypted with a passphrase; write the key without one with `openssl pkey -in {} -out FILE`",
        path.display(), path.display()
    )]
    Encrypted {
        /// The file.
        path: PathBuf,
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

impl TlsFileError {
    /// The setting that names the file.
    pub(in crate::server) fn setting(&self) -> &'static str {
        match self {
            Self::Read { key, .. }
            | Self::Empty { key, .. }
            | Self::NotPem { key, .. }
            | Self::Unusable { key, .. } => key,
            Self::Encrypted { .. } | Self::Mismatch { .. } => KEY,
        }
    }
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

/// Reads a file. Blocks.
fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsFileError> {
    fs::read(path).map_err(|source| TlsFileError::Read { key, path: path.to_owned(), source })
}

/// Returns everything that is wrong with the files: with each of them, or else with their combination. Blocks.
pub(in crate::server) fn check(settings: &TlsSettings) -> Vec<TlsFileError> {
    let of_certificates = |key, path: &Path| read(key, path).and_then(|pem| certificates(&pem, key, path)).err();
    let mistakes = [
        of_certificates(CERTIFICATE, &settings.certificate),
        read(KEY, &settings.key).and_then(|pem| private_key(&pem, &settings.key)).err(),
        settings.client_ca.as_deref().and_then(|path| of_certificates(CLIENT_CA, path)),
    ];
    let mistakes: Vec<_> = mistakes.into_iter().flatten().collect();
    if !mistakes.is_empty() {
        return mistakes;
    }
    Files::read(settings).and_then(|files| files.parse(settings)).err().into_iter().collect()
}

fn certificates(pem: &[u8], key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| unusable(key, path, &error))?;
    if found.is_empty() {
        if is_binary(pem) {
            return Err(TlsFileError::NotPem { key, path: path.to_owned(), command: "x509 -inform der" });
        }
        return Err(TlsFileError::Empty { key, path: path.to_owned(), wanted: "certificate in PEM format" });
    }
    Ok(found)
}

fn private_key(pem: &[u8], path: &Path) -> Result<PrivateKeyDer<'static>, TlsFileError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        pem::Error::NoItemsFound if has(pem, b"BEGIN ENCRYPTED PRIVATE KEY") => {
            TlsFileError::Encrypted { path: path.to_owned() }
        }
        pem::Error::NoItemsFound if is_binary(pem) => {
            TlsFileError::NotPem { key: KEY, path: path.to_owned(), command: "pkey -inform der" }
        }
        pem::Error::NoItemsFound => TlsFileError::Empty {
            key: KEY,
            path: path.to_owned(),
            wanted: "private key in PEM format (PKCS#8, PKCS#1 or SEC1)",
        },
        // The older format: the key's own block says that it is encrypted.
        _ if has(pem, b"Proc-Type: 4,ENCRYPTED") => TlsFileError::Encrypted { path: path.to_owned() },
        error => unusable(KEY, path, &error),
    })
}

/// Whether this is neither PEM nor any other text.
fn is_binary(content: &[u8]) -> bool {
    !has(content, PEM) && (content.contains(&0) || std::str::from_utf8(content).is_err())
}

fn has(content: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(content, part).is_some()
}

fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: &[u8],
    settings: &TlsSettings,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsFileError> {
    let key = private_key(key, &settings.key)?;
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
