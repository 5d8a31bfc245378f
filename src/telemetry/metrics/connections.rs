//! The connections of clients.

use std::{
    fmt,
    sync::atomic::{AtomicI64, Ordering::Relaxed},
};

use prometheus_client::metrics::{MetricType, counter::Counter, gauge::Gauge};

use super::{families::Families, series::Counters};
use crate::telemetry::observer::{ClientClose, HttpProtocol, TlsOutcome, Word as _};

/// Connections of clients, and their certificate.
#[derive(Debug, Default)]
pub(super) struct Connections {
    open: [Gauge; HttpProtocol::ALL.len()],
    pub(super) accepted: Counter,
    pub(super) closed: Counters<ClientClose>,
    pub(super) handshakes: Counters<TlsOutcome>,
    /// When the certificate expires, in seconds since 1970; 0 without one.
    expiry: AtomicI64,
}

impl Connections {
    /// The number of open connections that speak `protocol`.
    pub(super) fn open(&self, protocol: HttpProtocol) -> Option<&Gauge> {
        self.open.get(protocol.index())
    }

    pub(super) fn certificate_in_force(&self, expires: Option<i64>) {
        self.expiry.store(expires.unwrap_or_default(), Relaxed);
    }

    pub(super) fn encode(&self, out: &mut Families<'_>) -> fmt::Result {
        let mut samples = out.family("http_connections", MetricType::Gauge, "Open connections of clients")?;
        for (protocol, open) in HttpProtocol::ALL.iter().zip(&self.open) {
            samples.gauge(&[("protocol", protocol.word())], open.get())?;
        }
        // The standard knows families by name, and counts `x_total` as one of the family `x`, whose name the gauge has
        // taken. So this family is called by the whole name, which leaves no type but `unknown` for it.
        out.family("http_connections_total", MetricType::Unknown, "Connections of clients that were accepted")?
            .gauge(&[], self.accepted.get())?;
        out.counters("http_connections_closed", "Connections of clients that were closed", "reason", &self.closed)?;
        out.counters("tls_handshakes", "TLS handshakes with clients", "result", &self.handshakes)?;
        match self.expiry.load(Relaxed) {
            0 => Ok(()),
            expiry => out.gauge(
                "tls_certificate_expiry_timestamp_seconds",
                "When the certificate that the client listener shows expires",
                expiry,
            ),
        }
    }
}
