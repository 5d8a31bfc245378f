//! Failures, as Neo4j names them.
//!
//! Owns the mapping from what the engine says to a status code and a message of Neo4j. Promises a
//! code for every error; what has no counterpart is `Neo.DatabaseError.General.UnknownError`. Knows
//! no connection.

use boltr::error::BoltError;
use graphdblite::{ErrorCode, GraphError, QueryError, QueryPhase};

/// SQLite's primary result codes for a lock that another connection holds.
const SQLITE_BUSY: i32 = 5;
const SQLITE_LOCKED: i32 = 6;

/// What every termination message of Neo4j begins with.
const TERMINATED: &str = "The transaction has been terminated. Retry your operation in a new \
                          transaction, and you should see a successful result. ";

/// Why a request failed: what a Bolt `FAILURE` carries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(super) struct Failure {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into() }
    }

    /// There is one database, and `name` is not it.
    pub(super) fn database_not_found(name: &str) -> Failure {
        Failure::new("Neo.ClientError.Database.DatabaseNotFound", format!("Graph not found: {name}"))
    }

    /// `names` are used and were not given.
    pub(super) fn parameters_missing(names: &[&str]) -> Failure {
        Failure::new(
            "Neo.ClientError.Statement.ParameterMissing",
            format!("Expected parameter(s): {}", names.join(", ")),
        )
    }

    /// A parameter has a value that the engine has no type for.
    pub(super) fn parameter(name: &str, problem: &str) -> Failure {
        Failure::new("Neo.ClientError.Statement.TypeError", format!("Parameter `{name}`: {problem}"))
    }

    /// The client asked for the end of what runs.
    pub(super) fn terminated() -> Failure {
        let message = format!("{TERMINATED}Explicitly terminated by the user. ");
        Failure::new("Neo.ClientError.Transaction.Terminated", message)
    }

    /// The time that the client gave the transaction is over.
    pub(super) fn timed_out() -> Failure {
        let message = format!(
            "{TERMINATED}The transaction has not completed within the timeout specified at its \
             start by the client. You may want to retry with a longer timeout. "
        );
        Failure::new("Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration", message)
    }

    /// Another transaction is writing, and did not end in time.
    pub(super) fn busy() -> Failure {
        Failure::new(
            "Neo.TransientError.Transaction.LockAcquisitionTimeout",
            "Another transaction is writing to the embedded database and did not end in time; \
             it allows one writing transaction at a time. Retry the transaction.",
        )
    }

    /// Every handle is in use, and none became free in time.
    pub(super) fn too_many_transactions() -> Failure {
        Failure::new(
            "Neo.TransientError.Transaction.MaximumTransactionLimitReached",
            "The embedded database has reached its maximum number of open transactions. \
             Retry the transaction.",
        )
    }

    /// The engine panicked.
    pub(super) fn broken() -> Failure {
        Failure::new(
            UNKNOWN,
            "The embedded database failed while it ran the statement; the transaction was \
             rolled back.",
        )
    }

    /// What the engine said.
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

/// Not one of Neo4j's transient memory errors: the same statement would fail again.
const LIMIT: &str = "Neo.DatabaseError.Statement.ExecutionFailed";
const UNKNOWN: &str = "Neo.DatabaseError.General.UnknownError";

impl From<Failure> for BoltError {
    fn from(failure: Failure) -> BoltError {
        BoltError::Query { code: failure.code.to_owned(), message: failure.message }
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
        // Neo4j finds these while it compiles, and calls them syntax errors.
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
        // The engine has no constraints of its own; it reports its limits this way.
        QueryError::ConstraintViolation { .. } => LIMIT,
        QueryError::ProcedureError { .. } if error.code() == ErrorCode::ProcedureNotFound => {
            "Neo.ClientError.Procedure.ProcedureNotFound"
        }
        QueryError::ProcedureError { .. } => "Neo.ClientError.Procedure.ProcedureCallFailed",
        _ => UNKNOWN,
    };
    Failure::new(code, message_of(error))
}

/// The engine's message in Neo4j's form: what is wrong, where, and what to do.
fn message_of(error: &QueryError) -> String {
    if error.code() == ErrorCode::DivisionByZero {
        return "/ by zero".to_owned();
    }
    let mut message = match error.code() {
        ErrorCode::UndefinedVariable => format!("Variable `{}` not defined", error.message()),
        // The parser draws the place with arrows; the last line says what it expected there.
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

/// Whether the engine misses a parameter; it names only the first.
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
    fn syntax_errors_name_the_place() {
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
    fn what_has_no_counterpart_is_unknown() {
        let error = GraphError::Transaction { message: "no active transaction".to_owned(), hint: None };
        assert_eq!(Failure::of_engine(&error).code, UNKNOWN);
    }
}
