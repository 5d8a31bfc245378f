//! What callers can ask for: a statement, and the five things that can be done with a transaction.

use std::{fmt, mem, time::Duration};

use tokio::time::Instant;

use super::{
    deadline::Deadline,
    error::{AUTHORIZATION_EXPIRED, Error},
    plan::{Plan, Sent, database_of, fitted},
    reply::{expect, tainted},
    rows::{self, FIRST_BATCH, Rows, Scope},
    statement::{Options, Statement},
    transactions::{self, Guard, Handle, Transaction, Transactions},
};
use crate::{
    auth::Identity,
    bolt::{self, summary},
    pool::{Lease, Pool},
};

/// How much longer than the database's own limit an answer may take before the connection is given up. Neo4j looks
/// at its limits every two seconds, and waits for a bookmark for up to a minute without looking.
const GRACE: Duration = Duration::from_secs(65);

/// The gateway itself ends what a credential no longer covers, and says why. The database's own limit comes after that.
const AFTER_THE_END: Duration = Duration::from_secs(1);

/// What callers know the parameters as.
const PARAMETERS: &str = "parameters";

/// How the engine behaves.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The longest a statement may run.
    pub max_execution_time: Duration,
    /// Of explicit transactions.
    pub transactions: transactions::Settings,
}

/// Everything that can be asked of the database. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pool: Pool,
    transactions: Transactions,
    settings: Settings,
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
        Self { pool, transactions: Transactions::new(settings.transactions), settings }
    }

    /// Makes sure that the database accepts the caller's credentials. Costs nothing when it has done so within the age of
    /// logins.
    ///
    /// # Errors
    /// The database's refusal, or why it could not be asked.
    pub async fn verify(&self, caller: &Identity) -> Result<(), Error> {
        self.pool.prove(caller).await.map_err(|error| Error::of_pool(error, caller))
    }

    /// Runs one statement in a transaction of its own.
    ///
    /// # Errors
    /// Whatever kept it from starting.
    pub async fn run(
        &self,
        caller: &Identity,
        database: &str,
        statement: &Statement,
        options: &Options,
    ) -> Result<Rows, Error> {
        let mut once_more = true;
        loop {
            let started = self.run_once(caller, database, statement, options).await;
            if !(self.has_forgotten(&started) && mem::take(&mut once_more)) {
                return started;
            }
        }
    }

    async fn run_once(
        &self,
        caller: &Identity,
        database: &str,
        statement: &Statement,
        options: &Options,
    ) -> Result<Rows, Error> {
        let mut lease = self.lease(caller).await?;
        let plan = Plan::of(&statement.text, database, &lease)?;
        let parameters = fitted(PARAMETERS, &statement.parameters, &lease)?;
        let limit = self.limit(caller, options, self.settings.max_execution_time);
        let sent = Sent::new(&lease, plan.database, options, limit)?;
        lease.run(plan.text, &parameters, &sent.extra());
        lease.pull(FIRST_BATCH);
        if plan.taints {
            lease.retire();
        }
        let deadline = Deadline::after(limit + GRACE, caller);
        let columns = expect(&mut lease, deadline, |connection| Ok(summary::columns(connection.payload())?)).await;
        let columns = columns.map_err(|error| tainted(error, &mut lease, options))?;
        Ok(Rows::new(Scope::AutoCommit(lease), columns, deadline, plan.kind))
    }

    /// Opens a transaction.
    ///
    /// # Errors
    /// Whatever kept it from being opened.
    pub async fn begin(&self, caller: &Identity, database: &str, options: &Options) -> Result<Transaction, Error> {
        let mut once_more = true;
        loop {
            let begun = self.begin_once(caller, database, options).await;
            if !(self.has_forgotten(&begun) && mem::take(&mut once_more)) {
                return begun;
            }
        }
    }

    async fn begin_once(&self, caller: &Identity, database: &str, options: &Options) -> Result<Transaction, Error> {
        let (mut lease, reservation, deadline) = self.opening(caller, database, options).await?;
        let begun = expect(&mut lease, deadline, |_| Ok(())).await;
        begun.map_err(|error| tainted(error, &mut lease, options))?;
        Ok(reservation.open(lease, caller, database, options)?.keep())
    }

    /// Opens a transaction and runs its first statement, in one round trip.
    ///
    /// # Errors
    /// Whatever kept either from starting; no transaction is open then.
    pub async fn begin_with(
        &self,
        caller: &Identity,
        database: &str,
        statement: &Statement,
        options: &Options,
    ) -> Result<Rows, Error> {
        let mut once_more = true;
        loop {
            let begun = self.begin_with_once(caller, database, statement, options).await;
            if !(self.has_forgotten(&begun) && mem::take(&mut once_more)) {
                return begun;
            }
        }
    }

    async fn begin_with_once(
        &self,
        caller: &Identity,
        database: &str,
        statement: &Statement,
        options: &Options,
    ) -> Result<Rows, Error> {
        let (mut lease, reservation, deadline) = self.opening(caller, database, options).await?;
        let plan = Plan::of(&statement.text, database, &lease)?;
        let parameters = fitted(PARAMETERS, &statement.parameters, &lease)?;
        lease.run_in_transaction(plan.text, &parameters);
        lease.pull(FIRST_BATCH);
        if plan.taints {
            lease.retire();
        }
        let begun = expect(&mut lease, deadline, |_| Ok(())).await;
        begun.map_err(|error| tainted(error, &mut lease, options))?;
        let columns = expect(&mut lease, deadline, |connection| Ok(summary::columns(connection.payload())?)).await?;
        let guard = reservation.open(lease, caller, database, options)?;
        Ok(Rows::new(Scope::Inside(guard), columns, deadline, plan.kind))
    }

    /// Runs a statement in the transaction `handle`.
    ///
    /// # Errors
    /// Not found, in use, or whatever kept the statement from starting; the transaction is over then, unless it was
    /// the request that was wrong.
    pub async fn run_in(&self, caller: &Identity, handle: &Handle<'_>, statement: &Statement) -> Result<Rows, Error> {
        self.run_on(Scope::Inside, caller, handle, statement).await
    }

    /// Runs the last statement of the transaction `handle`, and commits.
    ///
    /// # Errors
    /// As [`Engine::run_in`].
    pub async fn commit_with(
        &self,
        caller: &Identity,
        handle: &Handle<'_>,
        statement: &Statement,
    ) -> Result<Rows, Error> {
        self.run_on(Scope::Last, caller, handle, statement).await
    }

    /// Commits the transaction `handle` and gives the bookmark.
    ///
    /// # Errors
    /// Not found, in use, or the database's refusal; the transaction is over then.
    pub async fn commit(&self, caller: &Identity, handle: &Handle<'_>) -> Result<String, Error> {
        rows::commit(self.check_out(caller, handle).await?).await
    }

    /// Keeps the transaction `handle` open for another while.
    ///
    /// # Errors
    /// Not found, or in use.
    pub async fn keep_alive(&self, caller: &Identity, handle: &Handle<'_>) -> Result<Transaction, Error> {
        Ok(self.check_out(caller, handle).await?.keep())
    }

    /// Rolls the transaction `handle` back.
    ///
    /// # Errors
    /// Not found, in use, or what broke the connection (the database then rolls back by itself).
    pub async fn roll_back(&self, caller: &Identity, handle: &Handle<'_>) -> Result<(), Error> {
        let mut guard = self.check_out(caller, handle).await?;
        let deadline = Deadline::after(GRACE, caller);
        let connection = guard.lease();
        connection.rollback();
        let rolled_back = expect(connection, deadline, |_| Ok(())).await;
        drop(guard.finish());
        rolled_back
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
        self.pool.probe().await.map_err(|error| Error::of_opening(&error))
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

    async fn run_on(
        &self,
        scope: fn(Guard) -> Scope,
        caller: &Identity,
        handle: &Handle<'_>,
        statement: &Statement,
    ) -> Result<Rows, Error> {
        let guard = self.check_out(caller, handle).await?;
        let started = start(guard, handle.database, statement).await;
        self.has_forgotten(&started);
        let (guard, columns, kind) = started?;
        let deadline = guard.deadline();
        Ok(Rows::new(scope(guard), columns, deadline, kind))
    }

    async fn lease(&self, caller: &Identity) -> Result<Lease, Error> {
        self.pool.acquire(caller).await.map_err(|error| Error::of_pool(error, caller))
    }

    /// Whether the database refuses because it has forgotten what its users may do. Then it has carried out nothing, and
    /// may be asked once more: the next connection will have logged in anew.
    fn has_forgotten<T>(&self, outcome: &Result<T, Error>) -> bool {
        let forgotten = matches!(outcome, Err(error) if error.code == AUTHORIZATION_EXPIRED);
        if forgotten {
            self.pool.distrust_logins();
        }
        forgotten
    }

    /// Finds a transaction, once the database has accepted the caller within the age of logins: a stranger learns nothing
    /// of handles, and a dropped user uses none. The transaction's own connection cannot be asked for a login.
    async fn check_out(&self, caller: &Identity, handle: &Handle<'_>) -> Result<Guard, Error> {
        self.verify(caller).await?;
        self.transactions.check_out(handle, caller)
    }

    /// Queues BEGIN on a wire of its own.
    async fn opening(
        &self,
        caller: &Identity,
        database: &str,
        options: &Options,
    ) -> Result<(Lease, transactions::Reservation, Deadline), Error> {
        let reservation = match self.transactions.reserve() {
            Ok(reservation) => reservation,
            Err(error) => {
                self.verify(caller).await?;
                return Err(error);
            }
        };
        let mut lease = self.lease(caller).await?;
        let limit = self.limit(caller, options, self.settings.transactions.max_lifetime);
        let sent = Sent::new(&lease, database_of(database, &lease), options, limit)?;
        lease.begin(&sent.extra());
        Ok((lease, reservation, Deadline::after(limit + GRACE, caller)))
    }

    /// The shortest of what the caller asks for, what the operator allows, and what is left of the caller's credential:
    /// past its end nobody can log in any more to end a statement on the database.
    fn limit(&self, caller: &Identity, options: &Options, allowed: Duration) -> Duration {
        let limit = options.max_execution_time.map_or(allowed, |wanted| wanted.min(allowed));
        caller.until().map_or(limit, |end| limit.min(end.duration_since(Instant::now()) + AFTER_THE_END))
    }
}

/// Sends a statement in the transaction of `guard` and waits for its columns. What is wrong with the request
/// itself leaves the transaction open; a refusal of the database ends it.
async fn start(
    mut guard: Guard,
    database: &str,
    statement: &Statement,
) -> Result<(Guard, bolt::Columns, Option<&'static str>), Error> {
    let deadline = guard.deadline();
    let connection = guard.lease();
    let ready = Plan::of(&statement.text, database, connection)
        .and_then(|plan| Ok((plan, fitted(PARAMETERS, &statement.parameters, connection)?)));
    let (plan, parameters) = match ready {
        Ok(ready) => ready,
        Err(error) => {
            guard.keep();
            return Err(error);
        }
    };
    connection.run_in_transaction(plan.text, &parameters);
    connection.pull(FIRST_BATCH);
    if plan.taints {
        connection.retire();
    }
    let kind = plan.kind;
    let columns = expect(connection, deadline, |connection| Ok(summary::columns(connection.payload())?)).await?;
    Ok((guard, columns, kind))
}
