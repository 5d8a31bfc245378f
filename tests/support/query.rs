//! Requests and answers of the Query API, for tests that are not about their spelling.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{gateway::Gateway, http::Response};

/// The body of an answer, which has to be JSON.
pub fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_else(|error| panic!("not JSON ({error}):\n{response}"))
}

/// The rows of an answer that went well.
pub fn values(response: &Response) -> Value {
    let body = body(response);
    assert!(response.status == 202 && body.get("errors").is_none(), "{response}");
    body["data"]["values"].clone()
}

/// What an error says.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    pub status: u16,
    pub code: String,
    pub message: String,
}

/// The error of an answer that is one from its first byte: one error in the API's envelope, and nothing else.
pub fn refused(response: &Response) -> Refused {
    let content_type = response.header("Content-Type").unwrap_or_default();
    assert!(content_type.starts_with("application/"), "{response}");
    let body = body(response);
    let [error] = &body["errors"].as_array().unwrap_or_else(|| panic!("no errors:\n{response}"))[..] else {
        panic!("not one error:\n{response}");
    };
    let text = |key: &str| error[key].as_str().unwrap_or_else(|| panic!("no {key}:\n{response}")).to_owned();
    let refused = Refused { status: response.status, code: text("code"), message: text("message") };
    assert!(refused.status >= 400, "{response}");
    assert_eq!(body, json!({ "errors": [{ "code": refused.code, "message": refused.message }] }), "{response}");
    refused
}

/// Opens a transaction with this body, and gives its path.
pub async fn begin(gateway: &Gateway, request: &Value) -> String {
    let response = gateway.post("/db/neo4j/query/v2/tx", &request.to_string()).await;
    assert_eq!(response.status, 202, "{response}");
    format!("/db/neo4j/query/v2/tx/{}", transaction_id(&response))
}

/// The handle that an answer names.
pub fn transaction_id(response: &Response) -> String {
    let body = body(response);
    body["transaction"]["id"].as_str().unwrap_or_else(|| panic!("no transaction:\n{response}")).to_owned()
}

/// Shows that the gateway still works.
pub async fn works(gateway: &Gateway) {
    assert_eq!(values(&gateway.query("RETURN 1 AS one").await), json!([[1]]));
}

/// How many nodes have the label, as the rest of the world sees it.
pub async fn count(gateway: &Gateway, label: &str) -> i64 {
    let response = gateway.query(&format!("MATCH (n:{label}) RETURN count(n) AS n")).await;
    values(&response)[0][0].as_i64().unwrap_or_else(|| panic!("no number:\n{response}"))
}

/// `Basic …`.
pub fn authorization(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

/// What a wrong password gets.
pub fn is_refusal(answer: &Response) {
    let error = refused(answer);
    assert_eq!((error.status, error.code.as_str()), (401, "Neo.ClientError.Security.Unauthorized"), "{answer}");
    assert_eq!(error.message, "Invalid credential.");
    assert!(answer.header("WWW-Authenticate").is_some(), "{answer}");
}
