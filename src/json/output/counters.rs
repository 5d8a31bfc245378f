//! The counters of a result.

use bytes::{BufMut, BytesMut};

use super::scalar;
use crate::bolt::packstream::{DecodeError, Reader, Token};

/// The keys of the server, of the Query API and of the transactional API, in the order of both. The two Booleans are
/// separate.
const COUNTS: [(&str, &str, &str); 12] = [
    ("nodes-created", "nodesCreated", "nodes_created"),
    ("nodes-deleted", "nodesDeleted", "nodes_deleted"),
    ("properties-set", "propertiesSet", "properties_set"),
    ("relationships-created", "relationshipsCreated", "relationships_created"),
    ("relationships-deleted", "relationshipsDeleted", "relationship_deleted"),
    ("labels-added", "labelsAdded", "labels_added"),
    ("labels-removed", "labelsRemoved", "labels_removed"),
    ("indexes-added", "indexesAdded", "indexes_added"),
    ("indexes-removed", "indexesRemoved", "indexes_removed"),
    ("constraints-added", "constraintsAdded", "constraints_added"),
    ("constraints-removed", "constraintsRemoved", "constraints_removed"),
    (SYSTEM_UPDATES, "systemUpdates", "system_updates"),
];

const SYSTEM_UPDATES: &str = "system-updates";

/// Appends the counters object with all keys of the API. `stats` is the map from the server, if it sent one.
///
/// # Errors
/// Returns a [`DecodeError`] if `stats` is not such a map. `out` is then unchanged.
pub fn counters(out: &mut BytesMut, stats: Option<&[u8]>) -> Result<(), DecodeError> {
    object(out, stats, ("containsUpdates", "containsSystemUpdates"), |(_, key, _)| key)
}

/// Like [`counters`], with the keys of the transactional API.
///
/// # Errors
/// See [`counters`].
pub fn stats(out: &mut BytesMut, stats: Option<&[u8]>) -> Result<(), DecodeError> {
    object(out, stats, ("contains_updates", "contains_system_updates"), |(.., key)| key)
}

/// Writes the object. `contains` are the keys of the Booleans, and `key` chooses those of the counts.
fn object(
    out: &mut BytesMut,
    stats: Option<&[u8]>,
    contains: (&str, &str),
    key: impl Fn((&'static str, &'static str, &'static str)) -> &'static str,
) -> Result<(), DecodeError> {
    let mut counts = [0; COUNTS.len()];
    let (mut updates, mut system_updates) = (None, None);
    if let Some(stats) = stats {
        let mut reader = Reader::new(stats);
        for _ in 0..reader.expect_map()? {
            match reader.expect_string()? {
                "contains-updates" => updates = Some(boolean(&mut reader)?),
                "contains-system-updates" => system_updates = Some(boolean(&mut reader)?),
                key => match COUNTS.iter().zip(&mut counts).find(|((name, ..), _)| *name == key) {
                    Some((_, count)) => *count = reader.expect_integer()?,
                    None => reader.skip()?,
                },
            }
        }
    }
    // A server that does not say whether anything changed is judged by its counts.
    let changed = |system: bool| {
        COUNTS.iter().zip(counts).any(|((name, ..), count)| (*name == SYSTEM_UPDATES) == system && count > 0)
    };
    member(out, b'{', contains.0, |out| write_boolean(out, updates.unwrap_or_else(|| changed(false))));
    for (names, count) in COUNTS.into_iter().zip(counts) {
        if names.0 == SYSTEM_UPDATES {
            let system_updates = system_updates.unwrap_or_else(|| changed(true));
            member(out, b',', contains.1, |out| write_boolean(out, system_updates));
        }
        member(out, b',', key(names), |out| scalar::integer(out, count));
    }
    out.put_u8(b'}');
    Ok(())
}

fn member(out: &mut BytesMut, before: u8, key: &str, write: impl FnOnce(&mut BytesMut)) {
    out.put_u8(before);
    scalar::quoted(out, |out| out.extend_from_slice(key.as_bytes()));
    out.put_u8(b':');
    write(out);
}

fn write_boolean(out: &mut BytesMut, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

fn boolean(reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
    match reader.token()? {
        Token::Boolean(value) => Ok(value),
        _ => Err(DecodeError::Value("a counter that is not a Boolean")),
    }
}
