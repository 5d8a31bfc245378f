//! The thread of the admin listener. It shares nothing with those that serve clients, so it answers when all of them
//! are busy, and until everything else has stopped.

use std::{io, sync::Arc, time::Duration};

use tokio::{task::JoinHandle, time::timeout};
use tokio_util::task::TaskTracker;

use super::{
    acceptor::Acceptor,
    connection::{Protocols, Stop, Timeouts, TimerLimits},
    workers::Workers,
};
use crate::{drain::Drain, live::Live, telemetry::observer::Observer};

/// The most connections: enough for probes and a few people.
pub(super) const CONNECTIONS: usize = 32;
/// How long a connection may go without a complete request, so that a few silent clients cannot block others for long.
const PATIENCE: Duration = Duration::from_secs(5);
/// The age from which on a connection's next answer is its last.
const MAX_AGE: Duration = Duration::from_secs(60);
/// How long answers may take at the end.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// The thread. Dropping it ends its connections.
#[derive(Debug)]
pub(super) struct AdminThread {
    workers: Arc<Workers>,
    stop: Stop,
    connections: TaskTracker,
}

impl AdminThread {
    /// # Errors
    /// The system cannot start a thread.
    pub(super) fn start() -> io::Result<Self> {
        let workers = Arc::new(Workers::thread("admin")?);
        Ok(Self { workers, stop: Stop::default(), connections: TaskTracker::new() })
    }

    /// Runs a future on the thread.
    pub(super) fn spawn<F: Future<Output: Send + 'static> + Send + 'static>(&self, future: F) -> JoinHandle<F::Output> {
        self.workers.spawn(future)
    }

    /// What accepts the thread's connections.
    pub(super) fn acceptor(&self) -> Acceptor {
        let timeouts = Timeouts {
            timer: TimerLimits { head: PATIENCE, idle: PATIENCE, age: MAX_AGE },
            write_stall: PATIENCE,
            half_close: PATIENCE,
        };
        Acceptor {
            workers: Arc::clone(&self.workers),
            max_connections: CONNECTIONS,
            protocols: Live::new(Protocols::new(timeouts)),
            tls: None,
            // Operators keep their connections to the very end.
            drain: Drain::default(),
            stop: self.stop.clone(),
            tracker: self.connections.clone(),
            observer: Arc::new(Unobserved),
        }
    }

    /// Finishes the answers under way and ends the thread.
    pub(super) async fn stop(self) {
        self.stop.gently.cancel();
        self.connections.close();
        // Responses that are still being written then are cut off.
        let _ = timeout(STOP_TIMEOUT, self.connections.wait()).await;
    }
}

impl Drop for AdminThread {
    fn drop(&mut self) {
        // The task that accepts holds the thread as well.
        self.stop.gently.cancel();
    }
}

/// Receives the events of these connections, which are not those of clients.
struct Unobserved;

impl Observer for Unobserved {}
