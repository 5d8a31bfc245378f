//! Authenticated requests, as the handlers under `/db` get them.

use std::sync::Arc;

use axum::{
    body::{Body, HttpBody as _},
    extract::{FromRequest, FromRequestParts as _, Request},
    http::header,
};

use super::{
    base_url::CameBy,
    body_memory::Hold,
    caller::{Caller, acting_as},
    exchange::Exchange,
    gateway::Gateway,
    media::{Format, Offer, Unfit},
    refusal::Refusal,
    request,
};

/// A request whose credentials were read, and its unread body. An extractor.
pub(super) struct Authenticated {
    pub(super) exchange: Exchange,
    pub(super) body: Body,
}

impl FromRequest<Arc<Gateway>> for Authenticated {
    type Rejection = Refusal;

    async fn from_request(request: Request, gateway: &Arc<Gateway>) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        let Caller { call: caller, statuses } = Caller::from_request_parts(&mut parts, gateway).await?;
        let gateway = Arc::clone(gateway);
        let came_by = CameBy::of(&parts);
        let exchange = Exchange { gateway, caller, parts, statuses, came_by, limit: None };
        Ok(Self { exchange, body })
    }
}

impl Authenticated {
    /// Returns the request for a handler that answers in plain JSON and needs no body. The body is read all the same: only
    /// then does the server notice that the client goes away.
    ///
    /// # Errors
    /// When `Accept` names no type that the gateway produces, the body exceeds a limit, or the caller may not act as the
    /// user named in a header.
    pub(super) async fn without_body(self) -> Result<Exchange, Refusal> {
        let Self { exchange, body } = self;
        if let Err(unfit) = Format::accepted(&exchange.parts.headers, Offer::Events) {
            let refusal = match unfit {
                Unfit::Malformed(detail) => Refusal::bad_header(detail),
                Unfit::Unsupported => Refusal::not_acceptable(&Offer::Events.names()),
            };
            return Err(exchange.login_first(refusal).await);
        }
        drain(&exchange, body).await?;
        let user = acting_as(&exchange.gateway, &exchange.caller, &exchange.parts.headers, None);
        match user {
            Ok(_) => Ok(exchange),
            Err(error) => Err(exchange.refusal(error)),
        }
    }

    /// Refuses the request. Callers whom the database does not accept learn only that.
    pub(super) async fn refuse(self, refusal: Refusal) -> Refusal {
        let Self { exchange, body } = self;
        let read = if exchange.parts.headers.contains_key(header::EXPECT) {
            // The client sends its body only when asked for it.
            request::fits(body.size_hint().lower(), &exchange.gateway.limits).map(drop)
        } else {
            drain(&exchange, body).await
        };
        match read {
            Ok(()) => exchange.login_first(refusal).await,
            Err(refusal) => refusal.with(exchange.statuses),
        }
    }
}

/// Reads and discards a body, within the usual limits.
async fn drain(exchange: &Exchange, body: Body) -> Result<(), Refusal> {
    let mut hold = Hold::new(&exchange.gateway.body_memory);
    match request::read(body, None, &exchange.gateway.limits, &mut hold, exchange).await {
        Ok(_) => Ok(()),
        Err(refusal) => Err(refusal.with(exchange.statuses)),
    }
}
