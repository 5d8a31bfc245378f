//! The headers that set how a transaction is opened.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};

use super::errors::invalid;
use crate::query::{AccessMode, Error};

const ACCESS_MODE: HeaderName = HeaderName::from_static("access-mode");
const BOOKMARKS: HeaderName = HeaderName::from_static("bookmarks");
const MAX_EXECUTION_TIME: HeaderName = HeaderName::from_static("max-execution-time");

/// Whether the transaction may write; it may, unless the header says otherwise.
///
/// # Errors
/// When the header has another value.
pub(super) fn access_mode(headers: &HeaderMap) -> Result<AccessMode, Error> {
    let Some(value) = headers.get(ACCESS_MODE) else { return Ok(AccessMode::Write) };
    let text = String::from_utf8_lossy(value.as_bytes());
    match text.to_ascii_uppercase().as_str() {
        "READ" => Ok(AccessMode::Read),
        "WRITE" => Ok(AccessMode::Write),
        _ => Err(invalid(format!(
            "The header 'access-mode' should be either 'WRITE' or 'READ' but found '{}'.",
            text.chars().take(60).collect::<String>()
        ))),
    }
}

/// The bookmarks that the transaction waits for.
///
/// # Errors
/// When the header is not a list of strings that are not empty.
pub(super) fn bookmarks(headers: &HeaderMap) -> Result<Vec<String>, Error> {
    let Some(value) = headers.get(BOOKMARKS) else { return Ok(Vec::new()) };
    let read = serde_json::from_slice::<Vec<String>>(value.as_bytes()).ok();
    read.filter(|bookmarks| !bookmarks.iter().any(String::is_empty))
        .ok_or_else(|| invalid("Invalid bookmarks header. `bookmarks` must be an array of non-empty string values."))
}

/// How long the transaction may take. As on Neo4j, a header that is no positive number of milliseconds sets no limit.
pub(super) fn max_execution_time(headers: &HeaderMap) -> Option<Duration> {
    let milliseconds = headers.get(MAX_EXECUTION_TIME)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_millis(milliseconds)).filter(|limit| !limit.is_zero())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn with(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn the_access_mode_is_read_or_write_in_any_case() {
        assert_eq!(access_mode(&HeaderMap::new()), Ok(AccessMode::Write));
        assert_eq!(access_mode(&with(ACCESS_MODE, "rEad")), Ok(AccessMode::Read));
        let error = access_mode(&with(ACCESS_MODE, "foo")).unwrap_err();
        let expected = "The header 'access-mode' should be either 'WRITE' or 'READ' but found 'foo'.";
        assert_eq!((error.code.as_str(), error.message.as_str()), ("Neo.ClientError.Request.InvalidFormat", expected));
    }

    #[test]
    fn bookmarks_are_a_list_of_strings() {
        assert_eq!(bookmarks(&HeaderMap::new()), Ok(vec![]));
        assert_eq!(bookmarks(&with(BOOKMARKS, r#"["a", "b"]"#)), Ok(vec!["a".to_owned(), "b".to_owned()]));
        for wrong in ["x", "[1]", r#"[""]"#, "null", r#""a""#] {
            assert!(bookmarks(&with(BOOKMARKS, wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_limit_is_in_milliseconds() {
        let limit = |value| max_execution_time(&with(MAX_EXECUTION_TIME, value));
        assert_eq!(limit("1500"), Some(Duration::from_millis(1500)));
        assert_eq!((limit("0"), limit("-1"), limit("soon")), (None, None, None));
    }
}
