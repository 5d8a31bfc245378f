//! One HTTP connection: which protocol it speaks, the timeouts of slow clients, and an orderly end.
//!
//! Owns everything between a client's byte stream and the service that answers its requests. Knows no kind of socket.

mod activity;
mod exchange;
mod half_close;
mod linger;
mod prefix;
mod request_body;
mod socket;
mod stall;
mod streams;
#[cfg(test)]
mod tests;
mod timer;
mod unread_body;

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use axum::BoxError;
use futures_util::TryFutureExt as _;
use hyper::{
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use self::{
    exchange::{MAX_HEAD, MAX_LINES, exchange},
    linger::linger,
    socket::Socket,
    stall::Guarded,
    streams::{StreamExecutor, watched},
    timer::{ConnectionTimer, Due},
};
use super::{
    listener::Transport,
    tls::{Handshake, HandshakeError},
};
use crate::telemetry::{
    observer::{CancelReason, ClientClose, HttpProtocol, Observer, TlsOutcome},
    record::GivingUp,
};

#[cfg(test)]
pub(super) use self::request_body::RequestBody;
pub(super) use self::{activity::Activity, exchange::HttpService, timer::TimerLimits};

/// The most streams that one HTTP/2 connection may have open.
const MAX_STREAMS: u32 = 200;
/// The most bytes of answers that one HTTP/2 connection may hold for its client.
const MAX_UNSENT: usize = 1024 * 1024;
/// The longest head of HTTP/2, in bytes as HTTP/2 counts them, that costs only its stream. Heads beyond the limits of
/// `server/connection/exchange.rs` are refused; those beyond this one may cost the connection, because they have to be
/// read first.
const MAX_HEADER_LIST: u32 = 256 * 1024;

/// How long a client whose handshake failed is waited for until it has read why.
const MAX_FAREWELL: Duration = Duration::from_secs(1);

/// How long after it was opened a connection may stay without its first request when the gateway stops: the request may be on
/// its way.
const FIRST_REQUEST: Duration = Duration::from_millis(500);

/// The timeouts of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) timer: TimerLimits,
    /// How long a client may take no byte of its answer.
    pub(super) write_stall: Duration,
    /// How long a client that has closed its sending half may be sent no byte of its answer.
    pub(super) half_close: Duration,
}

/// The settings of both protocols. A connection keeps those that it began with.
pub(super) struct Protocols {
    http1: http1::Builder,
    http2: http2::Builder<StreamExecutor>,
    timeouts: Timeouts,
}

impl Protocols {
    pub(super) fn new(timeouts: Timeouts) -> Self {
        let mut http1 = http1::Builder::new();
        let mut http2 = http2::Builder::new(StreamExecutor { limit: timeouts.write_stall });
        // `server/connection/timer.rs` has the timeouts, and `server/connection/socket.rs` sees a closed half.
        http1.header_read_timeout(None).half_close(true).max_header_size(MAX_HEAD).max_headers(MAX_LINES);
        http2
            .max_concurrent_streams(MAX_STREAMS)
            .max_send_buf_size(MAX_UNSENT / MAX_STREAMS as usize)
            .max_header_list_size(MAX_HEADER_LIST);
        Self { http1, http2, timeouts }
    }
}

/// How connections learn that the gateway stops.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop {
    /// From then on a connection ends with the requests in flight.
    pub(super) gently: CancellationToken,
    /// From then on it ends at once.
    pub(super) at_once: CancellationToken,
}

impl Stop {
    /// Completes when a connection that was opened at `opened`, and has had no request, ends because the gateway stops.
    async fn unused_since(&self, opened: Instant) {
        self.gently.cancelled().await;
        sleep_until(opened + FIRST_REQUEST).await;
    }
}

/// What a connection is served with.
pub(super) struct Terms {
    pub(super) protocols: Arc<Protocols>,
    pub(super) activity: Arc<Activity>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) stop: Stop,
    /// What the connection counts against. If a request upgrades the connection, the new owner of the socket holds it.
    pub(super) slot: Arc<dyn Send + Sync>,
}

/// Serves one connection to its end, or after a stop to the end of the requests in flight. With `handshake`, the client
/// has to speak TLS.
pub(super) async fn serve(
    stream: impl Transport,
    handshake: Option<Handshake>,
    service: impl HttpService,
    terms: Terms,
) {
    let stream = Guarded::new(stream, terms.protocols.timeouts.write_stall, &terms.activity);
    match handshake {
        None => serve_http(stream, service, terms).await,
        // Boxed, because it is larger, and connections without TLS should not pay for it.
        Some(handshake) => Box::pin(serve_encrypted(stream, handshake, service, terms)).await,
    }
}

async fn serve_encrypted(stream: impl Transport, handshake: Handshake, service: impl HttpService, terms: Terms) {
    let limit = handshake.limit;
    let accepted = tokio::select! {
        biased;
        accepted = timeout(limit, handshake.accept(stream)) => accepted,
        () = terms.stop.unused_since(terms.activity.opened()) => return terms.activity.set_close(ClientClose::Drain),
    };
    match accepted {
        Ok(Ok(stream)) => {
            terms.observer.tls_handshake(TlsOutcome::Ok);
            serve_http(stream, service, terms).await;
        }
        Ok(Err(HandshakeError::Nothing)) => terms.activity.set_close(ClientClose::Done),
        Ok(Err(HandshakeError::Failed(error, stream))) => {
            tracing::debug!(%error, "a TLS handshake failed");
            terms.activity.set_close(ClientClose::Tls);
            terms.observer.tls_handshake(TlsOutcome::Error);
            if let Some(stream) = stream {
                // Closing a socket with unread bytes would take the reason back that the client was just sent.
                let _ = timeout(MAX_FAREWELL, linger(stream, &terms.stop.gently)).await;
            }
        }
        Err(_) => {
            tracing::debug!("a TLS handshake took too long (server.tls.handshake_timeout)");
            terms.activity.set_close(ClientClose::Tls);
            terms.observer.tls_handshake(TlsOutcome::Timeout);
        }
    }
}

async fn serve_http(stream: impl Transport, service: impl HttpService, terms: Terms) {
    let Terms { protocols, activity, observer, stop, slot } = terms;
    let Timeouts { timer: limits, write_stall, half_close } = protocols.timeouts;
    let mut socket = Socket::new(stream, half_close, &activity, Arc::clone(&slot));
    let protocol = tokio::select! {
        biased;
        protocol = timeout_at(activity.set_ready() + limits.head, socket.protocol()) => protocol,
        () = stop.unused_since(activity.opened()) => return activity.set_close(ClientClose::Drain),
    };
    if let Ok(Ok(Some(protocol))) = protocol {
        activity.set_protocol(protocol);
        observer.client_connected(protocol);
    }
    let chance = getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX));
    let mut timer = ConnectionTimer::new(limits, activity.opened(), chance);
    let shared = Arc::clone(&activity);
    let exchange = move |request| exchange(&service, &shared, request);
    let io = TokioIo::new(socket);
    let mut giving_up = GivingUp::default();
    let mut given_up = |ended: Result<ClientClose, BoxError>| {
        // The connection is dropped next, and with it the requests in flight.
        if activity.is_stalled() {
            giving_up.because(CancelReason::WriteStall);
        } else if stop.at_once.is_cancelled() {
            giving_up.because(CancelReason::Shutdown);
        }
        ended
    };
    let ended = match protocol {
        Ok(Ok(Some(HttpProtocol::Http1))) => {
            let connection = pin!(protocols.http1.serve_connection(io, service_fn(exchange)).with_upgrades());
            let shut_down = http1::UpgradeableConnection::graceful_shutdown;
            given_up(drive(connection, shut_down, &activity, &mut timer, write_stall, &stop).await)
        }
        // Boxed, because it is larger and rare.
        Ok(Ok(Some(HttpProtocol::Http2))) => {
            let exchange = service_fn(move |request| exchange(request).map_ok(watched));
            let mut connection = Box::pin(protocols.http2.serve_connection(io, exchange));
            let shut_down = http2::Connection::graceful_shutdown;
            given_up(drive(connection.as_mut(), shut_down, &activity, &mut timer, write_stall, &stop).await)
        }
        Ok(Ok(None)) => Ok(ClientClose::Done),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Ok(ClientClose::HeaderTimeout),
    };
    drop(giving_up);
    activity.set_close(ended.unwrap_or_else(|error: BoxError| {
        // Clients disconnect all the time; that is no fault.
        tracing::debug!(error, "a connection ended early");
        ClientClose::Error
    }));
    // Not in the socket's shutdown, which hyper leaves out behind a request that asked for an upgrade.
    if let Some(half) = activity.take_unread_half() {
        linger(half, &stop.gently).await;
    }
    drop(slot);
}

/// Drives a connection to its end, and returns who or what ended it.
// The caller pins the connection: a future that takes another one in is twice its size.
async fn drive<C: Future<Output = hyper::Result<()>>>(
    mut connection: Pin<&mut C>,
    shut_down: impl Fn(Pin<&mut C>),
    activity: &Activity,
    timer: &mut ConnectionTimer,
    grace: Duration,
    stop: &Stop,
) -> Result<ClientClose, BoxError> {
    let mut stopping = false;
    loop {
        tokio::select! {
            // The connection first, because the timer measures what it does.
            biased;
            ended = connection.as_mut() => {
                if ended.as_ref().is_err_and(hyper::Error::is_parse) {
                    activity.leave_unread();
                }
                ended?;
                return Ok(ClientClose::Done);
            }
            () = stop.gently.cancelled(), if !stopping => {
                stopping = true;
                activity.set_close(ClientClose::Drain);
                shut_down(connection.as_mut());
            }
            () = stop.at_once.cancelled(), if stopping => return Ok(ClientClose::Drain),
            due = poll_fn(|cx| timer.poll(activity, cx)) => match due {
                // The next answer says so.
                Due::Age if !activity.is_http2() => activity.set_old(),
                Due::Age => {
                    activity.set_close(ClientClose::Age);
                    shut_down(connection.as_mut());
                }
                Due::Idle if activity.is_http2() => {
                    activity.set_close(ClientClose::Idle);
                    shut_down(connection.as_mut());
                    timer.end_within(grace);
                }
                Due::Idle | Due::End => return Ok(ClientClose::Idle),
                Due::Head => return Ok(ClientClose::HeaderTimeout),
            },
        }
    }
}
