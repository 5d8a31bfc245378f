//! The threads that serve connections, each with a runtime of its own.
//!
//! A connection stays on its thread, and everything that is done for it happens there: the request, the statement, the
//! database's answer. No thread has to wake another one for any of it.

use std::{io, sync::Arc, thread, time::Duration};

use tokio::{
    runtime::{Builder, Handle},
    sync::Semaphore,
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long work that cannot be cancelled (a commit of the embedded database, a look-up of a host name) may delay the end of a thread.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(500);

/// The threads that serve connections. Dropping this ends them, and aborts whatever is still being served.
#[derive(Debug)]
pub struct Workers {
    workers: Vec<Worker>,
    _stop: Option<DropGuard>,
}

/// A thread that serves connections.
#[derive(Debug, Clone)]
pub(super) struct Worker {
    pub(super) runtime: Handle,
    /// Counts connections: each one holds a clone.
    pub(super) load: Arc<()>,
    /// The turns to compute a TLS handshake: one at a time, so that many of them do not keep others waiting.
    pub(super) handshake_turns: Arc<Semaphore>,
}

impl Worker {
    fn new(runtime: Handle) -> Self {
        Self { runtime, load: Arc::default(), handshake_turns: Arc::new(Semaphore::new(1)) }
    }
}

impl Workers {
    /// Starts a thread for each processor that this process may use.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub fn per_processor() -> io::Result<Self> {
        Self::threads(thread::available_parallelism()?.get())
    }

    /// Starts `count` threads, but at least one.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub fn threads(count: usize) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let named = |number| spawn(format!("worker-{number}"), stop.clone());
        let workers = (0..count.max(1)).map(named).collect::<io::Result<_>>()?;
        Ok(Self { workers, _stop: Some(stop.drop_guard()) })
    }

    /// Starts one thread with this name.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub(super) fn thread(name: &str) -> io::Result<Self> {
        let stop = CancellationToken::new();
        Ok(Self { workers: vec![spawn(name.to_owned(), stop.clone())?], _stop: Some(stop.drop_guard()) })
    }

    /// Serves on the current runtime instead of starting threads.
    #[must_use]
    pub fn here() -> Self {
        Self { workers: vec![Worker::new(Handle::current())], _stop: None }
    }

    /// Runs a future on the least loaded thread.
    pub(super) fn spawn<F: Future<Output: Send + 'static> + Send + 'static>(&self, future: F) -> JoinHandle<F::Output> {
        let runtime = self.least_loaded().map_or_else(Handle::current, |worker| worker.runtime.clone());
        runtime.spawn(future)
    }

    /// Calls `beat` regularly, on the first thread, and only while every thread does its work.
    pub(super) fn beat(&self, every: Duration, beat: fn()) {
        let runtimes: Vec<Handle> = self.workers.iter().map(|worker| worker.runtime.clone()).collect();
        let Some(first) = runtimes.first().cloned() else {
            return;
        };
        first.spawn(async move {
            let mut ticks = interval(every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                for runtime in &runtimes {
                    // A thread that is stuck never gets to it.
                    if runtime.spawn(async {}).await.is_err() {
                        return;
                    }
                }
                beat();
            }
        });
    }

    /// The worker with the fewest connections. Among equals it is the first, so that few connections share what they
    /// need.
    pub(super) fn least_loaded(&self) -> Option<&Worker> {
        self.workers.iter().min_by_key(|worker| Arc::strong_count(&worker.load))
    }
}

fn spawn(name: String, stop: CancellationToken) -> io::Result<Worker> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let worker = Worker::new(runtime.handle().clone());
    thread::Builder::new().name(name).spawn(move || {
        runtime.block_on(stop.cancelled());
        runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    })?;
    Ok(worker)
}
