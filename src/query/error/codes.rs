//! The codes of errors. Neo4j's own where it has one: clients go by them.

/// The code of whatever is wrong with a request itself.
pub(super) const REQUEST_INVALID: &str = "Neo.ClientError.Request.Invalid";
pub(super) const TOO_MANY_TRANSACTIONS: &str = "Neo.TransientError.Transaction.MaximumTransactionLimitReached";
/// What was asked for may have happened or not. Neo4j has no code for it.
pub(super) const OUTCOME_UNKNOWN: &str = "Boltgate.DatabaseError.Transaction.OutcomeUnknown";
/// What is at the database's address speaks no Bolt, or none that Boltgate speaks. Neo4j has no code for it, nor for the next.
pub(super) const NO_BOLT: &str = "Boltgate.DatabaseError.Connection.NoBolt";
/// It speaks no TLS, or cannot be trusted.
pub(super) const NO_TLS: &str = "Boltgate.DatabaseError.Connection.NoTls";
pub(super) const FORBIDDEN: &str = "Neo.ClientError.Security.Forbidden";
pub(super) const UNAUTHORIZED: &str = "Neo.ClientError.Security.Unauthorized";
pub(super) const TOKEN_EXPIRED: &str = "Neo.ClientError.Security.TokenExpired";
/// The database has forgotten what its users may do, and asks for logins anew.
pub(in crate::query) const AUTHORIZATION_EXPIRED: &str = "Neo.ClientError.Security.AuthorizationExpired";
pub(super) const DATABASE_NOT_FOUND: &str = "Neo.ClientError.Database.DatabaseNotFound";
pub(in crate::query) const UNAVAILABLE: &str = "Neo.TransientError.General.DatabaseUnavailable";
pub(super) const TERMINATED: &str = "Neo.ClientError.Transaction.Terminated";
pub(super) const TIMED_OUT: &str = "Neo.ClientError.Transaction.TransactionTimedOut";
pub(super) const CONSTRAINT: &str = "Neo.ClientError.Schema.ConstraintValidationFailed";
pub(super) const UNKNOWN_ERROR: &str = "Neo.DatabaseError.General.UnknownError";
