//! The state of the handlers, with the settings in force when their requests arrived.

use std::sync::Arc;

use axum::http::HeaderName;

#[cfg(feature = "console")]
use super::ConsoleSettings;
use super::{
    CsvFormulas, Statuses,
    admission::Admission,
    affinity::Affinity,
    body_memory::BodyMemory,
    challenge::Challenges,
    request::RequestLimits,
    routes::{discovery::Discovery, websocket::Sockets},
    settings::{Settings, WebSocketSettings},
};
use crate::{
    auth::{Authenticator, WhoRules},
    idempotency,
    named::Queries,
    query::{Engine, Retry},
    telemetry::spans::Tracer,
};

/// What handlers work with, shared by all connections. New settings are a new gateway with the same state.
pub(super) struct Gateway {
    pub(super) engine: Engine,
    pub(super) authenticator: Authenticator,
    pub(super) challenges: Challenges,
    pub(super) id_token_header: HeaderName,
    pub(super) statuses: Statuses,
    /// Whether every answer says how long its parts took.
    pub(super) server_timing: bool,
    /// Whether `Accept-Encoding` is honoured.
    pub(super) compression: bool,
    /// What CSV does with formulas, unless the request says.
    pub(super) csv_formulas: CsvFormulas,
    /// Who may send statements of their own.
    pub(super) cypher: WhoRules,
    /// The named queries.
    pub(super) named: Queries,
    /// Whether their list has their statements.
    pub(super) named_statements: bool,
    pub(super) retry: Retry,
    pub(super) idempotency: idempotency::Store,
    pub(super) limits: RequestLimits,
    pub(super) admission: Arc<Admission>,
    pub(super) body_memory: Arc<BodyMemory>,
    pub(super) discovery: Discovery,
    /// Bolt over WebSocket; `None` if it is not served.
    pub(super) websocket: Option<WebSocketSettings>,
    pub(super) sockets: Sockets,
    /// Whether the transactional API is served.
    pub(super) transactional: bool,
    /// The database of its paths of Neo4j 3.5, if they are served.
    pub(super) older_database: Option<String>,
    /// Tools for agents; `None` for none.
    #[cfg(feature = "mcp")]
    pub(super) mcp: Option<super::McpSettings>,
    /// `None` if there is no console.
    #[cfg(feature = "console")]
    pub(super) console: Option<ConsoleSettings>,
    /// `None` if this is the only gateway.
    pub(super) affinity: Option<Affinity>,
    /// `None` without a collector.
    pub(super) tracer: Option<Tracer>,
}

impl Gateway {
    pub(super) fn new(engine: Engine, authenticator: Authenticator, settings: Settings) -> Self {
        let observer = Arc::clone(engine.observer());
        let idempotency = idempotency::Store::new(settings.idempotency, settings.work.clone(), observer);
        let body_memory = Arc::new(BodyMemory::new(settings.body_memory));
        let sockets = Sockets::new(settings.at_once.clone());
        Self::assemble(engine, authenticator, settings, idempotency, Arc::default(), body_memory, sockets)
    }

    /// The gateway with other settings. What requests have taken or left behind stays.
    pub(super) fn renewed(&self, engine: Engine, authenticator: Authenticator, settings: Settings) -> Self {
        self.body_memory.set_limit(settings.body_memory);
        let (admission, body_memory) = (Arc::clone(&self.admission), Arc::clone(&self.body_memory));
        let sockets = self.sockets.renewed(settings.websocket.is_some());
        Self::assemble(engine, authenticator, settings, self.idempotency.clone(), admission, body_memory, sockets)
    }

    fn assemble(
        engine: Engine,
        authenticator: Authenticator,
        settings: Settings,
        idempotency: idempotency::Store,
        admission: Arc<Admission>,
        body_memory: Arc<BodyMemory>,
        sockets: Sockets,
    ) -> Self {
        Self {
            engine,
            challenges: Challenges::new(authenticator.challenge()),
            authenticator,
            id_token_header: settings.id_token_header,
            statuses: settings.statuses,
            server_timing: settings.server_timing,
            compression: settings.compression,
            csv_formulas: settings.csv_formulas,
            cypher: settings.cypher,
            named: settings.named,
            named_statements: settings.named_statements,
            retry: settings.retry,
            idempotency,
            admission,
            limits: RequestLimits {
                requests: settings.requests,
                caller_requests: settings.caller_requests,
                body: settings.body,
                decompressed_body: settings.decompressed_body,
                body_timeout: settings.body_timeout,
                line: settings.line,
                content: settings.content,
                graph: settings.graph,
                graph_elements: settings.graph_elements,
            },
            body_memory,
            discovery: Discovery {
                version: settings.neo4j_version,
                edition: settings.neo4j_edition,
                bolt_port: settings.bolt_port,
            },
            websocket: settings.websocket,
            sockets,
            transactional: settings.transactional,
            older_database: settings.older_database,
            #[cfg(feature = "mcp")]
            mcp: settings.mcp,
            #[cfg(feature = "console")]
            console: settings.console,
            affinity: settings.instance.map(Affinity::new),
            tracer: settings.tracer,
        }
    }
}
