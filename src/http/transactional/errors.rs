//! The API's own errors, and how the engine's errors are shown.

use axum::http::StatusCode;

use crate::{
    http::status::Statuses,
    query::{Error, Kind},
};

const INVALID_FORMAT: &str = "Neo.ClientError.Request.InvalidFormat";

/// An error about the request itself.
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(Kind::BadRequest, INVALID_FORMAT, message)
}

/// The body is not JSON.
pub(super) fn not_json() -> Error {
    invalid("Could not parse the incoming JSON")
}

/// A member is of another kind.
pub(super) fn not_mapped() -> Error {
    invalid("Could not map the incoming JSON")
}

/// Something else is where a statement is expected.
pub(super) fn no_statement() -> Error {
    invalid("No statement provided.")
}

/// A number that no database type holds. `reason` begins with it.
pub(super) fn unsupported_number(reason: &str) -> Error {
    let number = reason.split(' ').next().unwrap_or_default();
    let message = format!("Unsupported type of Number {number}");
    Error::new(Kind::Refused, "Neo.DatabaseError.Statement.ExecutionFailed", message)
}

/// A form of results that does not exist.
pub(super) fn unknown_form(name: &str) -> Error {
    let message = format!("Invalid result data content specifier: {name}");
    Error::new(Kind::Refused, "Neo.DatabaseError.Statement.ExecutionFailed", message)
}

/// An error in the words of this API. `database` is the name in the path.
pub(super) fn told(error: Error, database: &str) -> Error {
    let (code, message) = match error.kind {
        Kind::DatabaseNotFound => (
            "Neo.ClientError.Database.DatabaseNotFound",
            format!("The database requested does not exists. Requested database name: '{database}'."),
        ),
        Kind::TransactionNotFound => (
            "Neo.ClientError.Transaction.TransactionNotFound",
            "Unrecognized transaction id. Transaction may have timed out and been rolled back.".to_owned(),
        ),
        Kind::Busy => (
            "Neo.ClientError.Transaction.TransactionAccessedConcurrently",
            "The requested transaction is being used concurrently by another request.".to_owned(),
        ),
        _ => return error,
    };
    Error { code: code.to_owned(), message, ..error }
}

/// The status of an answer that ends with `error`, which would be `usual` for the database's own.
pub(super) fn status(error: &Error, usual: StatusCode) -> StatusCode {
    match error.kind {
        Kind::Busy => StatusCode::NOT_FOUND,
        Kind::DatabaseNotFound
        | Kind::TransactionNotFound
        | Kind::Unavailable
        | Kind::CallerLimit
        | Kind::ResultLimit
        | Kind::Ended
        | Kind::Gateway
        | Kind::Timeout => Statuses::QueryApi.of(error.kind),
        kind if error.limit.is_some() => Statuses::QueryApi.of(kind),
        _ => usual,
    }
}
