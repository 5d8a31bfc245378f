//! The counters of a result.

use bytes::{BufMut, BytesMut};

use super::scalar;
use crate::bolt::packstream::{DecodeError, Reader, Token};

/// The keys of the server and of the API, in the API's order. The two Booleans are separate.
const COUNTS: [(&str, &str); 12] = [
    ("nodes-created", "nodesCreated"),
    ("nodes-deleted", "nodesDeleted"),
    ("properties-set", "propertiesSet"),
    ("relationships-created", "relationshipsCreated"),
    ("relationships-deleted", "relationshipsDeleted"),
    ("labels-added", "labelsAdded"),
    ("labels-removed", "labelsRemoved"),
    ("indexes-added", "indexesAdded"),
    ("indexes-removed", "indexesRemoved"),
    ("constraints-added", "constraintsAdded"),
    ("constraints-removed", "constraintsRemoved"),
    (SYSTEM_UPDATES, "systemUpdates"),
];

const SYSTEM_UPDATES: &str = "system-updates";

/// Appends the counters object with all keys of the API. `stats` is the map from the server, if it sent one.
///
/// # Errors
/// Returns a [`DecodeError`] if `stats` is not such a map. `out` is then unchanged.
pub fn counters(out: &mut BytesMut, stats: Option<&[u8]>) -> Result<(), DecodeError> {
    let mut counts = [0; COUNTS.len()];
    let (mut updates, mut system_updates) = (None, None);
    if let Some(stats) = stats {
        let mut reader = Reader::new(stats);
        for _ in 0..reader.expect_map()? {
            match reader.expect_string()? {
                "contains-updates" => updates = Some(boolean(&mut reader)?),
                "contains-system-updates" => system_updates = Some(boolean(&mut reader)?),
                key => match COUNTS.iter().zip(&mut counts).find(|((name, _), _)| *name == key) {
                    Some((_, count)) => *count = reader.expect_integer()?,
                    None => reader.skip()?,
                },
            }
        }
    }
    // A server that does not say whether anything changed is judged by its counts.
    let changed = |system: bool| {
        COUNTS.iter().zip(counts).any(|((name, _), count)| (*name == SYSTEM_UPDATES) == system && count > 0)
    };
    member(out, b'{', "containsUpdates", |out| write_boolean(out, updates.unwrap_or_else(|| changed(false))));
    for ((name, key), count) in COUNTS.iter().zip(counts) {
        if *name == SYSTEM_UPDATES {
            let system_updates = system_updates.unwrap_or_else(|| changed(true));
            member(out, b',', "containsSystemUpdates", |out| write_boolean(out, system_updates));
        }
        member(out, b',', key, |out| scalar::integer(out, count));
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
