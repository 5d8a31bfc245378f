//! One HTTP connection: which protocol it speaks, the deadlines of a slow client, and an end in good order.

mod activity;
mod exchange;
mod half_close;
mod linger;
mod request_body;
mod socket;
mod stall;
mod streams;
mod timer;

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
use hyper_util::{rt::TokioIo, server::graceful::GracefulConnection};
use tokio::{net::TcpStream, time::timeout_at};
use tokio_util::sync::CancellationToken;

use self::{
    activity::Activity,
    exchange::{MAX_HEAD, MAX_LINES, exchange},
    linger::linger,
    socket::Socket,
    streams::{StreamExecutor, watched},
    timer::{ConnectionTimer, Due},
};

pub(in crate::server) use exchange::HttpService;
pub(in crate::server) use timer::Limits;

/// Streams that one HTTP/2 connection may have open.
const MAX_STREAMS: u32 = 200;
/// Bytes of answers that one HTTP/2 connection may keep waiting for its client.
const MAX_UNSENT: usize = 1024 * 1024;
/// Longest head of HTTP/2, in bytes of its own count, that costs only its stream. Longer ones than are served are
/// refused (`server/connection/exchange.rs`); those beyond this may cost the connection, since they have to be taken in first.
const MAX_HEADER_LIST: u32 = 256 * 1024;

/// What a connection may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) pace: Limits,
    pub(super) write_stall: Duration,
    /// How long a client that has closed its sending half may go without a byte of its answer.
    pub(super) half_close: Duration,
}

/// How HTTP is spoken.
pub(super) struct Protocols {
    http1: http1::Builder,
    http2: http2::Builder<StreamExecutor>,
    deadlines: Timeouts,
}

impl Protocols {
    pub(super) fn new(deadlines: Timeouts) -> Self {
        let mut http1 = http1::Builder::new();
        let mut http2 = http2::Builder::new(StreamExecutor { limit: deadlines.write_stall });
        // Time is kept in `server/connection/timer.rs`, and the end of what a client sends is seen in `server/connection/socket.rs`.
        http1.header_read_timeout(None).half_close(true).max_header_size(MAX_HEAD).max_headers(MAX_LINES);
        http2
            .max_concurrent_streams(MAX_STREAMS)
            .max_send_buf_size(MAX_UNSENT / MAX_STREAMS as usize)
            .max_header_list_size(MAX_HEADER_LIST);
        Self { http1, http2, deadlines }
    }
}

/// Serves one connection to its end; after `stop`, to the end of what it is doing.
pub(super) async fn serve(
    stream: TcpStream,
    service: impl HttpService,
    protocols: Arc<Protocols>,
    stop: CancellationToken,
) {
    let Timeouts { pace, write_stall, half_close } = protocols.deadlines;
    let activity = Arc::<Activity>::default();
    let mut socket = Socket::new(stream, write_stall, half_close, &activity);
    let spoken = tokio::select! {
        spoken = timeout_at(activity.opened() + pace.head, socket.speaks_http2()) => spoken,
        () = stop.cancelled() => return,
    };
    let chance = getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX));
    let mut pace = ConnectionTimer::new(pace, activity.opened(), chance);
    let seen = Arc::clone(&activity);
    let exchange = move |request| exchange(&service, &seen, request);
    let io = TokioIo::new(socket);
    let ended = match spoken {
        Ok(Ok(false)) => {
            let connection = pin!(protocols.http1.serve_connection(io, service_fn(exchange)));
            drive(connection, &activity, &mut pace, write_stall, &stop).await
        }
        // On the heap by itself: it is larger, and rare.
        Ok(Ok(true)) => {
            activity.speaks_http2();
            let exchange = service_fn(move |request| exchange(request).map_ok(watched));
            let mut connection = Box::pin(protocols.http2.serve_connection(io, exchange));
            drive(connection.as_mut(), &activity, &mut pace, write_stall, &stop).await
        }
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(NO_HEAD.into()),
    };
    if let Err(error) = ended {
        // Clients break off all the time; it is their affair.
        tracing::debug!(error, "a connection ended early");
    }
    // Not in the socket's own shutdown: hyper leaves that out behind a request that asked for an upgrade.
    if let Some(from) = activity.take_unread() {
        linger(from).await;
    }
}

const NO_HEAD: &str = "no request came, or not all of its head (server.header_timeout)";
const IDLE: &str = "nothing was asked for too long (server.idle_timeout)";

// Pinned where the caller holds it: what takes a future in is twice its size.
async fn drive(
    mut connection: Pin<&mut impl GracefulConnection<Error = hyper::Error>>,
    activity: &Activity,
    pace: &mut ConnectionTimer,
    farewell: Duration,
    stop: &CancellationToken,
) -> Result<(), BoxError> {
    let mut stopping = false;
    loop {
        tokio::select! {
            // The connection first, since time is kept of what it does.
            biased;
            ended = connection.as_mut() => {
                if ended.as_ref().is_err_and(hyper::Error::is_parse) {
                    activity.leave_unread();
                }
                return Ok(ended?);
            }
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            due = poll_fn(|cx| pace.poll(activity, cx)) => match due {
                // The next answer says so.
                Due::Age if !activity.is_http2() => activity.grow_old(),
                Due::Age => connection.as_mut().graceful_shutdown(),
                Due::Idle if activity.is_http2() => {
                    connection.as_mut().graceful_shutdown();
                    pace.end_within(farewell);
                }
                Due::Idle | Due::End => return Err(IDLE.into()),
                Due::Head => return Err(NO_HEAD.into()),
            },
        }
    }
}
