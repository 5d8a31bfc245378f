//! How a transaction completes: COMMIT or ROLLBACK, and its outcome.

use std::pin::pin;

use super::{committed::Committed, guard::TransactionGuard};
use crate::{
    bolt::{self, Connection, Reply},
    query::{error::Error, reply::AtRisk},
};

/// Commits the transaction of `guard`.
///
/// # Errors
/// The database's failure, or [`Error::commit_outcome_unknown`] if it does not answer within the grace period.
pub(in crate::query) async fn commit(mut guard: TransactionGuard) -> Result<Committed, Error> {
    let deadline = guard.deadline().grace_period();
    let connection = guard.lease();
    connection.commit();
    let outcome = deadline.bound(pin!(outcome(connection, AtRisk::Commit))).await;
    let outcome = outcome.unwrap_or_else(|_| Err(Error::commit_outcome_unknown()));
    drop(guard.finish());
    outcome
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
