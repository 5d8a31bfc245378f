//! The engine's handles: the idle ones, and how more are started.
//!
//! Promises [`HANDLES`] handles, opened before they are needed: opening one writes to the file, so it has to wait for a
//! transaction that writes, but a transaction that reads must not. Only a lost one is replaced later. Every call blocks.

use std::path::Path;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use graphdblite::GraphError;

use crate::embedded::engine::child::Launch;
use crate::embedded::engine::handle::Handle;
use crate::embedded::engine::local::{BUSY_TIMEOUT, Local};
use crate::embedded::errors::Failure;

/// The number of handles, and so of transactions that may be open at the same time.
pub(super) const HANDLES: usize = 32;

/// How long a transaction waits for a process that is being started. A busy machine may need long for it.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// The handles of one database.
pub(super) struct Pool {
    /// How to start a process for a handle. `None`: all handles are in this process.
    launch: Option<Launch>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Handle>,
    /// How many handles transactions have.
    taken: usize,
    /// How many processes are being started.
    starting: usize,
    /// Why the last process could not be started.
    failure: Option<Failure>,
}

impl Pool {
    /// Opens every handle in this process.
    pub(super) fn in_process(first: Local, path: &Path, temporary: bool) -> Result<Pool, GraphError> {
        let others: Result<Vec<_>, _> = (1..HANDLES).map(|_| first.another(path, temporary)).collect();
        let all = others?.into_iter().chain([first]);
        let idle = all.map(|local| Handle::Local(Box::new(local))).collect();
        Ok(Pool { launch: None, state: Mutex::new(State { idle, ..State::default() }), changed: Condvar::new() })
    }

    /// Starts a process of `program` for every handle.
    ///
    /// # Errors
    /// Returns an error if one cannot be started, or cannot open the file.
    pub(super) fn in_processes(program: PathBuf, file: PathBuf, temporary: bool) -> Result<Arc<Pool>, Failure> {
        let launch = Launch { program, file, temporary };
        // The first alone: it may have to create the tables that the others expect.
        let first = launch.start()?;
        let others: Result<Vec<_>, Failure> = thread::scope(|scope| {
            let starts: Vec<_> = (1..HANDLES).map(|_| scope.spawn(|| launch.start())).collect();
            starts.into_iter().map(|start| start.join().unwrap_or_else(|_panic| Err(Failure::broken()))).collect()
        });
        let idle = others?.into_iter().chain([first]).map(Handle::Child).collect();
        let state = Mutex::new(State { idle, ..State::default() });
        Ok(Arc::new(Pool { launch: Some(launch), state, changed: Condvar::new() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns an idle handle. Waits if one must be started.
    ///
    /// # Errors
    /// Returns an error if no process can be started, or no handle becomes free within [`BUSY_TIMEOUT`]
    /// ([`START_TIMEOUT`] while processes are being started).
    pub(super) fn take(self: &Arc<Pool>) -> Result<Handle, Failure> {
        let began = Instant::now();
        let mut state = self.state();
        loop {
            while let Some(handle) = state.idle.pop() {
                // A process may have been ended from outside.
                if handle.is_usable() {
                    state.taken += 1;
                    self.start_more(&mut state);
                    return Ok(handle);
                }
            }
            if let Some(failure) = state.failure.take() {
                return Err(failure);
            }
            self.start_more(&mut state);
            let waited = self.changed.wait_timeout(state, BUSY_TIMEOUT);
            let (after, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = after;
            let may_start = state.starting > 0 && began.elapsed() < START_TIMEOUT;
            if timeout.timed_out() && state.idle.is_empty() && !may_start {
                return Err(state.failure.take().unwrap_or_else(Failure::too_many_transactions));
            }
        }
    }

    /// Takes back a handle without a transaction, or learns that a taken one is gone.
    pub(super) fn give_back(self: &Arc<Pool>, handle: Option<Handle>) {
        let mut state = self.state();
        state.taken = state.taken.saturating_sub(1);
        state.idle.extend(handle);
        self.start_more(&mut state);
        self.changed.notify_all();
    }

    /// Starts as many processes as are missing, without waiting for them.
    fn start_more(self: &Arc<Pool>, state: &mut State) {
        if self.launch.is_none() {
            return;
        }
        while state.taken + state.idle.len() + state.starting < HANDLES {
            let pool = Arc::clone(self);
            let started = thread::Builder::new().name("embedded-start".to_owned()).spawn(move || pool.start_one());
            if let Err(error) = started {
                tracing::warn!(%error, "embedded database: cannot start a thread");
                state.failure = Some(Failure::broken());
                return;
            }
            state.starting += 1;
        }
    }

    fn start_one(&self) {
        let started = self.launch.as_ref().map(Launch::start);
        let mut state = self.state();
        state.starting = state.starting.saturating_sub(1);
        match started {
            Some(Ok(child)) => state.idle.push(Handle::Child(child)),
            Some(Err(failure)) => state.failure = Some(failure),
            None => {}
        }
        self.changed.notify_all();
    }

    /// Closes every idle handle, and waits for those that are being started.
    pub(super) fn close(&self) {
        let mut state = self.state();
        while state.starting > 0 {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.idle.clear();
    }
}
