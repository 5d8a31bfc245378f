//! TLS of the listener for clients: the certificates in force, and how they are replaced while connections are served.
//!
//! Promises that a connection is accepted either with the old files or with the new ones, and that files that cannot be
//! used change nothing. Knows nothing of HTTP.

mod expiry;
mod files;
mod handshake;
mod stream;
#[cfg(test)]
mod tests;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustls::ServerConfig;
use tokio::{sync::Notify, task::spawn_blocking, time::sleep};

pub use self::files::TlsFileError;
pub(super) use self::files::check;
use self::files::{Files, Material};
pub(super) use self::handshake::{Handshake, HandshakeError};
use crate::{
    live::Live,
    telemetry::observer::{Observer, Reloaded},
};

/// The settings of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TlsSettings {
    /// A PEM file with the certificate chain, leaf first.
    pub(super) certificate: PathBuf,
    /// A PEM file with the key of the leaf.
    pub(super) key: PathBuf,
    /// A PEM file with the authorities that issue clients' certificates.
    pub(super) client_ca: Option<PathBuf>,
    /// Whether a client without a certificate is refused. Without `client_ca` it means nothing.
    pub(super) client_certificate_required: bool,
    /// The longest time that a handshake may take.
    pub(super) handshake_timeout: Duration,
    /// How often the files are checked. Zero: never.
    pub(super) reload: Duration,
}

/// Settings with the contents of their files, which were checked.
pub(super) struct Prepared {
    settings: TlsSettings,
    digest: blake3::Hash,
    material: Material,
}

/// What is in force, shared by clones.
#[derive(Clone)]
pub(super) struct Tls(Arc<Shared>);

struct Shared {
    /// `None`: clients speak HTTP without TLS.
    in_force: Live<Option<Prepared>>,
    /// What was wrong when the files were last checked.
    fault: Mutex<Option<Fault>>,
    /// Wakes [`Tls::watch`] because other settings are in force.
    installed: Notify,
    observer: Arc<dyn Observer>,
}

/// What was wrong with the files. The digest is `None` if they could not be read.
type Fault = (Option<blake3::Hash>, String);

impl Prepared {
    /// Reads and checks the files that `settings` name. Blocks.
    ///
    /// # Errors
    /// [`TlsFileError`].
    pub(super) fn read(settings: TlsSettings) -> Result<Self, TlsFileError> {
        let files = Files::read(&settings)?;
        let material = files.parse(&settings)?;
        Ok(Self { digest: files.digest(), settings, material })
    }
}

impl Tls {
    /// Starts with `prepared`, or without TLS.
    pub(super) fn new(prepared: Option<Prepared>, observer: Arc<dyn Observer>) -> Self {
        let shared = Shared { in_force: Live::new(None), fault: Mutex::default(), installed: Notify::new(), observer };
        let tls = Self(Arc::new(shared));
        tls.install(prepared);
        tls
    }

    /// Takes over other settings and files, or turns TLS off, for connections from now on.
    pub(super) fn install(&self, prepared: Option<Prepared>) {
        self.set_fault(None);
        self.0.observer.certificate_in_force(prepared.as_ref().and_then(|prepared| prepared.material.expires));
        self.0.in_force.set(prepared);
        self.0.installed.notify_one();
    }

    /// How the next connection begins: the configuration of its handshake and the longest time for it; `None` without
    /// TLS.
    pub(super) fn current(&self) -> Option<(Arc<ServerConfig>, Duration)> {
        let in_force = self.0.in_force.get();
        let Prepared { settings, material, .. } = (**in_force).as_ref()?;
        Some((Arc::clone(&material.config), settings.handshake_timeout))
    }

    /// Whether clients have to speak TLS.
    pub(super) fn is_on(&self) -> bool {
        self.0.in_force.get().is_some()
    }

    /// Checks the files from time to time, forever.
    pub(super) async fn watch(self) {
        loop {
            let every =
                self.0.in_force.get().as_ref().as_ref().map_or(Duration::ZERO, |in_force| in_force.settings.reload);
            tokio::select! {
                () = sleep(every), if !every.is_zero() => self.look().await,
                () = self.0.installed.notified() => {}
            }
        }
    }

    /// Looks at the contents of the files, and takes them over if they differ from what is in force.
    async fn look(&self) {
        let Some((settings, digest)) =
            self.0.in_force.get().as_ref().as_ref().map(|in_force| (in_force.settings.clone(), in_force.digest))
        else {
            return;
        };
        // A network file system may take its time.
        let Ok(looked) = spawn_blocking(move || compare(settings, digest)).await else { return };
        match looked {
            Ok(None) => {
                self.set_fault(None);
            }
            Ok(Some(prepared)) => {
                // SIGHUP may have replaced the settings meanwhile.
                if self.0.in_force.get().as_ref().as_ref().is_none_or(|now| now.settings != prepared.settings) {
                    return;
                }
                let expires = prepared.material.expires;
                self.install(Some(prepared));
                tracing::info!(expires, "using new certificates for clients (server.tls)");
            }
            Err(fault) => {
                if self.set_fault(Some(fault.clone())) {
                    tracing::warn!(
                        "the new certificates for clients cannot be used; the old ones stay in force: {}",
                        fault.1
                    );
                }
                return self.0.observer.reloaded(Reloaded::Certificates, false);
            }
        }
        self.0.observer.reloaded(Reloaded::Certificates, true);
    }

    /// Notes what is wrong. Returns whether that is new.
    fn set_fault(&self, fault: Option<Fault>) -> bool {
        let mut known = self.0.fault.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = *known != fault;
        *known = fault;
        is_new
    }
}

/// Reads the files. `None` if they are those with this digest.
fn compare(settings: TlsSettings, digest: blake3::Hash) -> Result<Option<Prepared>, Fault> {
    let files = Files::read(&settings).map_err(|error| (None, error.to_string()))?;
    let found = files.digest();
    if found == digest {
        return Ok(None);
    }
    let material = files.parse(&settings).map_err(|error| (Some(found), error.to_string()))?;
    Ok(Some(Prepared { settings, digest: found, material }))
}
