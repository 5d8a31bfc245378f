//! Logins, so that a credential is tried no more often than it helps.
//!
//! Databases lock users out after some wrong passwords (Neo4j: three), and hash passwords slowly, some of them under one
//! lock. So while it is not known whether a credential is any good, one login tries it and the others wait for what
//! comes of that; a good one is tried by two at a time, since it may have become a bad one; and what the database has
//! just refused is refused without asking again.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::{
    auth::{ByIdentity, IdentityKey},
    bolt::Failure,
};

/// For so long a refusal stands without asking the database again.
const REFUSED_FOR: Duration = Duration::from_secs(2);
/// Logins of one credential at a time: fewer than it takes to be locked out.
const TOGETHER: u32 = 2;
/// Credentials remembered at most. Beyond it, logins are not coordinated.
const MOST: usize = 10_000;

/// What is known of credentials.
#[derive(Default)]
pub(super) struct Logins {
    known: Mutex<ByIdentity<Known>>,
}

struct Known {
    accepted: Option<Instant>,
    refused: Option<(Instant, Failure)>,
    gate: Arc<Semaphore>,
}

/// Leave to log in. Whoever has it says how that [ended](Attempt::ended), or drops it when it did not come to that.
pub(super) struct Attempt {
    logins: Arc<Logins>,
    key: IdentityKey,
    _pass: Option<OwnedSemaphorePermit>,
}

impl Logins {
    /// Waits until the credential of `key` may be tried.
    ///
    /// # Errors
    /// The database's refusal, when it has just refused that very credential.
    pub(super) async fn admit(self: &Arc<Self>, key: IdentityKey) -> Result<Attempt, Failure> {
        let attempt = |pass| Attempt { logins: Arc::clone(self), key, _pass: pass };
        let Some(Gate { gate, passes }) = self.look(key)? else {
            return Ok(attempt(None));
        };
        let pass = gate.acquire_many_owned(passes).await.ok();
        // Whoever was here before may have found out.
        self.look(key)?;
        Ok(attempt(pass))
    }

    /// When the database last accepted the credential of `key`, as far as that is remembered.
    pub(super) fn accepted(&self, key: IdentityKey) -> Option<Instant> {
        self.known().get(&key)?.accepted
    }

    /// Forgets what is of no more use. Acceptances are remembered for `age`.
    pub(super) fn sweep(&self, age: Duration) {
        self.known().retain(|_, known| known.is_of_use(age));
    }

    /// The gate to pass, unless there are too many to keep.
    fn look(&self, key: IdentityKey) -> Result<Option<Gate>, Failure> {
        let mut all = self.known();
        if !all.contains_key(&key) && all.len() >= MOST {
            return Ok(None);
        }
        let known = all.entry(key).or_default();
        match &known.refused {
            Some((when, failure)) if when.elapsed() < REFUSED_FOR => Err(failure.clone()),
            _ => {
                let passes = if known.accepted.is_some() { 1 } else { TOGETHER };
                Ok(Some(Gate { gate: Arc::clone(&known.gate), passes }))
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, ByIdentity<Known>> {
        // The map is whole after every statement, so a panic elsewhere leaves nothing half done.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has to be passed before a login.
struct Gate {
    gate: Arc<Semaphore>,
    passes: u32,
}

impl Default for Known {
    fn default() -> Self {
        let gate = Arc::new(Semaphore::new(TOGETHER as usize));
        Self { accepted: None, refused: None, gate }
    }
}

impl Known {
    fn is_of_use(&self, age: Duration) -> bool {
        self.accepted.is_some_and(|when| when.elapsed() < age)
            || self.refused.as_ref().is_some_and(|(when, _)| when.elapsed() < REFUSED_FOR)
            || Arc::strong_count(&self.gate) > 1
    }
}

impl Attempt {
    /// Says what the database said.
    pub(super) fn ended(self, outcome: Result<(), &Failure>) {
        let mut all = self.logins.known();
        let Some(known) = all.get_mut(&self.key) else {
            return;
        };
        match outcome {
            Ok(()) => (known.accepted, known.refused) = (Some(Instant::now()), None),
            // Only what is wrong with the credential is remembered.
            Err(failure) if failure.code.contains(".Security.") => {
                (known.accepted, known.refused) = (None, Some((Instant::now(), failure.clone())));
            }
            Err(_) => known.accepted = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> IdentityKey {
        IdentityKey::numbered(1)
    }

    fn refusal() -> Failure {
        Failure { code: "Neo.ClientError.Security.Unauthorized".into(), message: String::new(), classification: None }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_heard_by_all_who_wait_and_stands_for_a_while() {
        let logins = Arc::new(Logins::default());

        let first = logins.admit(key()).await.unwrap();
        let waiting: Vec<_> = (0..10)
            .map(|_| {
                tokio::spawn({
                    let logins = Arc::clone(&logins);
                    async move { logins.admit(key()).await.err() }
                })
            })
            .collect();
        tokio::task::yield_now().await;
        first.ended(Err(&refusal()));
        for waiter in waiting {
            assert_eq!(waiter.await.unwrap(), Some(refusal()));
        }
        tokio::time::advance(REFUSED_FOR).await;
        assert!(logins.admit(key()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_good_credential_is_tried_by_two_at_a_time() {
        let logins = Arc::new(Logins::default());
        logins.admit(key()).await.unwrap().ended(Ok(()));
        let together = [logins.admit(key()).await.unwrap(), logins.admit(key()).await.unwrap()];
        assert!(logins.accepted(key()).is_some());
        let third = logins.admit(key());
        assert!(tokio::time::timeout(Duration::from_secs(60), third).await.is_err());
        drop(together);
        assert!(logins.admit(key()).await.is_ok(), "an attempt without an outcome leaves the next one free");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_of_no_use_is_forgotten() {
        let logins = Arc::new(Logins::default());
        logins.admit(key()).await.unwrap().ended(Ok(()));
        logins.admit(IdentityKey::numbered(2)).await.unwrap().ended(Err(&refusal()));
        logins.sweep(Duration::from_secs(30));
        assert_eq!(logins.known().len(), 2);
        tokio::time::advance(REFUSED_FOR).await;
        logins.sweep(Duration::from_secs(30));
        assert_eq!(logins.known().len(), 1);
        tokio::time::advance(Duration::from_secs(30)).await;
        logins.sweep(Duration::from_secs(30));
        assert_eq!(logins.known().len(), 0);
    }

    #[tokio::test]
    async fn strangers_beyond_the_cap_are_not_remembered() {
        let logins = Arc::new(Logins::default());
        let most = u64::try_from(MOST).unwrap();
        for number in 0..most + 100 {
            logins.admit(IdentityKey::numbered(number)).await.unwrap().ended(Err(&refusal()));
        }
        assert_eq!(logins.known().len(), MOST);
    }
}
