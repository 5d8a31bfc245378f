//! What is behind the gateway: the Bolt client, special features of the databases, their failures, and the fakes.
#![allow(unreachable_pub, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod accounts;
mod bolt_client;
mod cancel;
mod console;
mod database_down;
mod fakes_follow_the_protocol;
mod memgraph;
mod memgraph_tools;
mod metrics;
mod observer;
mod retries;
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod transaction_ends;
mod transactional;
