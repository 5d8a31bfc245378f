//! The gateway's own errors: what it refuses, what it ends, and what it cannot know.

use super::{
    Error, Kind,
    codes::{
        ACCESS_MODE, DATABASE_NOT_FOUND, FORBIDDEN, GRAPH_ELEMENTS, OUTCOME_UNKNOWN, READER_TOO_SLOW, REQUEST_INVALID,
        RESULT_BYTES, RESULT_ROWS, TERMINATED, TIMED_OUT, TOKEN_EXPIRED, TOO_MANY_TRANSACTIONS, TRANSACTION_ENDED,
        UNAVAILABLE, UNKNOWN_ERROR,
    },
};
use crate::{
    query::statement::{inspect, reading::NotReading},
    telemetry::observer::RefusalReason,
};

impl Error {
    /// Creates an error for an invalid request. `detail` follows `Bad Request: `.
    pub fn bad_request(detail: &str) -> Self {
        Self::new(Kind::BadRequest, REQUEST_INVALID, format!("Bad Request: {detail}"))
    }

    /// Creates an error for an invalid request, with `message` as it is.
    pub fn invalid(message: &str) -> Self {
        Self::new(Kind::BadRequest, REQUEST_INVALID, message)
    }

    /// Creates an error for a request that the gateway cannot serve at the moment.
    pub fn unavailable(message: &str) -> Self {
        Self::new(Kind::Unavailable, UNKNOWN_ERROR, message)
    }

    /// Creates an error for a request that the operator does not allow.
    pub fn forbidden(message: &str) -> Self {
        Self::new(Kind::Forbidden, FORBIDDEN, message)
    }

    /// Creates an error for something invalid that the database sent.
    pub fn malformed(message: String) -> Self {
        Self::new(Kind::Gateway, UNKNOWN_ERROR, message)
    }

    /// Returns the error of a statement that had to be read only and by its text is not, or may not be.
    pub(in crate::query) fn not_reading(why: &NotReading<'_>) -> Self {
        let shortened = |word: &str| word.chars().take(40).collect::<String>();
        let message = match why {
            NotReading::Several => {
                "Only one statement can be executed at a time: remove what follows the `;`.".to_owned()
            }
            NotReading::Terminates => {
                "The statement was not executed: ending other transactions is more than reading.".to_owned()
            }
            NotReading::Begins(word) => format!(
                "The statement was not executed: this database does not enforce read mode, and a statement that begins \
                 with {} is not known to only read.",
                shortened(word)
            ),
            NotReading::Writes(word) => format!(
                "The statement was not executed: this database does not enforce read mode, and {} may write. A name like \
                 that needs backticks.",
                shortened(word)
            ),
        };
        Self::new(Kind::Refused, ACCESS_MODE, message)
    }

    /// Returns the error of a statement that had to be read only and of which the database says that it is not.
    pub(in crate::query) fn not_of_reading_type(kind: Option<&str>) -> Self {
        let kind = match kind {
            Some("w" | "rw") => "that it writes",
            Some("s") => "that it is about the schema",
            _ => "nothing that shows that it only reads",
        };
        Self::new(Kind::Refused, ACCESS_MODE, format!("The database says of the statement {kind}.")).after_rollback()
    }

    /// Returns the error that anybody gets for a transaction that is not theirs. The message is Neo4j's.
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

    /// Returns the error that a transaction's owner gets instead, with the reason.
    pub(in crate::query) fn transaction_rolled_back(id: &str, because: &str) -> Self {
        let message = format!("Transaction with Id: \"{id}\" was not found. It was rolled back because {because}.");
        Self::new(Kind::TransactionNotFound, REQUEST_INVALID, message)
    }

    pub(in crate::query) fn transaction_busy() -> Self {
        Self::new(
            Kind::Busy,
            "Neo.ClientError.Transaction.TransactionAccessedConcurrently",
            "Another request is currently accessing this transaction.",
        )
    }

    pub(in crate::query) fn too_many_transactions(max: usize) -> Self {
        Self::new(
            Kind::Unavailable,
            TOO_MANY_TRANSACTIONS,
            format!("The limit of {max} open transactions is reached (transactions.max). Try again later."),
        )
        .by_limit(RefusalReason::Transactions)
    }

    pub(in crate::query) fn too_many_of_one_caller(share: usize) -> Self {
        Self::new(
            Kind::Unavailable,
            TOO_MANY_TRANSACTIONS,
            format!(
                "The limit of {share} open transactions per caller is reached (transactions.max and \
                 transactions.caller_share). Commit or roll back some of them, or try again later."
            ),
        )
        .by_limit(RefusalReason::Transactions)
    }

    /// Returns the error for a transaction that is not opened because the gateway is about to stop.
    pub(in crate::query) fn draining() -> Self {
        Self::new(
            Kind::Unavailable,
            UNAVAILABLE,
            "The gateway is about to stop and opens no more transactions. Try again: another gateway, or this one once \
             it runs again, will open it.",
        )
    }

    /// Returns the error for a transaction that gets no id, because the operating system gave no random bytes.
    pub(in crate::query) fn no_randomness(error: &getrandom::Error) -> Self {
        Self::unavailable(&error.to_string())
    }

    pub(in crate::query) fn database_not_found(name: &str) -> Self {
        Self::new(Kind::DatabaseNotFound, DATABASE_NOT_FOUND, format!("Graph not found: {name}"))
    }

    pub(in crate::query) fn statement_not_found(id: &str) -> Self {
        let message = format!("No running statement with id \"{id}\" was found.");
        Self::new(Kind::StatementNotFound, REQUEST_INVALID, message)
    }

    /// Returns the error of a statement that its caller cancelled.
    pub(in crate::query) fn cancelled() -> Self {
        Self::new(Kind::Terminated, TERMINATED, "The statement was cancelled on request.")
    }

    /// Returns the error of a request whose transaction an operator ended.
    pub(in crate::query) fn ended_by_operator() -> Self {
        Self::new(Kind::Ended, TRANSACTION_ENDED, "An operator ended the transaction. It was rolled back.")
    }

    /// Returns the error of a statement that is cancelled because its client blocks the database.
    pub(in crate::query) fn reader_too_slow() -> Self {
        Self::new(
            Kind::Terminated,
            READER_TOO_SLOW,
            "The statement was cancelled because the client read its rows too slowly, which blocks one of the \
             database's workers. Read faster, or request fewer or smaller rows.",
        )
    }

    /// Returns the error of a statement that did not end within its time limit.
    pub(in crate::query) fn timed_out() -> Self {
        Self::new(
            Kind::Timeout,
            TIMED_OUT,
            "The database did not respond within the time limit (the request's maxExecutionTime, \
             database.max_execution_time, or transactions.max_lifetime) and was told to stop. It is unknown whether a \
             statement outside a transaction took effect.",
        )
    }

    /// Returns the error of a statement whose result has more rows than `limit`.
    pub(in crate::query) fn too_many_rows(limit: u32) -> Self {
        let message = format!(
            "The result has more than {limit} rows (limits.result_rows = {limit}, or max_rows of a named query). Ask for \
             fewer, or in parts."
        );
        Self::new(Kind::ResultLimit, RESULT_ROWS, message)
    }

    /// Returns the error of a statement whose rows are more text than `limit` bytes.
    pub(in crate::query) fn too_many_bytes(limit: usize) -> Self {
        let message = format!(
            "The rows of the result are more than {limit} bytes (limits.result_bytes = {limit}). Ask for fewer, or in \
             parts."
        );
        Self::new(Kind::ResultLimit, RESULT_BYTES, message)
    }

    /// Returns the error of a statement whose graph has more than `limit` nodes and relationships.
    pub(in crate::query) fn too_many_elements(limit: usize) -> Self {
        let message = format!(
            "The graph has more than {limit} nodes and relationships (limits.graph_elements = {limit}). It has what \
             fits; ask for fewer, or in parts."
        );
        Self::new(Kind::ResultLimit, GRAPH_ELEMENTS, message)
    }

    /// Returns the error of a statement of which more than `limit` bytes wait for nodes.
    pub(in crate::query) fn too_many_wait(limit: usize) -> Self {
        let message = format!(
            "The rows that wait for the nodes at the ends of relationships are more than {limit} bytes (limits.graph = \
             {limit}). Return the nodes together with the relationships, or ask for fewer rows."
        );
        Self::new(Kind::ResultLimit, RESULT_BYTES, message)
    }

    /// Returns the error of a request whose token expired while the request was served.
    pub(in crate::query) fn token_expired() -> Self {
        Self::new(
            Kind::ExpiredMeanwhile,
            TOKEN_EXPIRED,
            "The token expired during the request. Its transaction was rolled back; it is unknown whether a statement \
             outside a transaction took effect. Obtain a new token.",
        )
    }

    /// Returns the error of a request whose token expired before anything was sent to the database.
    pub(super) fn token_expired_before() -> Self {
        Self::new(
            Kind::Unauthorized,
            TOKEN_EXPIRED,
            "The token expired while the request waited for a connection to the database. Nothing was executed. Obtain \
             a new token and send the request again.",
        )
    }

    /// Returns the error of a transaction whose COMMIT was sent and not answered.
    pub(in crate::query) fn commit_outcome_unknown() -> Self {
        Self::new(
            Kind::OutcomeUnknown,
            OUTCOME_UNKNOWN,
            "The database did not answer COMMIT within the time limit (database.termination_grace); it is unknown \
             whether the transaction was committed.",
        )
    }

    /// Returns the error of a cancelled statement whose end the database did not confirm.
    pub(in crate::query) fn cancel_outcome_unknown() -> Self {
        Self::new(
            Kind::OutcomeUnknown,
            OUTCOME_UNKNOWN,
            "The statement was cancelled on request, but the database did not confirm that within the time limit \
             (database.termination_grace); it is unknown whether the statement took effect.",
        )
    }

    /// Returns the error for reading on after the end of a result, which only a bug in the gateway can do.
    pub(in crate::query) fn result_ended() -> Self {
        Self::new(Kind::Database, UNKNOWN_ERROR, "The result has already ended.")
    }

    /// Adds that the statement took effect although its result cannot be represented.
    pub(in crate::query) fn despite_commit(mut self) -> Self {
        self.message.push_str(" The statement was executed and committed nevertheless.");
        self
    }

    /// Adds that the transaction was rolled back.
    pub(in crate::query) fn after_rollback(mut self) -> Self {
        self.message.push_str(" The transaction was rolled back.");
        self
    }

    /// Adds that the statement was stopped, and what that undid.
    pub(in crate::query) fn after_stopping(self, statement: &str) -> Self {
        if !inspect::may_commit_in_batches(statement) {
            return self.after_rollback();
        }
        let message = format!("{} What the statement had committed in batches stays committed.", self.message);
        Self { message, ..self }
    }

    /// Turns the error into that of a statement that the database was told to end, for the reason `why`.
    pub(in crate::query) fn after_cancellation(self, why: &Self) -> Self {
        match self.kind {
            // The server ignored the statement's request, or did not answer it in time.
            Kind::OutcomeUnknown | Kind::Timeout => Self::cancel_outcome_unknown(),
            Kind::Terminated => why.clone(),
            _ => self,
        }
    }
}
