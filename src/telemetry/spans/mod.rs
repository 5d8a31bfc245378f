//! The spans of sampled requests, from their beginning until they are exported.
//!
//! Owns the decision which requests are sampled, what each span holds, and the queue in which spans wait. Promises that a
//! request that is not sampled costs nothing but that decision, that nothing here waits, and that no span holds
//! credentials or parameters, and a statement only if the operator wants that. May not know how spans are exported.

#![cfg_attr(not(feature = "otlp"), allow(dead_code, reason = "without an exporter, nothing is sampled"))]

mod exchange;
mod queue;
mod request;
mod span;
mod tracer;

pub use exchange::{ExchangeOutcome, Operation};
pub use request::{Head, RequestOutcome, RequestSpan};
pub use tracer::{DatabaseAddress, TraceSettings, Tracer};
#[cfg(feature = "otlp")]
pub(super) use {
    queue::SpanQueue,
    span::{DatabaseSpan, Failure, ServerSpan, Span, What},
};
