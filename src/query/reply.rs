//! What a reply of the database means for the request that waits for it.

use std::pin::pin;

use super::{
    deadline::Deadline,
    error::{Error, Kind},
    statement::Options,
    statement::inspect,
};
use crate::{
    bolt::{self, Connection, Reply},
    pool::Lease,
};

/// What is at risk when the connection is lost.
#[derive(Debug, Clone, Copy)]
pub(super) enum AtRisk<'a> {
    /// A statement outside of a transaction, which may have been carried out.
    Statement,
    /// A transaction that has not been asked to commit; this statement of it, if it is about one.
    Transaction(Option<&'a str>),
    /// A transaction that has been.
    Commit,
}

impl AtRisk<'_> {
    /// What the loss means.
    pub(super) fn lost(self, error: &bolt::Error) -> Error {
        match self {
            Self::Statement => Error::from_lost_statement(error),
            Self::Transaction(Some(text)) if inspect::may_commit_in_batches(text) => Error::from_lost_statement(error),
            Self::Transaction(_) => Error::from_lost_transaction(error),
            Self::Commit => Error::from_lost_commit(error),
        }
    }
}

/// Waits for a reply that has to be a success, and takes what is wanted from it.
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
        // A connection that ends under a request may have been refused the login that travelled with it.
        Err(bolt::Error::Login(failure)) => Err(Error::from_login(failure, lease.identity())),
        Err(error) => Err(at_risk.lost(&error)),
    }
}

/// After a refusal that concerns the database or the user, some servers are in doubt which they serve.
pub(super) fn mark_stale_after(error: Error, connection: &mut Connection, options: &Options) -> Error {
    let concerns_session = options.impersonated_user.is_some()
        || error.kind == Kind::DatabaseNotFound
        || error.message.starts_with("You are not authorized on");
    if connection.dialect().refusal_makes_stale && concerns_session {
        connection.mark_stale();
    }
    error
}
