//! The accept loop: connections under a cap, each given to a thread that serves it.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    connection::{HttpService, Protocols, Timeouts, serve},
    workers::Workers,
};

/// The system is out of file descriptors or the like; trying again at once would only burn time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How connections are taken.
pub(super) struct Acceptor {
    pub(super) workers: Arc<Workers>,
    /// Most connections at a time.
    pub(super) max: usize,
    pub(super) deadlines: Timeouts,
    pub(super) stop: CancellationToken,
    /// Of connections.
    pub(super) tracker: TaskTracker,
}

impl Acceptor {
    /// Accepts until `stop`. Connections beyond `max` wait in the system's queue.
    /// `service` makes what the peer at an address is served.
    pub(super) async fn accept<S: HttpService>(self, listener: TcpListener, service: impl Fn(IpAddr) -> S) {
        let places = Arc::new(Semaphore::new(self.max));
        let protocols = Arc::new(Protocols::new(self.deadlines));
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => return,
                accepted = next(&listener, &places) => accepted,
            };
            match accepted {
                Ok((stream, peer, place)) => self.hand_over(stream, place, service(peer), Arc::clone(&protocols)),
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
        service: impl HttpService,
        protocols: Arc<Protocols>,
    ) {
        let Some(worker) = self.workers.least_loaded() else {
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

/// The next connection, which belongs to no runtime yet, and who is at its other end.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(std::net::TcpStream, IpAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream.into_std()?, peer.ip(), place))
}
