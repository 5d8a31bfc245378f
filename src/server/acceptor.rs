//! The accept loop: it accepts connections up to a limit and gives each one to the least loaded worker.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{unconstrained, yield_now},
    time::sleep,
};
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

use super::{
    connection::{Activity, HttpService, Protocols, Stop, Terms, serve},
    listener::Listener,
    tls::{Handshake, Tls},
    workers::{Worker, Workers},
};
use crate::{drain::Drain, http::Peer, live::Live, telemetry::observer::Observer};

/// The pause while the system is out of a resource: accepting again at once would only burn time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts the connections of one listener.
pub(super) struct Acceptor {
    pub(super) workers: Arc<Workers>,
    /// The most connections that are open at a time. Further ones wait in the system's queue.
    pub(super) max_connections: usize,
    /// What connections are served with from now on.
    pub(super) protocols: Live<Protocols>,
    /// `None` if the listener never speaks TLS.
    pub(super) tls: Option<Tls>,
    /// Once it has begun, every answer is the last one of its connection.
    pub(super) drain: Drain,
    pub(super) stop: Stop,
    /// Tracks the connections.
    pub(super) tracker: TaskTracker,
    pub(super) observer: Arc<dyn Observer>,
}

/// What a connection counts against for as long as its socket is open, also after an upgrade.
struct ConnectionSlot {
    _permit: OwnedSemaphorePermit,
    _load: Arc<()>,
    _tracked: TaskTrackerToken,
    activity: Arc<Activity>,
    observer: Arc<dyn Observer>,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.observer.client_disconnected(self.activity.protocol(), self.activity.close());
    }
}

impl Acceptor {
    /// Accepts connections until it is told to stop. `service` returns the service for a client.
    pub(super) async fn run<L: Listener, S: HttpService>(self, listener: L, service: impl Fn(Peer) -> S) {
        let permits = Arc::new(Semaphore::new(self.max_connections));
        let serve = |(accepted, address, permit)| {
            let Some(worker) = self.workers.least_loaded() else { return };
            let handshake = self.handshake(worker);
            let service = service(Peer { address, tls: handshake.is_some() });
            self.spawn::<L>(worker, accepted, handshake, service, permit);
        };
        loop {
            let accepted = tokio::select! {
                () = self.stop.gently.cancelled() => break,
                accepted = accept(&listener, &permits) => accepted,
            };
            match accepted {
                Ok(accepted) => serve(accepted),
                Err(error) if is_exhaustion(&error) => {
                    tracing::warn!(%error, "cannot accept connections; trying again in {ACCEPT_PAUSE:?}");
                    sleep(ACCEPT_PAUSE).await;
                }
                // The error of one connection says nothing about the next one.
                Err(error) => tracing::debug!(%error, "a connection failed before it was accepted"),
            }
        }
        // For their clients, connections in the system's queue are open, and requests may be on their way. Closing the listener
        // resets them. Yielding makes the runtime look at the listener once more.
        yield_now().await;
        while let Some(Ok(accepted)) = unconstrained(accept(&listener, &permits)).now_or_never() {
            serve(accepted);
        }
    }

    /// The handshake with which a connection begins now; `None` without TLS.
    fn handshake(&self, worker: &Worker) -> Option<Handshake> {
        let (config, limit) = self.tls.as_ref()?.current()?;
        Some(Handshake { config, limit, turns: Arc::clone(&worker.handshake_turns) })
    }

    /// Serves a connection on a worker.
    fn spawn<L: Listener>(
        &self,
        worker: &Worker,
        accepted: L::Accepted,
        handshake: Option<Handshake>,
        service: impl HttpService,
        permit: OwnedSemaphorePermit,
    ) {
        self.observer.client_accepted();
        let activity = Arc::new(Activity::new(self.drain.clone()));
        let slot = ConnectionSlot {
            _permit: permit,
            _load: Arc::clone(&worker.load),
            _tracked: self.tracker.token(),
            activity: Arc::clone(&activity),
            observer: Arc::clone(&self.observer),
        };
        let terms = Terms {
            protocols: self.protocols.snapshot(),
            activity,
            observer: Arc::clone(&self.observer),
            stop: self.stop.clone(),
            slot: Arc::new(slot),
        };
        worker.runtime.spawn(async move {
            match L::open(accepted).await {
                Ok(stream) => serve(stream, handshake, service, terms).await,
                Err(error) => tracing::debug!(%error, "a connection failed before it was served"),
            }
        });
    }
}

/// Waits for a permit and then for a connection.
async fn accept<L: Listener>(
    listener: &L,
    permits: &Arc<Semaphore>,
) -> io::Result<(L::Accepted, Option<IpAddr>, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.map_err(io::Error::other)?;
    let (accepted, address) = listener.accept().await?;
    Ok((accepted, address, permit))
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
    use crate::{
        server::{
            connection::{Timeouts, TimerLimits},
            memory::{listener, stream},
        },
        telemetry::event_log::EventLog,
    };

    fn acceptor(observer: Arc<dyn Observer>) -> Acceptor {
        let limit = Duration::from_secs(30);
        Acceptor {
            workers: Arc::new(Workers::here()),
            max_connections: 1,
            protocols: Live::new(Protocols::new(Timeouts {
                timer: TimerLimits { head: limit, idle: limit, age: limit },
                write_stall: limit,
                half_close: limit,
            })),
            tls: None,
            drain: Drain::default(),
            stop: Stop::default(),
            tracker: TaskTracker::new(),
            observer,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_exhaustion_pauses_accepting() {
        let errno = io::Error::from_raw_os_error;
        let (listener, incoming) = listener();
        tokio::spawn(acceptor(Arc::new(EventLog)).run(listener, |_| Router::new()));
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

    #[tokio::test(start_paused = true)]
    async fn what_waits_in_the_queue_is_served_although_the_gateway_stops() {
        let (listener, incoming) = listener();
        let acceptor = Acceptor { max_connections: 3, ..acceptor(Arc::new(EventLog)) };
        acceptor.stop.gently.cancel();
        let mut clients = Vec::new();
        for _ in 0..3 {
            let (stream, mut client) = stream();
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
            incoming.send(Ok(Ok(stream))).unwrap();
            clients.push(client);
        }
        acceptor.run(listener, |_| Router::new()).await;
        for mut client in clients {
            assert!(client.head().await.starts_with("HTTP/1.1 404 "));
        }
    }
}
