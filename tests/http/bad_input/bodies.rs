//! Bodies that are no request.

use serde_json::json;

use super::{INVALID, PATH, PLAIN, complaint, gateway, post};
use crate::support::{
    http::request,
    query::{begin, refused, values, works},
};

#[tokio::test]
async fn rejects_invalid_json_with_its_position() {
    let gateway = gateway().await;
    for (body, place) in [
        (r#"{not json"#, "line 1, column 2"),
        ("{\"statement\":\n  \"RETURN 1\"\n  \"parameters\":{}}", "line 3, column 3"),
        (r#"{"statement":"RETURN 1""#, "line 1, column 24"),
        (r#"{"statement":"RETURN 1"#, "line 1, column 23"),
        (r#"{"statement":'RETURN 1'}"#, "line 1, column 14"),
        (r#"{"statement":"RETURN 1",}"#, "line 1, column 25"),
        (r#"{statement:"RETURN 1"}"#, "line 1, column 2"),
        ("{\"statement\":\"a\nb\"}", "line 1, column 16"),
        (r#"{"statement":"\q"}"#, "line 1, column 15"),
        (r#"{"parameters":{"x":01}}"#, "line 1, column 20"),
        (r#"{"parameters":{"x":NaN}}"#, "line 1, column 20"),
        (r#"{"parameters":{"x":[1 2]}}"#, "line 1, column 23"),
        (r#"{"parameters":{"x":[1}}"#, "line 1, column 22"),
        (r#"{"statement":"RETURN 1" // comment"#, "line 1, column 25"),
        (" ", "line 1, column 2"),
        // In characters, not in bytes.
        (r#"{"statement":"Grüße 😀" x}"#, "line 1, column 24"),
    ] {
        let message = complaint(&gateway, PLAIN, body).await;
        assert!(message.starts_with(&format!("Bad Request: {place} (byte ")), "{body}: {message}");
    }
}

#[tokio::test]
async fn rejects_json_that_is_not_an_object() {
    let gateway = gateway().await;
    for (body, name) in [("[]", "array"), ("null", "null"), ("1", "1"), ("\"x\"", "string"), ("true", "true")] {
        let message = complaint(&gateway, PLAIN, body).await;
        assert!(message.contains(name) && message.contains("object"), "{body}: {message}");
    }
}

#[tokio::test]
async fn rejects_unknown_fields_by_name() {
    let gateway = gateway().await;
    for (body, name) in [
        (r#"{"statement":"RETURN 1","paramters":{}}"#, "paramters"),
        (r#"{"statement":"RETURN 1","Statement":"RETURN 2"}"#, "Statement"),
        (r#"{"unknown":null,"statement":"RETURN 1"}"#, "unknown"),
        (r#"{"statements":[{"statement":"RETURN 1"}]}"#, "statements"),
        (r#"{"statement":"RETURN 1","notificationsFilter":{"severity":"OFF"}}"#, "severity"),
    ] {
        let message = complaint(&gateway, PLAIN, body).await;
        assert!(message.starts_with("Bad Request: ") && message.contains(&format!("`{name}`")), "{message}");
    }
}

#[tokio::test]
async fn rejects_transaction_options_after_the_first_request() {
    let gateway = gateway().await;
    let path = begin(&gateway, &json!({ "accessMode": "READ" })).await;
    for (field, value) in [
        ("accessMode", json!("READ")),
        ("maxExecutionTime", json!(1)),
        ("bookmarks", json!([])),
        ("impersonatedUser", json!(null)),
        ("txType", json!("IMPLICIT")),
        ("txMetadata", json!({})),
        ("notificationsFilter", json!({})),
    ] {
        let told = refused(&gateway.post(&path, &json!({ field: value }).to_string()).await);
        assert_eq!((told.status, told.code.as_str()), (400, INVALID), "{field}");
        assert!(told.message.contains(&format!("`{field}`")), "{}", told.message);
    }
    assert_eq!(gateway.post(&format!("{path}/commit"), "{}").await.status, 202);
}

#[tokio::test]
async fn rejects_values_of_the_wrong_type_by_name() {
    let gateway = gateway().await;
    for (field, value) in [
        ("statement", json!(["RETURN 1"])),
        ("statement", json!({})),
        ("parameters", json!(123)),
        ("parameters", json!([1])),
        ("parameters", json!("x")),
        ("includeCounters", json!("maybe")),
        ("includeCounters", json!([])),
        ("accessMode", json!("bananas")),
        ("accessMode", json!("")),
        ("maxExecutionTime", json!("soon")),
        ("maxExecutionTime", json!(2_147_483_648_i64)),
        ("bookmarks", json!("FB:x")),
        ("bookmarks", json!([1])),
        ("bookmarks", json!([null])),
        ("bookmarks", json!([""])),
        ("impersonatedUser", json!(["x"])),
        ("txType", json!({})),
        ("txMetadata", json!(1)),
        ("notificationsFilter", json!("OFF")),
        ("notificationsFilter", json!({ "minimumSeverityLevel": "off" })),
        ("notificationsFilter", json!({ "disabledCategories": ["HINT", "HOPE"] })),
    ] {
        let mut request = json!({ "statement": "RETURN 1" });
        request[field] = value;
        let message = complaint(&gateway, PLAIN, request.to_string()).await;
        assert!(message.contains(field), "{request}: {message}");
    }
}

#[tokio::test]
async fn rejects_a_query_without_a_statement() {
    let gateway = gateway().await;
    for body in ["", "{}", r#"{"statement":null}"#, r#"{"statement":""}"#, r#"{"parameters":{}}"#] {
        assert_eq!(complaint(&gateway, PLAIN, body).await, "statement cannot be null or empty", "{body}");
    }
    let blank = refused(&post(&gateway, PLAIN, br#"{"statement":"  "}"#).await);
    assert_eq!((blank.status, blank.code.as_str()), (400, "Neo.ClientError.Statement.SyntaxError"));
}

#[tokio::test]
async fn uses_the_last_of_repeated_keys() {
    let gateway = gateway().await;
    for (body, expected) in [
        (r#"{"statement":"RETURN 1 AS a","statement":"RETURN 2 AS a"}"#, 2),
        (r#"{"statement":"RETURN $x AS a","parameters":{"x":1,"x":2}}"#, 2),
        (r#"{"statement":"RETURN $x AS a","parameters":{"x":1},"parameters":{"x":3}}"#, 3),
        (r#"{"statement":"RETURN $x.y AS a","parameters":{"x":{"y":1,"y":4}}}"#, 4),
        (r#"{"accessMode":"bananas"}"#, 0),
    ] {
        let response = post(&gateway, PLAIN, body.as_bytes()).await;
        if expected == 0 {
            assert_eq!(response.status, 400, "{response}");
        } else {
            assert_eq!(values(&response), json!([[expected]]), "{body}");
        }
    }
}

#[tokio::test]
async fn ignores_text_after_the_object() {
    let gateway = gateway().await;
    for tail in ["}", " ]", "{\"statement\":\"RETURN 2\"}", "\0"] {
        let body = format!(r#"{{"statement":"RETURN 1 AS a"}}{tail}"#);
        assert_eq!(values(&post(&gateway, PLAIN, body.as_bytes()).await), json!([[1]]), "{tail:?}");
    }
}

#[tokio::test]
async fn rejects_bytes_that_are_not_unicode() {
    let gateway = gateway().await;
    let gzip: &[u8] = &[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0xAB, 0x56];
    for (body, hint) in [
        (&b"{\"statement\":\"RETURN '\xFF'\"}"[..], "byte 22"),
        (b"{\"statement\":\"RETURN '\xED\xA0\x80'\"}", "byte 22"),
        (b"{\"statement\":\"RETURN '\xC3", "UTF-8"),
        (gzip, "UTF-8"),
        (&[0xFE, 0xFF, 0xD8, 0x00, 0x00, 0x22], "UTF-16"),
    ] {
        let message = complaint(&gateway, PLAIN, body).await;
        assert!(message.contains(hint), "{body:x?}: {message}");
    }
}

#[tokio::test]
async fn passes_database_errors_on_unchanged() {
    let gateway = gateway().await;
    for (request, code, message) in [
        (json!({ "statement": "RETURN $a, $b" }), "Statement.ParameterMissing", "Expected parameter(s): a, b"),
        (json!({ "statement": "RETURN 1/0 AS f" }), "Statement.ArithmeticError", "/ by zero"),
    ] {
        let told = refused(&gateway.post(PATH, &request.to_string()).await);
        let code = format!("Neo.ClientError.{code}");
        assert_eq!((told.status, told.code, told.message.as_str()), (400, code, message));
        works(&gateway).await;
    }
    let syntax = refused(&gateway.query("RETURN\n 'ü' +").await);
    assert_eq!((syntax.status, syntax.code.as_str()), (400, "Neo.ClientError.Statement.SyntaxError"));
    assert!(syntax.message.contains("(line 2, column "), "{}", syntax.message);
}

#[tokio::test]
async fn keeps_serving_after_a_truncated_body() {
    let gateway = gateway().await;
    for head in ["Content-Length: 1000", "Transfer-Encoding: chunked"] {
        let bytes = format!("POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {PLAIN}\r\n{head}\r\n\r\n");
        for tail in ["", "5\r\n{\"sta", "zz\r\n"] {
            let mut connection = crate::support::http::Connection::open(gateway.address()).await;
            connection.send(format!("{bytes}{tail}").as_bytes()).await;
            drop(connection);
            works(&gateway).await;
        }
    }
    let chunked = [("Content-Type", PLAIN), ("Transfer-Encoding", "chunked")];
    let told = refused(&request(gateway.address(), "POST", PATH, &chunked, b"zz\r\n{}\r\n0\r\n\r\n").await);
    assert_eq!((told.status, told.code.as_str()), (400, INVALID));
}
