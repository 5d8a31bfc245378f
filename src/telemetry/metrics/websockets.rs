//! The WebSockets of clients.

use std::fmt;

use prometheus_client::metrics::{counter::Counter, gauge::Gauge};

use super::{families::Families, series::Counters};
use crate::telemetry::observer::{WebSocketClose, WebSocketClosed};

/// WebSockets over which clients speak with the database.
#[derive(Debug, Default)]
pub(super) struct WebSockets {
    pub(super) open: Gauge,
    closed: Counters<WebSocketClose>,
    received: Counter,
    sent: Counter,
}

impl WebSockets {
    pub(super) fn closed(&self, event: &WebSocketClosed) {
        self.open.dec();
        self.closed.inc(event.reason);
        self.received.inc_by(event.received);
        self.sent.inc_by(event.sent);
    }

    pub(super) fn encode(&self, out: &mut Families<'_>) -> fmt::Result {
        out.gauge("websockets", "Open WebSockets of clients", self.open.get())?;
        out.counters("websockets_closed", "WebSockets of clients that were closed", "reason", &self.closed)?;
        let received = "Bytes that clients sent in messages of WebSockets that were closed";
        out.counter("websocket_received_bytes", received, self.received.get())?;
        let sent = "Bytes that clients were sent in messages of WebSockets that were closed";
        out.counter("websocket_sent_bytes", sent, self.sent.get())
    }
}
