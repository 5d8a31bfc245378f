//! The log lines about the database as a whole: which it is, and whether it can be reached.
//!
//! Promises a line for the first contact and for every change, and no flood of lines while the database comes and goes:
//! changes that follow one another closely share a line, which has the newest state and says how many it stands for.

use std::{
    fmt::{self, Display},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    time::{Instant, sleep_until},
};

use super::observer::{ConnectFailed, ConnectFailure, Connected, LoginRefused, Observer, ProbeFailed};

/// The shortest time between two lines.
const PAUSE: Duration = Duration::from_secs(5);

/// Follows the state of the database, and writes its changes to the log.
#[derive(Debug, Clone)]
pub struct DatabaseLog {
    shared: Arc<Shared>,
}

struct Shared {
    /// The address of the database.
    address: String,
    state: Mutex<State>,
}

/// What is known of the database, and what the log says of it.
#[derive(Debug, Default)]
struct State {
    reached: Option<bool>,
    /// What the database called itself when a login last succeeded.
    server: Option<Server>,
    /// Why it cannot be reached.
    failure: String,
    /// Since when it has not been reached.
    away_since: Option<Instant>,
    /// How long it was away, until a line tells that it is back.
    was_away: Option<Duration>,
    /// The changes that no line tells of yet.
    untold: usize,
    /// What the newest line says, and when it was written.
    told: Option<(Option<bool>, Instant)>,
}

/// What the database calls itself, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Server {
    agent: String,
    bolt: String,
    dialect: String,
}

impl DatabaseLog {
    /// Follows the database at `address`.
    #[must_use]
    pub fn new(address: String) -> Self {
        Self { shared: Arc::new(Shared { address, state: Mutex::default() }) }
    }

    fn reached(&self, server: Option<&Connected<'_>>) {
        let mut state = self.shared.state();
        let is_new = server.is_some_and(|event| state.server.as_ref().is_none_or(|known| !known.is(event)));
        if state.reached == Some(true) && !is_new {
            return;
        }
        if let Some(since) = state.away_since.take() {
            state.was_away = Some(since.elapsed());
        }
        state.reached = Some(true);
        let Some(event) = server.filter(|_| is_new) else {
            return self.changed(&mut state);
        };
        if state.server.replace(Server::of(event)).is_some() {
            return self.changed(&mut state);
        }
        // What the database is becomes known only once, which is worth a line at once.
        state.untold += 1;
        self.shared.tell(&mut state);
    }

    fn not_reached(&self, failure: &dyn Display) {
        let mut state = self.shared.state();
        if state.reached == Some(false) {
            return;
        }
        state.failure = failure.to_string();
        state.away_since = Some(Instant::now());
        state.reached = Some(false);
        self.changed(&mut state);
    }

    /// Writes a line, now or when the pause after the newest one is over.
    fn changed(&self, state: &mut State) {
        state.untold += 1;
        match state.told.map(|(_, when)| when + PAUSE) {
            Some(next) if next > Instant::now() => {
                // One task waits for the end of the pause; the changes until then are in its line.
                if state.untold == 1
                    && let Ok(runtime) = Handle::try_current()
                {
                    let shared = Arc::clone(&self.shared);
                    runtime.spawn(async move {
                        sleep_until(next).await;
                        shared.tell(&mut shared.state());
                    });
                }
            }
            _ => self.shared.tell(state),
        }
    }
}

impl Observer for DatabaseLog {
    fn connected(&self, event: &Connected<'_>) {
        self.reached(Some(event));
    }

    fn connect_failed(&self, event: &ConnectFailed<'_>) {
        match event.reason {
            ConnectFailure::Login => self.reached(None),
            _ => self.not_reached(event.error),
        }
    }

    fn probed(&self, failure: Option<&ProbeFailed<'_>>) {
        match failure {
            None => self.reached(None),
            Some(failed) => self.not_reached(failed.error),
        }
    }

    fn login_accepted(&self) {
        self.reached(None);
    }

    fn login_refused(&self, _event: &LoginRefused<'_>) {
        self.reached(None);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // The state is consistent after every statement, so a panic elsewhere does no harm.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a line about the newest state.
    fn tell(&self, state: &mut State) {
        let changes = std::mem::take(&mut state.untold);
        if changes == 0 {
            return; // another line has told it meanwhile
        }
        let before = state.told.and_then(|(reached, _)| reached);
        state.told = Some((state.reached, Instant::now()));
        let database = &*self.address;
        let changes = (changes > 1).then_some(changes);
        match (state.reached == Some(true), before) {
            (true, _) => {
                let (agent, bolt, dialect) = match &state.server {
                    None => (None, None, None),
                    Some(Server { agent, bolt, dialect }) => (Some(&**agent), Some(&**bolt), Some(&**dialect)),
                };
                if let Some(away) = state.was_away.take() {
                    tracing::info!(database, agent, bolt, dialect, ?away, changes, "the database is back");
                } else {
                    tracing::info!(database, agent, bolt, dialect, changes, "reached the database");
                }
            }
            (false, None) => tracing::warn!(
                database,
                reason = state.failure,
                changes,
                "the database cannot be reached; requests get 503 until it responds (to try Boltgate without one: \
                 boltgate serve --embedded)"
            ),
            (false, Some(_)) => tracing::warn!(
                database,
                reason = state.failure,
                changes,
                "lost the database; requests get 503 until it responds"
            ),
        }
    }
}

impl Server {
    fn of(event: &Connected<'_>) -> Self {
        Self {
            agent: event.agent.to_owned(),
            bolt: event.version.to_string(),
            dialect: event.dialect.to_string(),
        }
    }

    fn is(&self, event: &Connected<'_>) -> bool {
        *self == Self::of(event)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseLog").field("address", &self.address).finish_non_exhaustive()
    }
}
