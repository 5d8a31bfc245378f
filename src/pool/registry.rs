//! All connections to the database, under one cap.
//!
//! Two counts hold it together. A *permit* is held by every lease (and by every connection that is being cleaned), so at most
//! `max` connections are in use. A *slot* is held by every open connection, idle ones too. Whoever has a permit and finds all
//! `max` slots taken can rely on there being an idle connection to take over or to close, or on one of the few slots beside
//! the pool: those are as many as there can be connections in use without a permit.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use thiserror::Error;
use tokio::{
    runtime::Handle,
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use tokio_util::task::TaskTracker;

use super::{
    buckets::Buckets,
    lease::Lease,
    login_lane::LoginLane,
    logins::Logins,
    permits::{Closed, Permit, Permits},
    slots::ConnectionSlots,
};
use crate::{
    auth::Identity,
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
    /// There are too many others whose login is not known to be good either.
    #[error(
        "too many logins that are not known to be good wait to be tried, at most {places} at a time (a tenth of \
         database.max_connections); try again later"
    )]
    TooManyUnverified {
        /// How many are tried at a time.
        places: usize,
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
    pub(super) terminations: Semaphore,
    /// The same, for proving logins.
    pub(super) reauthentications: Semaphore,
    pub(super) logins: Arc<Logins>,
    /// Logins before this are not good any more, whatever their age.
    pub(super) logins_expired: Mutex<Option<Instant>>,
    permits: Permits,
    pub(super) login_lane: LoginLane,
    pub(super) slots: Arc<ConnectionSlots>,
    /// Slots there are beside `max`.
    pub(super) reserve: usize,
    pub(super) buckets: Buckets,
}

/// For so long a credential that was good is no stranger's, whatever the age of logins.
const GOOD_FOR: Duration = Duration::from_secs(60 * 60);

/// Enough to end abandoned statements, too few to trouble a database that is in trouble.
const TERMINATIONS: usize = 2;
/// Enough for callers who use nothing but transactions, each of whom needs one once in the age of logins.
const REAUTHENTICATIONS: usize = 8;

impl Pool {
    /// An empty pool; connections are opened when they are needed. Call it inside a tokio runtime.
    #[must_use]
    pub fn new(dialer: Dialer, settings: Settings) -> Self {
        let login_lane = LoginLane::for_pool(settings.max);
        let shared = Shared {
            dialer,
            settings,
            cleaners: TaskTracker::new(),
            runtime: Handle::current(),
            terminations: Semaphore::new(TERMINATIONS),
            reauthentications: Semaphore::new(REAUTHENTICATIONS),
            logins: Arc::default(),
            logins_expired: Mutex::default(),
            permits: Permits::new(settings.max, settings.share),
            reserve: login_lane.size() + TERMINATIONS,
            slots: Arc::default(),
            // Connections beside the pool may come back before others are closed for them.
            buckets: Buckets::new(settings.max + login_lane.size() + TERMINATIONS),
            login_lane,
        };
        let shared = Arc::new(shared);
        tokio::spawn(sweep(Arc::downgrade(&shared), settings.liveness_after.min(settings.login_age)));
        Self { shared }
    }

    /// Lends a connection of `identity`, opening one if need be.
    ///
    /// # Errors
    /// [`PoolError`].
    pub async fn acquire(&self, identity: &Identity) -> Result<Lease, PoolError> {
        let shared = &self.shared;
        let deadline = Instant::now() + shared.settings.acquire_timeout;
        let deadline = identity.until().map_or(deadline, |end| end.min(deadline));
        let lent = if shared.logins.is_verified(identity.key()) {
            shared.lend(identity, deadline).await
        } else {
            // Boxed, since it is seldom needed, and large.
            Box::pin(shared.lend_unverified(identity, deadline)).await
        };
        if identity.until().is_some_and(|end| end <= Instant::now()) {
            return Err(PoolError::Expired);
        }
        lent
    }

    /// Whether a Bolt server is there, without logging in.
    ///
    /// # Errors
    /// What is there instead.
    pub async fn probe(&self) -> Result<(), bolt::Error> {
        self.shared.dialer.probe().await.map(drop)
    }

    /// Where the database is, for messages.
    #[must_use]
    pub fn address(&self) -> String {
        self.shared.dialer.endpoint.to_string()
    }

    /// How full it is.
    #[must_use]
    pub fn status(&self) -> Status {
        Status {
            open: self.shared.slots.open(),
            in_use: self.shared.permits.taken(),
            identities: self.shared.buckets.identities(),
        }
    }

    /// Lends no more, waits until what is being cleaned is clean, and closes what is idle with a good-bye. Bound it
    /// with a timeout.
    pub async fn close(&self) {
        self.shared.permits.close();
        self.shared.cleaners.close();
        self.shared.cleaners.wait().await;
        for pooled in self.shared.buckets.close() {
            pooled.connection.goodbye().await;
        }
    }
}

impl Shared {
    /// Lends a connection to somebody whose login is known to be good.
    pub(super) async fn lend(self: &Arc<Self>, identity: &Identity, deadline: Instant) -> Result<Lease, PoolError> {
        let permit = self.permit(identity, deadline).await?;
        let pooled = match self.ready_connection(identity) {
            Ok(pooled) => pooled,
            Err(idle) => {
                // Boxed, since it is seldom needed, and large: every request's future would hold it.
                let found = Box::pin(self.find_connection(identity, idle, deadline));
                timeout_at(deadline, found).await.map_err(|_| self.silent())??
            }
        };
        Ok(Lease::new(pooled, permit, Arc::clone(self), identity.clone()))
    }

    /// Waits for a permit.
    pub(super) async fn permit(&self, identity: &Identity, deadline: Instant) -> Result<Permit, PoolError> {
        match timeout_at(deadline, self.permits.take(identity.owner())).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(Closed)) => Err(PoolError::Closed),
            Err(_) => Err(PoolError::Exhausted { max: self.settings.max, waited: self.settings.acquire_timeout }),
        }
    }

    /// The database has taken too long.
    pub(super) fn silent(&self) -> PoolError {
        bolt::Error::Silent(self.settings.acquire_timeout).into()
    }
}

/// Closes idle connections that can never be lent again, and forgets identities that have none.
async fn sweep(shared: std::sync::Weak<Shared>, every: Duration) {
    let mut ticks = tokio::time::interval(every.max(Duration::from_secs(1)));
    loop {
        ticks.tick().await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        shared.logins.sweep(shared.settings.login_age.max(GOOD_FOR));
        shared.buckets.sweep(|identity, connection| !shared.is_expired(identity, connection));
    }
}
