//! What all parts of the pool share: the counts, the idle connections, and what is known of logins.

use std::sync::{Arc, Mutex};

use tokio::{
    runtime::Handle,
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use tokio_util::task::TaskTracker;

use super::{
    buckets::Buckets,
    error::PoolError,
    login_lane::LoginLane,
    logins::Logins,
    permits::{Closed, Permit, Permits},
    settings::Settings,
    slots::ConnectionSlots,
};
use crate::{
    auth::Identity,
    bolt::{self, Dialer},
    telemetry::observer::Observer,
};

pub(super) struct Shared {
    /// Is told of all that happens.
    pub(super) observer: Arc<dyn Observer>,
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
    pub(super) permits: Permits,
    pub(super) login_lane: LoginLane,
    pub(super) slots: Arc<ConnectionSlots>,
    /// Slots there are beside `max`.
    pub(super) reserve: usize,
    pub(super) buckets: Buckets,
}

/// Enough to end abandoned statements, too few to trouble a database that is in trouble.
const TERMINATIONS: usize = 2;
/// Enough for callers who use nothing but transactions, each of whom needs one once in the age of logins.
const REAUTHENTICATIONS: usize = 8;

impl Shared {
    /// No connections yet. Call it inside a tokio runtime.
    pub(super) fn new(dialer: Dialer, settings: Settings, observer: Arc<dyn Observer>) -> Self {
        let login_lane = LoginLane::for_pool(settings.max);
        Self {
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
            slots: Arc::new(ConnectionSlots::new(Arc::clone(&observer))),
            // Connections beside the pool may come back before others are closed for them.
            buckets: Buckets::new(settings.max + login_lane.size() + TERMINATIONS),
            login_lane,
            observer,
        }
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
