//! Whole answers that are errors.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    access_log::Code,
    challenge::Unusual,
    encode::{self, At},
    media::{Format, JSON},
    methods::Methods,
    path,
    status::Statuses,
    verdict::mark,
};
use crate::{
    auth,
    idempotency::Refused,
    query::{Error, Kind},
    telemetry::observer::RefusalReason,
};

const TOKEN_EXPIRED: &str = "Neo.ClientError.Security.TokenExpired";
/// The content codings of request bodies.
const CODINGS: &str = "gzip, zstd";
const REQUEST_INVALID: &str = "Neo.ClientError.Request.Invalid";

/// An error on its way to the client: its status, its format, and what its headers advise.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The status, if HTTP itself has one for this; otherwise the kind of the error decides.
    status: Option<StatusCode>,
    error: Error,
    /// The part of the request that the error is about. Few have one.
    at: Option<Box<At>>,
    format: Format,
    advice: Option<Advice>,
}

/// What a header of the answer tells the client to do instead.
#[derive(Debug, Clone, Copy)]
enum Advice {
    /// To send another token, since this one is at fault.
    AnotherToken,
    /// To use one of these methods.
    Allow(Methods),
    /// To use a content coding that is supported.
    AnotherCoding,
}

impl Refusal {
    /// An error that HTTP itself has a status for, in plain JSON whatever `Accept` says.
    pub(super) fn plain(status: StatusCode, message: &str) -> Self {
        Self::stated(status, Error::invalid(message))
    }

    /// An error with a code of its own that HTTP itself has a status for, in plain JSON.
    pub(super) fn stated(status: StatusCode, error: Error) -> Self {
        Self { status: Some(status), ..Self::told(error, Format::plain()) }
    }

    fn told(error: Error, format: Format) -> Self {
        Self { status: None, error, at: None, format, advice: None }
    }

    /// A caller that may not send statements of its own.
    pub(super) fn of_own_cypher() -> Self {
        let message = "This caller may not send statements of its own (cypher.allow). Call a named query instead; GET \
                       /db/{db}/named lists those that it may call.";
        Self::stated(StatusCode::FORBIDDEN, Error::forbidden(message))
    }

    /// A path that does not exist. The message names what the client may have meant.
    pub(super) fn not_found(path: &str) -> Self {
        Self::plain(StatusCode::NOT_FOUND, &format!("Not Found: {}", path::instead_of(path)))
    }

    /// A method that the path does not have. `methods` are those that it has.
    pub(super) fn method_not_allowed(methods: Methods) -> Self {
        let message = format!("Method Not Allowed: this address takes {}", methods.names().replace(',', ", "));
        let refusal = Self::plain(StatusCode::METHOD_NOT_ALLOWED, &message);
        Self { advice: Some(Advice::Allow(methods)), ..refusal }
    }

    /// An `Accept` that allows none of `types`.
    pub(super) fn not_acceptable(types: &str) -> Self {
        Self::plain(StatusCode::NOT_ACCEPTABLE, &format!("Not Acceptable: send Accept: {types}"))
    }

    /// A body whose type is not among `types`.
    pub(super) fn unsupported_media_type(types: &str) -> Self {
        let message = format!("Unsupported Media Type: send Content-Type: {types}");
        Self::plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message)
    }

    /// A body with a content coding that is not supported.
    pub(super) fn unsupported_coding(coding: &str) -> Self {
        let message = format!(
            "Unsupported Media Type: Content-Encoding: {coding} is not supported; send the body in one of {CODINGS}, or \
             without an encoding"
        );
        let refusal = Self::plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message);
        Self { advice: Some(Advice::AnotherCoding), ..refusal }
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

    /// A header, or a body, that cannot be read.
    pub(super) fn bad_header(detail: &str) -> Self {
        Self::of(Error::bad_request(detail), Format::plain())
    }

    /// A credential that is not accepted.
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
        let advice = matches!(error, Expired | Token(_) | Unsendable(_)).then_some(Advice::AnotherToken);
        let error = Error::new(kind, code, error.to_string());
        Self { advice, ..Self::told(error, credential_format()) }
    }

    /// A request whose key cannot be used. Its status is the same whichever statuses were asked for.
    pub(super) fn of_key(refused: Refused) -> Self {
        let (status, kind, code, message) = match refused {
            Refused::KeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                Kind::BadRequest,
                "Boltgate.ClientError.Idempotency.KeyReused",
                "This Idempotency-Key was used before, for a request that differs from this one in its method, path, \
                 query, body, or one of the headers Accept, Content-Type and Boltgate-*. Use another key for another \
                 request.",
            ),
            Refused::InProgress => (
                StatusCode::CONFLICT,
                Kind::Unavailable,
                "Boltgate.ClientError.Idempotency.RequestInProgress",
                "The first request with this Idempotency-Key is still being carried out. Send this one again later to \
                 get its answer.",
            ),
            Refused::StoreFull => (
                StatusCode::SERVICE_UNAVAILABLE,
                Kind::Unavailable,
                "Boltgate.TransientError.Idempotency.StoreFull",
                "No room is left to keep another answer under an Idempotency-Key (idempotency.capacity). Nothing was \
                 done; try again later.",
            ),
            Refused::CallerFull => (
                StatusCode::SERVICE_UNAVAILABLE,
                Kind::Unavailable,
                "Boltgate.TransientError.Idempotency.StoreFull",
                "The answers kept for this caller under an Idempotency-Key fill its half of the memory for them \
                 (idempotency.capacity). Nothing was done; try again later.",
            ),
            Refused::OutcomeUnknown => (
                StatusCode::BAD_GATEWAY,
                Kind::OutcomeUnknown,
                "Boltgate.DatabaseError.Transaction.OutcomeUnknown",
                "The request with this Idempotency-Key has ended, but its answer was lost, or too large to be kept \
                 (idempotency.max_answer, idempotency.capacity); whether it took effect is not known. Look at the data, \
                 and use another key if it has to be carried out again.",
            ),
        };
        Self::stated(status, Error::new(kind, code, message))
    }

    /// Any other error, in the format that the client asked for.
    pub(super) fn of(error: Error, format: Format) -> Self {
        let format = if concerns_credentials(&error) {
            Format { statuses: format.statuses, ..credential_format() }
        } else {
            format.of_errors()
        };
        Self::told(error, format)
    }

    /// Says that a limit of the gateway's own is the reason.
    pub(super) fn by_limit(mut self, limit: RefusalReason) -> Self {
        self.error.limit = Some(limit);
        self
    }

    /// Adds the part of the request that the error is about.
    pub(super) fn at(self, at: Option<At>) -> Self {
        Self { at: at.map(Box::new), ..self }
    }

    /// Sets the statuses that the client asked for.
    pub(super) fn with(mut self, statuses: Statuses) -> Self {
        self.format.statuses = statuses;
        self
    }
}

/// The format of errors about credentials, which look the same whatever `Accept` says.
fn credential_format() -> Format {
    Format { content_type: "application/json;charset=utf-8".into(), ..Format::plain() }
}

/// Whether the error says that the database did not accept the caller.
pub(super) fn concerns_credentials(error: &Error) -> bool {
    matches!(error.kind, Kind::Unauthorized | Kind::TooManyAttempts | Kind::ExpiredMeanwhile)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status.unwrap_or_else(|| self.format.statuses.of(self.error.kind));
        let body = Body::from(encode::error(&self.format, &self.error, self.at.as_deref().copied()));
        let mut response = respond(status, &self.format.content_type, body);
        advise(&mut response, &self.error);
        response.extensions_mut().insert(Code(self.error.code));
        match self.advice {
            Some(Advice::Allow(methods)) => {
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods.names()));
            }
            Some(Advice::AnotherCoding) => {
                response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static(CODINGS));
            }
            Some(Advice::AnotherToken) => {
                response.extensions_mut().insert(Unusual::TokenAtFault);
            }
            None => {}
        }
        response
    }
}

/// Says in the head of a response that ends with `error` when to come back, and marks it.
pub(super) fn advise(response: &mut Response, error: &Error) {
    mark(response, error);
    if response.status() == StatusCode::SERVICE_UNAVAILABLE
        || matches!(error.kind, Kind::Unavailable | Kind::CallerLimit)
    {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
}

/// Makes a response with a content type.
pub(super) fn respond(status: StatusCode, content_type: &str, body: Body) -> Response {
    let content_type = HeaderValue::from_str(content_type).unwrap_or(HeaderValue::from_static(JSON));
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_keys_say_whether_to_send_the_request_again() {
        use Refused::{CallerFull, InProgress, KeyReused, OutcomeUnknown, StoreFull};
        for (refused, status, retryable) in [
            (KeyReused, 422, false),
            (InProgress, 409, true),
            (StoreFull, 503, true),
            (CallerFull, 503, true),
            (OutcomeUnknown, 502, false),
        ] {
            let refusal = Refusal::of_key(refused);
            assert_eq!(refusal.error.kind.is_retryable(), retryable, "{refused:?}");
            assert_eq!(refusal.into_response().status().as_u16(), status, "{refused:?}");
        }
    }
}
