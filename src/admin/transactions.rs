//! `/transactions`: what runs, for whom and since when, and its end.

use std::{sync::Arc, time::SystemTime};

use axum::{
    Extension,
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::Response,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::{
    Admin, Peer,
    answer::{Refusal, respond},
};
use crate::query::{Ending, OpenTransaction, TransactionId};

/// The part of a statement that is shown, in bytes.
const SHOWN: usize = 2000;

#[derive(Serialize)]
struct Transactions {
    transactions: Vec<Transaction>,
}

#[derive(Serialize)]
struct Transaction {
    id: String,
    kind: String,
    state: String,
    caller: String,
    user: Option<String>,
    database: String,
    since: String,
    elapsed: f64,
    expires: String,
    statement: Option<String>,
}

/// Lists the transactions of all callers, the oldest first.
pub(super) async fn list(State(admin): State<Admin>) -> Response {
    let transactions = admin.parts.engine.list_transactions().into_iter().map(Transaction::of).collect();
    respond(StatusCode::OK, &Transactions { transactions })
}

/// Ends a transaction, and answers when it is over.
pub(super) async fn end(
    State(admin): State<Admin>,
    Extension(peer): Extension<Peer>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Refusal> {
    // A segment that is no text names nothing.
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let unknown = || Refusal::invalid(StatusCode::NOT_FOUND, format_args!("There is no transaction {id}."));
    let transaction = TransactionId::parse(&id).ok_or_else(unknown)?;
    let ending = admin.parts.engine.end_transaction(transaction).await;
    if ending != Ending::Unknown {
        tracing::info!(transaction = id, client = %peer, "an operator ended a transaction");
    }
    match ending {
        Ending::Unknown => Err(unknown()),
        Ending::Over => Ok(respond(StatusCode::OK, &json!({ "id": id, "ended": true }))),
        Ending::Pending => Err(Refusal::not_ended(format!(
            "The transaction {id} was told to end, but has not ended yet. GET /transactions says when it has."
        ))),
    }
}

impl Transaction {
    fn of(one: OpenTransaction) -> Self {
        Self {
            id: one.id.to_string(),
            kind: one.kind.to_string(),
            state: one.state.to_string(),
            caller: one.caller.to_string(),
            user: one.user,
            database: one.database,
            since: timestamp(one.since),
            elapsed: (one.elapsed.as_secs_f64() * 1000.0).round() / 1000.0,
            expires: timestamp(one.expires),
            statement: one.statement.as_ref().map(shown),
        }
    }
}

fn timestamp(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX).to_string()
}

/// The beginning of a statement, if it is long.
fn shown(statement: &Arc<str>) -> String {
    match statement.get(..statement.floor_char_boundary(SHOWN)) {
        Some(beginning) if beginning.len() < statement.len() => format!("{beginning}…"),
        _ => statement.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_statements_are_cut_between_characters() {
        assert_eq!(shown(&"RETURN 1".into()), "RETURN 1");
        let long = format!("{}é{}", "x".repeat(SHOWN - 1), "y".repeat(10));
        assert_eq!(shown(&long.into()), format!("{}…", "x".repeat(SHOWN - 1)));
        assert_eq!(shown(&"x".repeat(SHOWN).into()).len(), SHOWN);
    }
}
