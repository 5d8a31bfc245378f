//! Errors as JSON objects.

use bytes::BytesMut;

use crate::{http::status::Statuses, json::output, query::Error};

/// The part of a request that an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum At {
    /// A statement of a batch, counted from 0.
    Statement(usize),
    /// The first and the last of several lines of a body, counted from 1.
    Lines(u64, u64),
}

/// Writes a list of errors.
pub(super) fn write_all(out: &mut BytesMut, errors: &[Error], statuses: Statuses) {
    out.extend_from_slice(b"[");
    for (position, error) in errors.iter().enumerate() {
        if position > 0 {
            out.extend_from_slice(b",");
        }
        write_one(out, error, statuses, None);
    }
    out.extend_from_slice(b"]");
}

/// Writes a list of one error.
pub(super) fn write(out: &mut BytesMut, error: &Error, statuses: Statuses, at: Option<At>) {
    out.extend_from_slice(b"[");
    write_one(out, error, statuses, at);
    out.extend_from_slice(b"]");
}

/// Writes one error as an object.
pub(super) fn write_one(out: &mut BytesMut, error: &Error, statuses: Statuses, at: Option<At>) {
    out.extend_from_slice(b"{\"code\":");
    output::string(out, &error.code);
    out.extend_from_slice(b",\"message\":");
    output::string(out, &error.message);
    match at {
        None => {}
        Some(At::Statement(statement)) => {
            out.extend_from_slice(b",\"statement\":");
            output::integer(out, i64::try_from(statement).unwrap_or(i64::MAX));
        }
        Some(At::Lines(first, last)) => {
            out.extend_from_slice(b",\"lines\":[");
            output::integer(out, i64::try_from(first).unwrap_or(i64::MAX));
            out.extend_from_slice(b",");
            output::integer(out, i64::try_from(last).unwrap_or(i64::MAX));
            out.extend_from_slice(b"]");
        }
    }
    if statuses == Statuses::Precise {
        out.extend_from_slice(if error.kind.is_retryable() { b",\"retryable\":true" } else { b",\"retryable\":false" });
    }
    out.extend_from_slice(b"}");
}
