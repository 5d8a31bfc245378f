//! What a response that ends with an error means for the `Idempotency-Key` of its request, and for the observer.
//!
//! The verdict travels with the response, as an extension, and so does the limit that refused the request. A response
//! without a verdict is final.

use std::sync::{Arc, OnceLock};

use axum::{http::Extensions, response::Response};

use super::refusal::concerns_credentials;
use crate::{
    idempotency::Verdict,
    query::{Error, Kind},
    telemetry::observer::{Observer, RefusalReason},
};

/// The verdict on a response whose head is sent before the verdict is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Later(Arc<OnceLock<Verdict>>);

impl Later {
    /// Notes that the answer ends with `error`.
    pub(super) fn failed(&self, error: &Error) {
        if let Some(verdict) = of(error) {
            // An answer ends once.
            let _ = self.0.set(verdict);
        }
    }
}

/// Marks a response that ends with `error` with the verdict on it, and with the limit that is the reason.
pub(super) fn mark(response: &mut Response, error: &Error) {
    if let Some(verdict) = of(error) {
        response.extensions_mut().insert(verdict);
    }
    if let Some(limit) = error.limit {
        response.extensions_mut().insert(limit);
    }
}

/// Reports the limit that refused the request of this response, if one did. To be called once for each response.
pub(super) fn report_refusal(response: &Response, observer: &dyn Observer) {
    if let Some(limit) = response.extensions().get::<RefusalReason>() {
        observer.request_refused(*limit);
    }
}

/// The verdict on a response whose body was read to its end.
pub(super) fn verdict(extensions: &Extensions) -> Option<Verdict> {
    let later = || extensions.get::<Later>().and_then(|later| later.0.get());
    extensions.get::<Verdict>().or_else(later).copied()
}

/// The verdict on a request that ended with `error`, unless its answer is final.
fn of(error: &Error) -> Option<Verdict> {
    match error.kind {
        Kind::ExpiredMeanwhile => Some(Verdict::Unknown),
        kind if kind.is_retryable() || concerns_credentials(error) => Some(Verdict::NothingDone),
        _ => None,
    }
}
