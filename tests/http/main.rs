//! Requests, answers, connections and transactions: the gateway from the outside.
#![allow(unreachable_pub, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod admin;
mod admission;
mod affinity;
#[cfg(feature = "mcp")]
mod agents;
mod arrow;
mod bad_input;
mod batch;
mod bodies;
mod bulk_load;
mod compression;
mod connections;
mod console;
mod docs;
mod encrypted;
mod front_page;
mod graph_document;
mod guard;
mod idempotency;
mod mistakes;
mod named;
mod query;
mod reload;
mod result_limits;
mod rows_alone;
mod running;
mod statuses;
#[path = "../support/mod.rs"]
mod support;
mod threads;
mod tools_at_start;
mod tracing;
mod transactional;
mod transactions;
mod unix_socket;
mod unread;
mod websocket;
