//! What a reply of the database means for the request that waits for it.

use super::{
    deadline::Deadline,
    error::{Error, Kind},
    statement::Options,
};
use crate::{
    bolt::{self, Connection, Reply},
    pool::Lease,
};

/// Waits for a reply that has to be a success, and takes what is wanted from it.
pub(super) async fn expect<T>(
    lease: &mut Lease,
    deadline: Deadline,
    take: impl FnOnce(&Connection) -> Result<T, bolt::Error>,
) -> Result<T, Error> {
    match deadline.bound(lease.reply()).await? {
        Ok(Reply::Success) => take(lease).map_err(|error| Error::of_lost(&error)),
        Ok(Reply::Failure(failure)) => Err(Error::of_statement(failure)),
        Ok(Reply::Record | Reply::Ignored) => {
            Err(Error::of_lost(&bolt::Error::Protocol("a request was neither carried out nor refused")))
        }
        Err(error) => Err(lost(error, lease)),
    }
}

/// A connection that ends under a request may have been refused the login that travelled with it.
fn lost(error: bolt::Error, lease: &Lease) -> Error {
    match error {
        bolt::Error::Login(failure) => Error::of_login(failure, lease.identity()),
        error => Error::of_lost(&error),
    }
}

/// After a refusal that concerns the database or the user, some servers are in doubt which they serve.
pub(super) fn tainted(error: Error, connection: &mut Connection, options: &Options) -> Error {
    let concerns_session = options.impersonated_user.is_some()
        || error.kind == Kind::DatabaseNotFound
        || error.message.contains("not authorized on");
    if connection.dialect().refusal_taints && concerns_session {
        connection.retire();
    }
    error
}
