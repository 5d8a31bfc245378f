//! Classifies the failures that the database reports: what went wrong, and whether a retry may help.
//!
//! Neo4j's codes say so. Memgraph has one code for nearly everything, and its class (transient or not) is unreliable;
//! there the message decides, and the caller gets a code that clients can act upon.

use super::{
    Error, Kind,
    codes::{
        AUTHORIZATION_EXPIRED, CONSTRAINT, DATABASE_NOT_FOUND, FORBIDDEN, TERMINATED, TIMED_OUT, TOKEN_EXPIRED,
        UNAVAILABLE,
    },
};
use crate::bolt::{Dialect, Failure};

/// Neo4j's codes for conflicts between transactions.
const CONFLICTS: [&str; 4] = [
    "Neo.TransientError.Transaction.DeadlockDetected",
    "Neo.TransientError.Transaction.LockAcquisitionTimeout",
    "Neo.TransientError.Transaction.Outdated",
    "Neo.TransientError.Transaction.ConstraintsChanged",
];

/// The code for failures that a retry may cure, whatever class Memgraph has put them in.
const MEMGRAPH_TRANSIENT: &str = "Memgraph.TransientError.MemgraphError.MemgraphError";
/// The code for failures that a retry cannot cure.
const MEMGRAPH_REFUSAL: &str = "Memgraph.ClientError.MemgraphError.MemgraphError";

/// Memgraph's messages (2.1 to 3.14): how a message begins, what it contains later on, what it means, and the code that
/// the caller gets. The first match counts. A match always includes the beginning, because names and values that other
/// people have chosen can occur later in a message.
const MEMGRAPH_TEXTS: [(&str, &str, Kind, &str); 24] = [
    ("Cannot resolve conflicting transactions", "", Kind::Conflict, MEMGRAPH_TRANSIENT),
    ("Unable to commit due to serialization error", "", Kind::Conflict, MEMGRAPH_TRANSIENT),
    ("Multiple concurrent system queries are not supported", "", Kind::Conflict, MEMGRAPH_TRANSIENT),
    ("Cannot get shared access ", "storage", Kind::Transient, MEMGRAPH_TRANSIENT),
    ("Cannot get unique access ", "storage", Kind::Transient, MEMGRAPH_TRANSIENT),
    ("Cannot get read-only access ", "storage", Kind::Transient, MEMGRAPH_TRANSIENT),
    ("Cannot get read only access ", "storage", Kind::Transient, MEMGRAPH_TRANSIENT),
    ("The storage mode changed while", "", Kind::Transient, MEMGRAPH_TRANSIENT),
    ("Transaction was asked to abort because of transaction timeout", "", Kind::TimeLimit, TIMED_OUT),
    ("Transaction was asked to abort because of database shutdown", "", Kind::Transient, UNAVAILABLE),
    ("Transaction was asked to abort by another user", "", Kind::Terminated, TERMINATED),
    ("Aborting transaction commit because", "requested to stop from other session", Kind::Terminated, TERMINATED),
    ("Tried to retrieve an unknown database", "", Kind::DatabaseNotFound, DATABASE_NOT_FOUND),
    ("Unable to commit due to ", " constraint violation", Kind::Constraint, CONSTRAINT),
    ("You are not authorized", "", Kind::Forbidden, FORBIDDEN),
    ("Trying to impersonate a user", "", Kind::Forbidden, FORBIDDEN),
    ("Failed to impersonate user", "", Kind::Forbidden, FORBIDDEN),
    ("Access to impersonate user requires", "", Kind::Forbidden, FORBIDDEN),
    ("No session user.", "the impersonate-user feature", Kind::Forbidden, FORBIDDEN),
    // The database works again once somebody resumes it.
    ("Database \"", "\" is suspended (cold)", Kind::Transient, UNAVAILABLE),
    // Only the main instance accepts writes, and not always. Another instance may become the main one.
    ("Write queries are forbidden on the replica instance", "", Kind::Transient, UNAVAILABLE),
    ("Write queries currently forbidden on the main instance", "", Kind::Transient, UNAVAILABLE),
    ("Cannot commit because instance is not main anymore", "", Kind::Transient, UNAVAILABLE),
    // A write in a read transaction.
    ("Accessor type ", "are misaligned!", Kind::Refused, "Neo.ClientError.Statement.AccessMode"),
];

/// The answer of a cluster's coordinator, which has no data: `database.uri` names the wrong instance.
const COORDINATOR: &str = "Coordinator can run only coordinator queries!";

/// Added for statements that Memgraph does not accept in explicit transactions.
const SEND_WITHOUT_TRANSACTION: &str = " Over HTTP: send this statement to POST /db/{database}/query/v2, which runs it \
                                        outside of explicit transactions.";
/// Added instead where the gateway itself opened the transaction, to enforce `"accessMode": "READ"`.
const SEND_WITHOUT_READ_MODE: &str = " Over HTTP: with \"accessMode\": \"READ\", this database's statements run in a \
                                      read transaction, in which it does not accept this one. Send it without \
                                      \"accessMode\", as a user who may write.";

/// Part of Memgraph's message for statements that it does not accept in explicit transactions.
const MULTICOMMAND: &str = "not allowed in multicommand transactions";

impl Error {
    /// Returns the error for a failure that the database reported for a statement, a BEGIN or a COMMIT.
    pub(in crate::query) fn from_failure(failure: Failure) -> Self {
        if failure.code.starts_with("Memgraph.") { of_memgraph(failure) } else { of_codes(failure) }
    }

    /// Whether the database refuses the statement in explicit transactions, so that it has done nothing and may do it
    /// outside of one.
    #[must_use]
    pub fn needs_auto_commit(&self) -> bool {
        self.message.ends_with(SEND_WITHOUT_TRANSACTION)
    }

    /// Adapts the error of a statement for which the gateway opened a read transaction.
    pub(in crate::query) fn while_reading(mut self) -> Self {
        if let Some(said) = self.message.strip_suffix(SEND_WITHOUT_TRANSACTION) {
            self.message = format!("{said}{SEND_WITHOUT_READ_MODE}");
        }
        self
    }

    /// Adapts the error of a statement outside a transaction: not every database undoes a failed statement there.
    pub(in crate::query) fn outside_of_transactions(mut self, dialect: &Dialect) -> Self {
        if !dialect.undoes_refused && matches!(self.kind, Kind::Conflict | Kind::Transient) {
            self.kind = Kind::Unsettled;
        }
        self
    }
}

fn of_memgraph(failure: Failure) -> Error {
    let Failure { code, mut message, .. } = failure;
    let reason = reason(&message);
    let fits = |beginning: &str, later: &str| reason.strip_prefix(beginning).is_some_and(|rest| rest.contains(later));
    if let Some((.., kind, code)) = MEMGRAPH_TEXTS.iter().find(|(beginning, later, ..)| fits(beginning, later)) {
        return Error::new(*kind, *code, message);
    }
    if reason.starts_with(COORDINATOR) {
        message.push_str(" The gateway's setting database.uri names a coordinator; it must name a data instance.");
        return Error::new(Kind::Gateway, code, message);
    }
    if is_multicommand(reason) {
        message.push_str(SEND_WITHOUT_TRANSACTION);
    }
    match class(&code) {
        "DatabaseError" => Error::new(Kind::Database, code, message),
        // Memory limits, missing features, failed conversions: a retry would fail in the same way.
        "TransientError" => Error::new(Kind::Refused, MEMGRAPH_REFUSAL, message),
        _ => Error::new(Kind::Refused, code, message),
    }
}

/// Returns the reason within a message: of a failed trigger, the error that made it fail.
fn reason(message: &str) -> &str {
    let inner = message.strip_prefix("Trigger '").and_then(|rest| rest.split_once("' caused the transaction to fail"));
    let Some((_, inner)) = inner else { return message };
    let inner = inner.trim_start_matches(['.', ':', ' ', '\n']);
    inner.strip_prefix("Exception:").map_or(inner, str::trim_start)
}

/// Whether Memgraph refuses the statement in explicit transactions. Memgraph's own words come before [`MULTICOMMAND`],
/// so a quotation mark there means that the phrase is part of a name or a value.
fn is_multicommand(reason: &str) -> bool {
    let named = |what: &str| what.chars().all(|c| c.is_ascii_alphanumeric() || " ,.()/-".contains(c));
    reason.split_once(MULTICOMMAND).is_some_and(|(what, _)| named(what))
}

fn of_codes(failure: Failure) -> Error {
    let Failure { mut code, message, classification } = failure;
    // Old servers report deliberate terminations as transient.
    for was_transient in [".Transaction.Terminated", ".Transaction.LockClientStopped"] {
        if code == format!("Neo.TransientError{was_transient}") {
            code = format!("Neo.ClientError{was_transient}");
        }
    }
    let kind = match code.as_str() {
        DATABASE_NOT_FOUND => Kind::DatabaseNotFound,
        TOKEN_EXPIRED | AUTHORIZATION_EXPIRED => Kind::Unauthorized,
        FORBIDDEN => Kind::Forbidden,
        CONSTRAINT => Kind::Constraint,
        TERMINATED | "Neo.ClientError.Transaction.LockClientStopped" => Kind::Terminated,
        // Another member leads the cluster, or none does yet.
        "Neo.ClientError.Cluster.NotALeader" | "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase" => Kind::Transient,
        code if code.starts_with(TIMED_OUT) => Kind::TimeLimit,
        code if CONFLICTS.contains(&code) => Kind::Conflict,
        code if class(code) == "TransientError" => Kind::Transient,
        code if class(code) == "DatabaseError" && classification.as_deref() != Some("CLIENT_ERROR") => Kind::Database,
        _ => Kind::Refused,
    };
    Error::new(kind, code, message)
}

/// Returns the class of a code, its second part: `ClientError`, `TransientError` or `DatabaseError`.
fn class(code: &str) -> &str {
    code.split('.').nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bolt::dialect::{NEO4J, STRICT};

    fn of(code: &str, message: &str, classification: Option<&str>) -> Error {
        let classification = classification.map(Into::into);
        Error::from_failure(Failure { code: code.into(), message: message.into(), classification })
    }

    #[test]
    fn a_database_error_is_the_clients_only_when_the_database_says_so() {
        let kind = |code, classification| of(code, "", classification).kind;
        assert_eq!(kind("Neo.DatabaseError.Schema.IndexDropFailed", None), Kind::Database);
        assert_eq!(kind("Neo.DatabaseError.Schema.IndexDropFailed", Some("DATABASE_ERROR")), Kind::Database);
        assert_eq!(kind("Neo.DatabaseError.Transaction.TransactionStartFailed", Some("CLIENT_ERROR")), Kind::Refused);
        assert_eq!(kind("Memgraph.DatabaseError.MemgraphError.MemgraphError", None), Kind::Database);
        assert_eq!(kind("Neo.ClientError.Database.DatabaseNotFound", None), Kind::DatabaseNotFound);
    }

    #[test]
    fn codes_say_whether_a_retry_may_help() {
        for (code, kind, retryable) in [
            ("Neo.TransientError.Transaction.DeadlockDetected", Kind::Conflict, true),
            ("Neo.TransientError.General.MemoryPoolOutOfMemoryError", Kind::Transient, true),
            ("Neo.ClientError.Cluster.NotALeader", Kind::Transient, true),
            ("Neo.TransientError.Transaction.Terminated", Kind::Terminated, false),
            ("Neo.TransientError.Transaction.LockClientStopped", Kind::Terminated, false),
            ("Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration", Kind::TimeLimit, false),
            ("Neo.ClientError.Schema.ConstraintValidationFailed", Kind::Constraint, false),
            ("Neo.ClientError.Security.Forbidden", Kind::Forbidden, false),
            ("Neo.ClientError.Statement.SyntaxError", Kind::Refused, false),
        ] {
            let error = of(code, "", None);
            assert_eq!((error.kind, error.kind.is_retryable()), (kind, retryable), "{code}");
            assert!(!error.code.contains("TransientError") || retryable, "{code}: clients rely on the class");
        }
    }

    #[test]
    fn a_statement_that_may_be_partly_applied_is_not_retryable() {
        let conflict = || of("Neo.TransientError.Transaction.DeadlockDetected", "", None);
        assert_eq!(conflict().outside_of_transactions(&NEO4J).kind, Kind::Conflict);
        let unsettled = conflict().outside_of_transactions(&STRICT);
        assert!(unsettled.kind == Kind::Unsettled && !unsettled.kind.is_retryable());
        let refused = of("Neo.ClientError.Statement.SyntaxError", "", None);
        assert_eq!(refused.outside_of_transactions(&STRICT).kind, Kind::Refused);
    }

    #[test]
    fn memgraphs_messages_decide_where_its_codes_do_not() {
        let refusal = MEMGRAPH_REFUSAL;
        for (said, message, kind, code) in [
            (
                MEMGRAPH_TRANSIENT,
                "Cannot resolve conflicting transactions. Retry …",
                Kind::Conflict,
                MEMGRAPH_TRANSIENT,
            ),
            (refusal, "Unable to commit due to serialization error. …", Kind::Conflict, MEMGRAPH_TRANSIENT),
            (MEMGRAPH_TRANSIENT, "Not yet implemented: x", Kind::Refused, refusal),
            (
                MEMGRAPH_TRANSIENT,
                "Tried to retrieve an unknown database \"x\".",
                Kind::DatabaseNotFound,
                DATABASE_NOT_FOUND,
            ),
            (
                refusal,
                "Accessor type READ and query type WRITE are misaligned!",
                Kind::Refused,
                "Neo.ClientError.Statement.AccessMode",
            ),
        ] {
            let error = of(said, message, None);
            assert_eq!((error.kind, error.code.as_str(), error.message.as_str()), (kind, code, message));
        }
        let neo4j = of("Neo.ClientError.Statement.TypeError", "are misaligned!", None);
        assert_eq!(neo4j.code, "Neo.ClientError.Statement.TypeError");
    }

    #[test]
    fn messages_of_clusters_and_of_other_versions() {
        for (message, kind) in [
            ("Database \"x\" is suspended (cold); run RESUME DATABASE x before using it.", Kind::Transient),
            ("Write queries currently forbidden on the main instance. Either the cluster is in …", Kind::Transient),
            ("Coordinator can run only coordinator queries!", Kind::Gateway),
            ("Cannot get shared access storage. Try stopping other queries …", Kind::Transient),
            ("Cannot get read only access to the storage. Try stopping other queries …", Kind::Transient),
            ("Unable to commit due to unique constraint violation on :A(b)", Kind::Constraint),
            ("Unable to commit due to existence constraint violation on :A(b)", Kind::Constraint),
        ] {
            assert_eq!(of(MEMGRAPH_REFUSAL, message, None).kind, kind, "{message}");
        }
        let misplaced = of(MEMGRAPH_REFUSAL, COORDINATOR, None);
        assert!(misplaced.message.contains("database.uri"), "{misplaced}");
    }

    #[test]
    fn names_and_values_in_a_message_do_not_count() {
        for said in MEMGRAPH_TEXTS.map(|(beginning, later, ..)| format!("{beginning}{later}")) {
            for message in [
                format!("Unbound variable: `{said}`."),
                format!("User-defined exception: '{said}'"),
                format!("Trigger '{said}' caused the transaction to fail.\nException: Division by zero."),
                format!("'{said}' is not a valid transaction id."),
            ] {
                let error = of(MEMGRAPH_REFUSAL, &message, None);
                assert_eq!((error.kind, &*error.message), (Kind::Refused, &*message));
            }
        }
        let quoted = "Unbound variable: \"x is not allowed in multicommand transactions\".";
        assert_eq!(of(MEMGRAPH_REFUSAL, quoted, None).message, quoted);
    }

    #[test]
    fn the_reason_of_a_failed_trigger_counts() {
        for between in [".\nException: ", ". ", ": "] {
            let conflict = "Cannot resolve conflicting transactions. Retry …";
            let message = format!("Trigger 't' caused the transaction to fail{between}{conflict}");
            assert_eq!(of(MEMGRAPH_TRANSIENT, &message, None).kind, Kind::Conflict, "{message}");
        }
        let plain = of(MEMGRAPH_TRANSIENT, "Trigger 't' caused the transaction to fail.", None);
        assert_eq!(plain.kind, Kind::Refused);
    }

    #[test]
    fn statements_refused_in_transactions_come_with_the_route_to_use() {
        let text = "Index manipulation is not allowed in multicommand transactions. A multicommand transaction, …";
        let error = of(MEMGRAPH_REFUSAL, text, None);
        assert!(error.message.starts_with(text) && error.message.contains("POST /db/{database}/query/v2"));
    }
}
