//! Operations on explicit transactions.

use std::pin::pin;

use tokio::time::Instant;

use super::Engine;
use crate::{
    bolt::Columns,
    pool::Lease,
    query::{
        call::Call,
        deadline::Deadline,
        error::Error,
        reply::{AtRisk, columns, expect, mark_stale_after},
        result::{RowLimit, Rows, TransactionScope, pull_first},
        retry::{Attempts, Retry},
        running::{RegisteredStatement, StatementKind, StatementState, WeakStatement},
        statement::{Options, Plan, ServerOptions, Statement, database_of, validated_parameters},
        transaction::{
            Committed, Reservation, Transaction, TransactionGuard, TransactionHandle, TransactionId, completion,
        },
    },
    telemetry::spans::Operation,
};

impl Engine {
    /// Opens a transaction.
    ///
    /// # Errors
    /// Why the transaction could not be opened.
    pub async fn begin(&self, caller: &Call, database: &str, options: &Options) -> Result<Transaction, Error> {
        let mut attempts = Attempts::new(Retry::NEVER, Instant::now());
        loop {
            let begun = self.begin_once(caller, database, options).await;
            if begun.as_ref().err().and_then(|error| self.retry_pause(error, &mut attempts, [])).is_none() {
                return begun;
            }
        }
    }

    async fn begin_once(&self, caller: &Call, database: &str, options: &Options) -> Result<Transaction, Error> {
        let id = self.running_statements.next_id();
        Ok(self.open(caller, database, options, (id, WeakStatement::default())).await?.keep())
    }

    /// Opens a transaction that a request goes on to use, for the statement `running` if there is one.
    pub(super) async fn open(
        &self,
        caller: &Call,
        database: &str,
        options: &Options,
        (id, running): (TransactionId, WeakStatement),
    ) -> Result<TransactionGuard, Error> {
        let (mut lease, reservation, deadline) = self.queue_begin(caller, database, options).await?;
        caller.record.database_asked(Operation::Begin, None);
        let begun = expect(&mut lease, deadline, AtRisk::Transaction(None), |_| Ok(())).await;
        caller.answered(&begun);
        begun.map_err(|error| mark_stale_after(error, &mut lease, options))?;
        caller.record.set_transaction(id.number());
        reservation.open(lease, database, options, (id, running))
    }

    /// Opens a transaction and runs its first statement, in one round trip.
    ///
    /// # Errors
    /// Why the transaction could not be opened or the statement could not be started. No transaction is open then.
    pub async fn begin_with(
        &self,
        caller: &Call,
        database: &str,
        statement: &Statement,
        options: &Options,
    ) -> Result<Rows, Error> {
        let limit = self.limit(caller, options, self.settings.transactions.max_lifetime);
        let registered = (StatementKind::Explicit, Some(limit));
        let running = self.running_statements.register(caller, database, &statement.text, registered);
        let mut attempts = Attempts::new(Retry::NEVER, Instant::now());
        loop {
            let first = pin!(self.begin_with_once(caller, database, statement, options, &running));
            let begun = running.unless_cancelled(first).await.flatten();
            let Err(error) = &begun else { return begun };
            let pause = self.retry_pause(error, &mut attempts, []);
            running.report_failure(error, pause);
            if pause.is_none() {
                return begun;
            }
        }
    }

    async fn begin_with_once(
        &self,
        caller: &Call,
        database: &str,
        statement: &Statement,
        options: &Options,
        running: &RegisteredStatement,
    ) -> Result<Rows, Error> {
        let (mut lease, reservation, deadline) = self.queue_begin(caller, database, options).await?;
        let plan = Plan::of(&statement.text, self.settings.aliases.resolve(database), &lease)?;
        let parameters = validated_parameters(&statement.parameters, &lease).await?;
        lease.run_in_transaction(plan.text, &parameters);
        pull_first(&mut lease, RowLimit::in_transaction(self.settings.result));
        running.report_sent(&statement.text, &parameters);
        if plan.leaves_stale {
            lease.mark_stale();
        }
        running.set_state(StatementState::Running);
        let at_risk = AtRisk::Transaction(Some(&statement.text));
        let begun = expect(&mut lease, deadline, at_risk, |_| Ok(())).await;
        begun.map_err(|error| mark_stale_after(error, &mut lease, options))?;
        let columns = expect(&mut lease, deadline, at_risk, columns).await?;
        let guard = reservation.open(lease, database, options, (running.id(), running.downgrade()))?;
        running.set_transaction(guard.handle());
        caller.record.set_transaction(guard.id().number());
        let deadline = deadline.min(guard.deadline());
        let rows = Rows::new(TransactionScope::Explicit(guard), columns, deadline, plan.kind, (running.clone(), None));
        Ok(rows.limited(RowLimit::in_transaction(self.settings.result)))
    }

    /// Runs a statement in the transaction `handle`.
    ///
    /// # Errors
    /// When the transaction does not exist or is in use, or the statement could not be started. The latter ends the
    /// transaction, unless the request itself was invalid.
    pub async fn run_in(
        &self,
        caller: &Call,
        handle: &TransactionHandle<'_>,
        statement: &Statement,
    ) -> Result<Rows, Error> {
        self.run_in_scope(TransactionScope::Explicit, caller, handle, statement).await
    }

    /// Runs the last statement of the transaction `handle`, and commits.
    ///
    /// # Errors
    /// As [`Engine::run_in`].
    pub async fn commit_with(
        &self,
        caller: &Call,
        handle: &TransactionHandle<'_>,
        statement: &Statement,
    ) -> Result<Rows, Error> {
        self.run_in_scope(TransactionScope::ExplicitCommit, caller, handle, statement).await
    }

    /// Commits the transaction `handle`.
    ///
    /// # Errors
    /// When the transaction does not exist or is in use, or the database refused to commit, which ends the transaction.
    pub async fn commit(&self, caller: &Call, handle: &TransactionHandle<'_>) -> Result<Committed, Error> {
        let guard = self.check_out(caller, handle, None).await?;
        caller.record.database_asked(Operation::Commit, None);
        let committed = completion::commit(guard).await;
        caller.answered(&committed);
        committed
    }

    /// Restarts the idle timeout of the transaction `handle`.
    ///
    /// # Errors
    /// When the transaction does not exist or is in use.
    pub async fn keep_alive(&self, caller: &Call, handle: &TransactionHandle<'_>) -> Result<Transaction, Error> {
        Ok(self.check_out(caller, handle, None).await?.keep())
    }

    /// Rolls back the transaction `handle`.
    ///
    /// # Errors
    /// When the transaction does not exist or is in use, or the connection was lost (the database then rolls back by
    /// itself).
    pub async fn roll_back(&self, caller: &Call, handle: &TransactionHandle<'_>) -> Result<(), Error> {
        let guard = self.check_out(caller, handle, None).await?;
        caller.record.database_asked(Operation::Rollback, None);
        let rolled_back = completion::roll_back(guard).await;
        caller.answered(&rolled_back);
        rolled_back
    }

    async fn run_in_scope(
        &self,
        scope: fn(TransactionGuard) -> TransactionScope,
        caller: &Call,
        handle: &TransactionHandle<'_>,
        statement: &Statement,
    ) -> Result<Rows, Error> {
        let registered = (StatementKind::Explicit, None);
        let running = self.running_statements.register(caller, handle.database, &statement.text, registered);
        let guard = self.check_out(caller, handle, Some(&running)).await;
        let guard = guard.inspect_err(|error| running.report_failure(error, None))?;
        running.set_transaction(guard.handle());
        running.set_state(StatementState::Running);
        let started = {
            let starting = pin!(self.start(guard, handle.database, statement, &running));
            running.unless_cancelled(starting).await.flatten()
        };
        let (guard, columns, kind) = started.inspect_err(|error| {
            self.note_expired_authorization(error);
            running.report_failure(error, None);
        })?;
        let deadline = guard.deadline();
        let rows = Rows::new(scope(guard), columns, deadline, kind, (running, None));
        Ok(rows.limited(RowLimit::in_transaction(self.settings.result)))
    }

    /// Sends a statement in the transaction of `guard`, and waits for its columns. An invalid request leaves the
    /// transaction open; a failure of the database ends it.
    async fn start(
        &self,
        mut guard: TransactionGuard,
        database: &str,
        statement: &Statement,
        running: &RegisteredStatement,
    ) -> Result<(TransactionGuard, Columns, Option<&'static str>), Error> {
        let deadline = guard.deadline();
        let connection = guard.lease();
        let ready = match Plan::of(&statement.text, self.settings.aliases.resolve(database), connection) {
            Ok(plan) => {
                validated_parameters(&statement.parameters, connection).await.map(|parameters| (plan, parameters))
            }
            Err(error) => Err(error),
        };
        let (plan, parameters) = match ready {
            Ok(ready) => ready,
            Err(error) => {
                guard.keep();
                return Err(error);
            }
        };
        connection.run_in_transaction(plan.text, &parameters);
        pull_first(connection, RowLimit::in_transaction(self.settings.result));
        running.report_sent(&statement.text, &parameters);
        if plan.leaves_stale {
            connection.mark_stale();
        }
        let kind = plan.kind;
        match expect(connection, deadline, AtRisk::Transaction(Some(&statement.text)), columns).await {
            Ok(columns) => Ok((guard, columns, kind)),
            Err(error) => {
                guard.fail();
                Err(error)
            }
        }
    }

    /// Checks out a transaction, after making sure that the database accepts the caller: unverified callers learn
    /// nothing about handles, and dropped users cannot go on using theirs. The check needs another connection, because
    /// none can log in again inside a transaction.
    pub(super) async fn check_out(
        &self,
        caller: &Call,
        handle: &TransactionHandle<'_>,
        running: Option<&RegisteredStatement>,
    ) -> Result<TransactionGuard, Error> {
        self.verify(caller).await?;
        let mut guard = self.transactions.check_out(handle, caller, running)?;
        caller.record.set_transaction(guard.id().number());
        guard.lease().move_here();
        self.note_database(caller, guard.lease(), handle.database);
        Ok(guard)
    }

    /// Takes a transaction permit, leases a connection, and queues BEGIN.
    async fn queue_begin(
        &self,
        caller: &Call,
        database: &str,
        options: &Options,
    ) -> Result<(Lease, Reservation, Deadline), Error> {
        let reserved = if self.drain.has_begun() { Err(Error::draining()) } else { self.transactions.reserve(caller) };
        let reservation = match reserved {
            Ok(reservation) => reservation,
            Err(error) => {
                self.verify(caller).await?;
                return Err(error);
            }
        };
        let mut lease = self.lease(caller, database).await?;
        let limit = self.limit(caller, options, self.settings.transactions.max_lifetime);
        let target = self.settings.aliases.resolve(database);
        let sent = ServerOptions::new(&lease, database_of(target, &lease), options, limit, &caller.record)?;
        lease.begin(&sent.extra());
        Ok((lease, reservation, Deadline::after(limit, self.settings.grace(options), caller)))
    }
}
