//! All connections to the database, under one cap.
//!
//! Two counts enforce it. Every lease, and every connection that is being cleaned, holds a *permit*, so at most `max`
//! connections are in use. Every open connection, idle or not, holds a *slot*. If the holder of a permit finds all
//! `max` slots taken, there is an idle connection to take over or to close, or one of the few reserve slots is free:
//! there are as many of those as there can be connections in use without a permit.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    error::PoolError,
    events::{acquire_failure, connect_failure, credential_refused},
    lease::Lease,
    settings::Settings,
    shared::Shared,
    slots::Use,
};
use crate::{
    auth::Identity,
    bolt::{self, Dialer, connection::Transport},
    telemetry::observer::{ConnectFailed, Observer, ProbeFailed, Purpose},
};

/// The number of connections in the pool, and of those who use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The most connections that may be in use.
    pub max: usize,
    /// Open connections.
    pub open: usize,
    /// Connections that are lent or being cleaned.
    pub in_use: usize,
    /// Connections that are not in use.
    pub idle: usize,
    /// Connections that are being cleaned.
    pub recovering: usize,
    /// Requests that wait for a connection.
    pub waiting: usize,
    /// Identities that have a bucket.
    pub identities: usize,
    /// Identities that have a connection.
    pub callers: usize,
    /// The bytes sent to the database, over all connections that there were.
    pub sent_bytes: u64,
    /// The bytes received from the database.
    pub received_bytes: u64,
}

/// The pool. Clones share it.
#[derive(Clone)]
pub struct Pool {
    pub(super) shared: Arc<Shared>,
}

/// How long an accepted credential counts as verified, even if logins are re-authenticated more often.
const GOOD_FOR: Duration = Duration::from_secs(60 * 60);

impl Pool {
    /// Returns an empty pool that reports to `observer`; connections are opened when they are needed. Must be called
    /// inside a tokio runtime.
    #[must_use]
    pub fn new(dialer: Dialer, settings: Settings, observer: Arc<dyn Observer>) -> Self {
        let shared = Arc::new(Shared::new(dialer, settings, observer));
        tokio::spawn(sweep(Arc::downgrade(&shared)));
        Self { shared }
    }

    /// Changes the time limit for opening connections, and the limits of those that are opened from now on.
    pub fn set_dial_limits(&self, timeout: Duration, limits: bolt::connection::Limits) {
        let dialer = Dialer::clone(&self.shared.dialer.get());
        self.shared.dialer.set(Dialer { timeout, limits, ..dialer });
    }

    /// Changes the settings. The number of connections and the share of one caller stay as they are.
    pub fn set_settings(&self, settings: Settings) {
        let Settings { max, share, .. } = **self.shared.settings.get();
        self.shared.settings.set(Settings { max, share, ..settings });
    }

    /// Lends a connection of `identity`, and opens one if necessary. Waits at most for `acquire_timeout`.
    ///
    /// # Errors
    /// [`PoolError`].
    pub async fn acquire(&self, identity: &Identity) -> Result<Lease, PoolError> {
        let shared = &self.shared;
        let began = Instant::now();
        let deadline = began + shared.settings.get().acquire_timeout;
        let deadline = identity.until().map_or(deadline, |end| end.min(deadline));
        let lent = if shared.logins.is_verified(identity.key()) {
            shared.lend(identity, deadline).await
        } else {
            // Boxed, since it is rarely needed and large.
            Box::pin(shared.lend_unverified(identity, deadline)).await
        };
        let expired = identity.until().is_some_and(|end| end <= Instant::now());
        let lent = if expired { Err(PoolError::Expired) } else { lent };
        match &lent {
            Ok(lease) => {
                // Most requests do not wait, which is known without a clock.
                let waited = if lease.was_awaited() { began.elapsed() } else { Duration::ZERO };
                shared.observer.connection_acquired(waited);
            }
            Err(error) => {
                shared.observer.acquire_failed(acquire_failure(error), began.elapsed());
                credential_refused(&*shared.observer, identity, error);
            }
        }
        lent
    }

    /// Checks without a login that a Bolt server answers.
    ///
    /// # Errors
    /// What went wrong, or what answered instead.
    pub async fn probe(&self) -> Result<(), bolt::Error> {
        let probed = self.shared.dialer.snapshot().probe().await;
        match &probed {
            Ok(_) => self.shared.observer.probed(None),
            Err(error) => {
                self.shared.observer.probed(Some(&ProbeFailed { reason: connect_failure(error), error }));
            }
        }
        probed.map(drop)
    }

    /// Opens a byte stream to the database for a client's own driver. It belongs to no pool and counts nowhere.
    ///
    /// # Errors
    /// Why none could be opened.
    pub async fn stream(&self) -> Result<Box<dyn Transport>, bolt::Error> {
        let began = Instant::now();
        let opened = self.shared.dialer.snapshot().stream().await;
        if let Err(error) = &opened {
            let (purpose, took, reason) = (Purpose::Relay, began.elapsed(), connect_failure(error));
            self.shared.observer.connect_failed(&ConnectFailed { purpose, took, reason, error });
        }
        opened
    }

    /// The address of the database, for messages.
    #[must_use]
    pub fn address(&self) -> String {
        self.shared.dialer.get().endpoint.to_string()
    }

    /// The name of the database's dialect, once a connection to it was opened.
    #[must_use]
    pub fn dialect(&self) -> Option<&'static str> {
        self.shared.dialect.get().map(|dialect| dialect.name)
    }

    /// The observer that receives the pool's events, and those of what runs on its connections.
    #[must_use]
    pub fn observer(&self) -> &Arc<dyn Observer> {
        &self.shared.observer
    }

    /// The present numbers. Walks nothing, so that requests do not wait for it.
    #[must_use]
    pub fn status(&self) -> Status {
        let shared = &self.shared;
        Status {
            max: shared.settings.get().max,
            open: shared.slots.open(),
            in_use: shared.permits.taken(),
            idle: shared.slots.in_state(Use::Idle),
            recovering: shared.slots.in_state(Use::Recovering),
            waiting: shared.waiting.count(),
            identities: shared.buckets.identities(),
            callers: shared.slots.owners(),
            sent_bytes: shared.dialer.get().traffic.sent(),
            received_bytes: shared.dialer.get().traffic.received(),
        }
    }

    /// Stops lending, waits until all abandoned connections are cleaned, and closes the idle ones with GOODBYE. The
    /// wait is unbounded, so callers need a timeout.
    pub async fn close(&self) {
        self.shared.permits.close();
        self.shared.cleaners.close();
        self.shared.cleaners.wait().await;
        for pooled in self.shared.buckets.close() {
            pooled.goodbye().await;
        }
    }
}

/// Periodically closes idle connections that can never be lent again, and forgets identities without connections.
async fn sweep(shared: Weak<Shared>) {
    while let Some(shared) = shared.upgrade() {
        let Settings { login_age, liveness_after, .. } = **shared.settings.get();
        shared.logins.sweep(login_age.max(GOOD_FOR));
        shared.buckets.sweep(|identity, connection| shared.expiry(identity, connection));
        drop(shared);
        tokio::time::sleep(liveness_after.min(login_age).max(Duration::from_secs(1))).await;
    }
}
