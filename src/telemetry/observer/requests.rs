//! Events of clients and their requests.

use std::time::Duration;

/// The protocol of a client's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpProtocol {
    /// HTTP/1.0 or HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// Why the connection of a client was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientClose {
    /// By the client, or after `Connection: close`.
    Done,
    /// `server.idle_timeout`.
    Idle,
    /// `server.header_timeout`.
    HeaderTimeout,
    /// `server.body_timeout`.
    BodyTimeout,
    /// `server.write_stall_timeout`.
    WriteStall,
    /// `server.max_connection_age`.
    Age,
    /// The gateway is stopping.
    Drain,
    /// The TLS handshake failed.
    Tls,
    /// Anything else, such as a connection that was reset, or bytes that are not HTTP.
    Error,
}

/// How a TLS handshake ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsOutcome {
    /// The connection is encrypted.
    Ok,
    /// The client and the gateway found no agreement.
    Error,
    /// It took too long.
    Timeout,
}

/// See [`Observer::request_ended`](super::Observer::request_ended).
#[derive(Debug, Clone, Copy)]
pub struct RequestEnded<'a> {
    /// The method, whatever the client wrote.
    pub method: &'a str,
    /// The template of the route, such as `/db/{db}/query/v2`; `other` for what leads nowhere.
    pub route: &'a str,
    /// The status of the answer; 499 if the client left before its head.
    pub status: u16,
    /// From the arrival of the head to the end.
    pub duration: Duration,
    /// The bytes of the request's body on the connection.
    pub request_bytes: u64,
    /// The bytes of the answer's body on the connection.
    pub response_bytes: u64,
}

/// Which limit refused a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalReason {
    /// `limits.requests`.
    Requests,
    /// `limits.caller_requests`.
    CallerRequests,
    /// `limits.waiting`.
    Waiting,
    /// `limits.caller_waiting`.
    CallerWaiting,
    /// `database.acquire_timeout`.
    AcquireTimeout,
    /// `transactions.max` or `transactions.caller_share`.
    Transactions,
    /// `limits.body`.
    Body,
    /// `limits.body_memory`.
    BodyMemory,
    /// `limits.decompressed_body`.
    DecompressedBody,
    /// `limits.statement`.
    Statement,
    /// `limits.depth`.
    Depth,
    /// `limits.result_rows`.
    ResultRows,
    /// `limits.result_bytes`.
    ResultBytes,
    /// `server.allowed_hosts`.
    Host,
    /// A page of an origin that is not allowed.
    Origin,
    /// `websocket.max_connections`.
    WebSockets,
}

/// See [`Observer::websocket_closed`](super::Observer::websocket_closed).
#[derive(Debug, Clone, Copy)]
pub struct WebSocketClosed {
    /// Why.
    pub reason: WebSocketClose,
    /// How long it was open.
    pub duration: Duration,
    /// The bytes that the client sent in messages.
    pub received: u64,
    /// The bytes that the client was sent in messages.
    pub sent: u64,
}

/// Why a WebSocket was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebSocketClose {
    /// By the client.
    Done,
    /// The client's connection ended without a word.
    Gone,
    /// The client sent what it may not.
    Protocol,
    /// By the database.
    Database,
    /// The connection to the database was lost, or could not be opened.
    DatabaseFailed,
    /// No byte came at the beginning.
    Silent,
    /// `websocket.idle_timeout`.
    Idle,
    /// `websocket.max_lifetime`.
    Age,
    /// `websocket.enabled` is false now.
    Off,
    /// The gateway is stopping.
    Shutdown,
}

/// Why a caller was not authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthFailure {
    /// The credential cannot be read.
    Malformed,
    /// Its scheme is not allowed here.
    Scheme,
    /// The database refused it.
    Refused,
    /// It has expired.
    Expired,
    /// The token was not accepted.
    Token,
    /// The keys of the token's issuer could not be fetched.
    KeysUnavailable,
    /// The database allows no further attempt for a while.
    RateLimited,
    /// The caller may not act as the user that it named.
    Impersonation,
}
