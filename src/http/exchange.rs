//! One request and what belongs to it, for everything that takes part in answering it.

use std::sync::Arc;

use axum::{http::request::Parts, response::Response};

use super::{
    base_url::CameBy,
    body::QueryBody,
    body_memory::Sender,
    caller::{acting_as, named_user},
    gateway::Gateway,
    media::Format,
    refusal::{Refusal, concerns_credentials},
    status::Statuses,
};
use crate::query::{AccessMode, Call, Engine, Error, HandleStyle, Options, TransactionHandle};

/// One request and what belongs to it.
pub(super) struct Exchange {
    pub(super) gateway: Arc<Gateway>,
    pub(super) caller: Call,
    pub(super) parts: Parts,
    pub(super) statuses: Statuses,
    pub(super) came_by: CameBy,
    /// The longest answer, in bytes, if it has to be stored.
    pub(super) limit: Option<usize>,
}

impl Sender for Exchange {
    fn is_known(&self) -> bool {
        self.gateway.engine.knows(&self.caller)
    }

    async fn verify(&self) -> Result<(), Error> {
        self.gateway.engine.verify(&self.caller).await
    }
}

impl Exchange {
    /// The options that the request sets for its transaction. They are taken out of `body`.
    ///
    /// # Errors
    /// When the caller may not act as the user that the request names.
    pub(super) fn options(&self, body: &mut QueryBody) -> Result<Options, Error> {
        let Self { gateway, caller, parts, .. } = self;
        Ok(Options {
            access_mode: if caller.is_read_only() { AccessMode::Read } else { body.access_mode },
            bookmarks: std::mem::take(&mut body.bookmarks),
            impersonated_user: acting_as(gateway, caller, &parts.headers, body.impersonated_user.as_deref())?,
            max_execution_time: body.max_execution_time,
            max_rows: None,
            implicit: body.implicit,
            metadata: body.tx_metadata.take(),
            notifications: std::mem::take(&mut body.notifications),
            handle: HandleStyle::Opaque,
        })
    }

    /// Whether the caller may send statements of its own, provided that the database accepts it.
    pub(super) fn may_send_cypher(&self) -> bool {
        self.gateway.cypher.allow(&self.caller)
    }

    /// The open transaction `id` as this request names it.
    ///
    /// # Errors
    /// When the header with the user to act as cannot be read.
    pub(super) fn handle<'a>(&'a self, database: &'a str, id: &'a str) -> Result<TransactionHandle<'a>, Error> {
        Ok(TransactionHandle::new(database, id, named_user(&self.parts.headers)?))
    }

    /// Marks an answer that opens a transaction with this gateway's name, if it is one of several.
    pub(super) fn opening(&self, mut response: Response) -> Response {
        if let Some(affinity) = &self.gateway.affinity
            && response.status().is_success()
        {
            affinity.mark(response.headers_mut(), self.came_by.is_https(&self.parts.headers));
        }
        response
    }

    /// Refuses the request because of `error`, in plain JSON.
    pub(super) fn refusal(&self, error: Error) -> Refusal {
        Refusal::of(error, Format::plain()).with(self.statuses)
    }

    /// `refusal`, or the database's own if it does not accept the caller.
    pub(super) async fn login_first(&self, refusal: Refusal) -> Refusal {
        let engine: &Engine = &self.gateway.engine;
        match engine.verify(&self.caller).await {
            Err(error) if concerns_credentials(&error) => self.refusal(error),
            _ => refusal.with(self.statuses),
        }
    }
}
