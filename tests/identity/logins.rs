//! Logins on pooled connections: what they cost, when they are proved again, and what comes of one that is refused.
//!
//! Against fakes, whose journals show every message; the same against real servers where the environment names them
//! (`eval "$(tests/servers/all start)"`), and a line that says so where it does not.
#![allow(unreachable_pub, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

#[path = "logins/age.rs"]
mod age;
#[path = "logins/expired.rs"]
mod expired;
#[path = "logins/fairness.rs"]
mod fairness;
#[path = "logins/guessing.rs"]
mod guessing;
#[path = "logins/servers.rs"]
mod servers;
#[path = "logins/service.rs"]
mod service;
#[path = "logins/stand.rs"]
mod stand;
#[path = "logins/strangers.rs"]
mod strangers;
#[path = "logins/takeover.rs"]
mod takeover;
#[path = "logins/tokens.rs"]
mod tokens;
#[path = "logins/warm.rs"]
mod warm;
