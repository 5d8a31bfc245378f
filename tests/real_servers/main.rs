//! Tests against real servers, where the environment names them (`eval "$(tests/servers/all start)"`).
//!
//! Tests of these suites that need no server are in modules named `without_servers`, so that CI can leave them out when
//! it has run them before: `cargo test --test real_servers -- --skip without_servers::`.
#![allow(unreachable_pub, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod bulk_load;
mod chaos;
mod client_guide;
mod concurrent_writers;
mod crash_matrix;
mod differential;
mod fakes;
mod kill;
mod logins;
mod metrics;
mod named;
mod oidc;
mod recipes;
mod runaway_queries;
#[path = "../support/mod.rs"]
mod support;
mod token_transfer;
mod unread;
