//! Owns what operators see of a running gateway: its log, the record of each request with its id and its trace, and the
//! events that observers receive.
//!
//! Promises that nothing here sees a credential. May not know HTTP, Bolt or queries.

pub mod database_log;
pub mod event_log;
mod json_line;
#[cfg(test)]
mod kept;
mod lines;
pub mod logs;
pub mod metrics;
pub mod observer;
pub mod observers;
pub mod otlp;
pub mod record;
pub mod request_id;
mod span_fields;
pub mod spans;
pub mod trace_context;
