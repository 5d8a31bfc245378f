//! From the settings to what each room takes: one file for each room.
//!
//! `config` knows no other room, and no other room knows `config`.

pub(super) mod auth;
pub(super) mod bolt;
pub(super) mod connection;
mod guard;
pub(super) mod http;
pub(super) mod metrics;
pub(super) mod named;
pub(super) mod pool;
pub(super) mod query;
pub(super) mod tls;
pub(super) mod traces;
