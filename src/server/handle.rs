//! A running gateway, and how it stops.

use std::{sync::Arc, time::Duration};

use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;

use super::{admin_thread::AdminThread, connection::Stop, reload::Reloader, tls::Tls, workers::Workers};
use crate::{
    config::{Effective, ListenAddr},
    live::Live,
    query::Engine,
    telemetry::{observer::Observer, otlp::Traces},
};

/// How long closing the connections to the database may take at the end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long connections that are ended at once may take for that.
const ABORT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the last export of traces may take.
const LAST_EXPORT: Duration = Duration::from_millis(500);

/// A running gateway. Dropping the handle ends it at once.
pub struct ServerHandle {
    pub(super) address: ListenAddr,
    pub(super) is_local: bool,
    /// Where operators are served, to the very end.
    pub(super) admin: Option<(ListenAddr, AdminThread)>,
    pub(super) engine: Engine,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) tls: Tls,
    pub(super) stop: Stop,
    pub(super) connections: TaskTracker,
    /// What continues without its client.
    pub(super) work: TaskTracker,
    pub(super) traces: Option<Traces>,
    /// The settings in force.
    pub(super) settings: Live<Effective>,
    pub(super) reloader: Reloader,
    /// Kept until the connections to the database are closed, which may need the workers for that.
    pub(super) workers: Arc<Workers>,
}

impl ServerHandle {
    /// The address that serves clients. Its port is the real one even if the settings ask for port 0.
    #[must_use]
    pub fn address(&self) -> &ListenAddr {
        &self.address
    }

    /// Whether only this machine can reach the address that serves clients.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.is_local
    }

    /// Where clients are served, and how to try that, in words.
    #[must_use]
    pub fn greeting(&self) -> String {
        match &self.address {
            address @ (ListenAddr::Tcp(_) | ListenAddr::Name { .. }) if self.tls.is_on() => {
                format!("https://{address} (try: curl --insecure https://{address}/)")
            }
            address @ (ListenAddr::Tcp(_) | ListenAddr::Name { .. }) => {
                format!("http://{address} (try: curl http://{address}/)")
            }
            ListenAddr::Unix(path) => {
                let scheme = if self.tls.is_on() { "https" } else { "http" };
                format!("{} (try: curl --unix-socket {} {scheme}://localhost/)", self.address, path.display())
            }
        }
    }

    /// The address of the admin listener, if there is one.
    #[must_use]
    pub fn admin_address(&self) -> Option<&ListenAddr> {
        self.admin.as_ref().map(|(address, _)| address)
    }

    /// The engine that runs the statements.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What takes over settings that were read again.
    #[must_use]
    pub fn reloader(&self) -> &Reloader {
        &self.reloader
    }

    /// Calls `beat` regularly, on one of the threads that serve connections, and only while all of them do their work.
    pub fn beat(&self, every: Duration, beat: fn()) {
        self.workers.beat(every, beat);
    }

    /// Asks the database whether it is there, so that the operator learns it from the log at startup rather than with the
    /// first request.
    pub fn probe_database(&self) -> impl Future<Output = ()> + use<> {
        let engine = self.engine.clone();
        async move {
            // The observers write the outcome to the log.
            let _ = engine.probe().await;
        }
    }

    /// Stops the gateway.
    ///
    /// 1. It says that it is about to stop (`/ready`, `Connection: close`), and for `server.drain_delay` serves
    ///    everything but new explicit transactions.
    /// 2. It accepts no more connections, and closes those without a request.
    /// 3. Requests in flight may go on for `server.shutdown_timeout`. What is left then is cancelled.
    /// 4. It rolls back open transactions, and closes the connections to the database.
    /// 5. It exports the traces that are left. The admin listener ends.
    pub async fn shutdown(self) {
        self.engine.drain().begin();
        self.observer.draining();
        let drain_delay = self.settings.get().settings.server.drain_delay.get();
        sleep(drain_delay).await;
        self.stop.gently.cancel();
        self.connections.close();
        self.work.close();
        let in_flight = async { tokio::join!(self.connections.wait(), self.work.wait()) };
        let shutdown_timeout = self.settings.get().settings.server.shutdown_timeout.get();
        if timeout(shutdown_timeout, in_flight).await.is_err() {
            tracing::warn!(
                requests = self.connections.len() + self.work.len(),
                "requests were still running at the end of server.shutdown_timeout; they are aborted"
            );
            self.stop.at_once.cancel();
            // Their statements are cancelled with them.
            let _ = timeout(ABORT_TIMEOUT, self.connections.wait()).await;
        }
        if timeout(CLOSE_TIMEOUT, self.engine.close()).await.is_err() {
            tracing::warn!("the connections to the database did not close in time; they are aborted");
        }
        if let Some(traces) = self.traces {
            traces.close(LAST_EXPORT).await;
        }
        if let Some((_, thread)) = self.admin {
            thread.stop().await;
        }
    }
}
