//! Answers that are errors from their first byte.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    answer,
    media::{Format, JSON},
    status,
};
use crate::{
    auth,
    query::{Error, Kind},
};

const TOKEN_EXPIRED: &str = "Neo.ClientError.Security.TokenExpired";
const REQUEST_INVALID: &str = "Neo.ClientError.Request.Invalid";

/// An error with its status, and the format it is told in.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: Error,
    format: Format,
    /// It is the token that is at fault.
    invalid_token: bool,
}

const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"Neo4j\", Bearer realm=\"Neo4j\"");
/// The same, and says whose fault it is (RFC 6750, section 3.1).
const INVALID_TOKEN: HeaderValue =
    HeaderValue::from_static("Basic realm=\"Neo4j\", Bearer realm=\"Neo4j\", error=\"invalid_token\"");

impl Refusal {
    /// Something that HTTP itself has a status for; told in plain JSON whatever `Accept` says.
    pub(super) fn plain(status: StatusCode, message: &str) -> Self {
        let error = Error::new(Kind::BadRequest, REQUEST_INVALID, message);
        Self { status, error, format: Format::plain(), invalid_token: false }
    }

    /// What is not there.
    pub(super) fn not_found() -> Self {
        Self::plain(StatusCode::NOT_FOUND, "Not Found")
    }

    /// A verb that means nothing here.
    pub(super) fn method_not_allowed() -> Self {
        Self::plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
    }

    /// A bug of the gateway.
    pub(super) fn internal() -> Self {
        let error = Error::new(
            Kind::Database,
            "Neo.DatabaseError.General.UnknownError",
            "The gateway failed while it served this request; its log says more.",
        );
        Self::of(error, Format::plain())
    }

    /// A header that cannot be read.
    pub(super) fn bad_header(detail: &str) -> Self {
        Self::of(Error::bad_request(detail), Format::plain())
    }

    /// `Authorization` that is neither Basic nor Bearer.
    pub(super) fn bad_authorization() -> Self {
        Self::of_auth(&auth::Error::Malformed)
    }

    /// A credential that is not taken.
    pub(super) fn of_auth(error: &auth::Error) -> Self {
        use auth::Error::{Expired, Malformed, SchemeNotAllowed, Token, Unsendable};
        let (kind, code) = match error {
            Malformed => (Kind::BadRequest, "Neo.ClientError.Request.InvalidFormat"),
            SchemeNotAllowed => (Kind::BadRequest, REQUEST_INVALID),
            Token(reason) if reason.is_unavailable() => {
                (Kind::Unavailable, "Neo.TransientError.General.DatabaseUnavailable")
            }
            Expired => (Kind::Unauthorized, TOKEN_EXPIRED),
            Token(reason) if reason.is_expired() => (Kind::Unauthorized, TOKEN_EXPIRED),
            _ => (Kind::Unauthorized, "Neo.ClientError.Security.Unauthorized"),
        };
        let invalid_token = matches!(error, Expired | Token(_) | Unsendable(_));
        let error = Error::new(kind, code, error.to_string());
        Self { status: status::of(kind), error, format: credential_format(), invalid_token }
    }

    /// Any other error, in the format that was asked for.
    pub(super) fn of(error: Error, format: Format) -> Self {
        let format = if concerns_credentials(&error) { credential_format() } else { format };
        Self { status: status::of(error.kind), error, format, invalid_token: false }
    }
}

/// Problems with credentials look the same whatever `Accept` says.
fn credential_format() -> Format {
    Format { content_type: "application/json;charset=utf-8".into(), ..Format::plain() }
}

/// Whether the database did not accept the caller.
pub(super) fn concerns_credentials(error: &Error) -> bool {
    matches!(error.kind, Kind::Unauthorized | Kind::TooManyAttempts)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Body::from(answer::error(self.format.layout, &self.error));
        let mut response = respond(self.status, &self.format.content_type, body);
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            StatusCode::UNAUTHORIZED => {
                let challenge = if self.invalid_token { INVALID_TOKEN } else { CHALLENGE };
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
            _ => {}
        }
        if self.status.is_server_error() {
            tracing::warn!(
                status = self.status.as_u16(),
                code = self.error.code,
                reason = self.error.message,
                "request failed"
            );
        }
        response
    }
}

/// A response with a content type.
pub(super) fn respond(status: StatusCode, content_type: &str, body: Body) -> Response {
    let content_type = HeaderValue::from_str(content_type).unwrap_or(HeaderValue::from_static(JSON));
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}
