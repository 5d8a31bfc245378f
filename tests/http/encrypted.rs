//! TLS with clients: versions, protocols, clients' certificates, and certificates that are replaced.
#![cfg(all(feature = "embedded", unix))]

mod certificates;
mod clients;
mod connections;

use crate::support::{
    gateway::{Gateway, start_embedded},
    tls::Mounted,
};

/// A gateway that speaks TLS with the files in `mounted`.
async fn start(mounted: &Mounted, settings: &[(&'static str, &str)]) -> Gateway {
    let (certificate, key) = (mounted.text("certificate.pem"), mounted.text("key.pem"));
    let tls = [("server.tls.certificate", certificate.as_str()), ("server.tls.key", key.as_str())];
    start_embedded(&[&tls, settings].concat()).await
}
