//! Settings of TLS for clients.

use crate::{
    config::{ClientAuth, ServerTls},
    server::tls::TlsSettings,
};

/// `None` if TLS is off.
pub(in crate::server) fn settings(tls: &ServerTls) -> Option<TlsSettings> {
    let (certificate, key) = tls.certificate.clone().zip(tls.key.clone())?;
    Some(TlsSettings {
        certificate,
        key,
        client_ca: tls.client_ca.clone(),
        client_certificate_required: tls.client_auth == ClientAuth::Require,
        handshake_timeout: tls.handshake_timeout.get(),
        reload: tls.reload.get(),
    })
}
