//! Whether the database can be reached. One probe answers all requests that arrive meanwhile and shortly after.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

/// How long an outcome is reused.
const FRESH: Duration = Duration::from_secs(2);
/// The longest that a request waits for a probe. Kubernetes waits for one second by default.
const PATIENCE: Duration = Duration::from_millis(800);

/// The outcome of a probe: an error says why the database is not ready.
type Outcome = Result<(), String>;

/// The newest probe of the database, shared by clones.
#[derive(Clone, Default)]
pub(super) struct Readiness {
    newest: Arc<Mutex<Option<Probe>>>,
}

struct Probe {
    started: Instant,
    /// `None` while the probe runs.
    outcome: watch::Receiver<Option<Outcome>>,
}

impl Readiness {
    /// Returns the outcome of the newest probe if that still runs or started less than [`FRESH`] ago; otherwise starts `probe`.
    pub(super) async fn check<F>(&self, probe: impl FnOnce() -> F) -> Outcome
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut outcome = self.current(probe);
        match timeout(PATIENCE, outcome.wait_for(Option::is_some)).await {
            Ok(Ok(outcome)) => outcome.clone().unwrap_or(Ok(())),
            Ok(Err(_)) => Err("the probe of the database was aborted".into()),
            Err(_) => Err(format!("the database did not answer within {PATIENCE:?}")),
        }
    }

    fn current<F>(&self, probe: impl FnOnce() -> F) -> watch::Receiver<Option<Outcome>>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut newest = self.newest();
        if let Some(current) = newest.as_ref().filter(|current| current.is_current()) {
            return current.outcome.clone();
        }
        let (sender, outcome) = watch::channel(None);
        *newest = Some(Probe { started: Instant::now(), outcome: outcome.clone() });
        // In its own task, so that it continues after the requests have been answered.
        let probe = probe();
        tokio::spawn(async move { sender.send(Some(probe.await)) });
        outcome
    }

    fn newest(&self) -> MutexGuard<'_, Option<Probe>> {
        // The value is consistent after every statement, so a panic elsewhere does no harm.
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Probe {
    fn is_current(&self) -> bool {
        let is_running = self.outcome.borrow().is_none() && self.outcome.has_changed().is_ok();
        is_running || self.started.elapsed() < FRESH
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use futures_util::future::join_all;
    use tokio::time::{advance, sleep};

    use super::*;

    /// A database that counts its probes and answers them after a while.
    #[derive(Default)]
    struct Database(Arc<AtomicUsize>);

    impl Database {
        fn probes(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }

        async fn probe(&self, readiness: &Readiness, after: Duration, outcome: Outcome) -> Outcome {
            let count = Arc::clone(&self.0);
            let probe = || async move {
                count.fetch_add(1, Ordering::Relaxed);
                sleep(after).await;
                outcome
            };
            readiness.check(probe).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_requests_share_one_probe() {
        let (readiness, database) = (Readiness::default(), Database::default());
        let quickly = Duration::from_millis(10);
        let outcomes = join_all((0..100).map(|_| database.probe(&readiness, quickly, Ok(())))).await;
        assert!(outcomes.iter().all(Result::is_ok));
        assert!(database.probe(&readiness, quickly, Err("down".into())).await.is_ok(), "the outcome is reused");
        assert_eq!(database.probes(), 1);
        advance(FRESH).await;
        assert_eq!(database.probe(&readiness, quickly, Err("down".into())).await, Err("down".into()));
        assert_eq!(database.probes(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_database_that_hangs_is_probed_once_and_waited_for_less_than_a_second() {
        let (readiness, database) = (Readiness::default(), Database::default());
        for _ in 0..5 {
            let started = Instant::now();
            let outcome = database.probe(&readiness, Duration::from_secs(60), Ok(())).await;
            assert!(outcome.is_err() && started.elapsed() < Duration::from_secs(1), "{outcome:?}");
        }
        assert_eq!(database.probes(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_panics_is_replaced() {
        let readiness = Readiness::default();
        let check = readiness.check(|| async { panic!("a bug") });
        assert!(check.await.is_err());
        advance(FRESH).await;
        assert_eq!(readiness.check(|| async { Ok(()) }).await, Ok(()));
        assert!(Readiness::default().check(pending).await.is_err());
    }
}
