//! How a result ends early: by its deadline, a cancellation, or a reader that is too slow.

use std::pin::pin;

use super::Rows;
use crate::query::{
    error::{Error, Kind},
    result::{
        progress::Progress,
        scope::TransactionScope,
        sink::{RowRefused, RowSink},
        slow_reader::slow_reader_timeout,
    },
    running::RegisteredStatement,
    statement::inspect,
};

impl Rows {
    /// Whether rows have been requested that have not been received yet. The database may be blocked on sending them.
    #[must_use]
    pub fn is_amid_batch(&self) -> bool {
        self.scope.is_some() && !self.fetch_size.is_due()
    }

    /// Waits, while rows wait for a reader, until the deadline passes, the statement is cancelled, or the reader has
    /// blocked the database for too long. Returns `None` if the database was told to end the statement;
    /// [`Rows::advance`] then returns the outcome.
    pub async fn interrupted(&mut self) -> Option<Error> {
        let blocks = self.is_amid_batch() && self.scope.as_mut().is_some_and(TransactionScope::holds_worker);
        let (deadline, running) = (self.deadline, self.running.clone());
        let why = match running.bound(deadline, pin!(slow_reader_timeout(blocks))).await {
            Ok(()) => {
                running.report_slow_reader();
                Error::reader_too_slow()
            }
            Err(why) => why,
        };
        // Between two batches the statement cannot have been committed, so there is nothing to wait for.
        if self.is_amid_batch() && self.stop(&why) {
            return None;
        }
        let error = self.outcome_unknown_or(why);
        self.abandon();
        running.report_failure(&error, None);
        Some(error)
    }

    /// Stops a statement whose result is larger than allowed.
    ///
    /// # Errors
    /// `why`, unless only the database knows whether it has committed the statement meanwhile: then its reply is awaited,
    /// and rows are discarded until it comes.
    pub(super) fn exceed(&mut self, why: Error) -> Result<(), Error> {
        match &mut self.scope {
            // It was told to end already.
            _ if self.stopping.is_some() => {}
            Some(TransactionScope::AutoCommit(lease)) if inspect::may_write(self.running.text()) => {
                lease.interrupt();
                self.running.report_limit(&why);
                self.stopping = Some(Box::new(why.clone().after_stopping(self.running.text())));
            }
            _ => return Err(self.stopped(&why)),
        }
        self.refused = Some(why);
        Ok(())
    }

    /// Takes note that the last rows cannot be shown.
    ///
    /// # Errors
    /// If the result is larger than allowed and nothing of it is committed yet.
    pub(super) fn refuse_last(&mut self, refused: RowRefused) -> Result<(), Error> {
        let is_limit = matches!(refused, RowRefused::TooMany(_) | RowRefused::TooLarge(_));
        let why = Error::from(refused);
        if is_limit && !matches!(self.scope, Some(TransactionScope::AutoCommit(_))) {
            return Err(self.stopped(&why));
        }
        self.refused = Some(why);
        Ok(())
    }

    /// Gives up a statement whose result is larger than allowed and that cannot have been committed, and reports that.
    pub(super) fn stopped(&mut self, why: &Error) -> Error {
        self.running.report_limit(why);
        self.abandon();
        why.clone().after_stopping(self.running.text())
    }

    /// Fetches rows until the deadline passes or the statement is cancelled, which is the outer error.
    pub(super) async fn until_interrupted(
        &mut self,
        running: &RegisteredStatement,
        sink: &mut impl RowSink,
        first: bool,
    ) -> Result<Result<Progress, Error>, Error> {
        let (deadline, stopping) = (self.deadline, self.stopping.is_some());
        let rows = pin!(self.fetch(sink, first));
        if stopping { deadline.bound(rows).await } else { running.bound(deadline, rows).await }
    }

    /// Tells the database to end a cancelled statement, where only the database knows whether that came in time.
    /// Returns `false` where there is no outcome to wait for.
    pub(super) fn stop(&mut self, why: &Error) -> bool {
        if !matches!(why.kind, Kind::Terminated | Kind::Ended) || self.stopping.is_some() {
            return false;
        }
        match &mut self.scope {
            Some(TransactionScope::AutoCommit(lease)) if inspect::may_write(self.running.text()) => lease.interrupt(),
            // COMMIT cannot be revoked; its outcome is waited for.
            Some(TransactionScope::ExplicitCommit(_) | TransactionScope::Limited(_)) if self.completion.is_some() => {}
            _ => return false,
        }
        self.stopping = Some(Box::new(why.clone()));
        self.deadline = self.running.grace_period(self.deadline);
        true
    }

    /// Returns the error for a result whose end is not waited for any longer: that the outcome is unknown, or `why`.
    pub(super) fn outcome_unknown_or(&self, why: Error) -> Error {
        match (&self.completion, &self.scope) {
            (Some(completion), Some(TransactionScope::ExplicitCommit(_))) if completion.withheld.is_none() => {
                Error::commit_outcome_unknown()
            }
            (Some(_), Some(TransactionScope::Limited(_))) => Error::commit_outcome_unknown(),
            (_, Some(TransactionScope::AutoCommit(_))) if self.stopping.is_some() => Error::cancel_outcome_unknown(),
            _ => why,
        }
    }

    /// Gives up the connection, whose cleanup then cancels the statement without delay.
    pub(super) fn abandon(&mut self) {
        self.report_rest();
        if let Some(scope) = self.scope.take() {
            scope.abandon();
        }
    }
}
