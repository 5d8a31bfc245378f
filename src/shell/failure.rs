//! Why the command failed, and its exit status.

use std::io;

use serde::Deserialize;
use thiserror::Error;

/// The code of a statement whose connection broke when it may have been committed.
const OUTCOME_UNKNOWN: &str = "Boltgate.DatabaseError.Transaction.OutcomeUnknown";
/// The code of a database that cannot be reached.
const UNAVAILABLE: &str = "Neo.TransientError.General.DatabaseUnavailable";

/// Why the command failed.
#[derive(Debug, Error)]
pub(super) enum Failure {
    /// The command line, the environment or a file that they name is wrong.
    #[error("{0}")]
    Usage(String),
    /// There is no gateway or no database, or the login was refused.
    #[error("{0}")]
    Unreachable(String),
    /// The statement was refused, or failed before its first row.
    #[error("{0}")]
    Refused(Told),
    /// The result is incomplete.
    #[error("{0}")]
    BrokeOff(String),
    /// A signal with this number.
    #[error("interrupted; a statement that was running is cancelled")]
    Interrupted(u8),
    /// The reader of the rows has closed the pipe.
    #[error("the reader of the rows has closed the pipe")]
    ReaderLeft,
}

/// An error as the gateway tells it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Error)]
#[error("{code}: {message}")]
pub(super) struct Told {
    pub(super) code: String,
    pub(super) message: String,
}

impl Failure {
    /// The exit status.
    pub(super) fn status(&self) -> u8 {
        match self {
            Self::ReaderLeft => 0,
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
            Self::BrokeOff(_) => 4,
            // As shells count it.
            Self::Interrupted(signal) => 128 + signal,
        }
    }

    /// The system lacks something that every program needs.
    pub(super) fn system(error: io::Error) -> Self {
        Self::Usage(format!("cannot start: {error}"))
    }

    /// The failure that a whole answer with this status tells.
    pub(super) fn of(status: u16, told: Told) -> Self {
        let is_unreachable = match status {
            401 | 407 | 421 | 429 => true,
            502 => told.code != OUTCOME_UNKNOWN,
            503 => told.code == UNAVAILABLE || told.code.starts_with("Boltgate."),
            _ => false,
        };
        if is_unreachable { Self::Unreachable(told.to_string()) } else { Self::Refused(told) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_statuses_tell_a_refused_statement_from_a_database_out_of_reach() {
        for (status, code, exit) in [
            (400, "Neo.ClientError.Statement.SyntaxError", 1),
            (403, "Neo.ClientError.Security.Forbidden", 1),
            (409, "Neo.TransientError.Transaction.DeadlockDetected", 1),
            (503, "Neo.TransientError.General.OutOfMemoryError", 1),
            (502, OUTCOME_UNKNOWN, 1),
            (401, "Neo.ClientError.Security.Unauthorized", 3),
            (429, "Neo.ClientError.Security.AuthenticationRateLimit", 3),
            (502, "Boltgate.DatabaseError.Connection.NoBolt", 3),
            (503, UNAVAILABLE, 3),
            (503, "Boltgate.TransientError.Limit.Waiting", 3),
        ] {
            let told = Told { code: code.to_owned(), message: "m".to_owned() };
            assert_eq!(Failure::of(status, told).status(), exit, "{status} {code}");
        }
        assert_eq!(Failure::Interrupted(2).status(), 130);
    }
}
