//! The gateway's own errors: what it refuses, ends, or cannot know.

use super::{
    Error, Kind,
    codes::{
        DATABASE_NOT_FOUND, FORBIDDEN, OUTCOME_UNKNOWN, REQUEST_INVALID, TERMINATED, TIMED_OUT, TOKEN_EXPIRED,
        TOO_MANY_TRANSACTIONS, UNKNOWN_ERROR,
    },
};

impl Error {
    /// The request's form is wrong; `message` goes on after `Bad Request`.
    pub fn bad_request(detail: &str) -> Self {
        Self::new(Kind::BadRequest, REQUEST_INVALID, format!("Bad Request: {detail}"))
    }

    /// The request's form is wrong, in words of its own.
    pub fn invalid(message: &str) -> Self {
        Self::new(Kind::BadRequest, REQUEST_INVALID, message)
    }

    /// The operator does not allow it.
    pub fn forbidden(message: &str) -> Self {
        Self::new(Kind::Forbidden, FORBIDDEN, message)
    }

    pub(in crate::query) fn transaction_not_found(id: &str) -> Self {
        Self::new(
            Kind::TransactionNotFound,
            REQUEST_INVALID,
            format!(
                "Transaction with Id: \"{id}\" was not found. It may have timed out and therefore rolled back or the \
                 routing header 'neo4j-cluster-affinity' was not provided."
            ),
        )
    }

    /// The same, for its owner.
    pub(in crate::query) fn transaction_rolled_back(id: &str, because: &str) -> Self {
        let message = format!("Transaction with Id: \"{id}\" was not found. It was rolled back because {because}.");
        Self::new(Kind::TransactionNotFound, REQUEST_INVALID, message)
    }

    pub(in crate::query) fn statement_not_found(id: &str) -> Self {
        let message = format!("No running statement with id \"{id}\" was found.");
        Self::new(Kind::StatementNotFound, REQUEST_INVALID, message)
    }

    /// Whoever asked for it has ended it.
    pub(in crate::query) fn cancelled() -> Self {
        Self::new(Kind::Terminated, TERMINATED, "The statement was cancelled on request.")
    }

    /// Its client kept the database waiting.
    pub(in crate::query) fn reader_too_slow() -> Self {
        tracing::info!("ended a statement whose client does not take its rows, since that blocks the database");
        Self::new(
            Kind::Terminated,
            "Boltgate.ClientError.Statement.ReaderTooSlow",
            "The client did not take the rows that the database was sending, and so kept one of its workers from others; \
             the statement was cancelled. Read faster, or ask for fewer and smaller rows.",
        )
    }

    /// The operating system gave no random bytes for a transaction's id.
    pub(in crate::query) fn no_randomness(error: &getrandom::Error) -> Self {
        Self::new(Kind::Unavailable, UNKNOWN_ERROR, error.to_string())
    }

    pub(in crate::query) fn transaction_busy() -> Self {
        Self::new(
            Kind::Busy,
            "Neo.ClientError.Transaction.TransactionAccessedConcurrently",
            "Another request is currently accessing this transaction.",
        )
    }

    pub(in crate::query) fn database_not_found(name: &str) -> Self {
        Self::new(Kind::DatabaseNotFound, DATABASE_NOT_FOUND, format!("Graph not found: {name}"))
    }

    pub(in crate::query) fn too_many_transactions(max: usize) -> Self {
        Self::new(
            Kind::Unavailable,
            TOO_MANY_TRANSACTIONS,
            format!("{max} explicit transactions are open already (transactions.max); try again later"),
        )
    }

    pub(in crate::query) fn too_many_of_one_caller(share: usize) -> Self {
        Self::new(
            Kind::Unavailable,
            TOO_MANY_TRANSACTIONS,
            format!(
                "{share} explicit transactions of this caller are open already (transactions.max, \
                 transactions.caller_share); finish some of them, or try again later"
            ),
        )
    }

    /// The caller's token ended while it was being served.
    pub(in crate::query) fn token_expired() -> Self {
        Self::new(
            Kind::ExpiredMeanwhile,
            TOKEN_EXPIRED,
            "The token expired while the request was being served. Its transaction was rolled back; whether a statement \
             outside of a transaction took effect is not known.",
        )
    }

    /// The same before anything was sent.
    pub(super) fn token_expired_before() -> Self {
        Self::new(
            Kind::Unauthorized,
            TOKEN_EXPIRED,
            "The token expired while the request waited for a connection to the database. Nothing was done.",
        )
    }

    /// COMMIT was sent, and nobody knows what came of it.
    pub(in crate::query) fn commit_outcome_unknown() -> Self {
        Self::new(
            Kind::OutcomeUnknown,
            OUTCOME_UNKNOWN,
            "The database did not answer COMMIT within the time allowed (database.termination_grace); whether the \
             transaction was committed is not known.",
        )
    }

    /// A statement was cancelled, and nobody knows whether in time.
    pub(in crate::query) fn cancel_outcome_unknown() -> Self {
        Self::new(
            Kind::OutcomeUnknown,
            OUTCOME_UNKNOWN,
            "The statement was cancelled on request, but the database did not say within the time allowed \
             (database.termination_grace) whether it had taken effect by then; that is not known.",
        )
    }

    /// The database sent what makes no sense.
    pub fn malformed(message: String) -> Self {
        Self::new(Kind::Gateway, UNKNOWN_ERROR, message)
    }

    /// The same, about a statement that took effect although its result could not be shown.
    pub(in crate::query) fn despite_commit(mut self) -> Self {
        self.message.push_str(" The statement was carried out and committed all the same.");
        self
    }

    /// The same, about a statement that the database was told to end.
    pub(in crate::query) fn after_cancellation(self) -> Self {
        match self.kind {
            // A request was passed over, or not answered in time.
            Kind::OutcomeUnknown | Kind::Timeout => Self::cancel_outcome_unknown(),
            _ => self,
        }
    }

    /// The same, about a transaction that was rolled back for it.
    pub(in crate::query) fn after_rollback(mut self) -> Self {
        self.message.push_str(" The transaction was rolled back.");
        self
    }

    pub(in crate::query) fn timed_out() -> Self {
        Self::new(
            Kind::Timeout,
            TIMED_OUT,
            "The database did not answer within the time allowed (maxExecutionTime of the request, \
             database.max_execution_time, or transactions.max_lifetime) and was told to stop; whether a statement \
             outside of a transaction took effect is not known.",
        )
    }

    /// Somebody asks for more of a result after its end, which only a bug of the gateway can do.
    pub(in crate::query) fn result_ended() -> Self {
        Self::new(Kind::Database, UNKNOWN_ERROR, "The result has ended already.")
    }
}
