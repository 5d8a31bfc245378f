//! The transactions of the whole server: seen and terminated from any connection.
//!
//! May not know: messages, statements.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::super::value::Value;

/// Ids begin here, beyond what fits a signed integer.
const FIRST_ID: u64 = 9_223_372_036_854_775_809;

/// One running transaction, as SHOW TRANSACTIONS tells it.
pub(super) struct Entry {
    pub id: u64,
    pub username: String,
    pub queries: Mutex<Vec<String>>,
    pub metadata: Value,
    pub db: String,
    pub started: Instant,
    killed: AtomicBool,
    kill: Notify,
}

impl Entry {
    pub fn is_killed(&self) -> bool {
        self.killed.load(Ordering::SeqCst)
    }

    /// Resolves when somebody terminates it.
    pub async fn terminated(&self) {
        loop {
            let kill = self.kill.notified();
            if self.is_killed() {
                return;
            }
            kill.await;
        }
    }
}

#[derive(Default)]
pub(super) struct Registry {
    entries: Mutex<(u64, BTreeMap<u64, Arc<Entry>>)>,
    /// How often more [`Registry::visible`] is empty.
    hidden: AtomicUsize,
}

impl Registry {
    pub fn enter(self: &Arc<Self>, username: &str, metadata: Value, db: &str) -> Registered {
        let mut entries = self.entries.lock().unwrap();
        let id = FIRST_ID + entries.0;
        entries.0 += 1;
        let entry = Arc::new(Entry {
            id,
            username: username.to_owned(),
            queries: Mutex::default(),
            metadata,
            db: db.to_owned(),
            started: Instant::now(),
            killed: AtomicBool::new(false),
            kill: Notify::new(),
        });
        entries.1.insert(id, Arc::clone(&entry));
        Registered { registry: Arc::clone(self), entry }
    }

    pub fn all(&self) -> Vec<Arc<Entry>> {
        self.entries.lock().unwrap().1.values().cloned().collect()
    }

    /// What SHOW TRANSACTIONS finds.
    pub fn visible(&self) -> Vec<Arc<Entry>> {
        let hidden = self.hidden.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if hidden.is_ok() { Vec::new() } else { self.all() }
    }

    pub fn hide(&self, times: usize) {
        self.hidden.store(times, Ordering::SeqCst);
    }

    /// True if there was such a transaction.
    pub fn terminate(&self, id: u64) -> bool {
        let entry = self.entries.lock().unwrap().1.get(&id).cloned();
        let Some(entry) = entry else { return false };
        entry.killed.store(true, Ordering::SeqCst);
        entry.kill.notify_waiters();
        true
    }
}

/// In the list while it lives.
pub(super) struct Registered {
    registry: Arc<Registry>,
    pub entry: Arc<Entry>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.registry.entries.lock().unwrap().1.remove(&self.entry.id);
    }
}
