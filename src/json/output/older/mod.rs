//! Values as Neo4j's transactional HTTP API writes them.
//!
//! Owns the forms `row`, `graph` and `rest`, the list `meta`, Java's text of temporal values, and the API's counters, plans and
//! notifications. Promises one pass over a record for each form, that nesting cannot exhaust the stack, and that a row
//! allocates nothing except for paths, graphs and the growth of the buffer. Invalid values are errors.

mod graph;
mod meta;
mod rest;
mod row;
mod spatial;
mod temporal;
#[cfg(test)]
mod tests;

pub use super::counters::stats;
pub use super::notifications::listed as notifications;
pub use super::plan::inlined as plan;
pub use graph::{End, Graph, node_id};
pub use meta::meta;
pub use rest::rest;
pub use row::row;

use super::visit::{Open, push};
