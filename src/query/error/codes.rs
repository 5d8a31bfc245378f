//! The codes of errors.
//!
//! Neo4j's own codes wherever Neo4j has one, because clients act upon them; codes that begin with `Boltgate.` where it
//! has none.

/// The request itself is invalid.
pub(super) const REQUEST_INVALID: &str = "Neo.ClientError.Request.Invalid";
pub(super) const TOO_MANY_TRANSACTIONS: &str = "Neo.TransientError.Transaction.MaximumTransactionLimitReached";
/// The request may have taken effect or not.
pub(super) const OUTCOME_UNKNOWN: &str = "Boltgate.DatabaseError.Transaction.OutcomeUnknown";
/// The client blocked a database worker by not reading its rows.
pub(super) const READER_TOO_SLOW: &str = "Boltgate.ClientError.Statement.ReaderTooSlow";
/// The server at the database's address does not speak Bolt, or no version that Boltgate supports.
pub(super) const NO_BOLT: &str = "Boltgate.DatabaseError.Connection.NoBolt";
/// The server does not speak TLS, or its certificate cannot be trusted.
pub(super) const NO_TLS: &str = "Boltgate.DatabaseError.Connection.NoTls";
/// As many requests wait for a connection as may, in total and of one caller.
pub(super) const WAITING: &str = "Boltgate.TransientError.Limit.Waiting";
pub(super) const CALLER_WAITING: &str = "Boltgate.TransientError.Limit.CallerWaiting";
/// A result is larger than the operator allows.
pub(in crate::query) const RESULT_ROWS: &str = "Boltgate.ClientError.Limit.ResultRows";
pub(super) const RESULT_BYTES: &str = "Boltgate.ClientError.Limit.ResultBytes";
pub(super) const GRAPH_ELEMENTS: &str = "Boltgate.ClientError.Limit.GraphElements";
/// The statement would write, but must not.
pub(super) const ACCESS_MODE: &str = "Neo.ClientError.Statement.AccessMode";
pub(super) const FORBIDDEN: &str = "Neo.ClientError.Security.Forbidden";
pub(super) const UNAUTHORIZED: &str = "Neo.ClientError.Security.Unauthorized";
pub(super) const TOKEN_EXPIRED: &str = "Neo.ClientError.Security.TokenExpired";
/// The database has dropped its cache of users' rights, and requires every connection to log in again.
pub(in crate::query) const AUTHORIZATION_EXPIRED: &str = "Neo.ClientError.Security.AuthorizationExpired";
pub(super) const DATABASE_NOT_FOUND: &str = "Neo.ClientError.Database.DatabaseNotFound";
pub(in crate::query) const UNAVAILABLE: &str = "Neo.TransientError.General.DatabaseUnavailable";
pub(super) const TERMINATED: &str = "Neo.ClientError.Transaction.Terminated";
/// An operator ended the transaction.
pub(super) const TRANSACTION_ENDED: &str = "Boltgate.ClientError.Transaction.Ended";
pub(super) const TIMED_OUT: &str = "Neo.ClientError.Transaction.TransactionTimedOut";
pub(super) const CONSTRAINT: &str = "Neo.ClientError.Schema.ConstraintValidationFailed";
pub(super) const UNKNOWN_ERROR: &str = "Neo.DatabaseError.General.UnknownError";
