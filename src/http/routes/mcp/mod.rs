//! `/mcp`: tools for agents, by the Model Context Protocol (streamable HTTP, without sessions).
//!
//! Owns what surrounds a message: who sends it, what its head must say, and the answers that HTTP gives and not the
//! protocol. The protocol itself is that of the crate `rmcp`, which sees neither credentials nor the arguments of
//! tools. Promises that every message is authenticated by its own credentials, exactly as a request to the Query API,
//! and that a caller whom the database does not accept learns nothing else.

mod arguments;
mod asked;
mod envelope;
mod metadata;
mod named;
mod outcome;
mod schema;
mod server;
mod state;
mod table;
mod tools;

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, HttpBody as _},
    extract::{FromRequest as _, Request, State as Extracted},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::MethodRouter,
};
use http_body_util::Full;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};

use self::{
    asked::Asked,
    envelope::{Envelope, Malformed},
    server::Server,
    state::State,
};
use crate::{
    http::{
        authenticated::Authenticated,
        base_url::BaseUrl,
        body_memory::Hold,
        caller::acting_as,
        challenge::Metadata,
        exchange::Exchange,
        gateway::Gateway,
        media::{Format, JSON, Offer, Unfit},
        methods::Methods,
        path::{MCP, MCP_METADATA},
        refusal::{Refusal, concerns_credentials, respond},
        request,
    },
    query::{AccessMode, OFFLOAD_ABOVE, Options, offload},
};

/// The headers of the protocol, which have to agree with the message.
const HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("mcp-protocol-version"),
    HeaderName::from_static("mcp-method"),
    HeaderName::from_static("mcp-name"),
];

/// The codes of JSON-RPC, and of the protocol.
const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const INVALID_PARAMS: i32 = -32602;
const INTERNAL_ERROR: i32 = -32603;
const UNSUPPORTED_VERSION: i32 = -32022;

/// What answers messages.
struct Agents {
    state: Arc<State>,
    protocol: StreamableHttpService<Server, NeverSessionManager>,
}

/// Adds the routes, if the operator wants them. `open` makes an address for any caller.
pub(super) fn add(
    router: Router<Arc<Gateway>>,
    gateway: &Gateway,
    open: fn(Methods) -> MethodRouter<Arc<Gateway>>,
) -> Router<Arc<Gateway>> {
    let Some(settings) = &gateway.mcp else { return router };
    let state = State::new(settings.clone());
    let server = Server(Arc::clone(&state));
    // Hosts and origins were checked before, and the length of the body is.
    let config = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .disable_allowed_origins()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_sse_keep_alive(None)
        .with_max_request_body_bytes(usize::MAX);
    let protocol = StreamableHttpService::new(move || Ok(server.clone()), Arc::default(), config);
    let agents = Arc::new(Agents { state, protocol });
    let answer = move |Extracted(gateway): Extracted<Arc<Gateway>>, request: Request| {
        let agents = Arc::clone(&agents);
        async move { agents.answer(gateway, request).await }
    };
    let router = router
        .route(MCP, open(Methods::PostAlone).post(answer.clone()))
        .route(&format!("{MCP}/"), open(Methods::PostAlone).post(answer));
    if gateway.authenticator.issuers().is_empty() {
        return router;
    }
    router.route(MCP_METADATA, open(Methods::Get).get(metadata::show))
}

impl Agents {
    async fn answer(&self, gateway: Arc<Gateway>, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let base = BaseUrl::of(&parts);
        let answered = Box::pin(self.serve(&gateway, Request::from_parts(parts, body))).await;
        let mut response = answered.unwrap_or_else(Refusal::into_response);
        if response.status() == StatusCode::UNAUTHORIZED && !gateway.authenticator.issuers().is_empty() {
            response.extensions_mut().insert(Metadata(metadata::url(&base)));
        }
        response
    }

    async fn serve(&self, gateway: &Arc<Gateway>, request: Request) -> Result<Response, Refusal> {
        let Authenticated { exchange, body } = Authenticated::from_request(request, gateway).await?;
        let statuses = exchange.statuses;
        self.hear(exchange, body).await.map_err(|refusal| refusal.with(statuses))
    }

    /// Answers a message whose credentials were read.
    async fn hear(&self, exchange: Exchange, body: Body) -> Result<Response, Refusal> {
        let gateway = Arc::clone(&exchange.gateway);
        let coding = request::coding(&exchange.parts.headers);
        let mut hold = Hold::new(&gateway.body_memory);
        if exchange.parts.headers.contains_key(header::EXPECT) {
            request::fits(body.size_hint().lower(), &gateway.limits)?;
        }
        let text = request::read(body, coding.as_ref().ok().copied().flatten(), &gateway.limits, &mut hold, &exchange);
        let text = text.await?;
        let unverified = match gateway.engine.verify(&exchange.caller).await {
            Err(error) if concerns_credentials(&error) => return Err(exchange.refusal(error)),
            verified => verified.err(),
        };
        coding?;
        check_head(&exchange.parts.headers)?;
        let user = acting_as(&gateway, &exchange.caller, &exchange.parts.headers, None);
        let options = Options {
            access_mode: AccessMode::Read,
            impersonated_user: user.map_err(|error| exchange.refusal(error))?,
            ..Options::default()
        };
        let (depth, length) = (gateway.limits.content.depth, text.len());
        let understand = move || (Envelope::of(&text, depth), hold);
        let (envelope, hold) = if length > OFFLOAD_ABOVE { offload(understand).await } else { understand() };
        let Envelope { message, arguments, calls } = match envelope {
            Ok(envelope) => envelope,
            Err(malformed) => return Ok(refuse(malformed)),
        };
        if let Some(error) = unverified.clone().filter(|_| !calls) {
            return Err(exchange.refusal(error));
        }
        let mut passed = passed_on(&exchange.parts.headers, message);
        let state = Arc::clone(&self.state);
        passed.extensions_mut().insert(Arc::new(Asked {
            exchange,
            state,
            options,
            arguments,
            unverified,
            _hold: hold,
        }));
        Ok(own_words(self.protocol.handle(passed).await.map(Body::new)))
    }
}

/// Checks the types that a message has and wants. Answers are JSON, whatever else the client accepts.
fn check_head(headers: &HeaderMap) -> Result<(), Refusal> {
    let content = headers.get(header::CONTENT_TYPE).and_then(|content| content.to_str().ok());
    let name = content.and_then(|content| content.split(';').next()).unwrap_or_default();
    if !name.trim().eq_ignore_ascii_case(JSON) {
        return Err(Refusal::unsupported_media_type(JSON));
    }
    match Format::accepted(headers, Offer::Events) {
        Ok(format) if format.is_plain() => Ok(()),
        Ok(_) | Err(Unfit::Unsupported) => Err(Refusal::not_acceptable(&format!("{JSON}, text/event-stream"))),
        Err(Unfit::Malformed(detail)) => Err(Refusal::bad_header(detail)),
    }
}

/// The message with those of its headers that belong to the protocol.
fn passed_on(headers: &HeaderMap, message: bytes::Bytes) -> Request<Full<bytes::Bytes>> {
    let mut request = Request::new(Full::new(message));
    *request.method_mut() = axum::http::Method::POST;
    let passed = request.headers_mut();
    passed.insert(header::HOST, HeaderValue::from_static("localhost"));
    passed.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    passed.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    for name in HEADERS {
        for value in headers.get_all(&name) {
            passed.append(name.clone(), value.clone());
        }
    }
    request
}

/// Answers a malformed message.
fn refuse(malformed: Malformed) -> Response {
    match malformed {
        Malformed::Syntax(detail) => {
            error(StatusCode::BAD_REQUEST, "null", PARSE_ERROR, &format!("The body is not valid JSON: {detail}."))
        }
        Malformed::Request(reason) => {
            error(StatusCode::BAD_REQUEST, "null", INVALID_REQUEST, &format!("This is not a message: {reason}."))
        }
        // The id is that of a request, so its answer is one of the protocol.
        Malformed::Params { id, reason } => {
            error(StatusCode::OK, &id, INVALID_PARAMS, &format!("The call is incomplete: {reason}."))
        }
    }
}

/// An error of JSON-RPC. `id` is JSON.
fn error(status: StatusCode, id: &str, code: i32, message: &str) -> Response {
    let message = serde_json::Value::from(message);
    let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":{message}}}}}"#);
    respond(status, JSON, text.into())
}

/// The answer of the protocol, or where that is a text for programmers, the gateway's own.
fn own_words(answer: Response) -> Response {
    let status = answer.status();
    let is_json = answer.headers().get(header::CONTENT_TYPE).is_some_and(|name| name == JSON);
    if is_json || status.is_success() {
        return answer;
    }
    let (code, message) = match status {
        StatusCode::BAD_REQUEST => (
            UNSUPPORTED_VERSION,
            "MCP-Protocol-Version names no version that is supported; send 2026-07-28, 2025-11-25, 2025-06-18 or \
             2025-03-26.",
        ),
        _ if status.is_client_error() => (INVALID_REQUEST, "This is not a message of the Model Context Protocol."),
        _ => (INTERNAL_ERROR, "The message could not be answered."),
    };
    let status = if status.is_client_error() { StatusCode::BAD_REQUEST } else { status };
    error(status, "null", code, message)
}
