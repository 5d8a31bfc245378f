//! Owns what operators see of a running gateway: its log, the ids that tie log lines to requests, and the events that
//! observers receive.
//!
//! Promises that nothing here sees a credential. May not know HTTP, Bolt or queries.

pub mod event_log;
pub mod logs;
pub mod observer;
pub mod request_id;
