//! Why a key cannot be used.

/// Why a request with a key is neither carried out nor answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The key was used for another request.
    KeyReused,
    /// The first request is still being carried out.
    InProgress,
    /// No room is left for another answer. Nothing was done.
    StoreFull,
    /// No room is left for another answer to this caller. Nothing was done.
    CallerFull,
    /// The first request has ended, but its answer was not stored.
    OutcomeUnknown,
}
