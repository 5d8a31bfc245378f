//! A caller leaves, at whatever point: the statement ends, the connection to the database is clean or closed, and the
//! next caller gets its own answer.

mod disconnect;
mod exhausted;
mod polls;
mod relogin;
mod stalled;
pub(crate) mod stand;
