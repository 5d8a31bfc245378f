//! Why transactions are gone, for those whose they were.

use std::collections::{HashMap, VecDeque};

use crate::auth::IdentityKey;

/// Why a transaction ended without its owner's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RollbackCause {
    /// No request had used it for too long.
    Idle,
    /// It was too old.
    Old,
    /// The request that was using it was broken off.
    Abandoned,
}

/// The last transactions that ended so; older ones are forgotten.
#[derive(Default)]
pub(super) struct Tombstones {
    by_id: HashMap<String, Tombstone>,
    /// The oldest first.
    order: VecDeque<String>,
}

struct Tombstone {
    owner: IdentityKey,
    database: String,
    cause: RollbackCause,
}

/// More than end so within the time in which somebody asks.
const MOST: usize = 4096;

impl Tombstones {
    pub(super) fn add(&mut self, id: String, owner: IdentityKey, database: String, cause: RollbackCause) {
        if self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
        self.order.push_back(id.clone());
        self.by_id.insert(id, Tombstone { owner, database, cause });
    }

    /// What became of `id`, if it was `owner`'s.
    pub(super) fn cause(&self, id: &str, owner: IdentityKey, database: &str) -> Option<RollbackCause> {
        let tombstone = self.by_id.get(id)?;
        (tombstone.owner == owner && tombstone.database == database).then_some(tombstone.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_learns_and_only_for_a_while() {
        let (owner, other) = (IdentityKey::numbered(1), IdentityKey::numbered(2));
        let mut tombstones = Tombstones::default();
        tombstones.add("a".into(), owner, "neo4j".into(), RollbackCause::Idle);
        assert_eq!(tombstones.cause("a", owner, "neo4j"), Some(RollbackCause::Idle));
        assert_eq!(tombstones.cause("a", other, "neo4j"), None);
        assert_eq!(tombstones.cause("a", owner, "other"), None);
        for number in 0..MOST {
            tombstones.add(number.to_string(), owner, "neo4j".into(), RollbackCause::Old);
        }
        assert_eq!(tombstones.cause("a", owner, "neo4j"), None);
        assert_eq!(tombstones.by_id.len(), MOST);
    }
}
