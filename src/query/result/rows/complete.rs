//! The end of a result, and of the transaction around it if that ends with the statement.

use std::pin::pin;

use super::{PendingCompletion, Rows};
use crate::{
    bolt::Summary,
    query::{
        bookmark::placeholder,
        error::Error,
        reply::AtRisk,
        result::{
            progress::{Progress, ResultEnd},
            scope::TransactionScope,
        },
        transaction::completion::outcome,
    },
    telemetry::{observer::TransactionOutcome, spans::Operation},
};

impl Rows {
    /// Ends the result after its last row, and the transaction around it if that ends with the statement. `replaced` is
    /// whether the sink left out invalid values.
    pub(super) async fn end(&mut self, mut summary: Summary, replaced: bool) -> Result<Progress, Error> {
        if let Some(kind) = self.kind {
            summary.kind = Some(kind.to_owned());
        }
        let withheld = self.refused.take();
        if let Some(error) = &withheld {
            self.running.record().fail(&error.code);
        }
        match self.scope.take() {
            None => Err(Error::result_ended()),
            Some(TransactionScope::AutoCommit(_)) => {
                let bookmark = Some(summary.bookmark.take().unwrap_or_else(placeholder));
                let withheld = withheld.map(Error::despite_commit);
                Ok(Progress::Done(Box::new(ResultEnd { summary, bookmark, transaction: None, withheld })))
            }
            Some(TransactionScope::Explicit(guard)) if withheld.is_none() && !replaced => {
                let transaction = Some(guard.keep());
                Ok(Progress::Done(Box::new(ResultEnd { summary, bookmark: None, transaction, withheld })))
            }
            Some(scope @ (TransactionScope::ReadOnly(_) | TransactionScope::Limited(_))) => {
                if matches!(scope, TransactionScope::Limited(_)) {
                    self.deadline = self.deadline.grace_period();
                }
                self.scope.insert(scope).connection().commit();
                self.running.record().database_asked(Operation::Commit, None);
                self.completion =
                    Some(Box::new(PendingCompletion { summary, withheld: withheld.map(Error::despite_commit) }));
                self.complete().await
            }
            Some(scope @ (TransactionScope::Explicit(_) | TransactionScope::ExplicitCommit(_))) => {
                let connection = self.scope.insert(scope).connection();
                let error =
                    || Error::malformed("The result has values that the database encoded incorrectly.".to_owned());
                let withheld = withheld.or_else(|| replaced.then(error)).map(Error::after_rollback);
                let operation = if let Some(error) = &withheld {
                    self.running.record().fail(&error.code);
                    connection.rollback();
                    Operation::Rollback
                } else {
                    connection.commit();
                    Operation::Commit
                };
                self.running.record().database_asked(operation, None);
                self.deadline = self.deadline.grace_period();
                self.completion = Some(Box::new(PendingCompletion { summary, withheld }));
                self.complete().await
            }
        }
    }

    /// Waits for the reply to COMMIT or ROLLBACK.
    // Boxed, because most results end without it.
    pub(super) async fn complete(&mut self) -> Result<Progress, Error> {
        Box::pin(async {
            let (Some(scope), Some(completion)) = (&mut self.scope, &self.completion) else {
                return Err(Error::result_ended());
            };
            let reading = matches!(scope, TransactionScope::ReadOnly(_));
            // These commit even if a part of the result cannot be shown, as the database does by itself.
            let is_own = reading || matches!(scope, TransactionScope::Limited(_));
            let committed = is_own || completion.withheld.is_none();
            // A read transaction has written nothing, so nothing is at risk.
            let at_risk = if committed && !reading { AtRisk::Commit } else { AtRisk::Transaction(None) };
            let outcome = self.deadline.bound(pin!(outcome(scope.connection(), at_risk))).await;
            let outcome =
                outcome.unwrap_or_else(|late| Err(if reading { late } else { Error::commit_outcome_unknown() }));
            self.running.entry().caller.answered(&outcome);
            if let Some(TransactionScope::Explicit(guard) | TransactionScope::ExplicitCommit(guard)) = self.scope.take()
            {
                // A roll-back follows the failure of a row here.
                let confirmed = if committed { TransactionOutcome::Committed } else { TransactionOutcome::Failed };
                guard.finish(outcome.is_ok().then_some(confirmed));
            }
            let Some(PendingCompletion { mut summary, withheld }) =
                self.completion.take().map(|completion| *completion)
            else {
                return Err(Error::result_ended());
            };
            let bookmark = match outcome {
                Ok(said) => committed.then(|| said.join(&mut summary)),
                Err(error) if committed => return Err(error),
                // If ROLLBACK failed, the connection is closed, which rolls back as well.
                Err(_) => None,
            };
            Ok(Progress::Done(Box::new(ResultEnd { summary, bookmark, transaction: None, withheld })))
        })
        .await
    }
}
