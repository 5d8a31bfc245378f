//! The buckets of all identities, under one cap.
//!
//! Two counts hold it together. A *permit* is held by every lease (and by every wire that is being cleaned), so at
//! most `max` wires are in use and waiters of all identities stand in one line. A *slot* is held by every open
//! wire, idle ones too. Whoever holds a permit and finds no slot can rely on there being an idle wire to close.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use deadpool::managed::{self, PoolError as BucketError, QueueMode};
use thiserror::Error;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};
use tokio_util::task::TaskTracker;

use super::{
    lease::Lease,
    manager::{Manager, Wire},
};
use crate::{
    auth::{Identity, IdentityKey},
    bolt::{self, Dialer},
};

/// How the pool behaves.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Most connections open at a time, over all identities.
    pub max: usize,
    /// Longest wait for a connection, opening it included.
    pub acquire_timeout: Duration,
    /// No connection is lent that is older than this.
    pub max_lifetime: Duration,
    /// A connection idle for longer is asked for a sign of life first.
    pub liveness_after: Duration,
    /// How long that sign of life may take.
    pub liveness_timeout: Duration,
    /// How long the cancelling of an abandoned statement may take where RESET interrupts, or once the database
    /// was told to end it.
    pub recovery: Duration,
    /// How long an abandoned statement may go on by itself where RESET does not interrupt.
    pub patience: Duration,
}

/// No connection could be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PoolError {
    /// All are in use, and none came back in time.
    #[error(
        "all {max} connections to the database are in use (database.max_connections); none came free within {waited:?} \
         (database.acquire_timeout)"
    )]
    Exhausted {
        /// The cap.
        max: usize,
        /// The wait.
        waited: Duration,
    },
    /// The database cannot be reached, or refused the login.
    #[error(transparent)]
    Connection(#[from] bolt::Error),
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Closed,
}

/// How full the pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Open connections.
    pub open: usize,
    /// Connections lent or being cleaned.
    pub in_use: usize,
    /// Identities with a bucket.
    pub identities: usize,
}

/// All connections to the database.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

type Bucket = managed::Pool<Manager>;

pub(super) struct Shared {
    pub(super) dialer: Dialer,
    pub(super) settings: Settings,
    pub(super) cleaners: TaskTracker,
    pub(super) runtime: Handle,
    /// Connections beside the pool, for ending abandoned statements.
    pub(super) side_lanes: Semaphore,
    permits: Arc<Semaphore>,
    slots: Arc<Semaphore>,
    buckets: Mutex<HashMap<IdentityKey, Kept>>,
}

struct Kept {
    bucket: Bucket,
    last_used: Instant,
}

impl Kept {
    /// Has wires, or is about to: a wire whose bucket is forgotten while it is being opened serves only once.
    fn is_wanted(&self) -> bool {
        let status = self.bucket.status();
        status.size > 0 || status.waiting > 0
    }
}

/// Enough to end abandoned statements, too few to trouble a database that is in trouble.
const SIDE_LANES: usize = 2;

impl Pool {
    /// An empty pool; connections are opened when they are needed. Call it inside a tokio runtime.
    #[must_use]
    pub fn new(dialer: Dialer, settings: Settings) -> Self {
        let shared = Shared {
            dialer,
            settings,
            cleaners: TaskTracker::new(),
            runtime: Handle::current(),
            side_lanes: Semaphore::new(SIDE_LANES),
            permits: Arc::new(Semaphore::new(settings.max)),
            slots: Arc::new(Semaphore::new(settings.max)),
            buckets: Mutex::new(HashMap::new()),
        };
        let shared = Arc::new(shared);
        tokio::spawn(sweep(Arc::downgrade(&shared), settings.liveness_after));
        Self { shared }
    }

    /// Lends a connection of `identity`, opening one if need be.
    ///
    /// # Errors
    /// [`PoolError`].
    pub async fn acquire(&self, identity: &Identity) -> Result<Lease, PoolError> {
        let settings = &self.shared.settings;
        let deadline = Instant::now() + settings.acquire_timeout;
        let exhausted = || PoolError::Exhausted { max: settings.max, waited: settings.acquire_timeout };
        let permit = match Arc::clone(&self.shared.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => timeout_at(deadline, Arc::clone(&self.shared.permits).acquire_owned())
                .await
                .map_err(|_| exhausted())?
                .map_err(|_| PoolError::Closed)?,
        };
        let bucket = self.shared.bucket(identity);
        let wire = match timeout_at(deadline, bucket.get()).await {
            Ok(Ok(wire)) => wire,
            Ok(Err(BucketError::Backend(error))) => return Err(error.into()),
            Ok(Err(_)) => return Err(PoolError::Closed),
            Err(_) => return Err(bolt::Error::Silent(settings.acquire_timeout).into()),
        };
        Ok(Lease::new(wire, permit, Arc::clone(&self.shared), identity.clone()))
    }

    /// Whether a login of `identity` has succeeded whose connection is still open.
    #[must_use]
    pub fn knows(&self, identity: &Identity) -> bool {
        self.shared.buckets().get(&identity.key()).is_some_and(|kept| kept.bucket.status().size > 0)
    }

    /// Whether a Bolt server is there, without logging in.
    ///
    /// # Errors
    /// What is there instead.
    pub async fn probe(&self) -> Result<(), bolt::Error> {
        self.shared.dialer.probe().await.map(drop)
    }

    /// How full it is.
    #[must_use]
    pub fn status(&self) -> Status {
        let max = self.shared.settings.max;
        Status {
            open: max.saturating_sub(self.shared.slots.available_permits()),
            in_use: max.saturating_sub(self.shared.permits.available_permits()),
            identities: self.shared.buckets().len(),
        }
    }

    /// Lends no more, waits until what is being cleaned is clean, and closes what is idle with a good-bye. Bound it
    /// with a timeout.
    pub async fn close(&self) {
        self.shared.permits.close();
        self.shared.cleaners.close();
        self.shared.cleaners.wait().await;
        let buckets: Vec<_> = self.shared.buckets().drain().map(|(_, kept)| kept.bucket).collect();
        for bucket in buckets {
            for wire in bucket.retain(|_, _| false).removed {
                wire.connection.goodbye().await;
            }
        }
    }
}

impl Shared {
    fn buckets(&self) -> MutexGuard<'_, HashMap<IdentityKey, Kept>> {
        // The map is whole after every statement, so a panic elsewhere leaves nothing half done.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bucket(self: &Arc<Self>, identity: &Identity) -> Bucket {
        let mut buckets = self.buckets();
        if let Some(kept) = buckets.get_mut(&identity.key()) {
            kept.last_used = Instant::now();
            return kept.bucket.clone();
        }
        if buckets.len() >= 2 * self.settings.max {
            buckets.retain(|_, kept| kept.is_wanted());
        }
        let manager = Manager { shared: Arc::clone(self), identity: identity.clone() };
        // Its own cap never bites: the permits are counted over all buckets. The wire used last goes first, so that
        // those a quiet time leaves over grow old together.
        let Ok(bucket) = Bucket::builder(manager).max_size(self.settings.max).queue_mode(QueueMode::Lifo).build()
        else {
            unreachable!("a bucket without timeouts needs no runtime")
        };
        buckets.insert(identity.key(), Kept { bucket: bucket.clone(), last_used: Instant::now() });
        bucket
    }

    /// A place for one more open wire. Closes the idle wire of the identity that was away longest, if need be.
    pub(super) async fn open_slot(&self, asking: IdentityKey) -> OwnedSemaphorePermit {
        loop {
            if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
                return slot;
            }
            if !self.close_idle(asking) {
                // A wire is just being closed by somebody else; its slot comes free at once.
                tokio::task::yield_now().await;
            }
        }
    }

    fn close_idle(&self, asking: IdentityKey) -> bool {
        let buckets = self.buckets();
        let victim = buckets
            .iter()
            .filter(|(_, kept)| kept.bucket.status().available > 0)
            .min_by_key(|(key, kept)| (**key == asking, kept.last_used));
        let Some((_, kept)) = victim else {
            return false;
        };
        let mut closed = false;
        kept.bucket.retain(|_, _| std::mem::replace(&mut closed, true));
        closed
    }
}

/// Closes idle wires that have passed their lifetime, and forgets identities that have none.
async fn sweep(shared: std::sync::Weak<Shared>, every: Duration) {
    let mut ticks = tokio::time::interval(every.max(Duration::from_secs(1)));
    loop {
        ticks.tick().await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let max_lifetime = shared.settings.max_lifetime;
        shared.buckets().retain(|_, kept| {
            kept.bucket.retain(|wire: &Wire, _| wire.connection.opened().elapsed() <= max_lifetime);
            kept.is_wanted()
        });
    }
}
