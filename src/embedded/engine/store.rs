//! The database file, and who may use it.
//!
//! Owns the places of open transactions, the turn to write, and the bookmarks. Promises a bounded number of open
//! transactions, one that writes at a time, and that a temporary file is deleted at the end. Knows nothing of Bolt.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::embedded::EmbeddedError;
use crate::embedded::engine::local::{BUSY_TIMEOUT, Local};
use crate::embedded::engine::pool::{HANDLES, Pool};
use crate::embedded::errors::Failure;

/// One database file.
pub(in crate::embedded) struct Store {
    path: PathBuf,
    pool: Arc<Pool>,
    /// One permit per handle.
    places: Arc<Semaphore>,
    /// SQLite allows one writer. Waiting for a permit is fair, waiting in SQLite is not.
    turns: Arc<Semaphore>,
    /// Distinguishes the bookmarks of this store from those of others.
    origin: u64,
    commits: AtomicU64,
    /// Deletes the file, after the pool has been closed.
    _temporary: Option<TempDir>,
}

impl Store {
    /// Opens `file`, or a temporary file. Each transaction runs in a process of `program`, or in this one.
    pub(in crate::embedded) fn open(file: Option<&Path>, program: Option<PathBuf>) -> Result<Store, EmbeddedError> {
        let (path, temporary) = match file {
            Some(file) => (file.to_owned(), None),
            None => {
                let folder = TempDir::with_prefix("boltgate-").map_err(EmbeddedError::Temporary)?;
                (folder.path().join("embedded.db"), Some(folder))
            }
        };
        let is_temporary = temporary.is_some();
        let unusable = |source| EmbeddedError::Open { path: path.clone(), source };
        // The first handle shows whether the file can be used at all. It creates what every other expects.
        let first = Local::open(&path, is_temporary).map_err(|error| unusable(error.into()))?;
        let pool = match program {
            None => {
                Pool::in_process(first, &path, is_temporary).map(Arc::new).map_err(|error| unusable(error.into()))?
            }
            Some(program) => {
                drop(first);
                let file = std::path::absolute(&path).map_err(|error| unusable(error.into()))?;
                Pool::in_processes(program, file, is_temporary).map_err(|error| unusable(error.into()))?
            }
        };
        Ok(Store {
            path,
            pool,
            places: Arc::new(Semaphore::new(HANDLES)),
            turns: Arc::new(Semaphore::new(1)),
            // A hasher with random keys, because the value need not be secret, only different each time.
            origin: RandomState::new().build_hasher().finish(),
            commits: AtomicU64::new(0),
            _temporary: temporary,
        })
    }

    /// Waits until another transaction may be open.
    ///
    /// # Errors
    /// Returns an error if the wait exceeds [`BUSY_TIMEOUT`].
    pub(in crate::embedded) async fn place(&self) -> Result<OwnedSemaphorePermit, Failure> {
        permit(&self.places, Failure::too_many_transactions).await
    }

    /// Waits for the turn to write.
    ///
    /// # Errors
    /// Returns an error if the wait exceeds [`BUSY_TIMEOUT`].
    pub(in crate::embedded) async fn turn(&self) -> Result<OwnedSemaphorePermit, Failure> {
        permit(&self.turns, Failure::busy).await
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

    /// Changes the bookmark.
    pub(super) fn count_commit(&self) {
        self.commits.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.pool.close();
    }
}

async fn permit(semaphore: &Arc<Semaphore>, too_late: fn() -> Failure) -> Result<OwnedSemaphorePermit, Failure> {
    let acquired = tokio::time::timeout(BUSY_TIMEOUT, Arc::clone(semaphore).acquire_owned()).await;
    acquired.map_err(|_elapsed| too_late())?.map_err(|_closed| Failure::broken())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::engine::local::Run;
    use crate::embedded::engine::transaction::Transaction;
    use boltr::types::{BoltDict, BoltValue};

    fn begin(store: &Arc<Store>, writing: bool) -> Transaction {
        let place = Arc::clone(&store.places).try_acquire_owned().unwrap();
        let turn = writing.then(|| Arc::clone(&store.turns).try_acquire_owned().unwrap());
        Transaction::new(Arc::clone(store), place, turn)
    }

    fn run(transaction: &mut Transaction, text: &str) -> Option<BoltValue> {
        let turn = transaction.may_write();
        let run = Run { text: text.to_owned(), parameters: BoltDict::new(), writable: true, turn, alone: false };
        let result = transaction.run(&run).unwrap().unwrap();
        result.records.first().map(|record| record.values[0].clone())
    }

    fn count(store: &Arc<Store>) -> Option<BoltValue> {
        run(&mut begin(store, false), "MATCH (n) RETURN count(n)")
    }

    fn create(store: &Arc<Store>) -> Transaction {
        let mut transaction = begin(store, true);
        run(&mut transaction, "CREATE ()");
        transaction
    }

    #[test]
    fn a_dropped_transaction_is_rolled_back_and_releases_its_turn() {
        let store = Arc::new(Store::open(None, None).unwrap());
        drop(create(&store));
        assert_eq!(count(&store), Some(BoltValue::Integer(0)));
        create(&store).commit().unwrap();
        assert_eq!(count(&store), Some(BoltValue::Integer(1)));
    }

    #[test]
    fn every_reader_may_begin_while_one_writes() {
        let store = Arc::new(Store::open(None, None).unwrap());
        let writer = create(&store);
        let mut readers: Vec<Transaction> = (1..HANDLES).map(|_| begin(&store, false)).collect();
        for reader in &mut readers {
            assert_eq!(run(reader, "RETURN 1"), Some(BoltValue::Integer(1)));
        }
        assert!(Arc::clone(&store.places).try_acquire_owned().is_err());
        drop(readers);
        writer.commit().unwrap();
        assert_eq!(count(&store), Some(BoltValue::Integer(1)));
    }

    #[test]
    fn only_a_write_changes_the_bookmark() {
        let store = Arc::new(Store::open(None, None).unwrap());
        let before = store.bookmark();
        create(&store).commit().unwrap();
        let after = store.bookmark();
        assert!(before.starts_with("FB:") && before != after);
        let mut reader = begin(&store, false);
        run(&mut reader, "RETURN 1");
        reader.commit().unwrap();
        assert_eq!(store.bookmark(), after);
        assert_ne!(Store::open(None, None).unwrap().bookmark(), before);
    }

    #[test]
    fn atemporary_file_is_deleted_at_the_end() {
        let store = Arc::new(Store::open(None, None).unwrap());
        let path = store._temporary.as_ref().unwrap().path().to_owned();
        assert!(path.join("embedded.db").exists());
        let open = create(&store);
        drop(store);
        assert!(path.exists());
        drop(open);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_keeps_what_was_committed_and_the_ids() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("kept.db");
        let id = |store: &Arc<Store>| match run(&mut begin(store, false), "MATCH (n) RETURN n") {
            Some(BoltValue::Node(node)) => node.element_id,
            other => panic!("{other:?}"),
        };
        let store = Arc::new(Store::open(Some(&file), None).unwrap());
        create(&store).commit().unwrap();
        let before = id(&store);
        drop(store);
        let store = Arc::new(Store::open(Some(&file), None).unwrap());
        assert_eq!(id(&store), before);
        let other = Arc::new(Store::open(None, None).unwrap());
        create(&other).commit().unwrap();
        assert_ne!(id(&other), before);
    }

    #[test]
    fn a_file_of_another_kind_is_refused_by_name() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("text.db");
        std::fs::write(&file, "not a database, but long enough to look like a file of some sort".repeat(20)).unwrap();
        let error = Store::open(Some(&file), None).err().unwrap().to_string();
        assert!(error.contains("text.db"), "{error}");
    }
}
