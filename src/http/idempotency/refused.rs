//! Why a key cannot be used.

use axum::http::StatusCode;
use thiserror::Error;

use crate::query::Kind;

/// Why a request with a key gets no answer of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(in crate::http) enum Refused {
    /// The key stands for another request.
    #[error(
        "This Idempotency-Key was used before, for a request that differs from this one in its method, path, query, \
         body, or one of the headers Accept, Content-Type and Boltgate-*. Use another key for another request."
    )]
    KeyReused,
    /// The first request is being carried out.
    #[error(
        "The first request with this Idempotency-Key is still being carried out. Send this one again later to get its \
         answer."
    )]
    InProgress,
    /// There is no room for one more answer.
    #[error(
        "There is no room to keep one more answer under an Idempotency-Key (idempotency.capacity). Nothing was done; \
         try again later."
    )]
    StoreFull,
    /// There is no room for one more answer of this caller.
    #[error(
        "The answers kept for this caller under an Idempotency-Key fill its half of the room (idempotency.capacity). \
         Nothing was done; try again later."
    )]
    CallerFull,
    /// The first request has ended, but its answer is not there.
    #[error(
        "The request with this Idempotency-Key has ended, but its answer was lost, or too large to be kept \
         (idempotency.max_answer, idempotency.capacity); whether it took effect is not known. Look at the data, and \
         use another key if it has to be carried out again."
    )]
    OutcomeUnknown,
}

impl Refused {
    /// Its code in an answer.
    pub(in crate::http) fn code(self) -> &'static str {
        match self {
            Self::KeyReused => "Boltgate.ClientError.Idempotency.KeyReused",
            Self::InProgress => "Boltgate.ClientError.Idempotency.RequestInProgress",
            Self::StoreFull | Self::CallerFull => "Boltgate.TransientError.Idempotency.StoreFull",
            Self::OutcomeUnknown => "Boltgate.DatabaseError.Transaction.OutcomeUnknown",
        }
    }

    /// Its status, whichever statuses were asked for.
    pub(in crate::http) fn status(self) -> StatusCode {
        match self {
            Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::InProgress => StatusCode::CONFLICT,
            Self::StoreFull | Self::CallerFull => StatusCode::SERVICE_UNAVAILABLE,
            Self::OutcomeUnknown => StatusCode::BAD_GATEWAY,
        }
    }

    /// Whose fault it is, and whether the same request may go well later.
    pub(in crate::http) fn kind(self) -> Kind {
        match self {
            Self::KeyReused => Kind::BadRequest,
            Self::InProgress | Self::StoreFull | Self::CallerFull => Kind::Unavailable,
            Self::OutcomeUnknown => Kind::OutcomeUnknown,
        }
    }
}
