//! The program as a process: commands, settings, signals, the log.
#![allow(unreachable_pub, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod admin;
mod cli;
mod engine;
mod hostile;
mod listeners;
mod mistakes;
mod named;
mod otlp;
mod query;
mod reload;
mod requests;
mod sample;
mod service_manager;
mod shutdown;
#[path = "../support/mod.rs"]
mod support;
