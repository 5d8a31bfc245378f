//! The parameters that a server accepts, and the error for one that it does not.

use std::borrow::Cow;

use thiserror::Error;

/// The parameters that a server accepts. They depend on the dialect and version of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one feature that a server has or has not")]
pub struct Accepts {
    /// Date-times in UTC: Bolt 5.0, or 4.3 and later with the patch. Otherwise they are rewritten.
    pub utc: bool,
    /// Bytes, which Memgraph lacks.
    pub bytes: bool,
    /// Times with an offset, which Memgraph lacks.
    pub zoned_time: bool,
    /// Vectors: Bolt 6.0.
    pub vector: bool,
    /// UUIDs: Bolt 6.1.
    pub uuid: bool,
    /// Temporal values and points are restricted to those that Memgraph survives.
    pub memgraph_temporals: bool,
    /// The most nesting levels of lists and maps within one parameter.
    pub max_depth: usize,
    /// The most values in all parameters together, including lists and maps.
    pub max_elements: usize,
}

/// A parameter that the server does not accept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{path}: {reason}")]
pub struct InvalidParameter {
    /// The path of the value, such as `parameters.people[3].born`.
    pub path: String,
    /// Why it is not accepted, and what to do instead.
    pub reason: Cow<'static, str>,
}
