//! Results: how rows are fetched from the database, where they go, and how a result ends.
//!
//! Promises backpressure: the next batch of rows is requested only when the sink has taken the one before. Rows are
//! PackStream bytes; nothing here knows how a sink encodes them.

mod fetch_size;
mod rows;
mod sink;

pub(super) use self::{
    fetch_size::{Window, pull_first},
    rows::{Scope, patience},
};
pub use self::{
    rows::{Begun, End, Progress, Rows},
    sink::{Flow, RowRefused, RowSink},
};
