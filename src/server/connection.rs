//! One HTTP connection: which protocol it speaks, the deadlines of a slow client, and an end in good order.

use std::{
    convert::Infallible,
    io,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use axum::{BoxError, http::Request, response::Response};
use futures_util::TryFutureExt as _;
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
    service::TowerToHyperService,
};
use tokio::{
    net::TcpStream,
    time::{Instant, error::Elapsed, sleep, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tower::Service;

use super::{
    stall::StallGuard,
    streams::{Streams, watched},
};

/// Streams that one HTTP/2 connection may have open.
const MAX_STREAMS: u32 = 200;

/// Between two looks at a client that sends its first bytes one by one.
const SECOND_LOOK: Duration = Duration::from_millis(5);

/// What a connection may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    pub(super) header: Duration,
    pub(super) write_stall: Duration,
}

/// How HTTP is spoken.
pub(super) struct Protocols {
    http1: http1::Builder,
    http2: http2::Builder<Streams>,
    deadlines: Deadlines,
}

impl Protocols {
    pub(super) fn new(deadlines: Deadlines) -> Self {
        let (mut http1, mut http2) =
            (http1::Builder::new(), http2::Builder::new(Streams { limit: deadlines.write_stall }));
        http1.timer(TokioTimer::new()).header_read_timeout(deadlines.header);
        http2.timer(TokioTimer::new()).max_concurrent_streams(MAX_STREAMS);
        Self { http1, http2, deadlines }
    }
}

/// Who answers requests.
pub(super) trait Answers:
    Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> Answers for S where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

/// Serves one connection to its end; after `stop`, to the end of what it is doing.
pub(super) async fn serve(
    stream: TcpStream,
    service: impl Answers,
    protocols: Arc<Protocols>,
    stop: CancellationToken,
) {
    let deadlines = protocols.deadlines;
    let first_request = Instant::now() + deadlines.header;
    let spoken = tokio::select! {
        spoken = timeout_at(first_request, speaks_http2(&stream)) => spoken,
        () = stop.cancelled() => return,
    };
    let io = TokioIo::new(StallGuard::new(stream, deadlines.write_stall));
    let (service, asked) = (TowerToHyperService::new(service), CancellationToken::new());
    let request_came = asked.clone();
    let noticed = service_fn(move |request| {
        request_came.cancel();
        service.call(request)
    });
    // hyper's own deadline is for one head; with HTTP/2 there may be none.
    let late = timeout_at(first_request, asked.cancelled());
    let ended = match spoken {
        Ok(Ok(false)) => to_the_end(pin!(protocols.http1.serve_connection(io, noticed)), pin!(late), &stop).await,
        // On the heap by itself: it is larger, and rare.
        Ok(Ok(true)) => {
            let noticed = service_fn(move |request| noticed.call(request).map_ok(watched));
            let mut connection = Box::pin(protocols.http2.serve_connection(io, noticed));
            to_the_end(connection.as_mut(), pin!(late), &stop).await
        }
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(NO_REQUEST.into()),
    };
    if let Err(error) = ended {
        // Clients break off all the time; it is their affair.
        tracing::debug!(error, "a connection ended early");
    }
}

const NO_REQUEST: &str = "no request came (server.header_timeout)";

// Pinned where the caller holds them: what takes a future in is twice its size.
async fn to_the_end(
    mut connection: Pin<&mut impl GracefulConnection<Error = hyper::Error>>,
    late: Pin<&mut impl Future<Output = Result<(), Elapsed>>>,
    stop: &CancellationToken,
) -> Result<(), BoxError> {
    tokio::select! {
        ended = connection.as_mut() => Ok(ended?),
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            Ok(connection.await?)
        }
        Err(_) = late => Err(NO_REQUEST.into()),
    }
}

/// Whether the client begins as HTTP/2 does. What it has sent stays where it is: hyper's own look would take it, and double
/// the buffer that each connection keeps.
async fn speaks_http2(stream: &TcpStream) -> io::Result<bool> {
    // No method of HTTP/1 begins like that.
    const PREFACE: [u8; 3] = *b"PRI";
    let mut beginning = [0; PREFACE.len()];
    loop {
        let length = stream.peek(&mut beginning).await?;
        let begins = length > 0 && beginning.iter().zip(PREFACE).take(length).all(|(&sent, expected)| sent == expected);
        if !begins || length == PREFACE.len() {
            return Ok(begins);
        }
        // A `P` may be a POST. Nobody tells when there is more than was seen.
        sleep(SECOND_LOOK).await;
    }
}
