//! Interprets the database's replies, and the loss of a connection, for the request that waits.

use std::pin::pin;

use super::{
    deadline::Deadline,
    error::{Error, Kind},
    statement::{Options, inspect},
};
use crate::{
    bolt::{self, Columns, Connection, Reply, summary},
    pool::Lease,
};

/// What may or may not have taken effect when the connection is lost.
#[derive(Debug, Clone, Copy)]
pub(super) enum AtRisk<'a> {
    /// A statement outside a transaction, which may have been executed.
    Statement,
    /// A transaction before COMMIT, and the statement that runs in it, if any.
    Transaction(Option<&'a str>),
    /// A transaction after COMMIT was sent.
    Commit,
}

impl AtRisk<'_> {
    /// Returns the error for the loss of the connection.
    pub(super) fn lost(self, error: &bolt::Error) -> Error {
        match self {
            Self::Statement => Error::from_lost_statement(error),
            Self::Transaction(Some(text)) if inspect::may_commit_in_batches(text) => Error::from_lost_statement(error),
            Self::Transaction(_) => Error::from_lost_transaction(error),
            Self::Commit => Error::from_lost_commit(error),
        }
    }
}

/// Waits for a reply that should be a SUCCESS, and passes the connection, which holds the reply's metadata, to `take`.
///
/// # Errors
/// The database's failure, or the loss of the connection with what that puts at risk.
pub(super) async fn expect<T>(
    lease: &mut Lease,
    deadline: Deadline,
    at_risk: AtRisk<'_>,
    take: impl FnOnce(&Connection) -> Result<T, bolt::Error>,
) -> Result<T, Error> {
    let reply = deadline.bound(pin!(lease.reply())).await?;
    match reply {
        Ok(Reply::Success) => take(lease).map_err(|error| at_risk.lost(&error)),
        Ok(Reply::Failure(failure)) => Err(Error::from_failure(failure)),
        Ok(Reply::Record | Reply::Ignored) => {
            Err(at_risk.lost(&bolt::Error::Protocol("the server neither executed nor refused a request")))
        }
        // The login that was sent ahead of the request was refused.
        Err(bolt::Error::Login(failure)) => Err(Error::from_login(failure, lease.identity())),
        Err(error) => Err(at_risk.lost(&error)),
    }
}

/// Reads the columns from the metadata of RUN's SUCCESS.
pub(super) fn columns(connection: &Connection) -> Result<Columns, bolt::Error> {
    Ok(summary::columns(connection.payload())?)
}

/// Marks the connection as stale after a refusal that concerns the database or the user: some servers may then have
/// left the session on another database or user. Returns the error.
pub(super) fn mark_stale_after(error: Error, connection: &mut Connection, options: &Options) -> Error {
    let concerns_session = options.impersonated_user.is_some()
        || error.kind == Kind::DatabaseNotFound
        || error.message.starts_with("You are not authorized on");
    if connection.dialect().refusal_makes_stale && concerns_session {
        connection.mark_stale();
    }
    error
}
