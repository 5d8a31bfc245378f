//! One handle of the engine in this process, and the transaction on it.
//!
//! Owns when the engine's transaction begins: with the first statement that reads or writes, and as one that may write
//! only with the first that writes. Promises that a transaction whose statement failed has been rolled back, and that a
//! transaction never writes if what it has read has changed since. Every call blocks.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use boltr::server::ResultStream;
use boltr::types::BoltDict;
use graphdblite::{Config, Database, GraphError, SyncMode};

use crate::embedded::engine::query::Query;
use crate::embedded::engine::side::Side;
use crate::embedded::errors::Failure;
use crate::embedded::ids::Ids;
use crate::embedded::temporal::Templates;
use crate::embedded::values::parameters_to_engine;

/// How long the engine waits for another process that writes, and a transaction for its turn to write.
pub(in crate::embedded) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest result in rows. It is held in memory as a whole: about 0.6 GB at this size.
const MAX_ROWS: usize = 1_000_000;
/// SQLite's page cache per handle in KiB; SQLite expects a negative number.
const PAGE_CACHE: i32 = -8 * 1024;

/// A statement to run, as a client sent it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::embedded) struct Run {
    pub(in crate::embedded) text: String,
    pub(in crate::embedded) parameters: BoltDict,
    /// Whether its transaction is in write mode.
    pub(in crate::embedded) writable: bool,
    /// Whether its transaction has its turn to write.
    pub(in crate::embedded) turn: bool,
    /// Whether it is the only statement of its transaction. If it only reads, the transaction ends with it.
    pub(in crate::embedded) alone: bool,
}

/// A handle: one SQLite connection, which holds one transaction.
pub(in crate::embedded) struct Local {
    database: Database,
    side: Side,
    ids: Ids,
    templates: Arc<Templates>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing has been read or written.
    Idle,
    /// The transaction reads a snapshot that was taken when the file had this version, or later.
    Reading(i64),
    Writing,
}

impl Local {
    /// Opens the database at `path`, which is created if it does not exist.
    pub(in crate::embedded) fn open(path: &Path, temporary: bool) -> Result<Local, GraphError> {
        let mut database = open_database(path, temporary)?;
        let side = Side::open(path, BUSY_TIMEOUT)?;
        let templates = Arc::new(Templates::new(&mut database)?);
        Ok(Local { ids: side.ids()?, database, side, templates, state: State::Idle })
    }

    /// Opens another handle for the database at `path`, which must be that of this handle.
    pub(in crate::embedded) fn another(&self, path: &Path, temporary: bool) -> Result<Local, GraphError> {
        Ok(Local {
            database: open_database(path, temporary)?,
            side: Side::open(path, BUSY_TIMEOUT)?,
            ids: self.ids.clone(),
            templates: Arc::clone(&self.templates),
            state: State::Idle,
        })
    }

    /// Runs a statement in the open transaction. Returns `None` if it writes and the transaction has not had its turn;
    /// it has then not been run.
    pub(in crate::embedded) fn run(&mut self, run: &Run) -> Result<Option<ResultStream>, Failure> {
        let result = self.try_run(run);
        if result.is_err() || (run.alone && self.state != State::Writing) {
            self.end();
        }
        result
    }

    fn try_run(&mut self, run: &Run) -> Result<Option<ResultStream>, Failure> {
        let parameters = parameters_to_engine(&run.parameters, &self.templates)?;
        let query = Query::new(&run.text, parameters, &self.ids)?;
        if query.writes() && run.writable {
            if !run.turn {
                return Ok(None);
            }
            self.write()?;
        } else if self.state == State::Idle {
            self.read()?;
        }
        query.run(&mut self.database).map(Some)
    }

    fn read(&mut self) -> Result<(), Failure> {
        let begun = self.side.version().and_then(|version| {
            self.database.begin_read()?;
            Ok(version)
        });
        self.state = State::Reading(begun.map_err(|error| Failure::of_engine(&error))?);
        Ok(())
    }

    /// Makes the transaction one that may write. SQLite cannot do that with a snapshot that is no longer the newest.
    fn write(&mut self) -> Result<(), Failure> {
        let before = self.state;
        if before == State::Writing {
            return Ok(());
        }
        self.end();
        self.database.begin_write().map_err(|error| Failure::of_engine(&error))?;
        self.state = State::Writing;
        match before {
            State::Reading(version) if self.side.version().map_err(|error| Failure::of_engine(&error))? != version => {
                Err(Failure::outdated())
            }
            _ => Ok(()),
        }
    }

    /// Commits the transaction, if there is one.
    pub(in crate::embedded) fn commit(&mut self) -> Result<(), Failure> {
        let committed = if self.database.in_transaction() { self.database.commit() } else { Ok(()) };
        self.end();
        committed.map_err(|error| Failure::of_engine(&error))
    }

    /// Rolls back the transaction, if there is one.
    pub(in crate::embedded) fn end(&mut self) {
        self.state = State::Idle;
        if self.database.in_transaction()
            && let Err(error) = self.database.rollback()
        {
            tracing::warn!(%error, "embedded database: cannot roll back");
        }
    }

    /// Whether the handle can be used for another transaction.
    pub(in crate::embedded) fn is_usable(&self) -> bool {
        !self.database.in_transaction()
    }
}

fn open_database(path: &Path, temporary: bool) -> Result<Database, GraphError> {
    let config = Config {
        busy_timeout_ms: u32::try_from(BUSY_TIMEOUT.as_millis()).unwrap_or(u32::MAX),
        // A temporary file does not have to survive a power failure.
        synchronous: if temporary { SyncMode::Off } else { SyncMode::Normal },
        max_result_rows: MAX_ROWS,
        cache_size: PAGE_CACHE,
        ..Config::default()
    };
    Database::open_with_config(path, config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use boltr::types::BoltValue;
    use tempfile::TempDir;

    struct Files {
        folder: TempDir,
    }

    impl Files {
        fn new() -> Files {
            Files { folder: TempDir::new().unwrap() }
        }

        fn open(&self) -> Local {
            Local::open(&self.folder.path().join("graph.db"), true).unwrap()
        }
    }

    fn inside(text: &str, turn: bool) -> Run {
        Run { text: text.to_owned(), parameters: BoltDict::new(), writable: true, turn, alone: false }
    }

    fn count(local: &mut Local) -> BoltValue {
        let result = local.run(&inside("MATCH (n) RETURN count(n)", false)).unwrap().unwrap();
        result.records[0].values[0].clone()
    }

    #[test]
    fn only_a_statement_that_writes_needs_the_turn() {
        let files = Files::new();
        let mut local = files.open();
        assert_eq!(count(&mut local), BoltValue::Integer(0));
        assert!(local.run(&inside("CREATE ()", false)).unwrap().is_none());
        assert!(local.run(&inside("CREATE ()", true)).unwrap().is_some());
        local.commit().unwrap();
        assert_eq!(count(&mut local), BoltValue::Integer(1));
    }

    #[test]
    fn a_transaction_that_has_read_writes_if_nothing_has_changed() {
        let files = Files::new();
        let (mut first, mut second) = (files.open(), files.open());
        count(&mut first);
        count(&mut second);
        second.commit().unwrap();
        first.run(&inside("CREATE ()", true)).unwrap().unwrap();
        first.commit().unwrap();
        assert_eq!(count(&mut second), BoltValue::Integer(1));
    }

    #[test]
    fn a_transaction_that_has_read_what_has_changed_since_does_not_write() {
        let files = Files::new();
        let (mut first, mut second) = (files.open(), files.open());
        count(&mut first);
        second.run(&inside("CREATE ()", true)).unwrap().unwrap();
        second.commit().unwrap();
        assert_eq!(count(&mut first), BoltValue::Integer(0), "a snapshot");
        assert_eq!(first.run(&inside("CREATE ()", true)).unwrap_err(), Failure::outdated());
        assert!(first.is_usable());
        first.run(&inside("CREATE ()", true)).unwrap().unwrap();
        first.commit().unwrap();
        assert_eq!(count(&mut first), BoltValue::Integer(2));
    }

    #[test]
    fn a_statement_alone_ends_its_transaction_unless_it_writes() {
        let files = Files::new();
        let mut local = files.open();
        local.run(&Run { alone: true, ..inside("RETURN 1", false) }).unwrap();
        assert!(local.is_usable());
        local.run(&Run { alone: true, ..inside("CREATE ()", true) }).unwrap();
        assert!(!local.is_usable());
        local.end();
        assert_eq!(count(&mut local), BoltValue::Integer(0));
    }

    #[test]
    fn a_write_in_read_mode_is_refused() {
        let files = Files::new();
        let failure = files.open().run(&Run { writable: false, ..inside("CREATE ()", false) }).unwrap_err();
        assert_eq!(failure.code, "Neo.ClientError.Statement.AccessMode");
    }
}
