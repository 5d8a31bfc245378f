//! One log line per request, at its end.
//!
//! Owns its members and their order. Promises that the query string is never in it, nor anything else that a client may
//! want to keep private.

use std::time::Duration;

use axum::{http::Version, response::Response};
use tracing::Level;

use super::ending::{Ended, RequestHead};
use crate::{config::AccessLog, telemetry::record::Record};

/// The code of the failure that a response reports, as an extension of the response.
#[derive(Debug, Clone)]
pub(super) struct Code(pub(super) String);

/// Notes the failure that a response reports.
pub(super) fn note_code(record: &Record, response: &Response) {
    if let Some(Code(code)) = response.extensions().get() {
        record.fail(code);
    }
}

/// Writes the line of a request, if `access` says so. Successes are also written if the operator has set the level of
/// this module to `debug`.
pub(super) fn write(access: AccessLog, record: &Record, head: &RequestHead, ended: &Ended) {
    let has_failed = ended.status >= 400 || ended.is_gone || record.code().is_some();
    macro_rules! answered {
        ($level:expr) => {
            tracing::event!(
                parent: None,
                $level,
                request_id = record.request_id().as_str(),
                method = head.method.as_str(),
                path = head.uri.path(),
                route = ended.route,
                status = ended.status,
                duration_us = microseconds(ended.duration),
                head_us = ended.to_head.map(microseconds),
                wait_us = record.wait().map(microseconds),
                database_us = record.database().map(microseconds),
                rows = record.rows(),
                request_bytes = record.request_bytes(),
                response_bytes = record.response_bytes(),
                protocol = protocol(head.version),
                client = head.client.map(display),
                caller = record.caller().map(|label| display(Digits(label))),
                attempts = Some(record.attempts()).filter(|attempts| *attempts > 1),
                code = record.code(),
                transaction = record.transaction().map(|id| display(Digits(id))),
                trace_id = record.trace_id().map(display),
                gone = ended.is_gone.then_some(true),
                "answered"
            )
        };
    }
    match (access, has_failed) {
        (AccessLog::Off, _) => {}
        (AccessLog::All, _) | (AccessLog::Failures, true) => answered!(Level::INFO),
        (AccessLog::Failures, false) => answered!(Level::DEBUG),
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "http/1.0",
        Version::HTTP_2 => "http/2",
        _ => "http/1.1",
    }
}

/// A number as 16 hexadecimal digits.
struct Digits(u64);

impl std::fmt::Display for Digits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
