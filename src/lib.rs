//! Boltgate: an HTTP/JSON gateway in front of Bolt graph databases.
//!
//! A request flows one way through the rooms, and each room may use only those below it:
//!
//! | room | owns |
//! |---|---|
//! | [`shell`] | the command `query`: a client for people and scripts |
//! | [`server`] | listeners, connections, graceful shutdown |
//! | [`admin`] | the operator's listener |
//! | [`http`] | routes, media types, request bodies, the text of answers |
//! | [`idempotency`] | requests that are carried out once, however often they are sent |
//! | [`query`] | what a request means: statements, results, transactions, errors |
//! | [`pool`] | which identity may use which connection |
//! | [`auth`] | from an HTTP credential to an identity |
//! | [`json`] | PackStream to JSON text and back |
//! | [`bolt`] | the protocol: one connection over any byte stream |
//! | [`websocket`] | a byte stream in WebSocket messages |
//! | [`tls`] | which certificates to trust |
//! | [`pack`], [`unpack`] | streams in gzip and zstd |
//! | `arrow` | rows as Arrow record batches |
//! | [`http_client`] | one `GET` of the gateway itself |
//! | [`live`], [`drain`] | values that are replaced while others use them; whether the gateway is about to stop |
//! | [`service_manager`] | what systemd is told |
//! | [`config`], [`telemetry`] | settings; logs and request ids |
//!
//! `ARCHITECTURE.md` follows a request through them.

pub mod admin;
#[cfg(feature = "arrow")]
pub mod arrow;
pub mod auth;
pub mod bolt;
pub mod cli;
pub mod config;
pub mod drain;
#[cfg(feature = "embedded")]
pub mod embedded;
pub mod healthcheck;
pub mod http;
pub mod http_client;
pub mod idempotency;
pub mod json;
pub mod live;
pub mod named;
pub mod pack;
pub mod pool;
pub mod query;
pub mod server;
pub mod service_manager;
pub mod shell;
pub mod telemetry;
pub mod tls;
pub mod unpack;
pub mod value_path;
pub mod websocket;
