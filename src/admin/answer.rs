//! Answers in JSON, and the errors that any route may answer with.

use std::fmt;

use axum::{
    body::Body,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;

/// An error as a whole answer.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

const INVALID: &str = "Neo.ClientError.Request.Invalid";

impl Refusal {
    /// The request is wrong.
    pub(super) fn invalid(status: StatusCode, message: impl fmt::Display) -> Self {
        Self { status, code: INVALID, message: message.to_string() }
    }

    /// The request does not say who sends it.
    pub(super) fn unauthorized() -> Self {
        let message = "This route requires the header `Authorization: Bearer …` with the token of admin.token.".into();
        Self { status: StatusCode::UNAUTHORIZED, code: "Neo.ClientError.Security.Unauthorized", message }
    }

    /// Nobody may do that here.
    pub(super) fn forbidden(message: &str) -> Self {
        Self { status: StatusCode::FORBIDDEN, code: "Neo.ClientError.Security.Forbidden", message: message.into() }
    }

    /// A transaction was told to end and has not ended.
    pub(super) fn not_ended(message: String) -> Self {
        let code = "Boltgate.TransientError.Transaction.NotEnded";
        Self { status: StatusCode::GATEWAY_TIMEOUT, code, message }
    }

    /// A bug.
    pub(super) fn internal() -> Self {
        let message = "The gateway failed; its log has the details.".into();
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, code: "Neo.DatabaseError.General.UnknownError", message }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, code, message } = self;
        let mut response = respond(status, &json!({ "errors": [{ "code": code, "message": message }] }));
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// An answer with this JSON.
pub(super) fn respond(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => (status, [(header::CONTENT_TYPE, "application/json")], Body::from(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer to an operator could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Answers where there is no route.
pub(super) async fn unknown_path(uri: Uri) -> Refusal {
    Refusal::invalid(StatusCode::NOT_FOUND, format_args!("There is nothing at {}.", uri.path()))
}

/// Answers where a route does not take the method. The router adds those that it takes.
pub(super) async fn wrong_method(method: Method, uri: Uri) -> Refusal {
    Refusal::invalid(StatusCode::METHOD_NOT_ALLOWED, format_args!("{method} cannot be used at {}.", uri.path()))
}
