//! The database file and the engine's handles for it.
//!
//! Owns the pool of handles (a handle is one SQLite connection and holds one transaction), the permit of the one
//! writer, and the bookmarks. Promises that a returned handle is rolled back unless it was committed, and that a
//! temporary file is deleted at the end. Knows nothing of Bolt.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use graphdblite::{Config, Database, GraphError, SyncMode};
use tempfile::TempDir;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::embedded::EmbeddedError;
use crate::embedded::engine::side::Side;
use crate::embedded::errors::Failure;
use crate::embedded::ids::Ids;
use crate::embedded::temporal::Templates;

/// How long a transaction waits for its permit to write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest result in rows. It is held in memory as a whole: about 0.6 GB at this size.
const MAX_ROWS: usize = 1_000_000;
/// The number of transactions that may be open at the same time. All handles are opened at the start, because opening
/// one writes to the file and would have to wait for a writing transaction.
const HANDLES: usize = 32;
/// SQLite's page cache per handle in KiB; SQLite expects a negative number.
const PAGE_CACHE: i32 = -8 * 1024;

/// One database file.
pub(in crate::embedded) struct Store {
    path: PathBuf,
    idle: Mutex<Vec<Database>>,
    /// One permit per handle.
    handles: Arc<Semaphore>,
    /// SQLite allows one writer. Waiting for a permit is fair, waiting in SQLite is not.
    writer: Arc<Semaphore>,
    templates: Templates,
    ids: Ids,
    /// Distinguishes the bookmarks of this store from those of others.
    origin: u64,
    commits: AtomicU64,
    /// Deletes the file. Stands after `idle`, so that the handles are closed first.
    temporary: Option<TempDir>,
}

impl Store {
    /// Opens `file`, or a temporary file.
    pub(in crate::embedded) fn open(file: Option<&Path>) -> Result<Store, EmbeddedError> {
        let (path, temporary) = match file {
            Some(file) => (file.to_owned(), None),
            None => {
                let folder = TempDir::with_prefix("boltgate-").map_err(EmbeddedError::Temporary)?;
                (folder.path().join("embedded.db"), Some(folder))
            }
        };
        let unusable = |source| EmbeddedError::Open { path: path.clone(), source: Box::new(source) };
        let mut first = open_handle(&path, temporary.is_some()).map_err(unusable)?;
        let templates = Templates::new(&mut first).map_err(unusable)?;
        let ids = Side::open(&path, BUSY_TIMEOUT).and_then(|side| side.ids()).map_err(unusable)?;
        let others = (1..HANDLES).map(|_| open_handle(&path, temporary.is_some()));
        let idle = std::iter::once(Ok(first)).chain(others).collect::<Result<_, _>>().map_err(unusable)?;
        Ok(Store {
            path,
            idle: Mutex::new(idle),
            handles: Arc::new(Semaphore::new(HANDLES)),
            writer: Arc::new(Semaphore::new(1)),
            templates,
            ids,
            // A hasher with random keys, because the value need not be secret, only different each time.
            origin: RandomState::new().build_hasher().finish(),
            commits: AtomicU64::new(0),
            temporary,
        })
    }

    pub(in crate::embedded) fn templates(&self) -> &Templates {
        &self.templates
    }

    pub(in crate::embedded) fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Waits until a transaction may begin, and with `writing` until it may write.
    ///
    /// # Errors
    /// Returns an error if either wait exceeds [`BUSY_TIMEOUT`].
    pub(in crate::embedded) async fn admit(&self, writing: bool) -> Result<Admission, Failure> {
        // The permit to write comes first: while waiting for it, a writer must not keep a handle from readers.
        let write_permit = if writing { Some(permit(&self.writer, Failure::busy).await?) } else { None };
        let handle = permit(&self.handles, Failure::too_many_transactions).await?;
        Ok(Admission { _handle: handle, write_permit })
    }

    /// The database file.
    pub(in crate::embedded) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the bookmark of the last commit.
    pub(in crate::embedded) fn bookmark(&self) -> String {
        let commits = self.commits.load(Ordering::Acquire);
        format!("FB:{}", STANDARD.encode([self.origin.to_be_bytes(), commits.to_be_bytes()].concat()))
    }

    fn take(&self) -> Result<Database, GraphError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| open_handle(&self.path, self.temporary.is_some()), Ok)
    }

    fn give_back(&self, database: Database) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(database);
    }
}

/// The permits that a transaction holds from before it begins until after it ends.
pub(in crate::embedded) struct Admission {
    _handle: OwnedSemaphorePermit,
    /// The permit to write, if the transaction may write.
    write_permit: Option<OwnedSemaphorePermit>,
}

async fn permit(semaphore: &Arc<Semaphore>, too_late: fn() -> Failure) -> Result<OwnedSemaphorePermit, Failure> {
    let acquired = tokio::time::timeout(BUSY_TIMEOUT, Arc::clone(semaphore).acquire_owned()).await;
    acquired.map_err(|_elapsed| too_late())?.map_err(|_closed| Failure::broken())
}

fn open_handle(path: &Path, temporary: bool) -> Result<Database, GraphError> {
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

/// A handle with an open transaction, which is rolled back on drop. Every method blocks.
pub(in crate::embedded) struct Transaction {
    /// Only `None` during drop.
    database: Option<Database>,
    store: Arc<Store>,
    /// Dropped last, after the rollback.
    _admission: Admission,
}

impl Transaction {
    /// Begins a transaction with the permissions of its admission.
    pub(in crate::embedded) fn begin(store: Arc<Store>, admission: Admission) -> Result<Transaction, Failure> {
        let database = store.take().map_err(|error| Failure::of_engine(&error))?;
        let writing = admission.write_permit.is_some();
        let mut transaction = Transaction { database: Some(database), store, _admission: admission };
        transaction.run(|database| {
            let begun = if writing { database.begin_write() } else { database.begin_read() };
            begun.map_err(|error| Failure::of_engine(&error))
        })?;
        Ok(transaction)
    }

    /// Runs `work` in the transaction.
    pub(in crate::embedded) fn run<T>(
        &mut self,
        work: impl FnOnce(&mut Database) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.database.as_mut().map_or_else(|| Err(Failure::broken()), work)
    }

    /// Commits the transaction. `wrote` says whether it needs a new bookmark.
    pub(in crate::embedded) fn commit(mut self, wrote: bool) -> Result<(), Failure> {
        self.run(|database| database.commit().map_err(|error| Failure::of_engine(&error)))?;
        if wrote {
            self.store.commits.fetch_add(1, Ordering::AcqRel);
        }
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(mut database) = self.database.take() else {
            return;
        };
        let clean = !database.in_transaction() || database.rollback().is_ok();
        // After a panic of the engine the state of the handle is unknown, so it is closed.
        if clean && !std::thread::panicking() {
            self.store.give_back(database);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(store: &Arc<Store>, writing: bool) -> Transaction {
        let handle = Arc::clone(&store.handles).try_acquire_owned().unwrap();
        let write_permit = writing.then(|| Arc::clone(&store.writer).try_acquire_owned().unwrap());
        Transaction::begin(Arc::clone(store), Admission { _handle: handle, write_permit }).unwrap()
    }

    fn count(store: &Arc<Store>) -> String {
        let mut transaction = begin(store, false);
        let rows = transaction.run(|database| Ok(database.execute("MATCH (n) RETURN count(n) AS c").unwrap()));
        rows.unwrap().first().unwrap().get("c").unwrap().to_string()
    }

    fn create(store: &Arc<Store>) -> Transaction {
        let mut transaction = begin(store, true);
        transaction.run(|database| Ok(database.execute("CREATE ()").unwrap())).unwrap();
        transaction
    }

    #[test]
    fn a_dropped_transaction_is_rolled_back_and_releases_its_permit() {
        let store = Arc::new(Store::open(None).unwrap());
        drop(create(&store));
        assert_eq!(count(&store), "0");
        create(&store).commit(true).unwrap();
        assert_eq!(count(&store), "1");
    }

    #[test]
    fn every_reader_may_begin_while_one_writes() {
        let store = Arc::new(Store::open(None).unwrap());
        let writer = create(&store);
        let readers: Vec<Transaction> = (1..HANDLES).map(|_| begin(&store, false)).collect();
        assert!(Arc::clone(&store.handles).try_acquire_owned().is_err());
        drop(readers);
        writer.commit(true).unwrap();
        assert_eq!(count(&store), "1");
    }

    #[test]
    fn only_a_write_changes_the_bookmark() {
        let store = Arc::new(Store::open(None).unwrap());
        let before = store.bookmark();
        create(&store).commit(true).unwrap();
        let after = store.bookmark();
        assert!(before.starts_with("FB:") && before != after);
        begin(&store, false).commit(false).unwrap();
        assert_eq!(store.bookmark(), after);
        assert_ne!(Store::open(None).unwrap().bookmark(), before);
    }

    #[test]
    fn a_temporary_file_is_deleted_at_the_end() {
        let store = Arc::new(Store::open(None).unwrap());
        let path = store.path.clone();
        assert!(path.exists());
        let open = create(&store);
        drop(store);
        assert!(path.exists());
        drop(open);
        assert!(!path.exists() && !path.parent().unwrap().exists());
    }

    #[test]
    fn a_file_keeps_what_was_committed_and_the_ids() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("kept.db");
        let store = Arc::new(Store::open(Some(&file)).unwrap());
        let id = store.ids().node(1);
        create(&store).commit(true).unwrap();
        drop(store);
        let store = Arc::new(Store::open(Some(&file)).unwrap());
        assert_eq!((count(&store).as_str(), store.ids().node(1)), ("1", id));
        assert_ne!(Store::open(None).unwrap().ids().node(1), store.ids().node(1));
    }

    #[test]
    fn a_file_of_another_kind_is_refused_by_name() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("text.db");
        std::fs::write(&file, "not a database, but long enough to look like a file of some sort".repeat(20)).unwrap();
        let error = Store::open(Some(&file)).err().unwrap().to_string();
        assert!(error.contains("text.db"), "{error}");
    }
}
