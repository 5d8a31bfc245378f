//! One transaction: the permits it holds, and the handle it runs on.
//!
//! Promises that a transaction that is dropped has been rolled back before its permits are released. Knows nothing of
//! Bolt messages.

use std::sync::Arc;

use boltr::server::ResultStream;
use tokio::sync::OwnedSemaphorePermit;

use crate::embedded::engine::handle::{Handle, Stop};
use crate::embedded::engine::local::Run;
use crate::embedded::engine::store::Store;
use crate::embedded::errors::Failure;

/// A transaction. It is rolled back on drop.
pub(in crate::embedded) struct Transaction {
    /// From the first statement to the end.
    handle: Option<Handle>,
    /// Whether the handle has an open transaction.
    open: bool,
    stop: Stop,
    store: Arc<Store>,
    /// The turn to write: held from the first statement that writes to the end. Dropped after the rollback.
    turn: Option<OwnedSemaphorePermit>,
    _place: OwnedSemaphorePermit,
}

impl Transaction {
    /// Begins a transaction, which touches the file with its first statement. `place` is its permit to be open.
    pub(in crate::embedded) fn new(
        store: Arc<Store>,
        place: OwnedSemaphorePermit,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Transaction {
        Transaction { handle: None, open: false, stop: Stop::default(), store, turn, _place: place }
    }

    /// Whether it has its turn to write.
    pub(in crate::embedded) fn may_write(&self) -> bool {
        self.turn.is_some()
    }

    /// Gives it its turn to write.
    pub(in crate::embedded) fn let_write(&mut self, turn: OwnedSemaphorePermit) {
        self.turn = Some(turn);
    }

    /// Returns the means to stop it, from now to its end.
    pub(in crate::embedded) fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Runs a statement. Returns `None` if the statement needs the turn to write and the transaction does not have it.
    /// Blocks the thread.
    ///
    /// # Errors
    /// Returns an error if no handle is available, or the statement fails. The transaction has then been rolled back.
    pub(in crate::embedded) fn run(&mut self, run: &Run) -> Result<Option<ResultStream>, Failure> {
        let handle = match &mut self.handle {
            Some(handle) => handle,
            none => {
                let handle = none.insert(self.store.pool().take()?);
                self.stop.attach(handle)?;
                handle
            }
        };
        self.open = true;
        let result = handle.run(run);
        self.open = result.is_ok() && (!run.alone || self.turn.is_some());
        result
    }

    /// Commits. Blocks the thread.
    pub(in crate::embedded) fn commit(mut self) -> Result<(), Failure> {
        let Some(handle) = &mut self.handle else {
            return Ok(());
        };
        let committed = handle.commit();
        self.open = false;
        if committed.is_ok() && self.turn.is_some() {
            self.store.count_commit();
        }
        committed
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.stop.detach();
        let Some(mut handle) = self.handle.take() else {
            return;
        };
        if self.open {
            handle.end();
        }
        // After a panic of the engine the state of the handle is unknown, so it is closed.
        let usable = handle.is_usable() && !std::thread::panicking();
        // A handle that is closed is closed before its permits are released.
        self.store.pool().give_back(usable.then_some(handle));
    }
}
