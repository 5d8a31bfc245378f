//! PackStream, Bolt's binary format for values: reading tokens from bytes, and writing them.
//!
//! Owns the marker table, the reader and the writer. Promises that no announced length is trusted before it was checked
//! against the bytes that are present. Knows nothing of messages, sockets or JSON.
//!
//! Source: the PackStream specification of the Bolt protocol documentation; the UUID marker of Bolt 6.1
//! was seen on Neo4j 2026.09.

mod read;
mod write;

pub use read::{DecodeError, Reader, Token, integer};
pub use write::{Writer, close_collection, long_head, open_collection};

/// The tags of structures inside values.
pub mod tag {
    /// Node: id, labels, properties (, element id from Bolt 5.0).
    pub const NODE: u8 = 0x4E;
    /// Relationship: id, start id, end id, type, properties (, three element ids from Bolt 5.0).
    pub const RELATIONSHIP: u8 = 0x52;
    /// Relationship inside a path: id, type, properties (, element id from Bolt 5.0).
    pub const UNBOUND_RELATIONSHIP: u8 = 0x72;
    /// Path: nodes, unbound relationships, indices.
    pub const PATH: u8 = 0x50;
    /// Date: days since 1970-01-01.
    pub const DATE: u8 = 0x44;
    /// Time: nanoseconds of the local day, offset in seconds.
    pub const TIME: u8 = 0x54;
    /// Local time: nanoseconds of the day.
    pub const LOCAL_TIME: u8 = 0x74;
    /// Date-time with offset: UTC seconds, nanoseconds, offset in seconds.
    pub const DATE_TIME: u8 = 0x49;
    /// Date-time with zone: UTC seconds, nanoseconds, zone name.
    pub const DATE_TIME_ZONE: u8 = 0x69;
    /// Date-time with offset before Bolt 5.0: wall-clock seconds, nanoseconds, offset in seconds.
    pub const LEGACY_DATE_TIME: u8 = 0x46;
    /// Date-time with zone before Bolt 5.0: wall-clock seconds, nanoseconds, zone name.
    pub const LEGACY_DATE_TIME_ZONE: u8 = 0x66;
    /// Local date-time: wall-clock seconds, nanoseconds.
    pub const LOCAL_DATE_TIME: u8 = 0x64;
    /// Duration: months, days, seconds, nanoseconds.
    pub const DURATION: u8 = 0x45;
    /// Point in two dimensions: SRID, x, y.
    pub const POINT_2D: u8 = 0x58;
    /// Point in three dimensions: SRID, x, y, z.
    pub const POINT_3D: u8 = 0x59;
    /// Vector (Bolt 6.0): one byte that names the coordinates' type, coordinates in big-endian bytes.
    pub const VECTOR: u8 = 0x56;
    /// A value the negotiated version cannot carry (Bolt 6.0): name, minimum major, minimum minor, extra.
    pub const UNSUPPORTED: u8 = 0x3F;
}

/// A map of strings, for tests.
#[cfg(test)]
pub(crate) fn map_of(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    writer.map(pairs.len());
    for (key, value) in pairs {
        writer.string(key);
        writer.string(value);
    }
    out
}
