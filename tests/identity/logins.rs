//! Logins on pooled connections: what they cost, when they are proved again, and what comes of one that is refused.
//!
//! Against fakes, whose journals show every message; the same against real servers where the environment names them
//! (`eval "$(tests/servers/all start)"`), and a line that says so where it does not.

mod age;
mod expired;
mod fairness;
mod guessing;
mod service;
mod stand;
mod takeover;
mod tokens;
mod unverified;
mod warm;
