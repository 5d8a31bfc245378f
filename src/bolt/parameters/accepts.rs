//! What a server takes as a parameter, and what is said of a parameter that it does not take.

use std::borrow::Cow;

use thiserror::Error;

/// What a server takes as a parameter. Settled once per connection, from its dialect and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one feature that a server has or has not")]
pub struct Accepts {
    /// Date-times count in UTC: Bolt 5.0, or 4.3 and later with the patch. Otherwise they are rewritten.
    pub utc: bool,
    /// Bytes; Memgraph has none.
    pub bytes: bool,
    /// Times with an offset; Memgraph has none.
    pub zoned_time: bool,
    /// Vectors: Bolt 6.0.
    pub vector: bool,
    /// UUIDs: Bolt 6.1.
    pub uuid: bool,
    /// Temporal values and points are confined to what Memgraph survives.
    pub memgraph_temporals: bool,
    /// Lists and maps in each other, inside one parameter.
    pub max_depth: usize,
    /// Values in all parameters together; lists and maps count as well.
    pub max_elements: usize,
}

/// A parameter that the server would not take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{path}: {reason}")]
pub struct InvalidParameter {
    /// Which one, as `parameters.people[3].born`.
    pub path: String,
    /// Why not, and what to do instead.
    pub reason: Cow<'static, str>,
}
