//! Bolt over WebSocket: `GET /` and `GET /bolt` with `Upgrade: websocket`, for drivers in web pages.
//!
//! Owns the handshake of RFC 6455 and the number of open sockets. Promises that each socket has a connection to the
//! database of its own, that none of them outlives the settings that allow it, and that each end is reported. The guard
//! has checked the page's origin. Knows nothing of what is sent: the login is between driver and database.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    extract::{OptionalFromRequestParts, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::{
    http::{gateway::Gateway, refusal::Refusal},
    query::{Engine, Error, Kind},
    telemetry::observer::{Observer, RefusalReason, WebSocketClose, WebSocketClosed},
    websocket::{Limits, Relayed, relay},
};

/// How long a client may take until its first byte.
const FIRST_BYTE: Duration = Duration::from_secs(10);
/// The version of RFC 6455.
const VERSION: HeaderValue = HeaderValue::from_static("13");
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
/// The subprotocol that some drivers offer. It changes nothing.
const BINARY: HeaderValue = HeaderValue::from_static("binary");

/// A request for a WebSocket, where it is served.
pub(in crate::http) struct Upgrade {
    connection: OnUpgrade,
    key: HeaderValue,
    /// Whether the client offers the subprotocol `binary`.
    is_binary: bool,
}

impl OptionalFromRequestParts<Arc<Gateway>> for Upgrade {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Option<Self>, Response> {
        let headers = &parts.headers;
        let is_wanted = gateway.websocket.is_some()
            && parts.method == Method::GET
            && parts.version == Version::HTTP_11
            && lists(headers, &header::UPGRADE, "websocket")
            && lists(headers, &header::CONNECTION, "upgrade");
        if !is_wanted {
            return Ok(None);
        }
        if headers.get(header::SEC_WEBSOCKET_VERSION) != Some(&VERSION) {
            return Err(upgrade_required("the gateway speaks version 13 of the WebSocket protocol"));
        }
        let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|key| is_key(key)).cloned();
        let malformed = |detail| Refusal::bad_header(detail).into_response();
        let key = key.ok_or_else(|| malformed("Sec-WebSocket-Key must be 16 bytes in Base64"))?;
        let has_length = headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
        if has_length || headers.contains_key(header::TRANSFER_ENCODING) {
            return Err(malformed("A request for a WebSocket has no body"));
        }
        let is_binary = lists(headers, &header::SEC_WEBSOCKET_PROTOCOL, "binary");
        let connection = parts.extensions.remove().ok_or_else(|| malformed("This connection cannot be upgraded"))?;
        Ok(Some(Self { connection, key, is_binary }))
    }
}

/// Answers at the path that has nothing but WebSockets.
pub(super) async fn only(State(gateway): State<Arc<Gateway>>, upgrade: Option<Upgrade>) -> Result<Response, Refusal> {
    match upgrade {
        Some(upgrade) => upgrade.open(&gateway),
        None => Ok(upgrade_required("this address serves Bolt over WebSocket only, by an upgrade of HTTP/1.1")),
    }
}

fn upgrade_required(detail: &str) -> Response {
    let refusal = Refusal::plain(StatusCode::UPGRADE_REQUIRED, &format!("Upgrade Required: {detail}"));
    let headers = [
        (header::UPGRADE, WEBSOCKET),
        (header::CONNECTION, HeaderValue::from_static("upgrade")),
        (header::SEC_WEBSOCKET_VERSION, VERSION),
    ];
    (headers, refusal).into_response()
}

/// Whether a header that is a list has this word.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter();
    let mut words = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    words.any(|listed| listed.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
}

fn is_key(key: &HeaderValue) -> bool {
    STANDARD.decode(key.as_bytes()).is_ok_and(|bytes| bytes.len() == 16)
}

impl Upgrade {
    /// Accepts the WebSocket, and relays from it to the database in a task of its own.
    ///
    /// # Errors
    /// The refusal if there are too many, or the gateway is about to stop.
    pub(super) fn open(self, gateway: &Gateway) -> Result<Response, Refusal> {
        let Self { connection, key, is_binary } = self;
        let settings = gateway.websocket.ok_or_else(|| Refusal::not_found(super::BOLT))?;
        if gateway.engine.drain().has_begun() {
            return Err(unavailable("The gateway is about to stop and opens no more WebSockets. Try again later."));
        }
        let place = gateway.sockets.admit(settings.max_connections)?;
        let limits = Limits { first_byte: FIRST_BYTE, idle: settings.idle_timeout, lifetime: settings.max_lifetime };
        let (engine, sockets) = (gateway.engine.clone(), gateway.sockets.clone());
        let serving = async move {
            let _place = place;
            // Without it, the client has left.
            if let Ok(connection) = connection.await {
                let mut open = Open::new(&engine);
                open.ended(relay(TokioIo::new(connection), engine.stream(), sockets.stopped(), limits).await);
            }
        };
        tokio::spawn(serving.in_current_span());
        let headers = [
            (header::CONNECTION, HeaderValue::from_static("upgrade")),
            (header::UPGRADE, WEBSOCKET),
            (header::SEC_WEBSOCKET_ACCEPT, accept(&key)?),
        ];
        let protocol = is_binary.then_some([(header::SEC_WEBSOCKET_PROTOCOL, BINARY)]);
        let mut answer = (StatusCode::SWITCHING_PROTOCOLS, headers).into_response();
        answer.headers_mut().extend(protocol.into_iter().flatten());
        Ok(answer)
    }
}

/// The answer to a key, by which the client knows that a WebSocket server has read it.
fn accept(key: &HeaderValue) -> Result<HeaderValue, Refusal> {
    HeaderValue::try_from(derive_accept_key(key.as_bytes())).map_err(|_| Refusal::internal())
}

fn unavailable(message: &str) -> Refusal {
    let error = Error::new(Kind::Unavailable, "Neo.TransientError.General.DatabaseUnavailable", message);
    Refusal::stated(StatusCode::SERVICE_UNAVAILABLE, error)
}

/// The open sockets of a gateway, and what ends them. Clones belong to the same settings.
#[derive(Clone)]
pub(in crate::http) struct Sockets {
    open: Arc<AtomicUsize>,
    at_once: CancellationToken,
    /// Cancelled when WebSockets are no longer served.
    off: CancellationToken,
}

impl Sockets {
    /// Without any socket yet. `at_once` ends all later ones.
    pub(in crate::http) fn new(at_once: CancellationToken) -> Self {
        Self { open: Arc::default(), at_once, off: CancellationToken::new() }
    }

    /// The same sockets under new settings. If they do not allow sockets, all are ended.
    pub(in crate::http) fn renewed(&self, is_served: bool) -> Self {
        if is_served {
            return self.clone();
        }
        self.off.cancel();
        Self { off: CancellationToken::new(), ..self.clone() }
    }

    /// Makes room for one more socket.
    ///
    /// # Errors
    /// The refusal, if `limit` are open.
    fn admit(&self, limit: usize) -> Result<Place, Refusal> {
        match self.open.fetch_update(Relaxed, Relaxed, |open| (open < limit).then_some(open + 1)) {
            Ok(_) => Ok(Place(Arc::clone(&self.open))),
            Err(_) => {
                let message = format!(
                    "{limit} WebSockets are open already, as many as there may be (websocket.max_connections = {limit}). \
                     Try again later."
                );
                let error = Error::new(Kind::Unavailable, "Boltgate.TransientError.Limit.WebSockets", message);
                let error = error.by_limit(RefusalReason::WebSockets);
                Err(Refusal::stated(StatusCode::SERVICE_UNAVAILABLE, error))
            }
        }
    }

    /// Completes when a socket has to end, with the reason.
    async fn stopped(&self) -> WebSocketClose {
        tokio::select! {
            () = self.at_once.cancelled() => WebSocketClose::Shutdown,
            () = self.off.cancelled() => WebSocketClose::Off,
        }
    }
}

/// The place of one socket, until this is dropped.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// An open socket. Its end is reported when this is dropped.
struct Open {
    observer: Arc<dyn Observer>,
    since: Instant,
    /// `None` if it is dropped before its end.
    relayed: Option<Relayed>,
}

impl Open {
    fn new(engine: &Engine) -> Self {
        let observer = Arc::clone(engine.observer());
        observer.websocket_opened();
        Self { observer, since: Instant::now(), relayed: None }
    }

    fn ended(&mut self, relayed: Relayed) {
        self.relayed = Some(relayed);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let dropped = Relayed { close: WebSocketClose::Shutdown, received: 0, sent: 0 };
        let Relayed { close: reason, received, sent } = self.relayed.unwrap_or(dropped);
        let duration = self.since.elapsed();
        self.observer.websocket_closed(&WebSocketClosed { reason, duration, received, sent });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_list_count_in_any_case_and_line() {
        let headers = |values: &[&'static str]| {
            HeaderMap::from_iter(values.iter().map(|value| (header::CONNECTION, HeaderValue::from_static(value))))
        };
        for values in [&["upgrade"][..], &["keep-alive, Upgrade"], &["keep-alive", " UPGRADE ,x"]] {
            assert!(lists(&headers(values), &header::CONNECTION, "upgrade"), "{values:?}");
        }
        for values in [&[][..], &["keep-alive"], &["upgrades"], &["up,grade"]] {
            assert!(!lists(&headers(values), &header::CONNECTION, "upgrade"), "{values:?}");
        }
    }

    #[test]
    fn a_key_is_answered_as_in_the_standard() {
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        assert!(is_key(&key));
        assert_eq!(accept(&key).expect("is a value"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        for key in ["", "dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub25jZQ", "%"] {
            assert!(!is_key(&HeaderValue::from_static(key)), "{key}");
        }
    }
}
