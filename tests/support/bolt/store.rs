//! A key-value store with transactions, enough to see commits, rollbacks, isolation and conflicts.
//!
//! Owns: committed values by database, write locks, snapshots.
//! Promises: a dropped transaction leaves no trace.
//! May not know: Bolt, statements.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::value::Value;

/// How a transaction sees others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Reads what is committed now; a write waits for the holder of the lock (Neo4j).
    ReadCommitted,
    /// Reads what was committed when it began; a concurrent write is a conflict (Memgraph).
    Snapshot,
}

/// Why a write cannot happen now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocked {
    /// Another transaction holds the key; try again when something was released.
    Wait,
    /// Waiting would never end: the holder waits for this transaction.
    Deadlock,
    /// Someone else wrote the key after the snapshot was taken, or is writing it.
    Conflict,
}

/// Value (none: removed) and the number of the commit that wrote it.
type Values = BTreeMap<String, (Option<Value>, u64)>;

#[derive(Default)]
struct State {
    /// Number of the last commit.
    clock: u64,
    next: u64,
    values: HashMap<String, Values>,
    locks: HashMap<(String, String), u64>,
    waits: HashMap<u64, u64>,
}

#[derive(Default)]
pub struct Store {
    state: Mutex<State>,
    released: Arc<Notify>,
}

impl Store {
    /// The value that a new transaction would read.
    pub fn committed(&self, db: &str, key: &str) -> Option<Value> {
        let state = self.state.lock().unwrap();
        state.values.get(db)?.get(key).and_then(|(value, _)| value.clone())
    }

    /// How many transactions have been committed with writes.
    pub fn clock(&self) -> u64 {
        self.state.lock().unwrap().clock
    }

    pub fn begin(self: &Arc<Self>, db: &str, isolation: Isolation) -> Transaction {
        let mut state = self.state.lock().unwrap();
        state.next += 1;
        Transaction {
            store: Arc::clone(self),
            id: state.next,
            db: db.to_owned(),
            isolation,
            start: state.clock,
            snapshot: state.values.get(db).cloned().unwrap_or_default(),
            writes: BTreeMap::new(),
        }
    }
}

/// One transaction; dropping it rolls back.
pub struct Transaction {
    store: Arc<Store>,
    id: u64,
    db: String,
    isolation: Isolation,
    start: u64,
    snapshot: Values,
    writes: BTreeMap<String, Option<Value>>,
}

impl Transaction {
    pub fn db(&self) -> &str {
        &self.db
    }

    pub fn wrote(&self) -> bool {
        !self.writes.is_empty()
    }

    pub fn read(&self, key: &str) -> Option<Value> {
        match (self.writes.get(key), self.isolation) {
            (Some(own), _) => own.clone(),
            (None, Isolation::ReadCommitted) => self.store.committed(&self.db, key),
            (None, Isolation::Snapshot) => self.snapshot.get(key).and_then(|(v, _)| v.clone()),
        }
    }

    /// Takes the write lock of `key`.
    ///
    /// # Errors
    /// Why it cannot be had now; nothing has changed then.
    pub fn lock(&mut self, key: &str) -> Result<(), Blocked> {
        let mut state = self.store.state.lock().unwrap();
        let lock = (self.db.clone(), key.to_owned());
        let holder = state.locks.get(&lock).copied().filter(|holder| *holder != self.id);
        if self.isolation == Isolation::Snapshot {
            let written = state.values.get(&self.db).and_then(|all| all.get(key));
            if holder.is_some() || written.is_some_and(|(_, at)| *at > self.start) {
                return Err(Blocked::Conflict);
            }
        } else if let Some(holder) = holder {
            let mut next = Some(holder);
            while let Some(id) = next {
                if id == self.id {
                    return Err(Blocked::Deadlock);
                }
                next = state.waits.get(&id).copied();
            }
            state.waits.insert(self.id, holder);
            return Err(Blocked::Wait);
        }
        state.waits.remove(&self.id);
        state.locks.insert(lock, self.id);
        Ok(())
    }

    /// Notified whenever locks are released; ask for the signal before trying the lock.
    pub fn release_signal(&self) -> Arc<Notify> {
        Arc::clone(&self.store.released)
    }

    /// Sets (or removes) a value whose lock is held.
    pub fn write(&mut self, key: &str, value: Option<Value>) {
        self.writes.insert(key.to_owned(), value);
    }

    /// Makes the writes visible and says the number of the last commit.
    pub fn commit(mut self) -> u64 {
        let writes = std::mem::take(&mut self.writes);
        let mut state = self.store.state.lock().unwrap();
        if !writes.is_empty() {
            state.clock += 1;
        }
        let clock = state.clock;
        let values = state.values.entry(self.db.clone()).or_default();
        for (key, value) in writes {
            values.insert(key, (value, clock));
        }
        clock
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Ok(mut state) = self.store.state.lock() {
            let id = self.id;
            state.locks.retain(|_, holder| *holder != id);
            state.waits.remove(&id);
        }
        self.store.released.notify_waiters();
    }
}
