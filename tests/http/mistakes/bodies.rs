//! Bodies that are not what they should be.

use serde_json::json;

use super::{Differences, INVALID, JSON, ONE, QUERY};
use crate::support::{gateway::start_embedded, http::request, query::values};

#[tokio::test]
async fn a_body_that_is_not_a_statement() {
    let gateway = start_embedded(&[("limits.body", "4KiB"), ("limits.body_memory", "1MiB")]).await;
    let deep =
        format!(r#"{{"statement": "RETURN $x", "parameters": {{"x": {}1{}}}}}"#, "[".repeat(200), "]".repeat(200));
    let large = format!(r#"{{"statement": "RETURN '{}'"}}"#, "x".repeat(5000));
    let mut differences = Differences(Vec::new());
    for (mistake, body, status, code, text) in [
        ("no body", &b""[..], 400, INVALID, "statement cannot be null or empty"),
        ("no JSON", b"RETURN 1", 400, INVALID, "Bad Request: line 1, column 1 (byte 0): expected a value, found 'R'"),
        (
            "single quotes, as a Windows shell passes them on",
            b"'{statement:",
            400,
            INVALID,
            r#"Bad Request: line 1, column 1 (byte 0): expected a value, found '\''; JSON has double quotes only"#,
        ),
        (
            "single quotes inside",
            b"{'statement': 'RETURN 1'}",
            400,
            INVALID,
            r#"Bad Request: line 1, column 2 (byte 1): expected a key in double quotes or }, found '\''; JSON has double quotes only"#,
        ),
        ("a list", b"[]", 400, INVALID, "Bad Request: the body must be an object, not an array"),
        ("an empty object", b"{}", 400, INVALID, "statement cannot be null or empty"),
        (
            "`query` for `statement`",
            br#"{"query": "RETURN 1"}"#,
            400,
            INVALID,
            "Bad Request: unknown field `query`; known fields: statement, parameters, includeCounters, accessMode, maxExecutionTime, bookmarks, impersonatedUser, txType, txMetadata, notificationsFilter, retry, arrow",
        ),
        (
            "the body of the older API",
            br#"{"statements": [{"statement": "RETURN 1"}]}"#,
            400,
            INVALID,
            "Bad Request: unknown field `statements`; known fields: statement, parameters, includeCounters, accessMode, maxExecutionTime, bookmarks, impersonatedUser, txType, txMetadata, notificationsFilter, retry, arrow",
        ),
        ("an empty statement", br#"{"statement": ""}"#, 400, INVALID, "statement cannot be null or empty"),
        (
            "parameters as a list",
            br#"{"statement": "RETURN $x", "parameters": [1]}"#,
            400,
            INVALID,
            "Bad Request: parameters must be an object or null, not an array",
        ),
        (
            "a trailing comma",
            br#"{"statement": "RETURN 1",}"#,
            400,
            INVALID,
            "Bad Request: line 1, column 26 (byte 25): expected a key in double quotes, found '}'",
        ),
        (
            "a comment",
            b"{\"statement\": \"RETURN 1\" // one\n}",
            400,
            INVALID,
            "Bad Request: line 1, column 26 (byte 25): expected a comma or }, found '/'",
        ),
        (
            "NaN",
            br#"{"statement": "RETURN $x", "parameters": {"x": NaN}}"#,
            400,
            INVALID,
            "Bad Request: line 1, column 48 (byte 47): expected a value, found 'N'",
        ),
        (
            "cut off",
            br#"{"statement": "RETURN"#,
            400,
            INVALID,
            "Bad Request: line 1, column 22 (byte 21): expected the closing quote of a string, found the end of the text",
        ),
        (
            "a line break in a text",
            b"{\"statement\": \"RETURN\n1\"}",
            400,
            INVALID,
            r#"Bad Request: line 1, column 22 (byte 21): an unescaped control character in a string; write \u000a"#,
        ),
        (
            "Latin-1",
            b"{\"statement\": \"RETURN '\xE4'\"}",
            400,
            INVALID,
            "Bad Request: the body is not valid UTF-8 at byte 23; send JSON as UTF-8",
        ),
        (
            "too deep",
            deep.as_bytes(),
            400,
            INVALID,
            "Bad Request: parameters.x[0][0][0][0][0]…[0][0][0][0][0][0]: nested deeper than 128 levels; send a flatter value",
        ),
        ("too large", large.as_bytes(), 413, INVALID, "The request body is longer than 4096 bytes (limits.body)."),
    ] {
        let response = request(gateway.address(), "POST", QUERY, &[JSON], body).await;
        differences.look(mistake, &response, status, code, text);
    }
}

/// Neo4j takes these, and so does Boltgate.
#[tokio::test]
async fn a_body_that_is_taken_for_what_it_means() {
    let gateway = start_embedded(&[]).await;
    let utf16: Vec<u8> = ONE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (what, body, expected) in [
        ("the last of two counts", &br#"{"statement": "RETURN 1", "statement": "RETURN 2"}"#[..], 2),
        ("what follows the object is not read", br#"{"statement": "RETURN 1"}{}"#, 1),
        ("UTF-16 shows by itself", &utf16, 1),
    ] {
        let response = request(gateway.address(), "POST", QUERY, &[JSON], body).await;
        assert_eq!(values(&response), json!([[expected]]), "{what}");
    }
}
