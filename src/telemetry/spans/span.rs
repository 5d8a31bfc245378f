//! What a span holds while it waits.

use std::{net::IpAddr, sync::Arc, time::SystemTime};

use super::{exchange::Operation, tracer::DatabaseAddress};
use crate::telemetry::trace_context::{SpanId, TraceId};

/// A span that has ended.
#[derive(Debug)]
pub(in crate::telemetry) struct Span {
    pub(in crate::telemetry) trace: TraceId,
    pub(in crate::telemetry) id: SpanId,
    pub(in crate::telemetry) parent: Option<Parent>,
    pub(in crate::telemetry) started: SystemTime,
    pub(in crate::telemetry) ended: SystemTime,
    pub(in crate::telemetry) what: What,
}

/// The span that a span belongs to.
#[derive(Debug, Clone, Copy)]
pub(in crate::telemetry) struct Parent {
    pub(in crate::telemetry) id: SpanId,
    /// Whether it is the caller's.
    pub(in crate::telemetry) is_remote: bool,
}

/// What a span is about.
#[derive(Debug)]
pub(in crate::telemetry) enum What {
    /// A request of a client.
    Server(Box<ServerSpan>),
    /// An exchange with the database.
    Database(Box<DatabaseSpan>),
    /// Something in between, by its name.
    Internal(&'static str),
}

/// A request of a client.
#[derive(Debug)]
pub(in crate::telemetry) struct ServerSpan {
    pub(in crate::telemetry) head: Head,
    pub(in crate::telemetry) request_id: String,
    pub(in crate::telemetry) caller: Option<u64>,
    /// The template of the route; `None` for what leads nowhere.
    pub(in crate::telemetry) route: Option<String>,
    /// `None` if the client left before the head of the answer.
    pub(in crate::telemetry) status: Option<u16>,
    pub(in crate::telemetry) is_gone: bool,
}

/// What the head of a request says, for its span. Texts are cut off: clients choose their lengths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The method.
    pub method: String,
    /// The path, without the query string.
    pub path: String,
    /// `http` or `https`, as the client sees it.
    pub scheme: &'static str,
    /// The host that the client asked for.
    pub host: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// The address of the client, without its port.
    pub client: Option<IpAddr>,
    /// The version of HTTP.
    pub version: &'static str,
    /// The header `User-Agent`.
    pub user_agent: Option<String>,
}

/// An exchange with the database.
#[derive(Debug)]
pub(in crate::telemetry) struct DatabaseSpan {
    pub(in crate::telemetry) operation: Operation,
    /// `neo4j`, `memgraph` or `other`.
    pub(in crate::telemetry) system: &'static str,
    /// The name of the database.
    pub(in crate::telemetry) namespace: String,
    pub(in crate::telemetry) address: Option<Arc<DatabaseAddress>>,
    /// The text of the statement, if the operator wants it.
    pub(in crate::telemetry) statement: Option<String>,
    /// `None` if there was no result.
    pub(in crate::telemetry) rows: Option<u64>,
    pub(in crate::telemetry) failure: Option<Failure>,
}

/// How an exchange failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::telemetry) enum Failure {
    /// With an error of this code.
    Code(String),
    /// Nobody waits for its end any longer.
    Abandoned,
}

/// The beginning of `text`, of at most `longest` bytes.
pub(super) fn beginning(text: &str, longest: usize) -> String {
    text.get(..text.floor_char_boundary(longest)).unwrap_or_default().to_owned()
}
