//! A second connection to the database file, in addition to the engine's.
//!
//! Owns what the engine's interface cannot give: the database's uuid, which is kept in the engine's table of metadata,
//! and whether the file has changed. Promises never to touch the engine's own entries. Knows SQLite, and nothing of Cypher.

use std::path::Path;
use std::time::Duration;

use graphdblite::GraphError;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::embedded::ids::Ids;

/// The entry of the uuid. The engine's own keys have other prefixes.
const UUID: &str = "boltgate:uuid";

/// A connection that only looks at the file.
pub(super) struct Side {
    connection: Connection,
}

impl Side {
    /// Opens `path`, which the engine has opened before. `wait` is how long it may wait for a writing transaction.
    pub(super) fn open(path: &Path, wait: Duration) -> Result<Side, GraphError> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(wait)?;
        Ok(Side { connection })
    }

    /// Returns the ids of the database, which gets its uuid if it has none.
    pub(super) fn ids(&self) -> Result<Ids, GraphError> {
        if let Some(uuid) = self.uuid()? {
            return Ok(Ids::new(&uuid));
        }
        let uuid = Ids::new_uuid().map_err(|error| GraphError::Serialization {
            context: "the uuid of the database".to_owned(),
            source: error.to_string(),
            hint: None,
        })?;
        // Another process may have been faster.
        self.connection
            .execute("INSERT OR IGNORE INTO metadata (key, value) VALUES (?1, ?2)", (UUID, uuid.as_bytes()))?;
        Ok(Ids::new(&self.uuid()?.unwrap_or(uuid)))
    }

    /// Returns a number that changes whenever a transaction commits, in any process. It means nothing to another `Side`.
    pub(super) fn version(&self) -> Result<i64, GraphError> {
        Ok(self.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
    }

    fn uuid(&self) -> Result<Option<String>, GraphError> {
        let mut select = self.connection.prepare_cached("SELECT value FROM metadata WHERE key = ?1")?;
        let kept: Option<Vec<u8>> = select.query_row([UUID], |row| row.get(0)).optional()?;
        Ok(kept.and_then(|bytes| String::from_utf8(bytes).ok()))
    }
}
