//! What the tests share: a gateway in this process, the servers behind it, fakes, and a raw HTTP client.
//!
//! Each test binary uses a part of it.
#![allow(dead_code, unused_imports, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::indexing_slicing)]

pub mod bolt;
pub mod chance;
pub mod client;
pub mod cut;
pub mod fault;
pub mod gateway;
pub mod http;
pub mod http2;
pub mod identity_provider;
pub mod json;
pub mod known_load;
pub mod oidc_provider;
pub mod openmetrics;
pub mod process;
pub mod processor;
pub mod proxy;
pub mod query;
pub mod servers;
pub mod suite;
#[cfg(unix)]
pub mod tls;
pub mod unread;
