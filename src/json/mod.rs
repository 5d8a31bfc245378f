//! JSON on both sides of the gateway: values to text, and parameters to values.
//!
//! Owns how a Cypher value looks in JSON, in every view that a client may ask for. Promises one
//! pass from bytes to bytes: no tree of values is built in either direction. Knows nothing of
//! sockets, HTTP or credentials.

pub mod input;
pub mod output;

/// How values look in JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum View {
    /// Bare JSON values: short, but a date and a string look alike.
    Plain,
    /// Every value wrapped as `{"$type":…,"_value":…}`, so that its Cypher type survives.
    Typed(TypedVersion),
}

/// The version of typed JSON, as the media type names it. A later one knows more types.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum TypedVersion {
    /// Also what a media type without a version means. Knows neither vectors nor UUIDs.
    V1_0,
    /// Adds `Vector`, and `Unsupported` in place of what it does not know.
    V1_1,
    /// Adds `UUID`.
    V1_2,
}
