//! Faulty parameters as an answer.

use axum::{body::Body, http::StatusCode, response::Response};
use serde::Serialize;

use crate::{
    http::{access_log::Code, media::JSON, refusal::respond, status::Statuses},
    named::Fault,
};

#[derive(Serialize)]
struct Document<'a> {
    errors: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    code: &'static str,
    message: &'a str,
    parameter: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retryable: Option<bool>,
}

/// One error for each faulty parameter.
pub(super) fn response(faults: &[Fault], statuses: Statuses) -> Response {
    let errors = faults.iter().map(|fault| Entry {
        code: fault.code.as_str(),
        message: &fault.message,
        parameter: &fault.parameter,
        retryable: (statuses == Statuses::Precise).then_some(false),
    });
    // Strings in a fixed shape cannot fail to be written.
    let text = serde_json::to_vec(&Document { errors: errors.collect() }).unwrap_or_default();
    let mut response = respond(StatusCode::BAD_REQUEST, JSON, Body::from(text));
    let first = faults.first().map_or_else(String::new, |fault| fault.code.as_str().to_owned());
    response.extensions_mut().insert(Code(first));
    response
}
