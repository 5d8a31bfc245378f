//! Callers: logins, tokens, single sign-on, fair shares, secrets.
#![allow(unreachable_pub, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod callers;
mod isolation;
mod logins;
mod named;
mod own_cypher;
mod secrets;
mod single_sign_on;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
