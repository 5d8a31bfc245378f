//! The error that a caller gets: a code and a message in the words of the Query API, and a kind that says whose
//! fault it is and whether trying again may help.

mod classify;
mod codes;
mod connection;
mod gateway;

use thiserror::Error;

pub(super) use self::codes::{AUTHORIZATION_EXPIRED, UNAVAILABLE};

/// Whose fault an error is. The HTTP layer makes a status of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The request's: syntax, types, missing parameters; whatever the database refused.
    Refused,
    /// Another transaction's, which got there first. Nothing was applied.
    Conflict,
    /// Nobody's: the database is not able to at the moment. Nothing was applied.
    Transient,
    /// As [`Kind::Conflict`] or [`Kind::Transient`], on a database that may have kept a part of the statement.
    Unsettled,
    /// The caller's own: another of its requests is using the transaction.
    Busy,
    /// The data's: they would not keep to a constraint.
    Constraint,
    /// The caller lacks the right to it.
    Forbidden,
    /// The statement's: it took longer than the database was told that it may.
    TimeLimit,
    /// Somebody's who ended it on purpose.
    Terminated,
    /// The request's form: malformed, unknown fields, values that cannot be sent.
    BadRequest,
    /// The credentials'.
    Unauthorized,
    /// The credentials', which ended while the request was being served. What it had begun may have taken effect.
    ExpiredMeanwhile,
    /// Too many wrong passwords.
    TooManyAttempts,
    /// The database that was named does not exist.
    DatabaseNotFound,
    /// The transaction that was named is not this caller's, or not there.
    TransactionNotFound,
    /// The running statement that was named is not this caller's, or not there.
    StatementNotFound,
    /// The database's own.
    Database,
    /// The way to the database: it broke, or what is there does not speak Bolt.
    Gateway,
    /// The way to the database, which broke when something may have been committed.
    OutcomeUnknown,
    /// Nothing is wrong with the request, but it cannot be served now. Nothing was applied.
    Unavailable,
    /// No answer within the time allowed.
    Timeout,
}

impl Kind {
    /// Whether nothing has been applied, and the same request may go well later.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        use Kind::{Busy, Conflict, TooManyAttempts, Transient, Unavailable};
        matches!(self, Conflict | Transient | Busy | TooManyAttempts | Unavailable)
    }
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code}: {message}")]
pub struct Error {
    /// Whose fault.
    pub kind: Kind,
    /// `Neo.ClientError.Statement.SyntaxError` and the like.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Error {
    /// An error of the given kind.
    pub fn new(kind: Kind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, code: code.into(), message: message.into() }
    }
}
