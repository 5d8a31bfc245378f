//! Whether the database can be reached, found out once however many ask.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

/// For so long an outcome stands.
const FRESH: Duration = Duration::from_secs(2);
/// Whoever asks gets an answer by then. Kubernetes waits for a second.
const PATIENCE: Duration = Duration::from_millis(800);

/// Why the database is not ready, if it is not.
type Outcome = Result<(), String>;

/// The newest probe of the database. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Readiness {
    newest: Arc<Mutex<Option<Probe>>>,
}

struct Probe {
    begun: Instant,
    /// `None` while it is under way.
    outcome: watch::Receiver<Option<Outcome>>,
}

impl Readiness {
    /// What a probe has found that was begun less than [`FRESH`] ago, or is still under way; without one, begins one.
    pub(super) async fn check<F>(&self, probe: impl FnOnce() -> F) -> Outcome
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut outcome = self.current(probe);
        match timeout(PATIENCE, outcome.wait_for(Option::is_some)).await {
            Ok(Ok(outcome)) => outcome.clone().unwrap_or(Ok(())),
            Ok(Err(_)) => Err("the probe of the database was broken off".into()),
            Err(_) => Err(format!("the database did not answer within {PATIENCE:?}")),
        }
    }

    fn current<F>(&self, probe: impl FnOnce() -> F) -> watch::Receiver<Option<Outcome>>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut newest = self.newest();
        if let Some(current) = newest.as_ref().filter(|current| current.is_of_use()) {
            return current.outcome.clone();
        }
        let (sender, outcome) = watch::channel(None);
        *newest = Some(Probe { begun: Instant::now(), outcome: outcome.clone() });
        // In a task of its own: it goes on when those who asked have been answered.
        let probe = probe();
        tokio::spawn(async move { sender.send(Some(probe.await)) });
        outcome
    }

    fn newest(&self) -> MutexGuard<'_, Option<Probe>> {
        // It is whole after every statement, so a panic elsewhere leaves nothing half done.
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Probe {
    fn is_of_use(&self) -> bool {
        let is_under_way = self.outcome.borrow().is_none() && self.outcome.has_changed().is_ok();
        is_under_way || self.begun.elapsed() < FRESH
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

    /// A database that is asked, counts how often, and answers after a while.
    #[derive(Default)]
    struct Database(Arc<AtomicUsize>);

    impl Database {
        fn asked(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }

        async fn ask(&self, readiness: &Readiness, after: Duration, outcome: Outcome) -> Outcome {
            let asked = Arc::clone(&self.0);
            let probe = || async move {
                asked.fetch_add(1, Ordering::Relaxed);
                sleep(after).await;
                outcome
            };
            readiness.check(probe).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_cost_one_question() {
        let (readiness, database) = (Readiness::default(), Database::default());
        let quickly = Duration::from_millis(10);
        let answers = join_all((0..100).map(|_| database.ask(&readiness, quickly, Ok(())))).await;
        assert!(answers.iter().all(Result::is_ok));
        assert!(database.ask(&readiness, quickly, Err("down".into())).await.is_ok(), "it stands for a while");
        assert_eq!(database.asked(), 1);
        advance(FRESH).await;
        assert_eq!(database.ask(&readiness, quickly, Err("down".into())).await, Err("down".into()));
        assert_eq!(database.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_database_that_hangs_is_asked_once_and_waited_for_less_than_a_second() {
        let (readiness, database) = (Readiness::default(), Database::default());
        for _ in 0..5 {
            let begun = Instant::now();
            let answer = database.ask(&readiness, Duration::from_secs(60), Ok(())).await;
            assert!(answer.is_err() && begun.elapsed() < Duration::from_secs(1), "{answer:?}");
        }
        assert_eq!(database.asked(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_breaks_off_does_not_stay() {
        let readiness = Readiness::default();
        let asking = readiness.check(|| async { panic!("a bug") });
        assert!(asking.await.is_err());
        advance(FRESH).await;
        assert_eq!(readiness.check(|| async { Ok(()) }).await, Ok(()));
        assert!(Readiness::default().check(pending).await.is_err());
    }
}
