//! What callers can ask for, and what all of it shares. Explicit transactions are in [`self::explicit`], batches in
//! [`crate::query::Batch`].

mod auto_commit;
mod batch;
mod explicit;
mod read_only;
mod running;

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

pub use self::batch::StartedBatch;
use super::{
    error::{AUTHORIZATION_EXPIRED, Error},
    retry::Attempts,
    running::{RegisteredStatement, RunningRegistry, StatementState},
    settings::Settings,
    statement::Options,
    transaction::TransactionRegistry,
};
use crate::{
    auth::Identity,
    pool::{Lease, Pool},
};

/// The gateway itself ends what a credential no longer covers, and says why. The database's own limit comes after that.
const AFTER_THE_END: Duration = Duration::from_secs(1);

/// Everything that can be asked of the database. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pool: Pool,
    transactions: TransactionRegistry,
    running_statements: RunningRegistry,
    settings: Arc<Settings>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine over `pool`. Call it inside a tokio runtime.
    #[must_use]
    pub fn new(pool: Pool, settings: Settings) -> Self {
        let transactions = TransactionRegistry::new(settings.transactions);
        Self { pool, transactions, running_statements: RunningRegistry::new(), settings: Arc::new(settings) }
    }

    /// Makes sure that the database accepts the caller's credentials. Costs nothing when it has done so within the age of
    /// logins.
    ///
    /// # Errors
    /// The database's refusal, or why it could not be asked.
    pub async fn verify(&self, caller: &Identity) -> Result<(), Error> {
        self.pool.verify(caller).await.map_err(|error| Error::from_pool(error, caller, &self.pool.address()))
    }

    /// Whether the database has accepted the caller's credentials within the age of logins, as far as that is remembered.
    #[must_use]
    pub fn knows(&self, caller: &Identity) -> bool {
        self.pool.has_recent_login(caller)
    }

    /// How many transactions are open.
    #[must_use]
    pub fn open_transactions(&self) -> usize {
        self.transactions.count()
    }

    /// Whether the database can be reached, without logging in.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn probe(&self) -> Result<(), Error> {
        self.pool.probe().await.map_err(|error| Error::from_opening(&error, &self.pool.address()))
    }

    /// How full the pool of connections is.
    #[must_use]
    pub fn pool_status(&self) -> crate::pool::Status {
        self.pool.status()
    }

    /// Opens no more transactions, rolls back those that no request is using, and closes all connections once they
    /// are clean. Bound it with a timeout.
    pub async fn close(&self) {
        self.transactions.close();
        self.pool.close().await;
    }

    async fn lease(&self, caller: &Identity) -> Result<Lease, Error> {
        self.pool.acquire(caller).await.map_err(|error| Error::from_pool(error, caller, &self.pool.address()))
    }

    /// The pause before another attempt, if one may follow.
    fn retry_pause<'t>(
        &self,
        error: &Error,
        attempts: &mut Attempts,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Option<Duration> {
        self.note_expired_authorization(error);
        attempts.pause_after(error, texts.into_iter())
    }

    /// The database may refuse because it has forgotten what its users may do: then all have to log in anew.
    fn note_expired_authorization(&self, error: &Error) {
        if error.code == AUTHORIZATION_EXPIRED {
            self.pool.expire_logins();
        }
    }

    /// Waits before another attempt.
    // On the heap, since it is seldom needed.
    async fn wait(&self, running: &RegisteredStatement, pause: Duration) -> Result<(), Error> {
        running.set_state(StatementState::Retrying);
        running.unless_cancelled(Box::pin(sleep(pause)).as_mut()).await?;
        running.set_state(StatementState::Queued);
        Ok(())
    }

    /// The shortest of what the caller asks for, what the operator allows, and what is left of the caller's credential:
    /// past its end nobody can log in any more to end a statement on the database.
    fn limit(&self, caller: &Identity, options: &Options, allowed: Duration) -> Duration {
        let limit = options.max_execution_time.map_or(allowed, |wanted| wanted.min(allowed));
        caller.until().map_or(limit, |end| limit.min(end.duration_since(Instant::now()) + AFTER_THE_END))
    }
}
