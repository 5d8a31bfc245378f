//! The end of a transaction: COMMIT or ROLLBACK, and what became of it.

use std::pin::pin;

use super::{committed::Committed, registry::Guard};
use crate::{
    bolt::{self, Connection, Reply},
    query::{error::Error, reply::Stake},
};

/// Commits the transaction of `guard`.
pub(in crate::query) async fn commit(mut guard: Guard) -> Result<Committed, Error> {
    let deadline = guard.deadline().last_words();
    let connection = guard.lease();
    connection.commit();
    let outcome = deadline.bound(pin!(outcome(connection, Stake::Commit))).await;
    let outcome = outcome.unwrap_or_else(|_| Err(Error::unsettled_commit()));
    drop(guard.finish());
    outcome
}

/// Waits for the reply to COMMIT or ROLLBACK.
pub(in crate::query) async fn outcome(connection: &mut Connection, stake: Stake<'_>) -> Result<Committed, Error> {
    match connection.reply().await {
        Ok(Reply::Success) => Ok(Committed::of(connection.payload())),
        Ok(Reply::Failure(failure)) => Err(Error::of_statement(failure)),
        Ok(Reply::Record | Reply::Ignored) => {
            Err(stake.lost(&bolt::Error::Protocol("the end of a transaction was ignored")))
        }
        Err(error) => Err(stake.lost(&error)),
    }
}
