//! The state that all parts of the pool share: counts, idle connections, and what is known of logins.

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
    permits::{Denied, Permit, Permits, Queue},
    recovering::Recovering,
    settings::Settings,
    slots::ConnectionSlots,
    waiting::Waiting,
};
use crate::{
    auth::Identity,
    bolt::{self, Dialect, Dialer},
    live::Live,
    telemetry::observer::Observer,
};

pub(super) struct Shared {
    /// Receives the pool's events.
    pub(super) observer: Arc<dyn Observer>,
    pub(super) dialer: Live<Dialer>,
    pub(super) settings: Live<Settings>,
    pub(super) cleaners: TaskTracker,
    pub(super) recovering: Arc<Recovering>,
    pub(super) runtime: Handle,
    /// Permits for connections that end abandoned statements, outside the pool.
    pub(super) terminations: Semaphore,
    /// Permits for connections that re-authenticate logins, outside the pool.
    pub(super) reauthentications: Semaphore,
    pub(super) logins: Arc<Logins>,
    /// Logins older than this moment are re-authenticated, whatever their age.
    pub(super) logins_expired: Mutex<Option<Instant>>,
    pub(super) permits: Permits,
    pub(super) login_lane: LoginLane,
    /// Requests that wait for a permit, or in the login lane.
    pub(super) waiting: Waiting,
    pub(super) slots: Arc<ConnectionSlots>,
    /// The number of slots in addition to `max`.
    pub(super) reserve: usize,
    pub(super) buckets: Buckets,
    /// The dialect of the connection that was opened last; `None` before the first one.
    pub(super) dialect: Live<Option<&'static Dialect>>,
}

/// Enough to end abandoned statements, too few to burden a struggling database.
const TERMINATIONS: usize = 2;
/// Enough for callers who use nothing but transactions: each needs one once per `login_age`.
const REAUTHENTICATIONS: usize = 8;

impl Shared {
    /// Returns the state of an empty pool. Must be called inside a tokio runtime.
    pub(super) fn new(dialer: Dialer, settings: Settings, observer: Arc<dyn Observer>) -> Self {
        let login_lane = LoginLane::for_pool(settings.max);
        Self {
            dialer: Live::new(dialer),
            settings: Live::new(settings),
            cleaners: TaskTracker::new(),
            recovering: Arc::default(),
            runtime: Handle::current(),
            terminations: Semaphore::new(TERMINATIONS),
            reauthentications: Semaphore::new(REAUTHENTICATIONS),
            logins: Arc::default(),
            logins_expired: Mutex::default(),
            permits: Permits::new(settings.max, settings.share),
            reserve: login_lane.size() + TERMINATIONS,
            slots: Arc::new(ConnectionSlots::new(Arc::clone(&observer))),
            // Connections in reserve slots may be returned before others are closed in their favour.
            buckets: Buckets::new(settings.max + login_lane.size() + TERMINATIONS),
            login_lane,
            dialect: Live::new(None),
            waiting: Waiting::default(),
            observer,
        }
    }

    /// Takes a permit, waiting until the deadline if there is room in the queue.
    pub(super) async fn permit(&self, identity: &Identity, deadline: Instant) -> Result<Permit, PoolError> {
        let Settings { waiting, caller_waiting, .. } = **self.settings.get();
        let queue = Queue { max: waiting, share: caller_waiting };
        let _waiting = self.waiting.join();
        match timeout_at(deadline, self.permits.take(identity, queue)).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(Denied::Closed)) => Err(PoolError::Closed),
            Ok(Err(Denied::Full)) => Err(PoolError::Waiting { limit: waiting }),
            Ok(Err(Denied::CallerFull)) => Err(PoolError::CallerWaiting { limit: caller_waiting }),
            Err(_) => {
                let settings = self.settings.get();
                Err(PoolError::Exhausted { max: settings.max, waited: settings.acquire_timeout })
            }
        }
    }

    /// The error for a database that took too long.
    pub(super) fn silent(&self) -> PoolError {
        bolt::Error::Silent(self.settings.get().acquire_timeout).into()
    }
}
