//! Why a request received no connection.

use std::time::Duration;

use thiserror::Error;

use crate::bolt;

/// A request received no connection.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PoolError {
    /// All connections are in use, and none was returned in time.
    #[error(
        "all connections to the database that this caller may use are in use (database.max_connections = {max}, \
         database.caller_share); none became free within {waited:?} (database.acquire_timeout)"
    )]
    Exhausted {
        /// The cap on connections.
        max: usize,
        /// How long the request waited.
        waited: Duration,
    },
    /// As many requests as may are waiting for a connection.
    #[error(
        "{limit} requests already wait for a connection to the database (limits.waiting = {limit}); nothing was done; \
         try again later"
    )]
    Waiting {
        /// The most requests that may wait.
        limit: usize,
    },
    /// As many requests of this caller as may are waiting for a connection.
    #[error(
        "{limit} requests of this caller already wait for a connection to the database (limits.caller_waiting = \
         {limit}); nothing was done; send fewer at a time"
    )]
    CallerWaiting {
        /// The most requests of one caller that may wait.
        limit: usize,
    },
    /// Too many other callers with unverified logins are waiting.
    #[error(
        "too many unverified logins are waiting; {at_once} are tried at a time (a tenth of database.max_connections); \
         try again later"
    )]
    TooManyUnverified {
        /// How many logins are tried at a time.
        at_once: usize,
    },
    /// The database could not be reached, or refused the login.
    #[error(transparent)]
    Connection(#[from] bolt::Error),
    /// The caller's credential expired during the wait.
    #[error("the credential has expired")]
    Expired,
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Closed,
}
