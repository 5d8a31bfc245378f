//! Understanding a request: path, verb, `Content-Type`, `Accept` and body, judged in Neo4j's order.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, HttpBody as _},
    http::{HeaderMap, Method, StatusCode, request::Parts},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::timeout;

use super::{
    body::{self, BodyError, BodyKind, BodyLimits, QueryBody},
    media::{self, Format, Unfit},
    path::Path,
    refusal::Refusal,
};
use crate::{json::View, query::Error};

/// What a request may cost before it reaches the database.
#[derive(Debug, Clone)]
pub(super) struct RequestLimits {
    /// Longest body, in bytes.
    pub(super) body: usize,
    /// The whole body has to arrive within this.
    pub(super) body_timeout: Duration,
    /// Longest line of a body that is read line by line, in bytes.
    pub(super) line: usize,
    /// Of what stands in the body.
    pub(super) content: BodyLimits,
}

/// A request that has been understood.
#[derive(Debug)]
pub(super) struct Understood<'a> {
    pub(super) path: Path<'a>,
    /// DELETE; otherwise POST.
    pub(super) delete: bool,
    pub(super) format: Format,
    pub(super) body: QueryBody,
}

/// The whole body, within the limits.
pub(super) async fn read(body: Body, limits: &RequestLimits) -> Result<Bytes, Refusal> {
    let too_long = || {
        let message = format!("The request body is longer than {} bytes (limits.body).", limits.body);
        Err(Refusal::plain(StatusCode::PAYLOAD_TOO_LARGE, &message))
    };
    // A length that is given beforehand is believed: what would be refused need not be sent.
    if usize::try_from(body.size_hint().lower()).map_or(true, |length| length > limits.body) {
        return too_long();
    }
    match timeout(limits.body_timeout, Limited::new(body, limits.body).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => too_long(),
        Ok(Err(_)) => Err(Refusal::bad_header("the request body broke off")),
        Err(_) => Err(Refusal::plain(
            StatusCode::REQUEST_TIMEOUT,
            &format!("The request body did not arrive within {:?} (server.body_timeout).", limits.body_timeout),
        )),
    }
}

/// Everything that can be known of a request without the database.
pub(super) fn understand<'a>(
    parts: &'a Parts,
    bytes: Bytes,
    limits: &RequestLimits,
) -> Result<Understood<'a>, Refusal> {
    let path = Path::parse(parts.uri.path()).ok_or_else(|| Refusal::not_found(parts.uri.path()))?;
    let running = matches!(path, Path::Running { .. } | Path::RunningStatement { .. });
    let delete = match (&parts.method, &path) {
        (&Method::GET | &Method::HEAD, Path::Running { .. }) => false,
        (&Method::DELETE, Path::Transaction { .. } | Path::RunningStatement { .. }) => true,
        (&Method::POST, _) if !running => false,
        _ => return Err(Refusal::method_not_allowed(path.methods())),
    };
    if !running {
        uncoded(&parts.headers)?;
    }
    let content = match media::content(&parts.headers) {
        // These have no body, so nothing of it is looked at.
        _ if running => View::Plain,
        Ok(Some(view)) => view,
        // Nothing to say, and nothing said of it.
        Ok(None) if bytes.is_empty() => View::Plain,
        Ok(None) | Err(Unfit::Unsupported) => {
            return Err(Refusal::unsupported_media_type(&media::bodies(matches!(path, Path::Batch { .. }))));
        }
        Err(Unfit::Malformed(detail)) => return Err(Refusal::bad_header(detail)),
    };
    let format = match Format::accepted(&parts.headers) {
        Ok(format) => format,
        Err(Unfit::Unsupported) => return Err(Refusal::not_acceptable(&media::answers())),
        Err(Unfit::Malformed(detail)) => return Err(Refusal::bad_header(detail)),
    };
    if running {
        return Ok(Understood { path, delete, format: Format::plain(), body: QueryBody::default() });
    }
    match read_body(&path, bytes, content, limits) {
        Ok(body) => Ok(Understood { path, delete, format, body }),
        Err(error) => Err(Refusal::of(error, format)),
    }
}

/// Refuses a body that does not come as it is.
pub(super) fn uncoded(headers: &HeaderMap) -> Result<(), Refusal> {
    match media::coding(headers) {
        None => Ok(()),
        Some(coding) => Err(Refusal::unsupported_coding(&coding)),
    }
}

fn read_body(path: &Path<'_>, bytes: Bytes, content: View, limits: &RequestLimits) -> Result<QueryBody, Error> {
    let kind = match path {
        Path::Query { .. } => BodyKind::Query,
        Path::Batch { .. } => BodyKind::Batch,
        Path::Begin { .. } => BodyKind::Opening,
        Path::Transaction { .. } | Path::Commit { .. } | Path::Running { .. } | Path::RunningStatement { .. } => {
            BodyKind::Inside
        }
    };
    let typed = match content {
        View::Plain => None,
        View::Typed(version) => Some(version),
    };
    let body = body::parse(bytes, typed, kind, &limits.content).map_err(in_body)?;
    if body.statement.is_none() && matches!(path, Path::Query { .. }) {
        return Err(missing_statement());
    }
    if body.statements.is_empty() && matches!(path, Path::Batch { .. }) {
        return Err(Error::invalid("statements cannot be null or empty"));
    }
    Ok(body)
}

/// What is said of a body that cannot be read.
pub(super) fn in_body(error: BodyError) -> Error {
    match error {
        BodyError::Malformed(detail) => Error::bad_request(&detail),
        other => Error::invalid(&other.to_string()),
    }
}

/// The one route that is nothing without a statement got none.
pub(super) fn missing_statement() -> Error {
    Error::invalid("statement cannot be null or empty")
}
