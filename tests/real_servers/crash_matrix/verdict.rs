//! Whether an answer is what the documentation promises.

use serde_json::Value;

use super::table::{Route, Told};
use crate::support::{http::Response, query::body};

const UNAVAILABLE: &str = "Neo.TransientError.General.DatabaseUnavailable";
const OUTCOME_UNKNOWN: &str = "Boltgate.DatabaseError.Transaction.OutcomeUnknown";

/// What is promised, and what the status depends on.
pub struct Expected {
    pub told: Told,
    pub route: Route,
    pub precise: bool,
    pub columns_are_known: bool,
    pub rows_have_left: bool,
}

/// What is wrong with an answer.
pub fn differs(answer: &Response, expected: &Expected) -> Option<String> {
    let status = expected.status();
    if answer.status != status {
        return Some(format!("the status is {}, and not {status}", answer.status));
    }
    let body = body(answer);
    match expected.error() {
        None if body.get("errors").is_some() => Some("it did not go well".to_owned()),
        None => attempts_differ(answer, &body, expected),
        Some((code, end)) => error_differs(&body, expected, code, end),
    }
}

impl Expected {
    fn is_good(&self) -> bool {
        matches!(self.told, Told::Done | Told::DoneAgain | Told::Open)
    }

    fn status(&self) -> u16 {
        match self.told {
            _ if self.is_good() && self.route == Route::RollBack => 200,
            _ if self.is_good() || self.rows_have_left || (self.columns_are_known && !self.precise) => 202,
            Told::Statement | Told::Commit => 502,
            _ => 503,
        }
    }

    /// The code of the error, and how its message ends.
    fn error(&self) -> Option<(&'static str, &'static str)> {
        match self.told {
            Told::Done | Told::DoneAgain | Told::Open => None,
            Told::Statement => Some((OUTCOME_UNKNOWN, "; it is unknown whether the statement took effect")),
            Told::Commit => Some((OUTCOME_UNKNOWN, "; it is unknown whether the transaction was committed")),
            Told::RolledBack => Some((UNAVAILABLE, "; the transaction was rolled back")),
            Told::Unavailable => Some((UNAVAILABLE, "")),
        }
    }
}

fn attempts_differ(answer: &Response, body: &Value, expected: &Expected) -> Option<String> {
    let attempts = body["attempts"].as_i64();
    let header = answer.header("Boltgate-Attempts").and_then(|header| header.parse().ok());
    let is_right = match (expected.route, expected.told) {
        (Route::Batch, Told::DoneAgain) => attempts.is_some_and(|attempts| attempts > 1) && header == attempts,
        (Route::Batch, _) => attempts == Some(1) && header.is_none(),
        (Route::Load, Told::DoneAgain) => attempts > body["committed"]["transactions"].as_i64(),
        (Route::Load, _) => attempts.is_some(),
        _ => attempts.is_none() && header.is_none(),
    };
    (!is_right).then(|| "the number of attempts is wrong".to_owned())
}

fn error_differs(body: &Value, expected: &Expected, code: &str, end: &str) -> Option<String> {
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [error] = errors else {
        return Some(format!("it has {} errors", errors.len()));
    };
    let message = error["message"].as_str().unwrap_or_default();
    if error["code"] != code || !message.ends_with(end) {
        return Some(format!("the error is not {code} \"…{end}\""));
    }
    let retryable = expected.precise.then_some(code == UNAVAILABLE);
    if error.get("retryable").and_then(Value::as_bool) != retryable {
        return Some(format!("retryable is not {retryable:?}"));
    }
    error.get("statement").is_some().then(|| "no statement is at fault".to_owned())
}
