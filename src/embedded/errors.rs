//! Failures with Neo4j's codes.
//!
//! Owns the mapping from the engine's errors to Neo4j's status codes and messages. Promises a code for every error:
//! `Neo.DatabaseError.General.UnknownError` if Neo4j has no counterpart. Knows nothing of connections.

use std::borrow::Cow;
use std::path::Path;

use boltr::error::BoltError;
use graphdblite::{ErrorCode, GraphError, QueryError, QueryPhase};

use super::{ALIAS, DATABASE, MEMORY_GIB, unsupported};

/// SQLite's primary result codes for a lock that another connection holds.
const SQLITE_BUSY: i32 = 5;
const SQLITE_LOCKED: i32 = 6;

/// The beginning of every termination message of Neo4j.
const TERMINATED: &str = "The transaction has been terminated. Retry your operation in a new \
                          transaction, and you should see a successful result. ";

/// The reason why a request failed, as a Bolt `FAILURE` carries it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(super) struct Failure {
    pub(super) code: Cow<'static, str>,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Failure {
        Failure { code: Cow::Borrowed(code), message: message.into() }
    }

    /// There is only one database, and `name` is not its name.
    pub(super) fn database_not_found(name: &str) -> Failure {
        Failure::new(
            "Neo.ClientError.Database.DatabaseNotFound",
            format!("Graph not found: {name}. The embedded database is called {DATABASE}; {ALIAS} is an alias of it."),
        )
    }

    /// The engine has no counterpart to `feature`, a noun as users know it: "`LOAD CSV`", "the function `point()`".
    pub(super) fn not_supported(feature: &str) -> Failure {
        Failure::new(UNSUPPORTED, format!("{feature} is not supported by the embedded database, see docs/embedded.md"))
    }

    /// There is no index to drop that is called `name`.
    pub(super) fn no_index_called(name: &str) -> Failure {
        Failure::new(
            "Neo.DatabaseError.Schema.IndexDropFailed",
            format!(
                "Unable to drop index called `{name}`. There is no such index. The embedded database names its indexes \
                 itself, see SHOW INDEXES."
            ),
        )
    }

    /// The statement uses the parameters `names`, which are missing.
    pub(super) fn parameters_missing(names: &[&str]) -> Failure {
        Failure::new(
            "Neo.ClientError.Statement.ParameterMissing",
            format!("Expected parameter(s): {}", names.join(", ")),
        )
    }

    /// The engine has no type for the value of a parameter.
    pub(super) fn parameter(name: &str, problem: &str) -> Failure {
        Failure::new("Neo.ClientError.Statement.TypeError", format!("Parameter `{name}`: {problem}"))
    }

    /// The client has terminated the statement.
    pub(super) fn terminated() -> Failure {
        let message = format!("{TERMINATED}Explicitly terminated by the user. ");
        Failure::new("Neo.ClientError.Transaction.Terminated", message)
    }

    /// The transaction has exceeded the client's timeout.
    pub(super) fn timed_out() -> Failure {
        let message = format!(
            "{TERMINATED}The transaction has not completed within the timeout specified at its \
             start by the client. You may want to retry with a longer timeout. "
        );
        Failure::new("Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration", message)
    }

    /// Another transaction is writing and did not end in time.
    pub(super) fn busy() -> Failure {
        Failure::new(
            "Neo.TransientError.Transaction.LockAcquisitionTimeout",
            "Another transaction is writing to the embedded database and did not end in time; \
             it allows one writing transaction at a time. Retry the transaction.",
        )
    }

    /// The transaction was about to write, and what it had read has changed.
    pub(super) fn outdated() -> Failure {
        Failure::new(
            "Neo.TransientError.Transaction.Outdated",
            "Another transaction has changed the embedded database since this one began to read; what it has read may \
             no longer be true. Retry the transaction.",
        )
    }

    /// All handles are in use, and none was released in time.
    pub(super) fn too_many_transactions() -> Failure {
        Failure::new(
            "Neo.TransientError.Transaction.MaximumTransactionLimitReached",
            "The embedded database has reached its maximum number of open transactions. \
             Retry the transaction.",
        )
    }

    /// The process that ran the statement has ended by itself. `how` is how.
    pub(super) fn engine_ended(how: &str) -> Failure {
        Failure::new(
            LIMIT,
            format!(
                "The process that ran the statement has ended ({how}), probably because the statement needs more than \
                 the {MEMORY_GIB} GiB of memory that the embedded database allows; the transaction was rolled back."
            ),
        )
    }

    /// `program` cannot be started to run the engine.
    pub(super) fn no_engine(program: &Path, error: &std::io::Error) -> Failure {
        let message = format!("Cannot start {} to run the embedded database's engine: {error}", program.display());
        Failure::new(UNKNOWN, message)
    }

    /// The engine panicked.
    pub(super) fn broken() -> Failure {
        Failure::new(
            UNKNOWN,
            "The embedded database failed while it ran the statement; the transaction was \
             rolled back.",
        )
    }

    /// Converts the engine's error about `statement`, the text that it was given.
    pub(super) fn of_statement(statement: &str, error: &GraphError) -> Failure {
        let GraphError::Query(query) = error else {
            return Failure::of_engine(error);
        };
        match query.code() {
            ErrorCode::UnexpectedSyntax => match unsupported::feature(statement) {
                Some(feature) => Failure::not_supported(&feature),
                None => Failure::of_engine(error),
            },
            // Tools fall back to something else on this code.
            ErrorCode::ProcedureNotFound => match unsupported::procedure(statement) {
                Some(name) => Failure {
                    code: PROCEDURE_NOT_FOUND.into(),
                    ..Failure::not_supported(&format!("The procedure `{name}`"))
                },
                None => Failure::of_engine(error),
            },
            _ => Failure::of_engine(error),
        }
    }

    /// Converts an error of the engine.
    pub(super) fn of_engine(error: &GraphError) -> Failure {
        match error {
            GraphError::Query(query) => of_query(query),
            GraphError::Transaction { message, .. } if message.starts_with("write operations are not") => Failure::new(
                "Neo.ClientError.Statement.AccessMode",
                "Writing in read access mode not allowed. Attempted write to neo4j",
            ),
            GraphError::Storage { source, .. }
                if source
                    .sqlite_error()
                    .is_some_and(|e| matches!(e.extended_code & 0xff, SQLITE_BUSY | SQLITE_LOCKED)) =>
            {
                Failure::busy()
            }
            other => Failure::new(code_of(other), other.to_string()),
        }
    }
}

/// Not one of Neo4j's codes for transient memory errors, because the same statement would fail again.
const LIMIT: &str = "Neo.DatabaseError.Statement.ExecutionFailed";
/// Neo4j has it for operations that its runtime does not have. The statement is valid Cypher, so it is no syntax error.
const UNSUPPORTED: &str = "Neo.ClientError.Statement.UnsupportedOperationError";
const PROCEDURE_NOT_FOUND: &str = "Neo.ClientError.Procedure.ProcedureNotFound";
const UNKNOWN: &str = "Neo.DatabaseError.General.UnknownError";

impl From<Failure> for BoltError {
    fn from(failure: Failure) -> BoltError {
        BoltError::Query { code: failure.code.into_owned(), message: failure.message }
    }
}

fn code_of(error: &GraphError) -> &'static str {
    match error {
        GraphError::NodeNotFound { .. } | GraphError::EdgeNotFound { .. } => "Neo.ClientError.Statement.EntityNotFound",
        GraphError::HasEdges { .. } => "Neo.ClientError.Schema.ConstraintValidationFailed",
        GraphError::IndexAlreadyExists { .. } => "Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists",
        GraphError::IndexNotFound { .. } => "Neo.ClientError.Schema.IndexNotFound",
        GraphError::InvalidIndexDefinition { .. } => "Neo.ClientError.Statement.SyntaxError",
        GraphError::InvalidName { .. } => "Neo.ClientError.Schema.TokenNameError",
        GraphError::SizeLimit { .. } => LIMIT,
        _ => UNKNOWN,
    }
}

fn of_query(error: &QueryError) -> Failure {
    let compiling = error.phase() != QueryPhase::Runtime;
    let code = match error {
        QueryError::SyntaxError { .. } => "Neo.ClientError.Statement.SyntaxError",
        QueryError::TypeError { .. } => "Neo.ClientError.Statement.TypeError",
        // Neo4j detects these at compile time and reports them as syntax errors.
        QueryError::SemanticError { .. } if compiling && error.code() != ErrorCode::MergeReadOwnWrites => {
            "Neo.ClientError.Statement.SyntaxError"
        }
        QueryError::SemanticError { .. } => "Neo.ClientError.Statement.SemanticError",
        QueryError::EntityNotFound { .. } => "Neo.ClientError.Statement.EntityNotFound",
        QueryError::ArgumentError { .. } => "Neo.ClientError.Statement.ArgumentError",
        QueryError::ArithmeticError { .. } => "Neo.ClientError.Statement.ArithmeticError",
        QueryError::ConstraintViolation { .. } if error.code() == ErrorCode::DeleteConnectedNode => {
            "Neo.ClientError.Schema.ConstraintValidationFailed"
        }
        // The engine has no constraints. It reports its limits this way.
        QueryError::ConstraintViolation { .. } => LIMIT,
        QueryError::ProcedureError { .. } if error.code() == ErrorCode::ProcedureNotFound => PROCEDURE_NOT_FOUND,
        QueryError::ProcedureError { .. } => "Neo.ClientError.Procedure.ProcedureCallFailed",
        _ => UNKNOWN,
    };
    Failure::new(code, message_of(error))
}

/// Returns the engine's message in Neo4j's form: what is wrong, where, and what to do.
fn message_of(error: &QueryError) -> String {
    if error.code() == ErrorCode::DivisionByZero {
        return "/ by zero".to_owned();
    }
    let mut message = match error.code() {
        ErrorCode::UndefinedVariable => format!("Variable `{}` not defined", error.message()),
        // The parser marks the position with arrows. The last line says what it expected there.
        ErrorCode::UnexpectedSyntax => match error.message().rsplit_once("= ") {
            Some((_, expected)) => format!("Invalid input: {}", expected.trim()),
            None => error.message().trim().to_owned(),
        },
        _ => error.message().trim().to_owned(),
    };
    if let Some(span) = error.span() {
        message.push_str(&format!(" (line {}, column {} (offset: {}))", span.line, span.col, span.start));
    }
    if let Some(hint) = error.hint() {
        message.push_str(&format!(" ({hint})"));
    }
    message
}

/// Whether the engine reports a missing parameter. It names only the first.
pub(super) fn is_parameter_missing(error: &GraphError) -> bool {
    let GraphError::Query(query) = error else {
        return false;
    };
    query.code() == ErrorCode::MissingParameter || query.message().starts_with("missing parameter: $")
}

#[cfg(test)]
mod tests {
    use super::*;
    use graphdblite::Span;

    fn syntax_error(code: ErrorCode, message: &str) -> GraphError {
        GraphError::Query(QueryError::SyntaxError {
            phase: QueryPhase::Parse,
            code,
            message: message.to_owned(),
            hint: None,
            span: Some(Span { start: 7, end: 10, line: 1, col: 8 }),
        })
    }

    #[test]
    fn syntax_errors_give_the_position() {
        let drawn = " --> 1:8\n  |\n1 | RETURN ??\n  |        ^---\n  |\n  = expected an expression";
        assert_eq!(
            Failure::of_engine(&syntax_error(ErrorCode::UnexpectedSyntax, drawn)),
            Failure::new(
                "Neo.ClientError.Statement.SyntaxError",
                "Invalid input: expected an expression (line 1, column 8 (offset: 7))"
            )
        );
        assert_eq!(
            Failure::of_engine(&syntax_error(ErrorCode::UndefinedVariable, "foo")).message,
            "Variable `foo` not defined (line 1, column 8 (offset: 7))"
        );
    }

    #[test]
    fn a_write_in_a_read_transaction_has_its_own_code() {
        let error = GraphError::Transaction {
            message: "write operations are not permitted inside a read transaction".to_owned(),
            hint: None,
        };
        assert_eq!(Failure::of_engine(&error).code, "Neo.ClientError.Statement.AccessMode");
    }

    #[test]
    fn what_is_not_supported_is_named() {
        let failure = Failure::not_supported("`LOAD CSV`");
        assert_eq!(failure.code, "Neo.ClientError.Statement.UnsupportedOperationError");
        assert_eq!(failure.message, "`LOAD CSV` is not supported by the embedded database, see docs/embedded.md");
    }

    #[test]
    fn an_error_without_a_counterpart_is_unknown() {
        let error = GraphError::Transaction { message: "no active transaction".to_owned(), hint: None };
        assert_eq!(Failure::of_engine(&error).code, UNKNOWN);
    }
}
