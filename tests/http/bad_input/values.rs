//! Parameters that cannot be what they claim to be.

use serde_json::{Value, json};

use super::{PLAIN, TYPED, complaint, gateway};

fn with_parameter(json: &str) -> String {
    format!(r#"{{"statement":"RETURN 1","parameters":{{"p":{json}}}}}"#)
}

#[tokio::test]
async fn rejects_integers_beyond_64_bits_with_their_position() {
    let gateway = gateway().await;
    for number in ["9223372036854775808", "-9223372036854775809", "123456789012345678901234567890"] {
        for (json, place) in [
            (number.to_owned(), "parameters.p"),
            (format!("[0,[{number}]]"), "parameters.p[1][0]"),
            (format!(r#"{{"a":{{"b":[1,{number}]}}}}"#), "parameters.p.a.b[1]"),
        ] {
            let message = complaint(&gateway, PLAIN, with_parameter(&json)).await;
            assert!(message.starts_with(&format!("Bad Request: {place}: {number} ")), "{message}");
            assert!(message.contains("64 bits"), "{message}");
        }
    }
}

#[tokio::test]
async fn rejects_untyped_values_in_typed_json() {
    let gateway = gateway().await;
    for (json, place) in [
        ("1", "parameters.p"),
        ("[1]", "parameters.p"),
        (r#"{"$type":"List","_value":[1]}"#, "parameters.p[0]"),
        (r#"{"$type":"Map","_value":{"k":null}}"#, "parameters.p.k"),
        (r#"{"$type":"Integer"}"#, "parameters.p"),
        (r#"{"$type":"Integer","_value":"1","more":1}"#, "parameters.p"),
        (r#"{"$type":"Integer","_value":"1.0"}"#, "parameters.p"),
        (r#"{"$type":"Integer","_value":"9223372036854775808"}"#, "parameters.p"),
        (r#"{"$type":"Float","_value":"1,5"}"#, "parameters.p"),
        (r#"{"$type":"String","_value":null}"#, "parameters.p"),
        (r#"{"$type":"Base64","_value":"!"}"#, "parameters.p"),
        (r#"{"$type":"Date","_value":"2021-02-29"}"#, "parameters.p"),
        (r#"{"$type":"Time","_value":"12:00"}"#, "parameters.p"),
        (r#"{"$type":"ZonedDateTime","_value":"2020-01-01T00:00:00Z[Mars/Olympus]"}"#, "parameters.p"),
        (r#"{"$type":"Duration","_value":"1 day"}"#, "parameters.p"),
        (r#"{"$type":"Point","_value":"POINT (1 2 3)"}"#, "parameters.p"),
        (
            r#"{"$type":"Map","_value":{"k":{"$type":"List","_value":[{"$type":"Date","_value":"x"}]}}}"#,
            "parameters.p.k[0]",
        ),
    ] {
        let message = complaint(&gateway, TYPED, with_parameter(json)).await;
        assert!(message.starts_with(&format!("Bad Request: {place}: ")), "{json}: {message}");
    }
}

#[tokio::test]
async fn names_unknown_types_as_neo4j_does() {
    let gateway = gateway().await;
    for (json, kind) in [
        (json!({ "$type": "Node", "_value": {} }), "Node"),
        (json!({ "$type": "integer", "_value": "1" }), "integer"),
        (json!({ "$type": "Vector", "_value": {} }), "Vector"),
        (json!({ "_value": 1 }), "null"),
        (json!({}), "null"),
        (json!({ "$type": 1, "_value": 1 }), "1"),
    ] {
        let message = complaint(&gateway, TYPED, with_parameter(&json.to_string())).await;
        assert_eq!(message, format!("Type {kind} is not supported."), "{json}");
    }
}

#[tokio::test]
async fn passes_on_that_the_embedded_database_cannot_store_a_value() {
    let gateway = gateway().await;
    for (kind, value) in [("Base64", "AQID"), ("Point", "SRID=7203;POINT (1.5 2.5)")] {
        let parameters = json!({ "p": { "$type": kind, "_value": value } });
        let request = json!({ "statement": "RETURN $p AS p", "parameters": parameters }).to_string();
        let response = super::post(&gateway, TYPED, request.as_bytes()).await;
        let told = crate::support::query::refused(&response);
        assert_eq!(told.status, 400, "{told:?}");
        super::works(&gateway).await;
    }
}

#[tokio::test]
async fn validates_metadata_like_parameters() {
    let gateway = gateway().await;
    let request = |value: Value| json!({ "statement": "RETURN 1", "txMetadata": { "m": value } }).to_string();
    let message = complaint(&gateway, TYPED, request(json!(1))).await;
    assert!(message.starts_with("Bad Request: txMetadata.m: "), "{message}");
}
