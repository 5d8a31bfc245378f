//! The one table from kinds of errors to statuses.

use axum::http::{HeaderMap, HeaderName, StatusCode};

use crate::query::{Error, Kind};

/// The statuses that errors of the database get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statuses {
    /// The statuses of Neo4j's Query API: 400 for nearly everything, and 202 once the statement has started.
    QueryApi,
    /// The status that HTTP has for each kind of error; errors also say whether the request may be repeated.
    Precise,
}

const HEADER: HeaderName = HeaderName::from_static("boltgate-statuses");

impl Statuses {
    /// The statuses that a request asks for, or `settled` by the operator if it does not.
    ///
    /// # Errors
    /// When the header has another value.
    pub(super) fn wanted(headers: &HeaderMap, settled: Self) -> Result<Self, Error> {
        match headers.get(HEADER).map(|value| value.as_bytes()) {
            None => Ok(settled),
            Some(b"query-api") => Ok(Self::QueryApi),
            Some(b"precise") => Ok(Self::Precise),
            Some(_) => Err(Error::bad_request("the header Boltgate-Statuses must be `query-api` or `precise`")),
        }
    }

    /// The status of a whole answer that is an error.
    pub(super) fn of(self, kind: Kind) -> StatusCode {
        match (kind, self) {
            (Kind::Refused | Kind::BadRequest | Kind::ResultLimit, _) => StatusCode::BAD_REQUEST,
            (
                Kind::Conflict | Kind::Unsettled | Kind::Busy | Kind::Constraint | Kind::Terminated | Kind::Ended,
                Self::Precise,
            ) => StatusCode::CONFLICT,
            (Kind::Forbidden, Self::Precise) => StatusCode::FORBIDDEN,
            (Kind::TimeLimit, Self::Precise) => StatusCode::GATEWAY_TIMEOUT,
            (Kind::Transient, Self::Precise) => StatusCode::SERVICE_UNAVAILABLE,
            (
                Kind::Conflict
                | Kind::Unsettled
                | Kind::Busy
                | Kind::Constraint
                | Kind::Terminated
                | Kind::Ended
                | Kind::Forbidden
                | Kind::TimeLimit
                | Kind::Transient,
                Self::QueryApi,
            ) => StatusCode::BAD_REQUEST,
            (Kind::Unauthorized | Kind::ExpiredMeanwhile, _) => StatusCode::UNAUTHORIZED,
            (Kind::TooManyAttempts | Kind::CallerLimit, _) => StatusCode::TOO_MANY_REQUESTS,
            (Kind::DatabaseNotFound | Kind::TransactionNotFound | Kind::StatementNotFound, _) => StatusCode::NOT_FOUND,
            (Kind::Database, _) => StatusCode::INTERNAL_SERVER_ERROR,
            (Kind::Gateway | Kind::OutcomeUnknown, _) => StatusCode::BAD_GATEWAY,
            (Kind::Unavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
            (Kind::Timeout, _) => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_request_may_choose() {
        let headers = |value: &'static str| HeaderMap::from_iter([(HEADER, HeaderValue::from_static(value))]);
        assert_eq!(Statuses::wanted(&HeaderMap::new(), Statuses::Precise), Ok(Statuses::Precise));
        assert_eq!(Statuses::wanted(&headers("precise"), Statuses::QueryApi), Ok(Statuses::Precise));
        assert_eq!(Statuses::wanted(&headers("query-api"), Statuses::Precise), Ok(Statuses::QueryApi));
        assert!(Statuses::wanted(&headers("Precise"), Statuses::Precise).is_err());
    }

    #[test]
    fn errors_that_may_be_repeated_are_not_bad_requests_with_precise_statuses() {
        use Kind::{Busy, CallerLimit, Conflict, TooManyAttempts, Transient, Unavailable};
        for kind in [Conflict, Transient, Busy, TooManyAttempts, Unavailable, CallerLimit] {
            assert!(kind.is_retryable());
            assert_ne!(Statuses::Precise.of(kind), StatusCode::BAD_REQUEST, "{kind:?}");
        }
    }
}
