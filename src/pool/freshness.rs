//! Which connections and logins are too old.

use std::sync::{MutexGuard, PoisonError};

use tokio::time::Instant;

use super::shared::Shared;
use crate::{auth::Identity, bolt::Connection, telemetry::observer::Discard};

impl Shared {
    /// Returns why a connection of `identity` can never be lent again, if its age or its login's forbids it.
    pub(super) fn expiry(&self, identity: &Identity, connection: &Connection) -> Option<Discard> {
        if connection.opened().elapsed() > self.settings.get().max_lifetime {
            return Some(Discard::Lifetime);
        }
        let login_ended = identity.login_until().is_some_and(|end| end <= Instant::now())
            || (self.is_login_due(connection) && !connection.can_log_in_again());
        login_ended.then_some(Discard::Login)
    }

    /// Whether a connection that has been idle since `since` needs a liveness check.
    pub(super) fn needs_liveness_check(&self, since: Instant) -> bool {
        since.elapsed() > self.settings.get().liveness_after
    }

    /// Whether the database accepted the login of `identity` within `login_age`.
    pub(super) fn has_recent_login(&self, identity: &Identity) -> bool {
        let accepted = self.logins.accepted(identity.key());
        accepted.is_some_and(|when| self.is_recent(when))
    }

    /// Whether the login of an idle connection has to be renewed before the connection is lent.
    pub(super) fn is_login_due(&self, connection: &Connection) -> bool {
        !self.is_recent(connection.logged_in())
    }

    fn is_recent(&self, login: Instant) -> bool {
        let age = self.settings.get().login_age;
        age > login.elapsed() && self.logins_expired().is_none_or(|since| login > since)
    }

    pub(super) fn logins_expired(&self) -> MutexGuard<'_, Option<Instant>> {
        self.logins_expired.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
