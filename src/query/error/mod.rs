//! The error type that callers see.
//!
//! An error has a code and a message as the Query API has them, and a [`Kind`] that says who has to act and whether a
//! retry may help. Knows nothing of HTTP statuses: `http/` derives them from the kind.

mod classify;
mod codes;
mod connection;
mod gateway;

use thiserror::Error;

use crate::telemetry::observer::RefusalReason;

pub(super) use self::codes::{AUTHORIZATION_EXPIRED, RESULT_ROWS, UNAVAILABLE};

/// What kind of failure an error is. `http/` maps it to a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The database refused the statement: its syntax, its types, a missing parameter.
    Refused,
    /// The transaction lost against a concurrent one. Nothing was applied.
    Conflict,
    /// The database cannot serve the request at the moment. Nothing was applied.
    Transient,
    /// Like [`Kind::Conflict`] or [`Kind::Transient`], but on a database that may have applied part of the statement.
    Unsettled,
    /// Another request of the caller is using the transaction.
    Busy,
    /// The statement would violate a constraint.
    Constraint,
    /// The caller is not allowed to do this.
    Forbidden,
    /// The database ended the statement because its time limit passed.
    TimeLimit,
    /// Somebody ended the statement or its transaction on purpose.
    Terminated,
    /// An operator of the gateway ended the transaction.
    Ended,
    /// The request is malformed, has unknown fields, or has values that cannot be sent to the database.
    BadRequest,
    /// The credentials are missing or were refused.
    Unauthorized,
    /// The credentials expired while the request was served. What it had started may have taken effect.
    ExpiredMeanwhile,
    /// The database saw too many failed logins.
    TooManyAttempts,
    /// The named database does not exist.
    DatabaseNotFound,
    /// The named transaction does not exist, or belongs to another caller.
    TransactionNotFound,
    /// The named running statement does not exist, or belongs to another caller.
    StatementNotFound,
    /// The database failed internally.
    Database,
    /// The database sent something invalid, or what listens at its address does not speak Bolt.
    Gateway,
    /// The connection was lost, or a reply did not come, after something may have been committed.
    OutcomeUnknown,
    /// The request is valid, but cannot be served now. Nothing was applied.
    Unavailable,
    /// The caller has as many requests under way as one caller may have. Nothing was applied.
    CallerLimit,
    /// The result is larger than the operator allows.
    ResultLimit,
    /// The database did not respond within the time limit.
    Timeout,
}

impl Kind {
    /// Whether nothing was applied and the same request may succeed later.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        use Kind::{Busy, CallerLimit, Conflict, TooManyAttempts, Transient, Unavailable};
        matches!(self, Conflict | Transient | Busy | TooManyAttempts | Unavailable | CallerLimit)
    }
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code}: {message}")]
pub struct Error {
    /// What kind of failure this is.
    pub kind: Kind,
    /// The code, such as `Neo.ClientError.Statement.SyntaxError`.
    pub code: String,
    /// The message, for people to read.
    pub message: String,
    /// The limit of the gateway's own that refused the request, if one did. The code that tells the client reports it.
    pub limit: Option<RefusalReason>,
}

impl Error {
    /// Creates an error of the given kind.
    pub fn new(kind: Kind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, code: code.into(), message: message.into(), limit: None }
    }

    /// Says that a limit of the gateway's own is the reason.
    #[must_use]
    pub fn by_limit(self, limit: RefusalReason) -> Self {
        Self { limit: Some(limit), ..self }
    }
}
