//! The service of a connection: the checks around every request, and its dispatch.

use std::{
    convert::Infallible,
    future::ready,
    net::IpAddr,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    BoxError, Router,
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue},
    response::{IntoResponse as _, Response},
};
use futures_util::FutureExt as _;
use tower::Service as _;
use tracing::Instrument as _;

use super::{
    Settings, Statuses,
    access_log::note_code,
    admission::{counts, until_sent},
    base_url::CameBy,
    challenge::Unusual,
    compressed::compress,
    ending::{CountedBody, Ending, RequestHead},
    gateway::Gateway,
    guard::{Admitted, Guard},
    media::{self, Format},
    path::{Path, canonical_target},
    query_api,
    refusal::Refusal,
    routes, server_timing, traced,
    verdict::report_refusal,
};
use crate::{
    auth::Authenticator,
    live::Live,
    query::{Engine, Error},
    telemetry::{record::Record, request_id::RequestId, trace_context::TraceContext},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Everything that the gateway serves to the client of one connection.
#[derive(Clone)]
pub struct Service {
    front: Live<Front>,
    came_by: CameBy,
    /// The address of the other end; `None` on a Unix socket.
    client: Option<IpAddr>,
}

/// Who is at the other end of a connection, as far as the socket knows.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// The address; `None` on a Unix socket.
    pub address: Option<IpAddr>,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

/// The part of the service that all connections share.
struct Front {
    guard: Arc<Guard>,
    gateway: Arc<Gateway>,
    routes: Router,
}

/// Makes the service for a client that is not a trusted proxy.
pub fn service(engine: Engine, authenticator: Authenticator, settings: Settings) -> Service {
    let guard = Arc::new(Guard::new(settings.guard.clone()));
    let gateway = Arc::new(Gateway::new(engine, authenticator, settings));
    Service { front: Live::new(Front::new(guard, gateway)), came_by: CameBy::default(), client: None }
}

impl Service {
    /// The service for a client or proxy. On a Unix socket it is never a trusted proxy.
    #[must_use]
    pub fn for_peer(&self, Peer { address, tls }: Peer) -> Self {
        let proxied = address.is_some_and(|address| self.front.get().guard.trusts(address));
        let client = address.map(|address| address.to_canonical());
        Self { front: self.front.clone(), came_by: CameBy { proxied, tls }, client }
    }

    /// Serves all requests from now on with other settings; those under way keep theirs. The settings of idempotency and
    /// of discovery stay as they are.
    pub fn update(&self, engine: Engine, authenticator: Authenticator, settings: Settings) {
        let guard = Arc::new(Guard::new(settings.guard.clone()));
        let gateway = Arc::new(self.front.get().gateway.renewed(engine, authenticator, settings));
        self.front.set(Front::new(guard, gateway));
    }
}

impl<B> tower::Service<Request<B>> for Service
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (front, came_by) = (self.front.snapshot(), self.came_by);
        let (guard, gateway) = (Arc::clone(&front.guard), Arc::clone(&front.gateway));
        let statuses = gateway.statuses;
        let answer = recorded(gateway, self.client, came_by, request, move |request, record| {
            guarded(guard, statuses, request, move |request| front.serve(request, came_by, record))
        });
        Box::pin(answer.map(Ok))
    }
}

/// Keeps the record of a request while `answer` answers it, and to the end of the answer's body. Every answer gets the
/// request's id.
fn recorded<B, F>(
    gateway: Arc<Gateway>,
    client: Option<IpAddr>,
    came_by: CameBy,
    request: Request<B>,
    answer: impl FnOnce(Request, Arc<Record>) -> F,
) -> impl Future<Output = Response>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
    F: Future<Output = Response>,
{
    let headers = request.headers();
    let id = RequestId::accept_or_new(headers.get(REQUEST_ID).map(HeaderValue::as_bytes));
    let record = Record::new(id, trace(headers));
    let record = Arc::new(match &gateway.tracer {
        None => record,
        Some(tracer) => traced::begin(tracer, record, &request, client, came_by),
    });
    // At the highest level, so that lines of any level have it.
    let span = tracing::error_span!("request", request_id = record.request_id().as_str());
    let coding = if gateway.compression { media::accepted_coding(headers) } else { None };
    let is_timed = gateway.server_timing || server_timing::is_wanted(headers);
    let head = RequestHead {
        method: request.method().clone(),
        uri: request.uri().clone(),
        version: request.version(),
        client,
    };
    let observer = Arc::clone(gateway.engine.observer());
    let ending = Ending::new(gateway, Arc::clone(&record), head);
    let counted = |body| Body::new(CountedBody { body, record: Arc::clone(&record) });
    let answer = answer(request.map(counted), Arc::clone(&record));
    async move {
        let mut answer = answer.await;
        let to_head = record.started().elapsed();
        note_code(&record, &answer);
        report_refusal(&answer, &*observer);
        ending.gateway.challenges.add(&mut answer);
        let headers = answer.headers_mut();
        if let Ok(id) = HeaderValue::from_bytes(record.request_id().as_bytes()) {
            headers.insert(REQUEST_ID, id);
        }
        if is_timed {
            server_timing::add(headers, &record, to_head);
        }
        if ending.gateway.compression {
            compress(&mut answer, coding, &ending.head.method);
        }
        ending.with_answer(answer, to_head)
    }
    .instrument(span)
}

/// The trace that the request belongs to, if it says so exactly once.
fn trace(headers: &HeaderMap) -> Option<TraceContext> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let first = values.next()?;
    if values.next().is_some() { None } else { TraceContext::parse(first.as_bytes()) }
}

/// Wraps `serve` in what every request gets: the checks of the guard, an answer in case of a panic, and the headers with
/// which pages of other origins may read the answer.
fn guarded<F: Future<Output = Response> + Send>(
    guard: Arc<Guard>,
    statuses: Statuses,
    request: Request,
    serve: impl FnOnce(Request) -> F + Send,
) -> impl Future<Output = Response> + Send {
    let grant = guard.grant(request.headers());
    let answer = async move {
        let Admitted { prompts_itself } = match admit(&guard, statuses, &request) {
            Ok(admitted) => admitted,
            Err(answer) => return answer,
        };
        let mut answer = serve(request).await;
        if prompts_itself {
            answer.extensions_mut().insert(Unusual::PageAsks);
        }
        answer
    };
    caught(answer).map(move |mut answer| {
        if let Some(grant) = grant {
            grant.mark(answer.headers_mut());
        }
        answer
    })
}

/// Has the guard check a request.
///
/// # Errors
/// The guard's own answer: a refusal, or the answer to a preflight.
#[expect(clippy::result_large_err, reason = "an answer is as large as it is, and goes out at once")]
fn admit(guard: &Guard, statuses: Statuses, request: &Request) -> Result<Admitted, Response> {
    let admitted = guard.admit(request).map_err(|refusal| {
        let statuses = Statuses::wanted(request.headers(), statuses).unwrap_or(statuses);
        refusal.with(statuses).into_response()
    })?;
    guard.preflight(request).map_or(Ok(admitted), Err)
}

/// Turns a panic, which is a bug, into a 500. The log has the details.
fn caught(answer: impl Future<Output = Response> + Send) -> impl Future<Output = Response> + Send {
    let answer = AssertUnwindSafe(answer).catch_unwind();
    answer.map(|answer| answer.unwrap_or_else(|_| Refusal::internal().into_response()))
}

impl Front {
    fn new(guard: Arc<Guard>, gateway: Arc<Gateway>) -> Self {
        let routes = routes::router(Arc::clone(&gateway));
        Self { guard, gateway, routes }
    }

    /// Answers a request that has passed the guard. Statements bypass the table of routes.
    fn serve(
        &self,
        mut request: Request,
        came_by: CameBy,
        record: Arc<Record>,
    ) -> Pin<Box<dyn Future<Output = Response> + Send>> {
        if let Some(target) = canonical_target(request.uri()) {
            *request.uri_mut() = target;
        }
        let ticket = if counts(request.method(), request.uri()) {
            match self.gateway.admission.admit(self.gateway.limits.requests) {
                Ok(ticket) => Some(ticket),
                Err(error) => return Box::pin(ready(self.refuse(request.headers(), error))),
            }
        } else {
            None
        };
        let ticket = match ticket {
            Some(ticket) if is_statement(&request, &record) => {
                let gateway = Arc::clone(&self.gateway);
                // Constructed in place: the future is too large to be moved.
                let answer =
                    Box::write(Box::new_uninit(), query_api::answer(gateway, request, came_by, record, ticket));
                return Box::into_pin(answer);
            }
            ticket => ticket.map(Arc::new),
        };
        request.extensions_mut().insert(came_by);
        request.extensions_mut().insert(record);
        let Some(ticket) = ticket else { return routed(&self.routes, request) };
        request.extensions_mut().insert(Arc::clone(&ticket));
        Box::pin(routed(&self.routes, request).map(|answer| until_sent(answer, ticket)))
    }

    /// Refuses a request before anything else is examined.
    fn refuse(&self, headers: &HeaderMap, error: Error) -> Response {
        let settled = self.gateway.statuses;
        let statuses = Statuses::wanted(headers, settled).unwrap_or(settled);
        Refusal::of(error, Format::plain()).with(statuses).into_response()
    }
}

/// Answers a request by the table of routes.
fn routed(routes: &Router, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send>> {
    let answer = routes.clone().call(request);
    Box::pin(answer.map(|answer| answer.unwrap_or_else(|never| match never {})))
}

/// Whether a request sends statements or ends a transaction, so that the Query API's own handler answers it.
fn is_statement(request: &Request, record: &Record) -> bool {
    let Some(path) = Path::parse(request.uri().path()) else { return false };
    record.set_route(path.template());
    // A body of lines makes a batch a bulk load.
    path.takes(request.method())
        && !(matches!(path, Path::Batch { .. }) && media::lines_content(request.headers()).is_some())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::{
        http::{StatusCode, header},
        routing::get,
    };
    use hyper::{
        body::Incoming,
        client, server,
        service::service_fn,
        upgrade::{self, OnUpgrade},
    };
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy, duplex, split};

    use super::*;
    use crate::{
        config::AllowedOrigin,
        http::{CorsSettings, GuardSettings},
    };

    const PAGE: &str = "http://a.example";

    fn guard() -> Arc<Guard> {
        Arc::new(Guard::new(GuardSettings {
            loopback: true,
            allowed_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            upgrades: false,
            cors: CorsSettings {
                origins: vec![AllowedOrigin::Exactly(PAGE.to_owned())],
                credentials: false,
                max_age: Duration::from_secs(1),
                id_token_header: "X-Id-Token".to_owned(),
            },
        }))
    }

    #[tokio::test]
    async fn a_panic_becomes_an_answer_that_pages_can_read() {
        let request = Request::post("http://localhost/").header(header::HOST, "localhost");
        let request = request.header(header::ORIGIN, PAGE).body(Body::empty()).unwrap();
        let buggy = async |_| unreachable!("a bug in a handler");
        let answer = guarded(guard(), Statuses::QueryApi, request, buggy).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], PAGE);
    }

    /// Takes over the connection and sends back what it receives.
    async fn echo(mut request: Request) -> Result<Response, StatusCode> {
        let headers = request.headers();
        let wanted = headers[header::CONNECTION] == "upgrade" && headers[header::UPGRADE] == "echo";
        let upgrade: OnUpgrade = request.extensions_mut().remove().filter(|_| wanted).ok_or(StatusCode::BAD_REQUEST)?;
        tokio::spawn(async move {
            let (mut from, mut to) = split(TokioIo::new(upgrade.await.unwrap()));
            copy(&mut from, &mut to).await.unwrap();
        });
        let headers = [(header::CONNECTION, "upgrade"), (header::UPGRADE, "echo")];
        Ok((StatusCode::SWITCHING_PROTOCOLS, headers).into_response())
    }

    #[tokio::test]
    async fn a_handler_can_take_over_the_connection() {
        let (guard, routes) = (guard(), Router::new().route("/echo", get(echo)));
        let (near, far) = duplex(1024);
        let service = service_fn(move |request: Request<Incoming>| {
            let routes = routes.clone();
            let serve = move |request| routed(&routes, request);
            guarded(Arc::clone(&guard), Statuses::QueryApi, request.map(Body::new), serve).map(Ok::<_, Infallible>)
        });
        let connection = server::conn::http1::Builder::new().serve_connection(TokioIo::new(far), service);
        tokio::spawn(connection.with_upgrades());
        let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(near)).await.unwrap();
        tokio::spawn(connection.with_upgrades());

        let request = Request::get("/echo").header(header::HOST, "localhost");
        let request = request.header(header::CONNECTION, "upgrade").header(header::UPGRADE, "echo");
        let answer = sender.send_request(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
        let mut stream = TokioIo::new(upgrade::on(answer).await.unwrap());
        stream.write_all(b"not HTTP").await.unwrap();
        let mut back = [0; 8];
        stream.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, b"not HTTP");
    }
}
