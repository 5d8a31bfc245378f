//! The buckets of all identities, under one cap.
//!
//! Two counts hold it together. A *turn* is held by every lease (and by every wire that is being cleaned), so at
//! most `max` wires are in use. A *slot* is held by every open wire, idle ones too. Whoever has a turn and finds no
//! slot can rely on there being an idle wire to take over or to close.

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
    logins::Logins,
    manager::{Manager, Wire},
    turns::{Closed, Turns},
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
    /// Most connections that one caller may use at a time.
    pub share: usize,
    /// Longest wait for a connection, opening it included.
    pub acquire_timeout: Duration,
    /// No connection is lent that is older than this.
    pub max_lifetime: Duration,
    /// A login this old is proved again before the connection is lent. Zero: every time.
    pub login_age: Duration,
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
        "all connections to the database that this caller may use are in use (database.max_connections = {max}, \
         database.caller_share); none came free within {waited:?} (database.acquire_timeout)"
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
    /// The caller's credential ended while it waited.
    #[error("the credential has expired")]
    Expired,
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
    pub(super) shared: Arc<Shared>,
}

type Bucket = managed::Pool<Manager>;

pub(super) struct Shared {
    pub(super) dialer: Dialer,
    pub(super) settings: Settings,
    pub(super) cleaners: TaskTracker,
    pub(super) runtime: Handle,
    /// Connections beside the pool, for ending abandoned statements.
    pub(super) side_lanes: Semaphore,
    /// The same, for proving logins.
    pub(super) proof_lanes: Semaphore,
    pub(super) logins: Arc<Logins>,
    /// Logins before this are not good any more, whatever their age.
    pub(super) distrusted: Mutex<Option<Instant>>,
    turns: Turns,
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
/// Enough for callers who use nothing but transactions, each of whom needs one once in the age of logins.
const PROOF_LANES: usize = 8;

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
            proof_lanes: Semaphore::new(PROOF_LANES),
            logins: Arc::default(),
            distrusted: Mutex::default(),
            turns: Turns::new(settings.max, settings.share),
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
        let waited = settings.acquire_timeout;
        let is_over = || identity.until().is_some_and(|end| end <= Instant::now());
        let deadline = Instant::now() + waited;
        let deadline = identity.until().map_or(deadline, |end| end.min(deadline));
        let late = |error| if is_over() { PoolError::Expired } else { error };
        let turn = match timeout_at(deadline, self.shared.turns.take(identity.owner())).await {
            Ok(Ok(turn)) => turn,
            Ok(Err(Closed)) => return Err(PoolError::Closed),
            Err(_) => return Err(late(PoolError::Exhausted { max: settings.max, waited })),
        };
        let bucket = self.shared.bucket(identity);
        let wire = match timeout_at(deadline, bucket.get()).await {
            Ok(Ok(wire)) => wire,
            Ok(Err(BucketError::Backend(error))) => return Err(error.into()),
            Ok(Err(_)) => return Err(PoolError::Closed),
            Err(_) => return Err(late(bolt::Error::Silent(waited).into())),
        };
        if is_over() {
            return Err(PoolError::Expired);
        }
        Ok(Lease::new(wire, turn, Arc::clone(&self.shared), identity.clone()))
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
            in_use: self.shared.turns.taken(),
            identities: self.shared.buckets().len(),
        }
    }

    /// Lends no more, waits until what is being cleaned is clean, and closes what is idle with a good-bye. Bound it
    /// with a timeout.
    pub async fn close(&self) {
        self.shared.turns.close();
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
        // Its own cap never bites: the turns are counted over all buckets. The wire used last goes first, so that
        // those a quiet time leaves over grow old together.
        let Ok(bucket) = Bucket::builder(manager).max_size(self.settings.max).queue_mode(QueueMode::Lifo).build()
        else {
            unreachable!("a bucket without timeouts needs no runtime")
        };
        buckets.insert(identity.key(), Kept { bucket: bucket.clone(), last_used: Instant::now() });
        bucket
    }

    /// A place for one more open wire of the identity `asking`. When there is none, an idle wire of the identity that
    /// was away longest makes room: as it is, if it can log in as somebody else, or by being closed.
    pub(super) async fn place(&self, asking: IdentityKey) -> Place {
        loop {
            if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
                return Place::Slot(slot);
            }
            match self.take_idle(asking) {
                Some(Idle { mut wire, rested }) => {
                    let connection = &mut wire.connection;
                    let fresh = !rested && connection.opened().elapsed() <= self.settings.max_lifetime;
                    if fresh && connection.can_log_in_again() && !connection.is_stale() {
                        return Place::Wire(wire);
                    }
                    return Place::Slot(wire.slot);
                }
                // A wire is just being closed by somebody else; its slot comes free at once.
                None => tokio::task::yield_now().await,
            }
        }
    }

    fn take_idle(&self, asking: IdentityKey) -> Option<Idle> {
        let buckets = self.buckets();
        let (_, kept) = buckets
            .iter()
            .filter(|(_, kept)| kept.bucket.status().available > 0)
            .min_by_key(|(key, kept)| (**key == asking, kept.last_used))?;
        let mut rested = None;
        let taken = kept.bucket.retain(|_, metrics| {
            // One is enough.
            rested.is_some() || {
                rested = Some(metrics.last_used() > self.settings.liveness_after);
                false
            }
        });
        Some(Idle { wire: taken.removed.into_iter().next()?, rested: rested? })
    }
}

/// Where one more wire can be.
pub(super) enum Place {
    /// In place of nothing.
    Slot(OwnedSemaphorePermit),
    /// In place of this one, which is another identity's and can log in anew.
    Wire(Wire),
}

struct Idle {
    wire: Wire,
    /// It was idle for so long that it may have died.
    rested: bool,
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
        shared.logins.sweep(shared.settings.login_age);
        shared.buckets().retain(|_, kept| {
            let expired = kept.bucket.manager().identity.login_until().is_some_and(|end| end <= Instant::now());
            kept.bucket.retain(|wire: &Wire, _| !expired && wire.connection.opened().elapsed() <= max_lifetime);
            kept.is_wanted()
        });
    }
}
