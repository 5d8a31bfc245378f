//! Logins on pooled connections: what they cost, when they are re-authenticated, and the effects of a refusal.
//!
//! Against fakes, whose journals show every message; the same against real servers where the environment names them
//! (`eval "$(tests/servers/all start)"`), and a line that says so where it does not.

mod age;
mod expired;
mod fairness;
mod guessing;
mod service;
pub mod stand;
mod takeover;
mod tokens;
mod unverified;
mod warm;
