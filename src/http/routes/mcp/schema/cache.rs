//! The schemas that were collected within the last minute.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::auth::IdentityKey;

/// How long a schema is kept.
const KEPT: Duration = Duration::from_secs(60);
/// The most schemas that are kept. Each is at most about `mcp.max_bytes` long.
const MOST: usize = 64;

/// What a schema was collected for. No caller is shown the schema of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) caller: IdentityKey,
    /// The user that the caller acts as.
    pub(super) user: Option<String>,
    pub(super) database: String,
    pub(super) sample: u32,
}

/// The schemas, oldest first.
#[derive(Debug, Default)]
pub(in crate::http::routes::mcp) struct Cache(Mutex<Vec<(Key, Instant, Arc<str>)>>);

impl Cache {
    pub(super) fn get(&self, key: &Key) -> Option<Arc<str>> {
        let now = Instant::now();
        let mut kept = self.lock();
        kept.retain(|(_, since, _)| now.duration_since(*since) < KEPT);
        kept.iter().find(|(of, ..)| of == key).map(|(.., schema)| Arc::clone(schema))
    }

    pub(super) fn put(&self, key: Key, schema: Arc<str>) {
        let mut kept = self.lock();
        kept.retain(|(of, ..)| *of != key);
        if kept.len() >= MOST {
            kept.remove(0);
        }
        kept.push((key, Instant::now(), schema));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Key, Instant, Arc<str>)>> {
        // The list is consistent after every statement, so a panic of another thread does no harm.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Identity;

    fn key(caller: u64, database: &str) -> Key {
        Key { caller: Identity::numbered(caller).owner(), user: None, database: database.into(), sample: 1 }
    }

    #[tokio::test(start_paused = true)]
    async fn a_schema_is_kept_for_its_caller_and_database_for_a_minute() {
        let cache = Cache::default();
        cache.put(key(1, "a"), "one".into());
        assert_eq!(cache.get(&key(1, "a")).as_deref(), Some("one"));
        let other = Key { user: Some("x".into()), ..key(1, "a") };
        for other in [key(2, "a"), key(1, "b"), Key { sample: 2, ..key(1, "a") }, other] {
            assert_eq!(cache.get(&other), None);
        }
        tokio::time::advance(KEPT - Duration::from_millis(1)).await;
        assert!(cache.get(&key(1, "a")).is_some());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(cache.get(&key(1, "a")), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_gives_way_when_there_are_too_many() {
        let cache = Cache::default();
        for caller in 0..=u64::try_from(MOST).unwrap() {
            cache.put(key(caller, "a"), "x".into());
        }
        assert_eq!(cache.get(&key(0, "a")), None);
        assert!(cache.get(&key(1, "a")).is_some());
        cache.put(key(1, "a"), "y".into());
        assert_eq!(cache.get(&key(1, "a")).as_deref(), Some("y"));
        assert_eq!(cache.lock().len(), MOST);
    }
}
