//! A caller leaves, at whatever point: the statement ends, the connection to the database is clean or closed, and the
//! next caller gets its own answer.
#![allow(unreachable_pub, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

#[path = "cancel/disconnect.rs"]
mod disconnect;
#[path = "cancel/exhausted.rs"]
mod exhausted;
#[path = "cancel/polls.rs"]
mod polls;
#[path = "cancel/relogin.rs"]
mod relogin;
#[path = "cancel/stalled.rs"]
mod stalled;
#[path = "cancel/stand.rs"]
mod stand;
