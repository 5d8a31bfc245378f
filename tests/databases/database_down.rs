//! The database is not there, comes back, goes away, or is something else: what callers are told, and that they need
//! nobody to restart the gateway.
#![allow(unreachable_pub, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

#[path = "database_down/absent.rs"]
mod absent;
#[path = "database_down/frozen.rs"]
mod frozen;
// A gateway without sockets, so that time can pass by itself.
#[allow(dead_code, reason = "it has more than is needed here")]
#[path = "cancel/stand.rs"]
mod in_memory;
#[path = "database_down/lost.rs"]
mod lost;
#[path = "database_down/place.rs"]
mod place;
#[path = "database_down/silent.rs"]
mod silent;
