//! The accept loop: it accepts connections up to a limit and gives each one to the least loaded worker.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use super::{
    connection::{HttpService, Protocols, Timeouts, serve},
    listener::Listener,
    workers::Workers,
};

/// The pause while the system is out of a resource: accepting again at once would only burn time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts the connections of one listener.
pub(super) struct Acceptor {
    pub(super) workers: Arc<Workers>,
    /// The most connections that are open at a time. Further ones wait in the system's queue.
    pub(super) max_connections: usize,
    pub(super) timeouts: Timeouts,
    pub(super) stop: CancellationToken,
    /// Tracks the connections.
    pub(super) tracker: TaskTracker,
}

/// What a connection counts against for as long as its socket is open, also after an upgrade.
struct ConnectionSlot {
    _permit: OwnedSemaphorePermit,
    _load: Arc<()>,
    _tracked: TaskTrackerToken,
}

impl Acceptor {
    /// Accepts connections until `stop`. `service` returns the service for the peer at an address.
    pub(super) async fn run<L: Listener, S: HttpService>(self, listener: L, service: impl Fn(IpAddr) -> S) {
        let permits = Arc::new(Semaphore::new(self.max_connections));
        let protocols = Arc::new(Protocols::new(self.timeouts));
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => return,
                accepted = accept(&listener, &permits) => accepted,
            };
            match accepted {
                Ok((accepted, peer, permit)) => {
                    self.spawn::<L>(accepted, permit, service(peer), Arc::clone(&protocols));
                }
                Err(error) if is_exhaustion(&error) => {
                    tracing::warn!(%error, "cannot accept connections; trying again in {ACCEPT_PAUSE:?}");
                    sleep(ACCEPT_PAUSE).await;
                }
                // The error of one connection says nothing about the next one.
                Err(error) => tracing::debug!(%error, "a connection failed before it was accepted"),
            }
        }
    }

    /// Serves a connection on the least loaded worker.
    fn spawn<L: Listener>(
        &self,
        accepted: L::Accepted,
        permit: OwnedSemaphorePermit,
        service: impl HttpService,
        protocols: Arc<Protocols>,
    ) {
        let Some(worker) = self.workers.least_loaded() else {
            return;
        };
        let slot = ConnectionSlot { _permit: permit, _load: Arc::clone(&worker.load), _tracked: self.tracker.token() };
        let stop = self.stop.clone();
        worker.runtime.spawn(async move {
            match L::open(accepted).await {
                Ok(stream) => serve(stream, service, protocols, stop, Arc::new(slot)).await,
                Err(error) => tracing::debug!(%error, "a connection failed before it was served"),
            }
        });
    }
}

/// Waits for a permit and then for a connection.
async fn accept<L: Listener>(
    listener: &L,
    permits: &Arc<Semaphore>,
) -> io::Result<(L::Accepted, IpAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.map_err(io::Error::other)?;
    let (accepted, peer) = listener.accept().await?;
    Ok((accepted, peer, permit))
}

/// Whether `error` means that the process or the system is out of descriptors or memory.
fn is_exhaustion(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use tokio::time::Instant;

    use super::*;
    use crate::server::{
        connection::TimerLimits,
        memory::{listener, stream},
    };

    fn acceptor() -> Acceptor {
        let limit = Duration::from_secs(30);
        Acceptor {
            workers: Arc::new(Workers::here()),
            max_connections: 1,
            timeouts: Timeouts {
                timer: TimerLimits { head: limit, idle: limit, age: limit },
                write_stall: limit,
                half_close: limit,
            },
            stop: CancellationToken::new(),
            tracker: TaskTracker::new(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_exhaustion_pauses_accepting() {
        let errno = io::Error::from_raw_os_error;
        let (listener, incoming) = listener();
        tokio::spawn(acceptor().run(listener, |_| Router::new()));
        for (failed, pause) in [
            (Err(errno(libc::ECONNABORTED)), Duration::ZERO),
            (Err(errno(libc::EPERM)), Duration::ZERO),
            // A socket option could not be set.
            (Ok(Err(errno(libc::EINVAL))), Duration::ZERO),
            (Err(errno(libc::EMFILE)), ACCEPT_PAUSE),
            (Err(errno(libc::ENFILE)), ACCEPT_PAUSE),
            (Err(errno(libc::ENOBUFS)), ACCEPT_PAUSE),
            (Err(errno(libc::ENOMEM)), ACCEPT_PAUSE),
        ] {
            let said = format!("{:?}", failed.as_ref().map(|_| ()));
            let (stream, mut client) = stream();
            let started = Instant::now();
            incoming.send(failed).unwrap();
            incoming.send(Ok(Ok(stream))).unwrap();
            client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
            assert!(client.head().await.starts_with("HTTP/1.1 404 "), "{said}");
            assert_eq!(started.elapsed(), pause, "{said}");
        }
    }
}
