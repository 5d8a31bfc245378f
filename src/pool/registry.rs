//! All connections to the database, under one cap.
//!
//! Two counts hold it together. A *turn* is held by every lease (and by every wire that is being cleaned), so at
//! most `max` wires are in use. A *slot* is held by every open wire, idle ones too. Whoever has a turn and finds no
//! slot can rely on there being an idle wire to take over or to close.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use deadpool::managed::PoolError as BucketError;
use thiserror::Error;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};
use tokio_util::task::TaskTracker;

use super::{
    buckets::{Bucket, Buckets, Idle},
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
    pub(super) buckets: Buckets,
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
            buckets: Buckets::default(),
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
            identities: self.shared.buckets.identities(),
        }
    }

    /// Lends no more, waits until what is being cleaned is clean, and closes what is idle with a good-bye. Bound it
    /// with a timeout.
    pub async fn close(&self) {
        self.shared.turns.close();
        self.shared.cleaners.close();
        self.shared.cleaners.wait().await;
        for bucket in self.shared.buckets.forget_all() {
            for wire in bucket.retain(|_, _| false).removed {
                wire.connection.goodbye().await;
            }
        }
    }
}

impl Shared {
    fn bucket(self: &Arc<Self>, identity: &Identity) -> Bucket {
        let manager = || Manager { shared: Arc::clone(self), identity: identity.clone() };
        self.buckets.here(identity.key(), self.settings.max, manager)
    }

    /// A place for one more open wire of the identity `asking`. When there is none, an idle wire of the identity that
    /// was away longest makes room: as it is, if it can log in as somebody else, or by being closed.
    pub(super) async fn place(&self, asking: IdentityKey) -> Place {
        loop {
            if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
                return Place::Slot(slot);
            }
            match self.buckets.take_longest_away(asking) {
                Some(Idle { mut wire, unused }) => {
                    let (connection, settings) = (&mut wire.connection, &self.settings);
                    let rested = unused > settings.liveness_after;
                    let fresh = !rested && connection.opened().elapsed() <= settings.max_lifetime;
                    if fresh && connection.can_log_in_again() && !connection.is_stale() {
                        connection.move_here();
                        return Place::Wire(wire);
                    }
                    return Place::Slot(wire.slot);
                }
                // A wire is just being closed by somebody else; its slot comes free at once.
                None => tokio::task::yield_now().await,
            }
        }
    }
}

/// Where one more wire can be.
pub(super) enum Place {
    /// In place of nothing.
    Slot(OwnedSemaphorePermit),
    /// In place of this one, which is another identity's and can log in anew.
    Wire(Wire),
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
        shared.buckets.sweep(|manager, wire| {
            let expired = manager.identity.login_until().is_some_and(|end| end <= Instant::now());
            !expired && wire.connection.opened().elapsed() <= max_lifetime
        });
    }
}
