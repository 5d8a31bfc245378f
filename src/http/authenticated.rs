//! The requests that handlers under `/db` get: those of callers whose credentials were read.

use std::{sync::Arc, time::Instant};

use axum::{
    body::{Body, HttpBody as _},
    extract::{FromRequest, FromRequestParts as _, Request},
    http::header,
};

use super::{
    body_memory::Hold,
    caller::{Caller, acting_as},
    exchange::Exchange,
    gateway::Gateway,
    media::{self, Format, Unfit},
    refusal::Refusal,
    request,
};

/// A request and its body, of which nothing was read yet. An extractor for handlers.
pub(super) struct Authenticated {
    pub(super) exchange: Exchange,
    pub(super) body: Body,
}

impl FromRequest<Arc<Gateway>> for Authenticated {
    type Rejection = Refusal;

    async fn from_request(request: Request, gateway: &Arc<Gateway>) -> Result<Self, Refusal> {
        let received = Instant::now();
        let (mut parts, body) = request.into_parts();
        let Caller { identity, statuses } = Caller::from_request_parts(&mut parts, gateway).await?;
        let gateway = Arc::clone(gateway);
        let exchange = Exchange { gateway, caller: identity, parts, statuses, received, limit: None };
        Ok(Self { exchange, body })
    }
}

impl Authenticated {
    /// The request, for a handler that answers in plain JSON and needs no body. A body that comes is read all the same:
    /// only then is it noticed when the client goes away.
    ///
    /// # Errors
    /// When the client does not accept plain JSON, the body is not within the limits, or the caller may not act as the
    /// user named in a header.
    pub(super) async fn without_body(self) -> Result<Exchange, Refusal> {
        let Self { exchange, body } = self;
        if let Err(unfit) = Format::accepted(&exchange.parts.headers) {
            let refusal = match unfit {
                Unfit::Malformed(detail) => Refusal::bad_header(detail),
                Unfit::Unsupported => Refusal::not_acceptable(&media::answers()),
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

    /// The refusal of the request, once the database has accepted its caller.
    pub(super) async fn refuse(self, refusal: Refusal) -> Refusal {
        let Self { exchange, body } = self;
        let read = if exchange.parts.headers.contains_key(header::EXPECT) {
            // The client waits to hear whether its body is wanted.
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

/// Reads a body of which nothing is needed, within the limits of any other.
async fn drain(exchange: &Exchange, body: Body) -> Result<(), Refusal> {
    let mut hold = Hold::new(&exchange.gateway.body_memory);
    match request::read(body, &exchange.gateway.limits, &mut hold, exchange).await {
        Ok(_) => Ok(()),
        Err(refusal) => Err(refusal.with(exchange.statuses)),
    }
}
