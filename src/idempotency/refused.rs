//! Why a key cannot be used.

use thiserror::Error;

/// Why a request with a key is neither carried out nor answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// The key belongs to another request.
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
    /// No room is left for another answer.
    #[error(
        "There is no room to keep one more answer under an Idempotency-Key (idempotency.capacity). Nothing was done; \
         try again later."
    )]
    StoreFull,
    /// No room is left for another answer to this caller.
    #[error(
        "The answers kept for this caller under an Idempotency-Key fill its half of the room (idempotency.capacity). \
         Nothing was done; try again later."
    )]
    CallerFull,
    /// The first request has ended, but its answer was not stored.
    #[error(
        "The request with this Idempotency-Key has ended, but its answer was lost, or too large to be kept \
         (idempotency.max_answer, idempotency.capacity); whether it took effect is not known. Look at the data, and \
         use another key if it has to be carried out again."
    )]
    OutcomeUnknown,
}
