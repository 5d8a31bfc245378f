//! `Server-Timing`: how long the parts of an answer took, for browsers and for requests that ask for it.

use std::{fmt::Write as _, time::Duration};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::telemetry::record::Record;

/// The header of the answer.
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
/// Asks for it, if `http.server_timing` does not.
const TIMING: HeaderName = HeaderName::from_static("boltgate-timing");

/// Whether a request asks for the header.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    headers.get(TIMING).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"on"))
}

/// Adds the header to an answer whose head is ready after `total`.
pub(super) fn add(headers: &mut HeaderMap, record: &Record, total: Duration) {
    let parts =
        [("auth", record.auth()), ("wait", record.wait()), ("database", record.database()), ("total", Some(total))];
    let mut value = String::new();
    for (name, duration) in parts {
        let Some(duration) = duration else { continue };
        let separator = if value.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(value, "{separator}{name};dur={}", Milliseconds(duration));
    }
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(SERVER_TIMING, value);
    }
}

/// A duration in milliseconds, with at most three decimals.
struct Milliseconds(Duration);

impl std::fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let microseconds = self.0.as_micros();
        let (whole, rest) = (microseconds / 1000, microseconds % 1000);
        match (rest, rest % 10, rest % 100) {
            (0, ..) => write!(f, "{whole}"),
            (_, _, 0) => write!(f, "{whole}.{}", rest / 100),
            (_, 0, _) => write!(f, "{whole}.{:02}", rest / 10),
            _ => write!(f, "{whole}.{rest:03}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::spans::Operation;

    #[test]
    fn durations_have_at_most_three_decimals() {
        for (microseconds, text) in [
            (0, "0"),
            (1, "0.001"),
            (50, "0.05"),
            (100, "0.1"),
            (3_400, "3.4"),
            (12_345, "12.345"),
            (12_340, "12.34"),
            (10_000, "10"),
            (1_000_010, "1000.01"),
        ] {
            assert_eq!(Milliseconds(Duration::from_micros(microseconds)).to_string(), text);
        }
        assert_eq!(Milliseconds(Duration::from_nanos(1_999)).to_string(), "0.001");
    }

    #[test]
    fn parts_that_did_not_happen_are_left_out() {
        let text = |record: &Record| {
            let mut headers = HeaderMap::new();
            add(&mut headers, record, Duration::from_millis(3));
            headers[SERVER_TIMING].to_str().unwrap().to_owned()
        };
        let record = Record::default();
        assert_eq!(text(&record), "total;dur=3");
        record.add_auth(Duration::from_micros(100));
        assert_eq!(text(&record), "auth;dur=0.1, total;dur=3");
        drop(record.waits());
        record.database_asked(Operation::Begin, None);
        let all = text(&record);
        assert!(all.starts_with("auth;dur=0.1, wait;dur=") && all.contains(", database;dur="), "{all}");
    }
}
