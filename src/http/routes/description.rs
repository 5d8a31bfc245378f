//! `GET /openapi.json`: the description of the API. Needs no credentials; with some, it also has the named queries that
//! they may call.

use std::{borrow::Cow, sync::Arc};

use axum::{
    extract::{FromRequestParts as _, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::named::described;
use crate::http::{caller::Caller, etag, gateway::Gateway, media::JSON};

/// The API's description in OpenAPI 3.1.
#[must_use]
pub fn openapi() -> &'static str {
    include_str!("../openapi.json")
}

/// Answers with the description, unless the client has it already.
pub(super) async fn show(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let known = request.headers().clone();
    let mut headers = HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))]);
    let text = if gateway.named.count() > 0 {
        // Another caller may be shown more.
        headers.insert(header::VARY, HeaderValue::from_static("Authorization"));
        with_named(&gateway, request).await
    } else {
        Cow::Borrowed(openapi())
    };
    let tag = etag::tag(text.as_bytes());
    let is_known = etag::is_known(&known, &tag);
    headers.insert(header::ETAG, tag);
    if is_known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(header::CONTENT_TYPE, JSON)], text).into_response()
}

/// The description with the named queries that this request may call, on whatever database.
async fn with_named(gateway: &Arc<Gateway>, request: Request) -> Cow<'static, str> {
    let (mut parts, _) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, gateway).await.ok().map(|caller| caller.call);
    let caller = match caller {
        // A caller whom the database does not accept may call what anybody may.
        Some(caller) if gateway.engine.verify(&caller).await.is_ok() => Some(caller),
        _ => None,
    };
    let queries = gateway.named.all().map(|query| &**query);
    described(queries.filter(|query| match &caller {
        Some(caller) => query.allow.allow(caller),
        None => query.is_open(),
    }))
}
