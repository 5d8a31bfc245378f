//! The accept loop: connections under a cap, each with the deadlines of a slow client.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use axum::{http::Request, response::Response};
use hyper::{
    body::Incoming,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

use super::{stall::StallGuard, workers::Workers};

/// Streams that one HTTP/2 connection may have open.
const MAX_STREAMS: u32 = 200;

/// The system is out of file descriptors or the like; trying again at once would only burn time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Between two looks at a client that sends its first bytes one by one.
const SECOND_LOOK: Duration = Duration::from_millis(5);

/// What a connection may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    pub(super) header: Duration,
    pub(super) write_stall: Duration,
}

/// How HTTP is spoken.
struct Protocols {
    http1: auto::Builder<TokioExecutor>,
    http2: auto::Builder<TokioExecutor>,
    deadlines: Deadlines,
}

impl Protocols {
    fn new(deadlines: Deadlines) -> Self {
        let mut both = auto::Builder::new(TokioExecutor::new());
        both.http1().timer(TokioTimer::new()).header_read_timeout(deadlines.header);
        both.http2().timer(TokioTimer::new()).max_concurrent_streams(MAX_STREAMS);
        Self { http1: both.clone().http1_only(), http2: both.http2_only(), deadlines }
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

/// How connections are taken.
pub(super) struct Door {
    pub(super) workers: Arc<Workers>,
    /// Most connections at a time.
    pub(super) max: usize,
    pub(super) deadlines: Deadlines,
    pub(super) stop: CancellationToken,
    /// Of connections.
    pub(super) tracker: TaskTracker,
}

impl Door {
    /// Accepts until `stop`. Connections beyond `max` wait in the system's queue.
    pub(super) async fn accept(self, listener: TcpListener, service: impl Answers) {
        let places = Arc::new(Semaphore::new(self.max));
        let protocols = Arc::new(Protocols::new(self.deadlines));
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => return,
                accepted = next(&listener, &places) => accepted,
            };
            match accepted {
                Ok((stream, place)) => self.hand_over(stream, place, service.clone(), Arc::clone(&protocols)),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn hand_over(
        &self,
        stream: std::net::TcpStream,
        place: OwnedSemaphorePermit,
        service: impl Answers,
        protocols: Arc<Protocols>,
    ) {
        let Some(worker) = self.workers.idlest() else {
            return;
        };
        let (stop, load) = (self.stop.clone(), Arc::clone(&worker.load));
        let connection = async move {
            match TcpStream::from_std(stream) {
                Ok(stream) => serve(stream, service, protocols, stop).await,
                Err(error) => tracing::warn!(%error, "cannot serve a connection"),
            }
            drop((place, load));
        };
        self.tracker.spawn_on(connection, &worker.runtime);
    }
}

/// The next connection, which belongs to no runtime yet.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(std::net::TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream.into_std()?, place))
}

/// Serves one connection to its end; after `stop`, to the end of what it is doing.
async fn serve(stream: TcpStream, service: impl Answers, protocols: Arc<Protocols>, stop: CancellationToken) {
    let deadlines = protocols.deadlines;
    let first_request = Instant::now() + deadlines.header;
    let spoken = tokio::select! {
        spoken = timeout_at(first_request, speaks_http2(&stream)) => spoken,
        () = stop.cancelled() => return,
    };
    let protocol = match spoken {
        Ok(Ok(true)) => &protocols.http2,
        Ok(Ok(false)) => &protocols.http1,
        Ok(Err(error)) => return tracing::debug!(%error, "a connection ended early"),
        Err(_) => return tracing::debug!("no request came (server.header_timeout)"),
    };
    let io = TokioIo::new(StallGuard::new(stream, deadlines.write_stall));
    let (service, asked) = (TowerToHyperService::new(service), CancellationToken::new());
    let request_came = asked.clone();
    let noticed = service_fn(move |request| {
        request_came.cancel();
        service.call(request)
    });
    let connection = protocol.serve_connection(io, noticed);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        // hyper's own deadline is for one head; with HTTP/2 there may be none.
        Err(_) = timeout_at(first_request, asked.cancelled()) => {
            Err("no request came (server.header_timeout)".into())
        }
    };
    if let Err(error) = ended {
        // Clients break off all the time; it is their affair.
        tracing::debug!(error, "a connection ended early");
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
