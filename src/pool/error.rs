//! Why no connection could be had.

use std::time::Duration;

use thiserror::Error;

use crate::bolt;

/// No connection could be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PoolError {
    /// All are in use, and none came back in time.
    #[error(
        "all connections to the database that this caller may use are in use (database.max_connections = {max}, \
         database.caller_share); none came free within {waited:?} (database.acquire_timeout)"
    )]
    Exhausted {
        /// The cap.
        max: usize,
        /// The wait.
        waited: Duration,
    },
    /// There are too many others whose login is not known to be good either.
    #[error(
        "too many logins that are not known to be good wait to be tried, at most {places} at a time (a tenth of \
         database.max_connections); try again later"
    )]
    TooManyUnverified {
        /// How many are tried at a time.
        places: usize,
    },
    /// The database cannot be reached, or refused the login.
    #[error(transparent)]
    Connection(#[from] bolt::Error),
    /// The caller's credential ended while it waited.
    #[error("the credential has expired")]
    Expired,
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Closed,
}
