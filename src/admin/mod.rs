//! The operator's listener: shows whether the gateway is healthy and what it is doing, and ends what should end.
//!
//! Owns the routes of the admin address, a file for each subject. Promises to answer when no worker does, that a panic
//! becomes a 500 and does not end the listener, and that no request passes without `admin.token` where one is set.
//! Reveals no credential, no handle and no parameter. Knows nothing of sockets and threads.

mod access;
mod answer;
mod health;
mod log;
mod metrics;
mod pools;
mod readiness;
mod settings;
mod transactions;

use std::{fmt, net::IpAddr, sync::Arc};

use axum::{
    Extension, Router,
    extract::Request,
    middleware::{Next, from_fn, from_fn_with_state},
    response::Response,
    routing::{delete, get},
};
use futures_util::FutureExt as _;

use crate::{
    config::Effective,
    live::Live,
    query::Engine,
    telemetry::{logs::LogControl, metrics::Scrape},
};
use answer::Refusal;
use readiness::Readiness;

/// What operators look at and change.
#[derive(Clone)]
pub struct Parts {
    /// Executes statements.
    pub engine: Engine,
    /// The settings in force.
    pub settings: Live<Effective>,
    /// The log.
    pub log: LogControl,
    /// The metrics.
    pub scrape: Arc<Scrape>,
    /// Whether the listener is a Unix socket, whose file mode says who may do everything.
    pub on_unix_socket: bool,
}

/// The state of the handlers.
#[derive(Clone)]
struct Admin {
    parts: Parts,
    readiness: Readiness,
}

/// Who sends a request, for the log.
#[derive(Clone, Copy)]
struct Peer(Option<IpAddr>);

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("unix"),
        }
    }
}

/// The service of the listener.
#[derive(Clone)]
pub struct Service(Router);

impl Service {
    /// Returns the service over `parts`.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(router(Admin { parts, readiness: Readiness::default() }))
    }

    /// The service for the peer at an address; `None` on a Unix socket.
    pub fn for_peer(&self, address: Option<IpAddr>) -> Router {
        self.0.clone().layer(Extension(Peer(address)))
    }
}

fn router(admin: Admin) -> Router {
    let guarded = Router::new()
        .route("/metrics", get(metrics::metrics))
        .route("/pools", get(pools::list))
        .route("/transactions", get(transactions::list))
        .route("/transactions/{id}", delete(transactions::end))
        .route("/config", get(settings::list))
        .route("/log", get(log::show).put(log::change))
        .route_layer(from_fn_with_state(admin.clone(), access::check));
    Router::new()
        .route("/live", get(health::live))
        .route("/ready", get(health::ready))
        .merge(guarded)
        .fallback(answer::unknown_path)
        .method_not_allowed_fallback(answer::wrong_method)
        .layer(from_fn(catch_panics))
        .with_state(admin)
}

/// Turns a panic, which is a bug, into a 500. The log has the details.
async fn catch_panics(request: Request, next: Next) -> Result<Response, Refusal> {
    std::panic::AssertUnwindSafe(next.run(request)).catch_unwind().await.map_err(|_| Refusal::internal())
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::StatusCode};
    use tower::Service as _;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_500_and_not_the_end() {
        let panics = get(|| async { panic!("a bug") as &'static str });
        let mut router = Router::new().route("/", panics).layer(from_fn(catch_panics));
        for _ in 0..2 {
            let answer = router.call(Request::new(Body::empty())).await.unwrap();
            assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
            let text = axum::body::to_bytes(answer.into_body(), 1024).await.unwrap();
            assert!(text.starts_with(br#"{"errors":[{"code":"Neo.DatabaseError.General.UnknownError","#), "{text:?}");
        }
    }
}
