//! Whether the newest settings are in force: what the metrics say about reloads.
//!
//! Promises that a failed reload stays visible until what failed succeeds. Does not know how settings are read.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use super::observer::Reloaded;

/// The outcome of the newest reloads. Clones share it.
#[derive(Debug, Clone)]
pub struct ReloadState(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    settings: bool,
    certificates: bool,
    last_success: SystemTime,
}

impl ReloadState {
    /// The state of a gateway that starts now. A start counts as a successful reload.
    #[must_use]
    pub fn started() -> Self {
        Self(Arc::new(Mutex::new(State { settings: true, certificates: true, last_success: SystemTime::now() })))
    }

    /// Records that `what` was read again, and whether it is in force.
    pub fn record(&self, what: Reloaded, is_success: bool) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match what {
            Reloaded::Settings => state.settings = is_success,
            Reloaded::Certificates => state.certificates = is_success,
        }
        if is_success {
            state.last_success = SystemTime::now();
        }
    }

    /// Whether the newest reload of everything succeeded.
    #[must_use]
    pub fn is_successful(&self) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.settings && state.certificates
    }

    /// When a reload last succeeded; the start, if there was none.
    #[must_use]
    pub fn last_success(&self) -> SystemTime {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last_success
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_visible_until_the_same_thing_succeeds() {
        let state = ReloadState::started();
        let started = state.last_success();
        assert!(state.is_successful());
        state.record(Reloaded::Settings, false);
        assert_eq!((state.is_successful(), state.last_success()), (false, started));
        state.record(Reloaded::Certificates, true);
        assert!(!state.is_successful() && state.last_success() >= started);
        state.record(Reloaded::Settings, true);
        assert!(state.is_successful());
    }
}
