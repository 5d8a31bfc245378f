//! Remembers why transactions were rolled back, to tell their owners.

use std::collections::{HashMap, VecDeque};

use crate::{auth::IdentityKey, telemetry::observer::TransactionOutcome};

/// Why a transaction was rolled back without its owner asking for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RollbackCause {
    /// It was idle for too long.
    Idle,
    /// It was open for too long.
    Old,
    /// The credential of its owner expired.
    Expired,
    /// An operator ended it.
    Operator,
    /// The request that was using it was interrupted.
    Abandoned,
}

impl RollbackCause {
    /// The same for observers.
    pub(super) fn outcome(self) -> TransactionOutcome {
        match self {
            Self::Idle => TransactionOutcome::IdleTimeout,
            Self::Old => TransactionOutcome::Lifetime,
            Self::Expired => TransactionOutcome::Expired,
            Self::Operator => TransactionOutcome::Operator,
            Self::Abandoned => TransactionOutcome::Failed,
        }
    }
}

/// The transactions that were rolled back most recently. The oldest are forgotten.
#[derive(Default)]
pub(super) struct Tombstones {
    by_id: HashMap<String, Tombstone>,
    /// The identifiers, the oldest first.
    order: VecDeque<String>,
}

struct Tombstone {
    owner: IdentityKey,
    database: String,
    cause: RollbackCause,
}

/// The number of transactions that are remembered: more than expire before their owners notice.
const CAPACITY: usize = 4096;

impl Tombstones {
    pub(super) fn add(&mut self, id: String, owner: IdentityKey, database: String, cause: RollbackCause) {
        if self.order.len() >= CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
        self.order.push_back(id.clone());
        self.by_id.insert(id, Tombstone { owner, database, cause });
    }

    /// Returns why the transaction `id` on `database` was rolled back, if it was `owner`'s.
    pub(super) fn cause(&self, id: &str, owner: IdentityKey, database: &str) -> Option<RollbackCause> {
        let tombstone = self.by_id.get(id)?;
        (tombstone.owner == owner && tombstone.database == database).then_some(tombstone.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_learns_the_cause_and_only_for_a_while() {
        let (owner, other) = (IdentityKey::numbered(1), IdentityKey::numbered(2));
        let mut tombstones = Tombstones::default();
        tombstones.add("a".into(), owner, "neo4j".into(), RollbackCause::Idle);
        assert_eq!(tombstones.cause("a", owner, "neo4j"), Some(RollbackCause::Idle));
        assert_eq!(tombstones.cause("a", other, "neo4j"), None);
        assert_eq!(tombstones.cause("a", owner, "other"), None);
        for number in 0..CAPACITY {
            tombstones.add(number.to_string(), owner, "neo4j".into(), RollbackCause::Old);
        }
        assert_eq!(tombstones.cause("a", owner, "neo4j"), None);
        assert_eq!(tombstones.by_id.len(), CAPACITY);
    }
}
