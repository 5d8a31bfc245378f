//! Tells the service manager (systemd) how the process is, if there is one (`NOTIFY_SOCKET`).
//!
//! Owns the words of `sd_notify(3)`. Promises that a service manager which does not listen is no more than a warning. Does
//! not know when anything happens.

use std::{io, time::Duration};

use sd_notify::NotifyState::{self, Ready, Reloading, Status, Stopping, Watchdog};

/// Everything is served; `status` says so to people.
pub fn ready(status: &str) {
    notify(&[Ready, Status(status)]);
}

/// The settings are read again. [`ready`] ends that.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[Reloading, now, Status("Reading the settings again")]),
        Err(error) => complain(&error),
    }
}

/// The process is about to end.
pub fn stopping() {
    notify(&[Stopping, Status("Finishing requests and rolling back open transactions")]);
}

/// How often the service manager wants to be told that the process is [`alive`]: twice as often as it must be. `None` if
/// it does not want to know.
#[must_use]
pub fn heartbeat() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}

/// The process does its work.
pub fn alive() {
    notify(&[Watchdog]);
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        complain(&error);
    }
}

fn complain(error: &io::Error) {
    tracing::warn!(%error, "the service manager (NOTIFY_SOCKET) could not be told the state of the gateway");
}
