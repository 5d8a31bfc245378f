//! Where idle wires rest: for each identity, a bucket in each runtime that has asked for one.
//!
//! A wire costs least where it was used last, since the runtime there is the one that it wakes. So whoever needs one looks
//! into the bucket of the current runtime first, then into the others; only then is one opened.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use deadpool::managed::{self, QueueMode};
use tokio::{
    runtime::{Handle, Id},
    time::Instant,
};

use super::manager::{Manager, Wire};
use crate::auth::{ByIdentity, IdentityKey};

/// The wires of one identity in one runtime.
pub(super) type Bucket = managed::Pool<Manager>;

/// All buckets.
#[derive(Default)]
pub(super) struct Buckets {
    known: Mutex<ByIdentity<Kept>>,
}

struct Kept {
    buckets: Vec<(Id, Bucket)>,
    last_used: Instant,
}

impl Kept {
    /// Has wires, or is about to: a wire whose bucket is forgotten while it is being opened serves only once.
    fn is_wanted(&self) -> bool {
        self.buckets.iter().map(|(_, bucket)| bucket.status()).any(|status| status.size > 0 || status.waiting > 0)
    }

    /// Takes one idle wire out of the buckets that are `wanted`.
    fn take_one(&self, wanted: impl Fn(Id) -> bool) -> Option<Idle> {
        self.buckets.iter().filter(|(id, _)| wanted(*id)).find_map(|(_, bucket)| {
            let mut unused = None;
            let taken = bucket.retain(|_, metrics| {
                // One is enough.
                unused.is_some() || {
                    unused = Some(metrics.last_used());
                    false
                }
            });
            Some(Idle { wire: taken.removed.into_iter().next()?, unused: unused? })
        })
    }
}

/// A wire that was taken out of its bucket.
pub(super) struct Idle {
    pub(super) wire: Wire,
    /// How long nobody had used it.
    pub(super) unused: Duration,
}

impl Buckets {
    /// The identity's bucket in the current runtime, for at most `max` wires. The identity counts as used.
    pub(super) fn here(&self, identity: IdentityKey, max: usize, manager: impl FnOnce() -> Manager) -> Bucket {
        let (id, now) = (Handle::current().id(), Instant::now());
        let mut known = self.known();
        if !known.contains_key(&identity) && known.len() >= 2 * max {
            known.retain(|_, kept| kept.is_wanted());
        }
        let kept = known.entry(identity).or_insert_with(|| Kept { buckets: Vec::with_capacity(1), last_used: now });
        kept.last_used = now;
        if let Some((_, bucket)) = kept.buckets.iter().find(|(runtime, _)| *runtime == id) {
            return bucket.clone();
        }
        // Its own cap never bites: the turns are counted over all buckets. The wire used last goes first, so that
        // those a quiet time leaves over grow old together.
        let Ok(bucket) = Bucket::builder(manager()).max_size(max).queue_mode(QueueMode::Lifo).build() else {
            unreachable!("a bucket without timeouts needs no runtime")
        };
        kept.buckets.push((id, bucket.clone()));
        bucket
    }

    /// An idle wire of the identity in any other runtime.
    pub(super) fn take_elsewhere(&self, identity: IdentityKey) -> Option<Idle> {
        let here = Handle::current().id();
        self.known().get(&identity)?.take_one(|id| id != here)
    }

    /// An idle wire of the identity that was away longest; one of `asking` itself only if there is no other.
    pub(super) fn take_longest_away(&self, asking: IdentityKey) -> Option<Idle> {
        let known = self.known();
        let (_, kept) = known
            .iter()
            .filter(|(_, kept)| kept.buckets.iter().any(|(_, bucket)| bucket.status().available > 0))
            .min_by_key(|(key, kept)| (**key == asking, kept.last_used))?;
        kept.take_one(|_| true)
    }

    /// Drops the idle wires that are not to be `kept`, and forgets identities that have none.
    pub(super) fn sweep(&self, keep: impl Fn(&Manager, &Wire) -> bool) {
        self.known().retain(|_, kept| {
            for (_, bucket) in &kept.buckets {
                bucket.retain(|wire, _| keep(bucket.manager(), wire));
            }
            kept.is_wanted()
        });
    }

    /// Forgets all identities, and gives their buckets.
    pub(super) fn forget_all(&self) -> Vec<Bucket> {
        self.known().drain().flat_map(|(_, kept)| kept.buckets).map(|(_, bucket)| bucket).collect()
    }

    /// How many identities have buckets.
    pub(super) fn identities(&self) -> usize {
        self.known().len()
    }

    fn known(&self) -> MutexGuard<'_, ByIdentity<Kept>> {
        // The map is whole after every statement, so a panic elsewhere leaves nothing half done.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
