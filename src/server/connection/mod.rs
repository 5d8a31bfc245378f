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
use tokio::time::timeout_at;
use tokio_util::sync::CancellationToken;

use self::{
    activity::Activity,
    exchange::{MAX_HEAD, MAX_LINES, exchange},
    linger::linger,
    socket::Socket,
    streams::{StreamExecutor, watched},
    timer::{ConnectionTimer, Due},
};
use super::listener::Transport;

pub(super) use self::{exchange::HttpService, timer::TimerLimits};

/// The most streams that one HTTP/2 connection may have open.
const MAX_STREAMS: u32 = 200;
/// The most bytes of answers that one HTTP/2 connection may hold for its client.
const MAX_UNSENT: usize = 1024 * 1024;
/// The longest head of HTTP/2, in bytes as HTTP/2 counts them, that costs only its stream. Heads beyond the limits of
/// `server/connection/exchange.rs` are refused; those beyond this one may cost the connection, because they have to be
/// read first.
const MAX_HEADER_LIST: u32 = 256 * 1024;

/// The timeouts of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) timer: TimerLimits,
    /// How long a client may take no byte of its answer.
    pub(super) write_stall: Duration,
    /// How long a client that has closed its sending half may be sent no byte of its answer.
    pub(super) half_close: Duration,
}

/// The settings of both protocols.
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

/// Serves one connection to its end, or after `stop` to the end of the requests in flight. `slot` is what the
/// connection counts against. If a request upgrades the connection, serving ends, and the new owner of the socket holds
/// the slot.
pub(super) async fn serve(
    stream: impl Transport,
    service: impl HttpService,
    protocols: Arc<Protocols>,
    stop: CancellationToken,
    slot: Arc<dyn Send + Sync>,
) {
    let Timeouts { timer: limits, write_stall, half_close } = protocols.timeouts;
    let activity = Arc::<Activity>::default();
    let mut socket = Socket::new(stream, write_stall, half_close, &activity, Arc::clone(&slot));
    let speaks_http2 = tokio::select! {
        speaks_http2 = timeout_at(activity.opened() + limits.head, socket.speaks_http2()) => speaks_http2,
        () = stop.cancelled() => return,
    };
    let chance = getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX));
    let mut timer = ConnectionTimer::new(limits, activity.opened(), chance);
    let shared = Arc::clone(&activity);
    let exchange = move |request| exchange(&service, &shared, request);
    let io = TokioIo::new(socket);
    let ended = match speaks_http2 {
        Ok(Ok(false)) => {
            let connection = pin!(protocols.http1.serve_connection(io, service_fn(exchange)).with_upgrades());
            let shut_down = http1::UpgradeableConnection::graceful_shutdown;
            drive(connection, shut_down, &activity, &mut timer, write_stall, &stop).await
        }
        // Boxed, because it is larger and rare.
        Ok(Ok(true)) => {
            activity.set_http2();
            let exchange = service_fn(move |request| exchange(request).map_ok(watched));
            let mut connection = Box::pin(protocols.http2.serve_connection(io, exchange));
            let shut_down = http2::Connection::graceful_shutdown;
            drive(connection.as_mut(), shut_down, &activity, &mut timer, write_stall, &stop).await
        }
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(NO_HEAD.into()),
    };
    if let Err(error) = ended {
        // Clients disconnect all the time; that is no fault.
        tracing::debug!(error, "a connection ended early");
    }
    // Not in the socket's shutdown, which hyper leaves out behind a request that asked for an upgrade.
    if let Some(half) = activity.take_unread_half() {
        linger(half).await;
    }
    drop(slot);
}

const NO_HEAD: &str = "no complete request head arrived in time (server.header_timeout)";
const IDLE: &str = "no request came for too long (server.idle_timeout)";

// The caller pins the connection: a future that takes another one in is twice its size.
async fn drive<C: Future<Output = hyper::Result<()>>>(
    mut connection: Pin<&mut C>,
    shut_down: impl Fn(Pin<&mut C>),
    activity: &Activity,
    timer: &mut ConnectionTimer,
    grace: Duration,
    stop: &CancellationToken,
) -> Result<(), BoxError> {
    let mut stopping = false;
    loop {
        tokio::select! {
            // The connection first, because the timer measures what it does.
            biased;
            ended = connection.as_mut() => {
                if ended.as_ref().is_err_and(hyper::Error::is_parse) {
                    activity.leave_unread();
                }
                return Ok(ended?);
            }
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                shut_down(connection.as_mut());
            }
            due = poll_fn(|cx| timer.poll(activity, cx)) => match due {
                // The next answer says so.
                Due::Age if !activity.is_http2() => activity.set_old(),
                Due::Age => shut_down(connection.as_mut()),
                Due::Idle if activity.is_http2() => {
                    shut_down(connection.as_mut());
                    timer.end_within(grace);
                }
                Due::Idle | Due::End => return Err(IDLE.into()),
                Due::Head => return Err(NO_HEAD.into()),
            },
        }
    }
}
