//! The pool in figures, for operators: each caller's part of it.

use std::time::Duration;

use tokio::time::sleep;

use super::registry::{Pool, Status};
use crate::auth::{ByIdentity, CallerLabel, Identity};

/// The pool as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// The most connections that may be open (`database.max_connections`).
    pub max: usize,
    /// Open connections.
    pub open: usize,
    /// Connections that are not in use.
    pub idle: usize,
    /// Connections that serve requests.
    pub in_use: usize,
    /// Connections that are being cleaned after an abandoned statement.
    pub recovering: usize,
    /// Requests that wait for a connection.
    pub waiting: usize,
    /// Every caller that has a connection or waits for one, those with the most connections first.
    pub callers: Vec<CallerFigures>,
}

/// One caller's part of the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerFigures {
    /// The caller. The idle connections of the service account have a line of their own, since its callers share them.
    pub caller: CallerLabel,
    /// The caller's user in the database, if known.
    pub user: Option<String>,
    /// Connections that are logged in as the caller and not in use.
    pub idle: usize,
    /// Connections that serve the caller's requests.
    pub in_use: usize,
    /// Connections that are being cleaned after a request of the caller.
    pub recovering: usize,
    /// Requests that wait for a connection.
    pub waiting: usize,
}

/// The pause between two looks at connections that are being cleaned.
const PAUSE: Duration = Duration::from_millis(10);

impl Pool {
    /// Returns the present figures.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let Status { max, open, idle, recovering, waiting, .. } = self.status();
        let in_use = open.saturating_sub(idle + recovering);
        Figures { max, open, idle, in_use, recovering, waiting, callers: self.callers() }
    }

    fn callers(&self) -> Vec<CallerFigures> {
        let shared = &self.shared;
        // No lock is held for longer than it takes to copy references.
        let (held, idle) = (shared.permits.by_caller(), shared.buckets.by_login());
        let mut recovering = shared.recovering.by_owner();
        let mut figures = ByIdentity::default();
        for (caller, holding, waiting) in held {
            let cleaned = recovering.remove(&caller.owner()).unwrap_or_default();
            let entry = figures.entry(caller.owner()).or_insert_with(|| CallerFigures::of(&caller));
            (entry.in_use, entry.recovering) = (holding.saturating_sub(cleaned), cleaned);
            entry.waiting = waiting;
        }
        for (login, count) in idle {
            figures.entry(login.key()).or_insert_with(|| CallerFigures::of_login(&login)).idle = count;
        }
        let mut figures: Vec<_> = figures.into_values().collect();
        figures.retain(|one| one.open() + one.waiting > 0);
        figures.sort_by_key(|one| (std::cmp::Reverse(one.open()), one.caller));
        figures
    }

    /// Waits until all connections are clean or closed that are being cleaned now.
    pub async fn recovered(&self) {
        let recovering = &self.shared.recovering;
        let begun = recovering.begun();
        while !recovering.are_over(begun) {
            sleep(PAUSE).await;
        }
    }
}

impl CallerFigures {
    /// All connections of the caller.
    #[must_use]
    pub fn open(&self) -> usize {
        self.idle + self.in_use + self.recovering
    }

    fn of(caller: &Identity) -> Self {
        Self::new(caller.label(), caller.user_name())
    }

    fn of_login(login: &Identity) -> Self {
        Self::new(login.login_label(), login.login_user())
    }

    fn new(caller: CallerLabel, user: Option<&str>) -> Self {
        Self { caller, user: user.map(str::to_owned), idle: 0, in_use: 0, recovering: 0, waiting: 0 }
    }
}
