//! One table: from the kind of an error to its status.

use axum::http::StatusCode;

use crate::query::Kind;

/// The status of an answer that is an error from its first byte.
pub(super) fn of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Refused | Kind::BadRequest => StatusCode::BAD_REQUEST,
        Kind::Unauthorized => StatusCode::UNAUTHORIZED,
        Kind::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
        Kind::DatabaseNotFound | Kind::TransactionNotFound => StatusCode::NOT_FOUND,
        Kind::Database => StatusCode::INTERNAL_SERVER_ERROR,
        Kind::Gateway => StatusCode::BAD_GATEWAY,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Timeout => StatusCode::GATEWAY_TIMEOUT,
    }
}
