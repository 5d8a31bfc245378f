//! User profiles: how many sessions a user may have at a time.
//!
//! Promises: a login at the limit is refused only after its password was found good, as by the real server.
//! May not know: messages, statements.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::FakeMemgraph;

pub(super) const CODE: &str = "Memgraph.ClientError.Statement.SessionLimitReached";
pub(super) const TEXT: &str = "User reached the limit of concurent sessions";

/// By user.
#[derive(Default)]
pub(super) struct SessionLimits(Mutex<BTreeMap<String, Sessions>>);

#[derive(Default)]
struct Sessions {
    limit: Option<usize>,
    open: usize,
}

impl SessionLimits {
    /// One more session of `user`, for as long as what is given lives. `None` at the limit.
    pub fn enter(self: &Arc<Self>, user: &str) -> Option<OpenSession> {
        let mut all = self.0.lock().unwrap();
        let sessions = all.entry(user.to_owned()).or_default();
        if sessions.limit.is_some_and(|limit| sessions.open >= limit) {
            return None;
        }
        sessions.open += 1;
        Some(OpenSession { limits: Arc::clone(self), user: user.to_owned() })
    }
}

/// Counts until it is dropped.
pub(super) struct OpenSession {
    limits: Arc<SessionLimits>,
    user: String,
}

impl Drop for OpenSession {
    fn drop(&mut self) {
        if let Some(sessions) = self.limits.0.lock().unwrap().get_mut(&self.user) {
            sessions.open -= 1;
        }
    }
}

impl FakeMemgraph {
    /// From now on `user` may have this number of concurrent sessions.
    pub fn limit_sessions(&self, user: &str, limit: usize) {
        let mut all = self.server.session_limits.0.lock().unwrap();
        all.entry(user.to_owned()).or_default().limit = Some(limit);
    }
}
