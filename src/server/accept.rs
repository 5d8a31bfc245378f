//! The accept loop: connections under a cap, each with the deadlines of a slow client.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper::service::{Service as _, service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{stall::StallGuard, workers::Workers};

/// Streams that one HTTP/2 connection may have open.
const MAX_STREAMS: u32 = 200;

/// The system is out of file descriptors or the like; trying again at once would only burn time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a connection may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    pub(super) header: Duration,
    pub(super) write_stall: Duration,
}

/// Accepts until `stop`, at most `max` connections at a time; further ones wait in the system's queue.
pub(super) async fn accept(
    listener: TcpListener,
    workers: Arc<Workers>,
    router: Router,
    deadlines: Deadlines,
    max: usize,
    stop: CancellationToken,
    tracker: TaskTracker,
) {
    let places = Arc::new(Semaphore::new(max));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = next(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, place)) => {
                let Some(worker) = workers.idlest() else {
                    return;
                };
                let (router, stop, load) = (router.clone(), stop.clone(), Arc::clone(&worker.load));
                let connection = async move {
                    match TcpStream::from_std(stream) {
                        Ok(stream) => serve(stream, router, deadlines, stop).await,
                        Err(error) => tracing::warn!(%error, "cannot serve a connection"),
                    }
                    drop((place, load));
                };
                tracker.spawn_on(connection, &worker.runtime);
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
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
async fn serve(stream: TcpStream, router: Router, deadlines: Deadlines, stop: CancellationToken) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(deadlines.header);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(MAX_STREAMS);
    let io = TokioIo::new(StallGuard::new(stream, deadlines.write_stall));
    let (router, asked) = (TowerToHyperService::new(router), CancellationToken::new());
    let request_came = asked.clone();
    let service = service_fn(move |request| {
        request_came.cancel();
        router.call(request)
    });
    let connection = builder.serve_connection(io, service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        // hyper's own deadline begins once it knows the protocol, of which a client may say nothing.
        Err(_) = timeout(deadlines.header, asked.cancelled()) => Err("no request came (server.header_timeout)".into()),
    };
    if let Err(error) = ended {
        // Clients break off all the time; it is their affair.
        tracing::debug!(error, "a connection ended early");
    }
}
