//! Owns what the operator reads of a running gateway: its log, and the ids that tie lines to
//! requests.
//!
//! Promises that nothing here sees a credential. May not know HTTP, Bolt or queries.

pub mod event_log;
pub mod logs;
pub mod observer;
pub mod request_id;
