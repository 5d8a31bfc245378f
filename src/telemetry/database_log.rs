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

/// The target of the lines.
const TARGET: &str = "boltgate::database";
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
    /// How long it was away, until a line says that it is back.
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
                    tracing::info!(target: TARGET, database, agent, bolt, dialect, ?away, changes, "the database is back");
                } else {
                    tracing::info!(target: TARGET, database, agent, bolt, dialect, changes, "reached the database");
                }
            }
            (false, None) => tracing::warn!(
                target: TARGET,
                database,
                reason = state.failure,
                changes,
                "the database cannot be reached; requests get 503 until it responds (to try Boltgate without one: \
                 boltgate serve --embedded)"
            ),
            (false, Some(_)) => tracing::warn!(
                target: TARGET,
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
        Self { agent: event.agent.to_owned(), bolt: event.version.to_string(), dialect: event.dialect.to_string() }
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

#[cfg(test)]
mod tests {
    use tokio::time::advance;
    use tracing::subscriber::DefaultGuard;

    use super::*;
    use crate::telemetry::{kept::Kept, observer::Purpose};

    /// Keeps the log of this thread.
    fn kept() -> (Kept, DefaultGuard) {
        let kept = Kept::default();
        let writer = kept.clone();
        let lines = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).without_time();
        (kept, tracing::subscriber::set_default(lines.finish()))
    }

    /// Waits until all tasks have run, and takes the lines.
    async fn logged(kept: &Kept) -> Vec<String> {
        tokio::task::yield_now().await;
        let message = |line: &str| line.split_once("boltgate::database: ").unwrap().1.to_owned();
        kept.take().lines().map(message).collect()
    }

    fn log() -> DatabaseLog {
        DatabaseLog::new("bolt://db:7687".into())
    }

    fn connected(log: &DatabaseLog, agent: &str) {
        let (purpose, took) = (Purpose::Pool, Duration::from_millis(3));
        log.connected(&Connected { purpose, took, version: &"5.8", dialect: &"neo4j", agent });
        log.login_accepted();
    }

    fn lost(log: &DatabaseLog) {
        let (purpose, took, reason) = (Purpose::Pool, Duration::from_millis(3), ConnectFailure::Unreachable);
        log.connect_failed(&ConnectFailed { purpose, took, reason, error: &"connection refused" });
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_contact_says_which_database_it_is() {
        let (kept, _guard) = kept();
        let log = log();
        log.probed(None);
        assert_eq!(logged(&kept).await, ["reached the database database=\"bolt://db:7687\""]);
        for _ in 0..3 {
            connected(&log, "Neo4j/5.26.0");
        }
        let line =
            "reached the database database=\"bolt://db:7687\" agent=\"Neo4j/5.26.0\" bolt=\"5.8\" dialect=\"neo4j\"";
        assert_eq!(logged(&kept).await, [line], "once");
        advance(PAUSE).await;
        connected(&log, "Neo4j/2026.09.0");
        let lines = logged(&kept).await;
        assert!(matches!(&lines[..], [line] if line.contains("2026.09.0")), "another one: {lines:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn every_change_is_a_line() {
        let (kept, _guard) = kept();
        let log = log();
        let failed = ProbeFailed { reason: ConnectFailure::Unreachable, error: &"connection refused" };
        log.probed(Some(&failed));
        let first = logged(&kept).await;
        assert!(matches!(&first[..], [line] if line.starts_with("the database cannot be reached; requests get 503")));
        assert!(first[0].contains("reason=\"connection refused\""), "{first:?}");
        log.probed(Some(&failed));
        lost(&log);
        assert!(logged(&kept).await.is_empty(), "nothing new");
        advance(PAUSE * 2).await;
        connected(&log, "Neo4j/5.26.0");
        let back = logged(&kept).await;
        assert!(
            matches!(&back[..], [line] if line.contains("the database is back") && line.contains("away=10s")),
            "{back:?}"
        );
        advance(PAUSE).await;
        lost(&log);
        let lost = logged(&kept).await;
        assert!(matches!(&lost[..], [line] if line.starts_with("lost the database")), "{lost:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_login_is_no_loss() {
        let (kept, _guard) = kept();
        let log = log();
        let (purpose, took, reason) = (Purpose::Pool, Duration::from_millis(3), ConnectFailure::Login);
        log.connect_failed(&ConnectFailed { purpose, took, reason, error: &"no" });
        let lines = logged(&kept).await;
        assert!(matches!(&lines[..], [line] if line.starts_with("reached the database")), "{lines:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_database_that_comes_and_goes_does_not_flood_the_log() {
        let (kept, _guard) = kept();
        let log = log();
        connected(&log, "Neo4j/5.26.0");
        assert_eq!(logged(&kept).await.len(), 1);
        for _ in 0..100 {
            lost(&log);
            connected(&log, "Neo4j/5.26.0");
        }
        lost(&log);
        assert!(logged(&kept).await.is_empty());
        // The newest state is told even if nothing else happens.
        advance(PAUSE).await;
        let lines = logged(&kept).await;
        assert!(
            matches!(&lines[..], [line] if line.starts_with("lost the database") && line.contains("changes=201")),
            "{lines:?}"
        );
        connected(&log, "Neo4j/5.26.0");
        lost(&log);
        connected(&log, "Neo4j/5.26.0");
        advance(PAUSE).await;
        let lines = logged(&kept).await;
        assert!(
            matches!(&lines[..], [line] if line.contains("the database is back") && line.contains("changes=3")),
            "{lines:?}"
        );
    }
}
