//! The gateway and what is behind it: Bolt, the databases' own ways, their failures.
#![allow(unreachable_pub, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod bolt_client;
mod cancel;
mod database_down;
mod fakes_follow_the_protocol;
mod memgraph;
mod memgraph_tools;
mod observer;
mod retries;
#[path = "../support/mod.rs"]
mod support;
mod tls;
