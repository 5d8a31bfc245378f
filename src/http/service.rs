//! Where a request goes, and what it passes on its way.

use std::{
    convert::Infallible,
    net::IpAddr,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    BoxError,
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{
    FutureExt as _,
    future::{lazy, ready},
};

use super::{
    Statuses, access_log,
    gateway::Gateway,
    guard::{Admitted, Grant},
    media::{self, Format},
    path::{Methods, Path},
    query_api,
    refusal::{Refusal, respond},
    settings::Settings,
};
use crate::{auth::Authenticator, query::Engine};

/// The API's description in OpenAPI 3.1.
#[must_use]
pub fn openapi() -> &'static str {
    include_str!("openapi.json")
}

/// All that the gateway serves to clients.
///
/// No route table: each route and each layer around one would put the request on the heap once more, and the Query API's
/// paths are looser than a table can say.
#[derive(Clone)]
pub struct Service {
    gateway: Arc<Gateway>,
    /// Whether a proxy is at the other end that is believed.
    proxied: bool,
}

impl Service {
    /// What the client or proxy at `peer` is served.
    #[must_use]
    pub fn for_peer(&self, peer: IpAddr) -> Self {
        Self { gateway: Arc::clone(&self.gateway), proxied: self.gateway.guard.trusts(peer) }
    }
}

/// What clients are served.
pub fn service(engine: Engine, authenticator: Authenticator, settings: Settings) -> Service {
    let gateway = Gateway::new(engine, authenticator, settings);
    Service { gateway: Arc::new(gateway), proxied: false }
}

impl<B> tower::Service<Request<B>> for Service
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (gateway, request) = (Arc::clone(&self.gateway), request.map(Body::new));
        Box::pin(answer(gateway, self.proxied, request).map(Ok))
    }
}

/// Answers any request, whatever happens.
fn answer(gateway: Arc<Gateway>, proxied: bool, request: Request) -> impl Future<Output = Response> + Send {
    access_log::logged(request, move |request| {
        let grant = gateway.guard.grant(request.headers());
        marked(caught(lazy(move |_| route(gateway, proxied, request)).flatten()), grant)
    })
}

/// The answer, whatever it is, for a page that may read it.
fn marked(
    answer: impl Future<Output = Response> + Send,
    grant: Option<Grant>,
) -> impl Future<Output = Response> + Send {
    answer.map(move |mut answer| {
        if let Some(grant) = grant {
            grant.mark(answer.headers_mut());
        }
        answer
    })
}

/// The answer, or that there is none: a bug of ours. The caller learns that much, the log the rest.
fn caught(answer: impl Future<Output = Response> + Send) -> impl Future<Output = Response> + Send {
    let answer = AssertUnwindSafe(answer).catch_unwind();
    answer.map(|answer| answer.unwrap_or_else(|_| Refusal::internal().into_response()))
}

// Called when the future is polled, where a panic is caught.
fn route(gateway: Arc<Gateway>, proxied: bool, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send>> {
    let admitted = match admitted(&gateway, &request) {
        Ok(admitted) => admitted,
        Err(answer) => return Box::pin(ready(answer)),
    };
    if request.uri().path().starts_with("/db/") && request.method() != Method::OPTIONS {
        // Made where it stays: it is too large to be moved.
        let answer = Box::write(Box::new_uninit(), query_api::answer(gateway, admitted, request));
        Box::into_pin(answer)
    } else {
        Box::pin(ready(at_once(&gateway, proxied, &request)))
    }
}

/// Lets a request pass the guard; else what it is told there.
#[expect(clippy::result_large_err, reason = "an answer is as large as it is, and goes out at once")]
fn admitted(gateway: &Gateway, request: &Request) -> Result<Admitted, Response> {
    let admitted = gateway.guard.admit(request).map_err(|refusal| {
        let statuses = Statuses::wanted(request.headers(), gateway.statuses).unwrap_or(gateway.statuses);
        refusal.with(statuses).into_response()
    })?;
    gateway.guard.preflight(request).map_or(Ok(admitted), Err)
}

/// The answer to what no database is needed for.
fn at_once(gateway: &Gateway, proxied: bool, request: &Request) -> Response {
    match request.uri().path() {
        "/" => reading(request.method(), || gateway.discovery.answer(request, proxied)),
        "/openapi.json" => reading(request.method(), description),
        path if path.starts_with("/db/") => options(path, request.headers()),
        path => Refusal::not_found(path).into_response(),
    }
}

/// The answer to GET and HEAD; anything else is told so.
fn reading(method: &Method, answer: impl FnOnce() -> Response) -> Response {
    match *method {
        Method::GET | Method::HEAD => answer(),
        Method::OPTIONS => (StatusCode::OK, [(header::ALLOW, Methods::Get.names())]).into_response(),
        _ => Refusal::method_not_allowed(Methods::Get).into_response(),
    }
}

/// The verbs of a path, for whoever asks; no credentials are needed. A client that wants a certain type gets it,
/// empty, since there is nothing else to say.
fn options(path: &str, headers: &HeaderMap) -> Response {
    let Some(methods) = Path::parse(path).map(|path| path.methods().names()) else {
        return Refusal::not_found(path).into_response();
    };
    let wanted = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).filter(|accept| *accept != "*/*");
    let allow = [(header::ALLOW, methods)];
    match wanted.map(|_| Format::accepted(headers)) {
        None => (allow, respond(StatusCode::OK, "text/plain", methods.replace(',', ", ").into())).into_response(),
        Some(Ok(format)) => (allow, respond(StatusCode::OK, &format.content_type, Body::empty())).into_response(),
        Some(Err(_)) => Refusal::not_acceptable(&media::answers()).into_response(),
    }
}

fn description() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], openapi()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer_that_pages_can_read() {
        let answer = caught(lazy(|_| unreachable!("as if a handler had a bug")));
        let answer = marked(answer, Some(Grant::to("http://a.example"))).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "http://a.example");
    }
}
