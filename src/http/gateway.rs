//! The state of the handlers.

use std::sync::Arc;

use axum::http::HeaderName;

use super::{
    Statuses, body_memory::BodyMemory, request::RequestLimits, routes::discovery::Discovery, settings::Settings,
};
use crate::{
    auth::Authenticator,
    idempotency,
    query::{Engine, Retry},
};

/// What handlers work with, made once and shared by all connections.
pub(super) struct Gateway {
    pub(super) engine: Engine,
    pub(super) authenticator: Authenticator,
    pub(super) id_token_header: HeaderName,
    pub(super) statuses: Statuses,
    /// Whether every answer says how long its parts took.
    pub(super) server_timing: bool,
    pub(super) retry: Retry,
    pub(super) idempotency: idempotency::Store,
    pub(super) limits: RequestLimits,
    pub(super) body_memory: Arc<BodyMemory>,
    pub(super) discovery: Discovery,
}

impl Gateway {
    pub(super) fn new(engine: Engine, authenticator: Authenticator, settings: Settings) -> Self {
        Self {
            engine,
            authenticator,
            id_token_header: settings.id_token_header,
            statuses: settings.statuses,
            server_timing: settings.server_timing,
            retry: settings.retry,
            idempotency: idempotency::Store::new(settings.idempotency, settings.work),
            limits: RequestLimits {
                body: settings.body,
                body_timeout: settings.body_timeout,
                line: settings.line,
                content: settings.content,
            },
            body_memory: Arc::new(BodyMemory::new(settings.body_memory)),
            discovery: Discovery {
                version: settings.neo4j_version,
                edition: settings.neo4j_edition,
                bolt_port: settings.bolt_port,
            },
        }
    }
}
