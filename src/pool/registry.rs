//! All connections to the database, under one cap.
//!
//! Two counts hold it together. A *permit* is held by every lease (and by every connection that is being cleaned), so at most
//! `max` connections are in use. A *slot* is held by every open connection, idle ones too. Whoever has a permit and finds all
//! `max` slots taken can rely on there being an idle connection to take over or to close, or on one of the few slots beside
//! the pool: those are as many as there can be connections in use without a permit.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    error::PoolError,
    events::{acquire_failure, connect_failure},
    lease::Lease,
    settings::Settings,
    shared::Shared,
};
use crate::{
    auth::Identity,
    bolt::{self, Dialer},
    telemetry::observer::Observer,
};

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

/// For so long a credential that was good is no stranger's, whatever the age of logins.
const GOOD_FOR: Duration = Duration::from_secs(60 * 60);

impl Pool {
    /// An empty pool that reports to `observer`; connections are opened when they are needed. Call it inside a tokio
    /// runtime.
    #[must_use]
    pub fn new(dialer: Dialer, settings: Settings, observer: Arc<dyn Observer>) -> Self {
        let shared = Arc::new(Shared::new(dialer, settings, observer));
        tokio::spawn(sweep(Arc::downgrade(&shared), settings.liveness_after.min(settings.login_age)));
        Self { shared }
    }

    /// Lends a connection of `identity`, opening one if need be.
    ///
    /// # Errors
    /// [`PoolError`].
    pub async fn acquire(&self, identity: &Identity) -> Result<Lease, PoolError> {
        let shared = &self.shared;
        let began = Instant::now();
        let deadline = began + shared.settings.acquire_timeout;
        let deadline = identity.until().map_or(deadline, |end| end.min(deadline));
        let lent = if shared.logins.is_verified(identity.key()) {
            shared.lend(identity, deadline).await
        } else {
            // Boxed, since it is seldom needed, and large.
            Box::pin(shared.lend_unverified(identity, deadline)).await
        };
        let expired = identity.until().is_some_and(|end| end <= Instant::now());
        let lent = if expired { Err(PoolError::Expired) } else { lent };
        match &lent {
            Ok(lease) => {
                // Most requests do not wait, and need no clock to know.
                let waited = if lease.was_awaited() { began.elapsed() } else { Duration::ZERO };
                shared.observer.connection_acquired(waited);
            }
            Err(error) => shared.observer.acquire_failed(acquire_failure(error), began.elapsed()),
        }
        lent
    }

    /// Whether a Bolt server is there, without logging in.
    ///
    /// # Errors
    /// What is there instead.
    pub async fn probe(&self) -> Result<(), bolt::Error> {
        let probed = self.shared.dialer.probe().await;
        self.shared.observer.probed(probed.as_ref().err().map(connect_failure));
        probed.map(drop)
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
            pooled.goodbye().await;
        }
    }
}

/// Closes idle connections that can never be lent again, and forgets identities that have none.
async fn sweep(shared: Weak<Shared>, every: Duration) {
    let mut ticks = tokio::time::interval(every.max(Duration::from_secs(1)));
    loop {
        ticks.tick().await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        shared.logins.sweep(shared.settings.login_age.max(GOOD_FOR));
        shared.buckets.sweep(|identity, connection| shared.expiry(identity, connection));
    }
}
