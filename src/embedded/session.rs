//! One Bolt connection, as the server library calls it.
//!
//! Owns the transaction of the connection, its deadline, and its early end. Promises that the engine never runs on an
//! async thread, and that an abandoned statement (deadline, `RESET`, disconnect) stops, or, in an engine that runs in
//! this process, commits nothing. Accepts any credentials.

use std::sync::{Arc, Mutex, PoisonError};

use boltr::error::BoltError;
use boltr::server::backend::SessionProperty;
use boltr::server::{AccessMode, BoltBackend, ResultStream, SessionConfig, SessionHandle, TransactionHandle};
use boltr::types::{BoltDict, BoltValue};
use tokio::time::{Duration, Instant, sleep_until};

use super::cypher::statement::StatementInfo;
use super::engine::handle::Stop;
use super::engine::local::Run;
use super::engine::store::Store;
use super::engine::transaction::Transaction;
use super::errors::Failure;
use super::resets::Resets;
use super::{DATABASE, SERVER, is_database};

/// The state of one connection.
pub(super) struct Session {
    store: Arc<Store>,
    resets: Resets,
    /// The explicit transaction. `None` while one of its statements runs, and after it has failed.
    explicit: Mutex<Option<Explicit>>,
}

struct Explicit {
    transaction: Transaction,
    deadline: Option<Instant>,
    /// Whether it is in write mode.
    writable: bool,
}

impl Session {
    pub(super) fn new(store: Arc<Store>, resets: Resets) -> Session {
        Session { store, resets, explicit: Mutex::new(None) }
    }

    fn take(&self) -> Option<Explicit> {
        self.explicit.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, explicit: Explicit) {
        *self.explicit.lock().unwrap_or_else(PoisonError::into_inner) = Some(explicit);
    }

    /// Waits for `work`, unless the client or the deadline ends the wait.
    async fn wait<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
        deadline: Option<Instant>,
    ) -> Result<T, Failure> {
        tokio::select! {
            done = work => done,
            () = self.resets.pending() => Err(Failure::terminated()),
            () = expiry(deadline) => Err(Failure::timed_out()),
        }
    }

    /// Runs a statement in a transaction of its own and commits it.
    async fn run_alone(&self, mut run: Run, extra: &BoltDict) -> Result<ResultStream, Failure> {
        let deadline = deadline(extra);
        run.writable = access_mode(extra) == AccessMode::Write;
        run.alone = true;
        // The turn to write comes first: while waiting for it, a transaction must not keep a place from readers.
        let turn = if seems_to_write(&run) { Some(self.wait(self.store.turn(), deadline).await?) } else { None };
        let place = self.wait(self.store.place(), deadline).await?;
        let transaction = Transaction::new(Arc::clone(&self.store), place, turn);
        let (transaction, mut result) = self.run(transaction, run, deadline).await?;
        if transaction.may_write() {
            commit(transaction).await?;
        }
        result.summary.insert("bookmark".to_owned(), BoltValue::String(self.store.bookmark()));
        Ok(result)
    }

    /// Runs a statement in the explicit transaction, which ends if the statement fails.
    async fn run_inside(&self, mut run: Run) -> Result<ResultStream, Failure> {
        let Some(Explicit { mut transaction, deadline, writable }) = self.take() else {
            return Err(Failure::terminated());
        };
        if is_over(deadline) {
            return Err(Failure::timed_out());
        }
        run.writable = writable;
        if !transaction.may_write() && seems_to_write(&run) {
            transaction.let_write(self.wait(self.store.turn(), deadline).await?);
        }
        let (transaction, result) = self.run(transaction, run, deadline).await?;
        self.put(Explicit { transaction, deadline, writable });
        Ok(result)
    }

    /// Runs a statement on a blocking thread.
    async fn run(
        &self,
        mut transaction: Transaction,
        mut run: Run,
        deadline: Option<Instant>,
    ) -> Result<(Transaction, ResultStream), Failure> {
        loop {
            run.turn = transaction.may_write();
            let stop = StopOnDrop(Some(transaction.stop()));
            let work = tokio::task::spawn_blocking(move || {
                let result = transaction.run(&run)?;
                Ok((transaction, run, result))
            });
            let done = async { work.await.unwrap_or_else(|_panic| Err(Failure::broken())) };
            let result;
            (transaction, run, result) = self.wait(done, deadline).await?;
            stop.disarm();
            match result {
                Some(result) => return Ok((transaction, result)),
                None => transaction.let_write(self.wait(self.store.turn(), deadline).await?),
            }
        }
    }
}

/// Stops a transaction when the caller of its statement no longer waits.
struct StopOnDrop(Option<Stop>);

impl StopOnDrop {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(stop) = &self.0 {
            stop.stop();
        }
    }
}

/// Whether the statement writes, by its words. The engine knows better, but only once it has a handle.
fn seems_to_write(run: &Run) -> bool {
    run.writable && StatementInfo::of(&run.text).writes
}

/// Commits on a blocking thread. It is never abandoned, because its outcome must be known.
async fn commit(transaction: Transaction) -> Result<(), Failure> {
    let done = tokio::task::spawn_blocking(move || transaction.commit()).await;
    done.unwrap_or_else(|_panic| Err(Failure::broken()))
}

/// The deadline of a transaction that begins now. `tx_timeout` is in milliseconds; 0 means none.
fn deadline(extra: &BoltDict) -> Option<Instant> {
    let milliseconds = extra.get("tx_timeout").and_then(BoltValue::as_int)?;
    let timeout = u64::try_from(milliseconds).ok().filter(|&milliseconds| milliseconds > 0)?;
    Instant::now().checked_add(Duration::from_millis(timeout))
}

fn is_over(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| deadline <= Instant::now())
}

async fn expiry(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn access_mode(extra: &BoltDict) -> AccessMode {
    match extra.get("mode").and_then(BoltValue::as_str) {
        Some("r") => AccessMode::Read,
        _ => AccessMode::Write,
    }
}

#[async_trait::async_trait]
impl BoltBackend for Session {
    async fn create_session(&self, _config: &SessionConfig) -> Result<SessionHandle, BoltError> {
        // Each connection has one session, so its name does not have to be unique.
        Ok(SessionHandle("embedded".to_owned()))
    }

    async fn close_session(&self, _session: &SessionHandle) -> Result<(), BoltError> {
        drop(self.take());
        Ok(())
    }

    async fn configure_session(&self, _session: &SessionHandle, property: SessionProperty) -> Result<(), BoltError> {
        let SessionProperty::Database(name) = property;
        if name.is_empty() || is_database(&name) { Ok(()) } else { Err(Failure::database_not_found(&name).into()) }
    }

    async fn reset_session(&self, _session: &SessionHandle) -> Result<(), BoltError> {
        self.resets.handle();
        drop(self.take());
        Ok(())
    }

    async fn execute(
        &self,
        _session: &SessionHandle,
        query: &str,
        parameters: &BoltDict,
        extra: &BoltDict,
        transaction: Option<&TransactionHandle>,
    ) -> Result<ResultStream, BoltError> {
        let (text, parameters) = (query.to_owned(), parameters.clone());
        let run = Run { text, parameters, writable: false, turn: false, alone: false };
        Ok(match transaction {
            None => self.run_alone(run, extra).await?,
            Some(_) => self.run_inside(run).await?,
        })
    }

    async fn begin_transaction(
        &self,
        _session: &SessionHandle,
        extra: &BoltDict,
    ) -> Result<TransactionHandle, BoltError> {
        let deadline = deadline(extra);
        let place = self.wait(self.store.place(), deadline).await?;
        let transaction = Transaction::new(Arc::clone(&self.store), place, None);
        self.put(Explicit { transaction, deadline, writable: access_mode(extra) == AccessMode::Write });
        Ok(TransactionHandle("embedded".to_owned()))
    }

    async fn commit(&self, _session: &SessionHandle, _transaction: &TransactionHandle) -> Result<BoltDict, BoltError> {
        let Some(explicit) = self.take() else {
            return Err(Failure::terminated().into());
        };
        if is_over(explicit.deadline) {
            return Err(Failure::timed_out().into());
        }
        commit(explicit.transaction).await?;
        let bookmark = BoltValue::String(self.store.bookmark());
        Ok(BoltDict::from([("bookmark".to_owned(), bookmark), ("db".to_owned(), BoltValue::from(DATABASE))]))
    }

    async fn rollback(&self, _session: &SessionHandle, _transaction: &TransactionHandle) -> Result<(), BoltError> {
        drop(self.take());
        Ok(())
    }

    async fn get_server_info(&self) -> Result<BoltDict, BoltError> {
        Ok(BoltDict::from([("server".to_owned(), BoltValue::from(SERVER))]))
    }
}
