//! What callers can ask for, and what all of it shares. Explicit transactions are in [`self::explicit`], batches in
//! [`crate::query::Batch`].

mod explicit;
mod read_only;

use std::{fmt, pin::pin, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use self::read_only::{needs_read_transaction, start_read_only};
use crate::{
    auth::Identity,
    bolt::{self, summary},
    pool::{Lease, Pool},
    query::{
        deadline::Deadline,
        error::{AUTHORIZATION_EXPIRED, Error},
        reply::{AtRisk, expect, mark_stale},
        result::RowSink,
        result::pull_first,
        result::{Rows, StartedStatement, TransactionScope},
        retry::{Attempts, Retry},
        running::{RegisteredStatement, RunningRegistry, RunningStatement, StatementState},
        statement::Aliases,
        statement::inspect,
        statement::{Options, Statement},
        statement::{Plan, ServerOptions, validated_parameters},
        transaction::{TransactionRegistry, TransactionSettings},
    },
};

/// How much longer a server may take that waits for a bookmark: Neo4j does so for a minute without looking at its limits.
const BOOKMARK_WAIT: Duration = Duration::from_secs(60);

/// The gateway itself ends what a credential no longer covers, and says why. The database's own limit comes after that.
const AFTER_THE_END: Duration = Duration::from_secs(1);

/// What callers know the parameters as.
pub(in crate::query) const PARAMETERS: &str = "parameters";

/// How the engine behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The longest a statement may run.
    pub max_execution_time: Duration,
    /// How long the database may take to end a statement whose time is over.
    pub termination_grace: Duration,
    /// Of explicit transactions.
    pub transactions: TransactionSettings,
    /// Other names for databases.
    pub aliases: Aliases,
}

/// Everything that can be asked of the database. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(in crate::query) pool: Pool,
    pub(in crate::query) transactions: TransactionRegistry,
    pub(in crate::query) running_statements: RunningRegistry,
    pub(in crate::query) settings: Arc<Settings>,
}

/// What became of a request that may take more than one attempt.
#[derive(Debug)]
pub struct Attempted<T, E = Error> {
    /// Of the last attempt.
    pub outcome: Result<T, E>,
    /// How many got as far as the database.
    pub attempts: u32,
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

    /// Runs one statement in a transaction of its own, and moves the first rows into `sink`. Tries again what the
    /// database has undone, as long as `sink` can take back all of it.
    pub async fn run(
        &self,
        caller: &Identity,
        database: &str,
        statement: &Statement,
        options: &Options,
        retry: Retry,
        sink: &mut impl RowSink,
    ) -> Attempted<StartedStatement> {
        let running = self.running_statements.enter(caller, database, &statement.text);
        let limit = self.limit(caller, options, self.settings.max_execution_time);
        let mut attempts = Attempts::new(retry, Instant::now() + limit);
        loop {
            let started = self.run_once(caller, database, statement, options, (&running, &mut attempts)).await;
            let outcome = match started {
                Ok(mut rows) => {
                    let first = rows.begin(sink).await;
                    Ok(StartedStatement { rows, first })
                }
                Err(error) => Err(error),
            };
            let failure = match &outcome {
                Ok(begun) => begun.first.as_ref().err(),
                Err(error) => Some(error),
            };
            let pause = failure.and_then(|error| self.retry_pause(error, &mut attempts, [&*statement.text]));
            let Some(pause) = pause else {
                return Attempted { outcome, attempts: attempts.count() };
            };
            drop(outcome); // which gives the wire back
            sink.restart();
            if let Err(error) = self.wait(&running, pause).await {
                return Attempted { outcome: Err(error), attempts: attempts.count() };
            }
        }
    }

    async fn run_once(
        &self,
        caller: &Identity,
        database: &str,
        statement: &Statement,
        options: &Options,
        (running, attempts): (&RegisteredStatement, &mut Attempts),
    ) -> Result<Rows, Error> {
        let limit = attempts.time_left();
        let mut lease = running.unless_cancelled(pin!(self.lease(caller))).await??;
        let plan = Plan::of(&statement.text, self.settings.aliases.resolve(database), &lease)?;
        let parameters = validated_parameters(&statement.parameters, &lease).await?;
        let sent = ServerOptions::new(&lease, plan.database, options, limit)?;
        let read_only = needs_read_transaction(options, &plan, &lease);
        if read_only {
            lease.begin(&sent.extra());
            lease.run_in_transaction(plan.text, &parameters);
        } else {
            lease.run(plan.text, &parameters, &sent.extra());
        }
        pull_first(&mut lease);
        attempts.start_next();
        if plan.leaves_stale {
            lease.mark_stale();
        }
        running.set_state(StatementState::Running);
        let mut deadline = Deadline::after(limit, self.grace(options), caller);
        if read_only {
            // On the heap, since most statements run without.
            return Box::pin(start_read_only(lease, options, deadline, running)).await;
        }
        let mut stopping = false;
        let columns = loop {
            let take = |connection: &bolt::Connection| Ok(summary::columns(connection.payload())?);
            let answered = {
                let expected = pin!(expect(&mut lease, deadline, AtRisk::Statement, take));
                running.unless_cancelled_or(stopping, expected).await
            };
            match answered {
                Ok(columns) => break columns,
                Err(cancelled) if !inspect::may_write(&statement.text) => {
                    lease.hurry();
                    return Err(cancelled);
                }
                Err(_) => {
                    // Only the database can say whether that came in time.
                    lease.interrupt();
                    (stopping, deadline) = (true, deadline.grace_period());
                }
            }
        };
        let columns = columns.map_err(|error| {
            let error = if stopping { error.after_cancellation() } else { error };
            mark_stale(error, &mut lease, options).outside_of_transactions(lease.dialect())
        })?;
        let stopping = stopping.then(|| Box::new(Error::cancelled()));
        Ok(Rows::new(TransactionScope::AutoCommit(lease), columns, deadline, plan.kind, (running.clone(), stopping)))
    }

    /// How long the database may take to end a statement with these options by itself.
    pub(in crate::query) fn grace(&self, options: &Options) -> Duration {
        let grace = self.settings.termination_grace;
        if options.bookmarks.is_empty() { grace } else { grace + BOOKMARK_WAIT }
    }

    /// What `caller` has under way on `database`.
    ///
    /// # Errors
    /// When the database does not accept the caller, or the caller is one of many who cannot be told apart.
    pub async fn running(&self, caller: &Identity, database: &str) -> Result<Vec<RunningStatement>, Error> {
        self.verify_alone(caller).await?;
        Ok(self.running_statements.list(caller, database))
    }

    /// Ends a statement of `caller`, and with it the transaction that it belongs to.
    ///
    /// # Errors
    /// As [`Engine::running`], or when there is no such statement.
    pub async fn cancel(&self, caller: &Identity, database: &str, id: &str) -> Result<(), Error> {
        self.verify_alone(caller).await?;
        self.running_statements.cancel(caller, database, id)
    }

    /// Strangers on the gateway's own account must not see or end each other's statements.
    async fn verify_alone(&self, caller: &Identity) -> Result<(), Error> {
        if caller.is_public() {
            return Err(Error::forbidden(
                "Requests without credentials share the gateway's own account here and cannot be told apart, so they \
                 cannot list or end running statements.",
            ));
        }
        self.verify(caller).await
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

    pub(in crate::query) async fn lease(&self, caller: &Identity) -> Result<Lease, Error> {
        self.pool.acquire(caller).await.map_err(|error| Error::from_pool(error, caller, &self.pool.address()))
    }

    /// The pause before another attempt, if one may follow.
    pub(in crate::query) fn retry_pause<'t>(
        &self,
        error: &Error,
        attempts: &mut Attempts,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Option<Duration> {
        self.note_expired_authorization(error);
        attempts.pause_after(error, texts.into_iter())
    }

    /// The database may refuse because it has forgotten what its users may do: then all have to log in anew.
    pub(in crate::query) fn note_expired_authorization(&self, error: &Error) {
        if error.code == AUTHORIZATION_EXPIRED {
            self.pool.expire_logins();
        }
    }

    /// Waits before another attempt.
    // On the heap, since it is seldom needed.
    pub(in crate::query) async fn wait(&self, running: &RegisteredStatement, pause: Duration) -> Result<(), Error> {
        running.set_state(StatementState::Retrying);
        running.unless_cancelled(Box::pin(sleep(pause)).as_mut()).await?;
        running.set_state(StatementState::Queued);
        Ok(())
    }

    /// The shortest of what the caller asks for, what the operator allows, and what is left of the caller's credential:
    /// past its end nobody can log in any more to end a statement on the database.
    pub(in crate::query) fn limit(&self, caller: &Identity, options: &Options, allowed: Duration) -> Duration {
        let limit = options.max_execution_time.map_or(allowed, |wanted| wanted.min(allowed));
        caller.until().map_or(limit, |end| limit.min(end.duration_since(Instant::now()) + AFTER_THE_END))
    }
}
