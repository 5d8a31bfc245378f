//! Values to JSON text: PackStream bytes in, the bytes of a response body out.
//!
//! Owns the text of every Cypher type in the plain and the typed views, and of a result's counters, plan and
//! notifications. Promises valid JSON, that a failed call leaves no half-written value behind, that nesting cannot
//! exhaust the stack, and that a row of scalars, collections, nodes and relationships allocates nothing except for the
//! growth of the buffer. Knows nothing of messages, routes or statuses.

mod counters;
mod csv;
mod duration;
mod elements;
mod entity;
mod error;
mod float;
mod graph;
mod notifications;
mod object;
pub mod older;
mod path;
mod pieces;
mod plan;
mod row;
mod scalar;
mod spatial;
mod structures;
mod temporal;
mod text;
mod value;
mod vector;
mod visit;
mod walk;

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;

pub use counters::counters;
pub use csv::{csv_header, csv_row};
pub use elements::{Elements, GraphLimits, GraphShape};
pub use error::RowError;
pub use notifications::notifications;
pub use object::{ObjectKeys, distinct_names, object_row};
pub use plan::{plan, profile};
pub use row::{ReplacedValue, ReplacedValues, RowWriter, Written, row};
pub use scalar::{integer, plain_float};
pub use text::string;
pub use value::{value, value_within};

/// What encodings other than text read as this one does.
#[cfg(feature = "arrow")]
pub(crate) mod parts {
    pub(crate) use super::graph::{ElementId, name};
    pub(crate) use super::path::{Path, PathPart};
    pub(crate) use super::row::{LONGEST_TEXT, begin, end};
    pub(crate) use super::spatial::srid_3d;
    pub(crate) use super::structures::{DateTime, Place, floats, integers};
    pub(crate) use super::temporal::{normalised, offset_in_range, time_in_range};
    pub(crate) use super::vector::coordinates;
}
