//! How a transaction completes: COMMIT or ROLLBACK, and its outcome.

use std::pin::{Pin, pin};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{committed::Committed, guard::TransactionGuard};
use crate::{
    bolt::{self, Connection, Reply},
    query::{
        error::Error,
        reply::{AtRisk, expect},
        running::OPERATOR_PATIENCE,
    },
    telemetry::observer::TransactionOutcome,
};

/// Commits the transaction of `guard`.
///
/// # Errors
/// The database's failure, or [`Error::commit_outcome_unknown`] if it does not answer within the grace period.
pub(in crate::query) async fn commit(mut guard: TransactionGuard) -> Result<Committed, Error> {
    let (deadline, ended) = (guard.deadline().grace_period(), guard.ended());
    let connection = guard.lease();
    connection.commit();
    let outcome = {
        let committing = pin!(outcome(connection, AtRisk::Commit));
        let committing = pin!(deadline.bound(committing));
        unless_given_up(&ended, committing).await.and_then(Result::ok)
    };
    let outcome = outcome.unwrap_or_else(|| Err(Error::commit_outcome_unknown()));
    guard.finish(outcome.is_ok().then_some(TransactionOutcome::Committed));
    outcome
}

/// Rolls back the transaction of `guard`.
///
/// # Errors
/// The database's failure, or the loss of the connection.
pub(in crate::query) async fn roll_back(mut guard: TransactionGuard) -> Result<(), Error> {
    let (deadline, ended) = (guard.deadline().grace_period(), guard.ended());
    let lease = guard.lease();
    lease.rollback();
    let outcome = {
        let rolling_back = pin!(expect(lease, deadline, AtRisk::Transaction(None), |_| Ok(())));
        unless_given_up(&ended, rolling_back).await
    };
    let outcome = outcome.unwrap_or_else(|| Err(Error::ended_by_operator()));
    guard.finish(outcome.is_ok().then_some(TransactionOutcome::RolledBack));
    outcome
}

/// Waits for `future`, but no longer than an operator waits who ends the transaction meanwhile.
async fn unless_given_up<T>(ended: &CancellationToken, future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    tokio::select! {
        biased;
        outcome = future => Some(outcome),
        () = async { ended.cancelled().await; sleep(OPERATOR_PATIENCE).await } => None,
    }
}

/// Waits for the reply to COMMIT or ROLLBACK.
///
/// # Errors
/// The database's failure, or the loss of the connection with what that puts at risk.
pub(in crate::query) async fn outcome(connection: &mut Connection, at_risk: AtRisk<'_>) -> Result<Committed, Error> {
    match connection.reply().await {
        Ok(Reply::Success) => Ok(Committed::of(connection.payload())),
        Ok(Reply::Failure(failure)) => Err(Error::from_failure(failure)),
        Ok(Reply::Record | Reply::Ignored) => {
            Err(at_risk.lost(&bolt::Error::Protocol("the server ignored COMMIT or ROLLBACK")))
        }
        Err(error) => Err(at_risk.lost(&error)),
    }
}
