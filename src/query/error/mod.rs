//! The error that a caller gets: a code and a message in the words of the Query API, and a kind that says whose
//! fault it is and whether trying again may help.

mod classify;

use thiserror::Error;

use crate::{
    auth::Identity,
    bolt::{self, Failure},
    pool::PoolError,
};

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
        Self::new(Kind::Terminated, "Neo.ClientError.Transaction.Terminated", "The statement was cancelled on request.")
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
    fn token_expired_before() -> Self {
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
        Self::new(Kind::Gateway, "Neo.DatabaseError.General.UnknownError", message)
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
            "Neo.ClientError.Transaction.TransactionTimedOut",
            "The database did not answer within the time allowed (maxExecutionTime of the request, \
             database.max_execution_time, or transactions.max_lifetime) and was told to stop; whether a statement \
             outside of a transaction took effect is not known.",
        )
    }

    /// Somebody asks for more of a result after its end, which only a bug of the gateway can do.
    pub(in crate::query) fn result_ended() -> Self {
        Self::new(Kind::Database, "Neo.DatabaseError.General.UnknownError", "The result has ended already.")
    }

    /// What the database said of a login.
    pub(in crate::query) fn from_login(failure: Failure, caller: &Identity) -> Self {
        let Failure { code, message, .. } = failure;
        if caller.is_service_account() {
            // The caller has done nothing wrong, and can do nothing about it.
            tracing::error!(code, message, "the database refuses the service account (auth.service_account)");
            let message = "The database refused the gateway's own account; the gateway's log says more.";
            return Self::new(Kind::Unavailable, UNAVAILABLE, message);
        }
        match code.as_str() {
            UNAUTHORIZED | "Memgraph.ClientError.Security.Unauthenticated" => {
                let message = if caller.is_anonymous() {
                    "No authentication header supplied.".into()
                } else if message.starts_with("The client is unauthorized") || code != UNAUTHORIZED {
                    "Invalid credential.".into()
                } else {
                    message
                };
                Self::new(Kind::Unauthorized, UNAUTHORIZED, message)
            }
            "Neo.ClientError.Security.AuthenticationRateLimit" => Self::new(
                Kind::TooManyAttempts,
                code,
                "Too many failed authentication requests. Please wait 5 seconds and try again.",
            ),
            _ if code.contains(".Security.") => Self::new(Kind::Unauthorized, code, message),
            "Neo.ClientError.Request.Invalid" => Self::new(
                Kind::Unauthorized,
                UNAUTHORIZED,
                format!("The database did not take the credentials (they may be too large for it): {message}"),
            ),
            _ => Self::new(Kind::Unavailable, code, message),
        }
    }

    /// What happened to a connection on which a statement outside of a transaction may have been carried out.
    pub(in crate::query) fn from_lost_statement(error: &bolt::Error) -> Self {
        let message = format!("{error}; whether the statement took effect is not known");
        Self::new(Kind::OutcomeUnknown, OUTCOME_UNKNOWN, message)
    }

    /// What happened to a connection on which a transaction may have been committed.
    pub(in crate::query) fn from_lost_commit(error: &bolt::Error) -> Self {
        let message = format!("{error}; whether the transaction was committed is not known");
        Self::new(Kind::OutcomeUnknown, OUTCOME_UNKNOWN, message)
    }

    /// What happened to a connection on which a transaction was open that nobody had asked to be committed.
    pub(in crate::query) fn from_lost_transaction(error: &bolt::Error) -> Self {
        Self::new(Kind::Unavailable, UNAVAILABLE, format!("{error}; the transaction was rolled back"))
    }

    /// Why there is no connection to the database at `address`.
    pub(in crate::query) fn from_opening(error: &bolt::Error, address: &str) -> Self {
        use bolt::Error as E;
        let message = match error {
            // These name it themselves.
            E::Connect { .. } | E::Tls { .. } => error.to_string(),
            _ => format!("{error} ({address})"),
        };
        match error {
            // As when it starts or stops; the text says what else it may be.
            E::Handshake(bolt::HandshakeError::Closed) => Self::new(Kind::Unavailable, UNAVAILABLE, message),
            // Somebody has to change something first, so nothing that invites clients to try again.
            E::Tls { .. } => Self::new(Kind::Gateway, NO_TLS, message),
            E::Handshake(_) | E::Protocol(_) | E::Decode(_) | E::MessageTooLong { .. } => {
                Self::new(Kind::Gateway, NO_BOLT, message)
            }
            _ => Self::new(Kind::Unavailable, UNAVAILABLE, message),
        }
    }

    pub(in crate::query) fn from_pool(error: PoolError, caller: &Identity, address: &str) -> Self {
        match error {
            PoolError::Connection(bolt::Error::Login(failure)) => Self::from_login(failure, caller),
            PoolError::Connection(error) => Self::from_opening(&error, address),
            PoolError::Expired => Self::token_expired_before(),
            error => Self::new(Kind::Unavailable, UNAVAILABLE, error.to_string()),
        }
    }
}

/// The code of whatever is wrong with a request itself.
const REQUEST_INVALID: &str = "Neo.ClientError.Request.Invalid";
const TOO_MANY_TRANSACTIONS: &str = "Neo.TransientError.Transaction.MaximumTransactionLimitReached";
/// What was asked for may have happened or not. Neo4j has no code for it.
const OUTCOME_UNKNOWN: &str = "Boltgate.DatabaseError.Transaction.OutcomeUnknown";
/// What is at the database's address speaks no Bolt, or none that Boltgate speaks. Neo4j has no code for it, nor for the next.
const NO_BOLT: &str = "Boltgate.DatabaseError.Connection.NoBolt";
/// It speaks no TLS, or cannot be trusted.
const NO_TLS: &str = "Boltgate.DatabaseError.Connection.NoTls";
pub(in crate::query) const FORBIDDEN: &str = "Neo.ClientError.Security.Forbidden";
const UNAUTHORIZED: &str = "Neo.ClientError.Security.Unauthorized";
pub(in crate::query) const TOKEN_EXPIRED: &str = "Neo.ClientError.Security.TokenExpired";
/// The database has forgotten what its users may do, and asks for logins anew.
pub(in crate::query) const AUTHORIZATION_EXPIRED: &str = "Neo.ClientError.Security.AuthorizationExpired";
pub(in crate::query) const DATABASE_NOT_FOUND: &str = "Neo.ClientError.Database.DatabaseNotFound";
pub(in crate::query) const UNAVAILABLE: &str = "Neo.TransientError.General.DatabaseUnavailable";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bolt::AuthToken;

    fn failure(code: &str, message: &str, classification: Option<&str>) -> Failure {
        Failure { code: code.into(), message: message.into(), classification: classification.map(Into::into) }
    }

    #[test]
    fn logins_are_refused_in_the_query_apis_words() {
        let somebody = Identity::sample(AuthToken::basic("alice", "pw"), false);
        let nobody = Identity::sample(AuthToken::none(), false);
        let neo4j = "The client is unauthorized due to authentication failure.";
        let code = "Neo.ClientError.Security.Unauthorized";
        assert_eq!(Error::from_login(failure(code, neo4j, None), &somebody).message, "Invalid credential.");
        let bearer = "Unsupported authentication token, scheme 'bearer' is not supported.";
        assert_eq!(Error::from_login(failure(code, bearer, None), &somebody).message, bearer);
        assert_eq!(Error::from_login(failure(code, "x", None), &nobody).message, "No authentication header supplied.");
        let memgraph = failure("Memgraph.ClientError.Security.Unauthenticated", "Authentication failure", None);
        let error = Error::from_login(memgraph, &somebody);
        assert_eq!(
            (error.kind, error.code.as_str(), error.message.as_str()),
            (Kind::Unauthorized, code, "Invalid credential.")
        );
    }

    #[test]
    fn a_refused_service_account_is_not_the_callers_fault() {
        let service = Identity::sample(AuthToken::basic("gateway", "pw"), true);
        let error = Error::from_login(failure(UNAUTHORIZED, "no", None), &service);
        assert_eq!((error.kind, error.code.as_str()), (Kind::Unavailable, UNAVAILABLE));
    }

    #[test]
    fn a_connection_lost_under_a_statement_leaves_its_outcome_open() {
        let error = Error::from_lost_statement(&bolt::Error::Closed);
        assert_eq!(error.kind, Kind::OutcomeUnknown);
        assert!(error.message.contains("not known"));
        assert!(!error.kind.is_retryable());
        assert!(Error::from_lost_transaction(&bolt::Error::Closed).kind.is_retryable());
    }

    #[test]
    fn every_connection_error_names_the_address_once() {
        let address = "bolt://db.example:7687";
        let io = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let handshake = bolt::Error::Handshake;
        for (error, kind, class) in [
            (bolt::Error::Connect { address: address.into(), source: io() }, Kind::Unavailable, "TransientError"),
            (bolt::Error::Silent(std::time::Duration::from_secs(5)), Kind::Unavailable, "TransientError"),
            (bolt::Error::Closed, Kind::Unavailable, "TransientError"),
            (bolt::Error::Io(io()), Kind::Unavailable, "TransientError"),
            (handshake(bolt::HandshakeError::Closed), Kind::Unavailable, "TransientError"),
            (handshake(bolt::HandshakeError::Http), Kind::Gateway, "DatabaseError"),
            (handshake(bolt::HandshakeError::NotBolt(*b"SSH-")), Kind::Gateway, "DatabaseError"),
            (handshake(bolt::HandshakeError::NoCommonVersion), Kind::Gateway, "DatabaseError"),
            (bolt::Error::Tls { address: address.into(), source: io() }, Kind::Gateway, "DatabaseError"),
            (bolt::Error::Protocol("x"), Kind::Gateway, "DatabaseError"),
        ] {
            let told = Error::from_opening(&error, address);
            assert_eq!((told.kind, told.code.split('.').nth(1)), (kind, Some(class)), "{told}");
            assert_eq!(told.message.matches(address).count(), 1, "{told}");
            assert_eq!(told.kind.is_retryable(), class == "TransientError", "{told}: clients go by either");
        }
    }
}
