//! The threads that serve, each with a runtime of its own.
//!
//! A connection stays with the thread that it was given to, and so does all that is done for it: the request, the statement, the
//! database's answer. No thread has to wake another one for any of it.

use std::{io, sync::Arc, thread, time::Duration};

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Work that cannot be broken off (a statement of the embedded database) must not hold up the end.
const FAREWELL: Duration = Duration::from_millis(500);

/// Who serves connections. Dropping it ends the threads, and with them whatever is still being served.
#[derive(Debug)]
pub struct Workers {
    workers: Vec<Worker>,
    _stop: Option<DropGuard>,
}

/// One of them.
#[derive(Debug, Clone)]
pub(super) struct Worker {
    pub(super) runtime: Handle,
    /// Each connection that is served holds a clone.
    pub(super) load: Arc<()>,
}

impl Workers {
    /// A thread for each processor that this process may use.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn per_processor() -> io::Result<Self> {
        Self::threads(thread::available_parallelism()?.get())
    }

    /// So many threads, at least one.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn threads(count: usize) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let workers = (0..count.max(1)).map(|number| spawn(number, stop.clone())).collect::<io::Result<_>>()?;
        Ok(Self { workers, _stop: Some(stop.drop_guard()) })
    }

    /// The current runtime, whatever its threads.
    #[must_use]
    pub fn here() -> Self {
        Self { workers: vec![Worker { runtime: Handle::current(), load: Arc::default() }], _stop: None }
    }

    /// The one with the fewest connections; the first of those, so that few connections share what they need.
    pub(super) fn least_loaded(&self) -> Option<&Worker> {
        self.workers.iter().min_by_key(|worker| Arc::strong_count(&worker.load))
    }
}

fn spawn(number: usize, stop: CancellationToken) -> io::Result<Worker> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let worker = Worker { runtime: runtime.handle().clone(), load: Arc::default() };
    thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
        runtime.block_on(stop.cancelled());
        runtime.shutdown_timeout(FAREWELL);
    })?;
    Ok(worker)
}
