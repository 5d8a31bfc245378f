//! What ends a result before its time: its deadline, a cancellation, a reader that is too slow.

use std::pin::pin;

use super::Rows;
use crate::query::{
    error::{Error, Kind},
    result::{progress::Progress, scope::TransactionScope, sink::RowSink, slow_reader::slow_reader_timeout},
    running::RegisteredStatement,
    statement::inspect,
};

impl Rows {
    /// Whether the database has been asked for rows that have not been received. As long as they are not, it may be
    /// blocked on sending them.
    #[must_use]
    pub fn is_amid_batch(&self) -> bool {
        self.scope.is_some() && !self.fetch_size.is_due()
    }

    /// Waits until the statement's time is over or somebody cancels it, while its rows wait for a reader; and not for long
    /// where that blocks the database. `None`: it was told to stop, and [`Rows::advance`] says what came of it.
    pub async fn interrupted(&mut self) -> Option<Error> {
        let blocks = self.is_amid_batch() && self.scope.as_mut().is_some_and(TransactionScope::holds_worker);
        let (deadline, running) = (self.deadline, self.running.clone());
        let why = match running.bound(deadline, pin!(slow_reader_timeout(blocks))).await {
            Ok(()) => Error::reader_too_slow(),
            Err(why) => why,
        };
        // Between two batches nothing can have been committed.
        if self.is_amid_batch() && self.stop(&why) {
            return None;
        }
        let error = self.unsettled(why);
        self.abandon();
        Some(error)
    }

    /// The outer error is why the rest was not waited for.
    pub(super) async fn until_interrupted(
        &mut self,
        running: &RegisteredStatement,
        sink: &mut impl RowSink,
        first: bool,
    ) -> Result<Result<Progress, Error>, Error> {
        let (deadline, stopping) = (self.deadline, self.stopping.is_some());
        let rows = pin!(self.batch(sink, first));
        if stopping { deadline.bound(rows).await } else { running.bound(deadline, rows).await }
    }

    /// Tells the database to end a statement that its caller has cancelled, where only the database can say whether that
    /// came in time. False where nothing is to be waited for.
    pub(super) fn stop(&mut self, why: &Error) -> bool {
        if why.kind != Kind::Terminated || self.stopping.is_some() {
            return false;
        }
        match &mut self.scope {
            Some(TransactionScope::AutoCommit(lease)) if inspect::may_write(self.running.text()) => lease.interrupt(),
            // COMMIT cannot be taken back.
            Some(TransactionScope::ExplicitCommit(_)) if self.completion.is_some() => {}
            _ => return false,
        }
        self.stopping = Some(Box::new(why.clone()));
        self.deadline = self.deadline.grace_period();
        true
    }

    /// What is to be said when no more is waited for.
    pub(super) fn unsettled(&self, why: Error) -> Error {
        match (&self.completion, &self.scope) {
            (Some(completion), Some(TransactionScope::ExplicitCommit(_))) if completion.withheld.is_none() => {
                Error::commit_outcome_unknown()
            }
            (_, Some(TransactionScope::AutoCommit(_))) if self.stopping.is_some() => Error::cancel_outcome_unknown(),
            _ => why,
        }
    }

    /// Lets go of the connection, on which the statement is then cancelled without delay.
    pub(super) fn abandon(&mut self) {
        if let Some(scope) = self.scope.take() {
            scope.abandon();
        }
    }
}
