//! JSON on both sides of the gateway: converts values to text, and parameters to values.
//!
//! Owns how a Cypher value looks in JSON, in every view that a client may ask for. Promises one pass from bytes to
//! bytes: neither direction builds a tree of values. Knows nothing of sockets, HTTP or credentials.

pub mod input;
pub mod output;

/// How a response or a request writes values as JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum View {
    /// Bare JSON values: short, but a date cannot be told from a string.
    Plain,
    /// Every value wrapped as `{"$type":…,"_value":…}`, which preserves its Cypher type.
    Typed(TypedVersion),
}

/// The version of typed JSON, as the media type names it. Each version adds types to the previous one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum TypedVersion {
    /// The default for a media type without a version. Has neither vectors nor UUIDs.
    V1_0,
    /// Adds `Vector`, and `Unsupported` in place of values of unknown types.
    V1_1,
    /// Adds `UUID`.
    V1_2,
}
