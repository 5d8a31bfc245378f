//! The engine: the entry point for everything that callers can request from the database.
//!
//! Owns what the operations share: the pool, the registries, the settings. Each kind of operation has a file of its
//! own.

mod auto_commit;
mod batch;
mod excerpt;
mod explicit;
mod operator;
mod read_only;
mod running;

use std::{fmt, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, sleep},
};

pub use self::{excerpt::Excerpt, operator::Ending};
use super::{
    call::Call,
    error::{AUTHORIZATION_EXPIRED, Error},
    result::ResultLimits,
    retry::Attempts,
    running::{RegisteredStatement, RunningRegistry, StatementState},
    settings::Settings,
    statement::Options,
    transaction::TransactionRegistry,
};
use crate::{
    auth::Identity,
    bolt::Connection,
    drain::Drain,
    pool::{Lease, Pool},
    telemetry::{
        logs::LogControl,
        observer::{Observer, RetryReason},
    },
};

/// Added to the database's time limit when it is the expiry of the credentials, so that the gateway ends the statement
/// first and reports the reason.
const EXPIRY_MARGIN: Duration = Duration::from_secs(1);

/// Everything that can be requested from the database. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pool: Pool,
    transactions: TransactionRegistry,
    running_statements: RunningRegistry,
    settings: Arc<Settings>,
    drain: Drain,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

impl Engine {
    /// Creates an engine over `pool`. Must be called inside a tokio runtime.
    #[must_use]
    pub fn new(pool: Pool, settings: Settings) -> Self {
        let instance = settings.instance.clone();
        let transactions = TransactionRegistry::new(settings.transactions, instance, Arc::clone(pool.observer()));
        let running_statements = RunningRegistry::new(Arc::clone(pool.observer()), settings.log.clone());
        Self { pool, transactions, running_statements, settings: Arc::new(settings), drain: Drain::default() }
    }

    /// The engine with other settings, for statements from now on. Transactions, pool and running statements are
    /// shared.
    #[must_use]
    pub fn with_settings(&self, settings: Settings) -> Self {
        self.transactions.set_limits(settings.transactions);
        Self { settings: Arc::new(settings), ..self.clone() }
    }

    /// The pool of connections.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Makes sure that the database accepts the caller's credentials. Costs nothing if it has accepted them within
    /// `database.login_age`.
    ///
    /// # Errors
    /// The database's refusal, or why the database could not be reached.
    pub async fn verify(&self, caller: &Call) -> Result<(), Error> {
        if self.pool.has_recent_login(caller) {
            return Ok(());
        }
        let began = std::time::Instant::now();
        let verified = self.pool.verify(caller).await;
        caller.record.add_auth(began.elapsed());
        verified.map_err(|error| Error::from_pool(error, caller, &self.pool.address()))
    }

    /// Whether the database has accepted the caller's credentials within `database.login_age`, as far as the pool
    /// remembers.
    #[must_use]
    pub fn knows(&self, caller: &Identity) -> bool {
        self.pool.has_recent_login(caller)
    }

    /// Whether the gateway is about to stop. Once it is, no explicit transaction is opened.
    #[must_use]
    pub fn drain(&self) -> &Drain {
        &self.drain
    }

    /// The number of open explicit transactions.
    #[must_use]
    pub fn open_transactions(&self) -> usize {
        self.transactions.count()
    }

    /// Checks that the database can be reached, without logging in.
    ///
    /// # Errors
    /// Why it cannot be reached.
    pub async fn probe(&self) -> Result<(), Error> {
        self.pool.probe().await.map_err(|error| Error::from_opening(&error, &self.pool.address()))
    }

    /// Opens a byte stream to the database, over which a client's own driver logs in and sends its statements.
    ///
    /// # Errors
    /// Why the database cannot be reached.
    pub async fn stream(&self) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<>, Error> {
        self.pool.stream().await.map_err(|error| Error::from_opening(&error, &self.pool.address()))
    }

    /// How large a result may be. Sinks check the size of its text.
    #[must_use]
    pub fn result_limits(&self) -> ResultLimits {
        self.settings.result
    }

    /// The observer that everything reports to.
    #[must_use]
    pub fn observer(&self) -> &Arc<dyn Observer> {
        self.pool.observer()
    }

    /// What is logged.
    #[must_use]
    pub fn log(&self) -> &LogControl {
        &self.settings.log
    }

    /// The status of the connection pool.
    #[must_use]
    pub fn pool_status(&self) -> crate::pool::Status {
        self.pool.status()
    }

    /// Opens no more transactions, rolls back those that no request is using, and closes all connections once they are
    /// clean. Takes as long as that takes, so callers need a timeout.
    pub async fn close(&self) {
        self.transactions.close();
        self.pool.close().await;
    }

    /// Leases a connection, for the database that the request calls `database`.
    async fn lease(&self, caller: &Call, database: &str) -> Result<Lease, Error> {
        let waiting = caller.record.waits();
        let lent = self.pool.acquire(caller).await;
        waiting.ends(lent.as_ref().ok().map(|lease| (lease.opened().into_std(), lease.logged_in().into_std())));
        if let Ok(lease) = &lent {
            self.note_database(caller, lease, database);
        }
        lent.map_err(|error| Error::from_pool(error, caller, &self.pool.address()))
    }

    /// Notes for the request's span, if it has one, which database the connection is for.
    fn note_database(&self, caller: &Call, connection: &Connection, database: &str) {
        if let Some(span) = caller.record.span() {
            let target = self.settings.aliases.resolve(database);
            span.set_database(connection.dialect().name, target.sent.unwrap_or(target.named));
        }
    }

    /// Returns the pause before the next attempt, if `error` may be retried.
    fn retry_pause<'t>(
        &self,
        error: &Error,
        attempts: &mut Attempts,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Option<Duration> {
        self.note_expired_authorization(error);
        attempts.pause_after(error, texts.into_iter())
    }

    /// Expires all logins if `error` says that the database requires every connection to log in again.
    fn note_expired_authorization(&self, error: &Error) {
        if error.code == AUTHORIZATION_EXPIRED {
            self.pool.expire_logins();
        }
    }

    /// Waits for `pause` before the next attempt, and reports why there is one.
    // Boxed inside, because few statements are retried.
    async fn wait(
        &self,
        running: &RegisteredStatement,
        pause: Duration,
        reason: Option<RetryReason>,
    ) -> Result<(), Error> {
        running.set_state(StatementState::Retrying);
        let waited = running.unless_cancelled(Box::pin(sleep(pause)).as_mut()).await;
        waited.inspect_err(|error| running.report_failure(error, None))?;
        running.set_state(StatementState::Queued);
        if let Some(reason) = reason {
            self.observer().retried(reason);
        }
        Ok(())
    }

    /// Returns the time limit for the database: the shortest of the caller's limit, the operator's, and the remaining
    /// validity of the credentials. After their expiry, the gateway could not log in to end the statement.
    fn limit(&self, caller: &Identity, options: &Options, allowed: Duration) -> Duration {
        let limit = options.max_execution_time.map_or(allowed, |wanted| wanted.min(allowed));
        caller.until().map_or(limit, |end| limit.min(end.duration_since(Instant::now()) + EXPIRY_MARGIN))
    }
}
