//! What is known of credentials, so that none is tried more often than necessary.
//!
//! Databases lock users out after a few wrong passwords (Neo4j: three), and hash passwords slowly, some of them under
//! one lock. So an unverified credential is tried by one login while the others wait for the outcome; a verified one is
//! tried by two at a time, since it may have been changed; and a credential that was just refused is refused without
//! asking.
//!
//! Verified and unverified credentials are remembered apart, so that no number of bad ones displaces a good one.

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

/// How long a refusal stands without asking the database again.
const REFUSED_FOR: Duration = Duration::from_secs(2);
/// How long after the refusal of an unverified caller more guesses are expected.
const GUESSED_FOR: Duration = Duration::from_secs(10);
/// Logins of one credential at a time: fewer than cause a lockout.
const TOGETHER: u32 = 2;
/// The most verified credentials remembered, and the most unverified ones. Beyond it, logins of unverified ones are not
/// coordinated.
const MOST: usize = 10_000;
/// The number of verified credentials that are forgotten at a time when there are too many.
const TOO_MANY: usize = MOST / 10;

/// What is known of credentials.
#[derive(Default)]
pub(super) struct Logins {
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// Credentials that the database accepted and has not refused since.
    verified: ByIdentity<Known>,
    unverified: ByIdentity<Known>,
    /// When an unverified caller was last refused.
    last_guess: Option<Instant>,
}

struct Known {
    accepted: Option<Instant>,
    refused: Option<(Instant, Failure)>,
    gate: Arc<Semaphore>,
}

/// Permission to try a login. Its holder records how the login [ended](Attempt::ended), or drops it without an outcome.
pub(super) struct Attempt {
    logins: Arc<Logins>,
    key: IdentityKey,
    _pass: Option<OwnedSemaphorePermit>,
}

impl Logins {
    /// Waits until the credential of `key` may be tried.
    ///
    /// # Errors
    /// The database's refusal, if it has just refused that credential.
    pub(super) async fn admit(self: &Arc<Self>, key: IdentityKey) -> Result<Attempt, Failure> {
        let attempt = |pass| Attempt { logins: Arc::clone(self), key, _pass: pass };
        let Some(Gate { gate, passes }) = self.memory().gate(key)? else {
            return Ok(attempt(None));
        };
        let pass = gate.acquire_many_owned(passes).await.ok();
        // The attempt before this one may have been refused.
        self.memory().gate(key)?;
        Ok(attempt(pass))
    }

    /// Whether the database accepted the credential of `key`, as far as is remembered, and has not refused it since.
    pub(super) fn is_verified(&self, key: IdentityKey) -> bool {
        self.memory().verified.contains_key(&key)
    }

    /// When the database last accepted the credential of `key`, as far as is remembered.
    pub(super) fn accepted(&self, key: IdentityKey) -> Option<Instant> {
        self.memory().verified.get(&key)?.accepted
    }

    /// Whether an unverified caller was just refused: others may be guessing passwords as well.
    pub(super) fn suspects_guessing(&self) -> bool {
        self.memory().last_guess.is_some_and(|when| when.elapsed() < GUESSED_FOR)
    }

    /// Forgets refusals that no longer stand, and acceptances older than `age`.
    pub(super) fn sweep(&self, age: Duration) {
        let mut memory = self.memory();
        memory.verified.retain(|_, known| known.is_tried() || known.accepted.is_some_and(|when| when.elapsed() < age));
        memory.unverified.retain(|_, known| known.is_tried() || known.is_refused());
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // The memory is consistent after every statement, so a poisoned lock protects nothing.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The gate before a login, and how many of its passes the login needs.
struct Gate {
    gate: Arc<Semaphore>,
    passes: u32,
}

impl Memory {
    /// Returns the gate to pass; `None` if there are too many unverified credentials to remember this one.
    ///
    /// # Errors
    /// The database's refusal, while it stands.
    fn gate(&mut self, key: IdentityKey) -> Result<Option<Gate>, Failure> {
        let is_verified = self.verified.contains_key(&key);
        if !is_verified && !self.has_room_for(key) {
            return Ok(None);
        }
        let known = if is_verified { &mut self.verified } else { &mut self.unverified }.entry(key).or_default();
        match &known.refused {
            Some((_, failure)) if known.is_refused() => Err(failure.clone()),
            _ => {
                let passes = if known.accepted.is_some() { 1 } else { TOGETHER };
                Ok(Some(Gate { gate: Arc::clone(&known.gate), passes }))
            }
        }
    }

    /// Makes room for one more unverified credential, and returns whether there is. Forgets those that are not being
    /// tried: first those whose refusal no longer stands, then the others.
    fn has_room_for(&mut self, key: IdentityKey) -> bool {
        if self.unverified.len() >= MOST && !self.unverified.contains_key(&key) {
            self.unverified.retain(|_, known| known.is_tried() || known.is_refused());
            if self.unverified.len() >= MOST {
                self.unverified.retain(|_, known| known.is_tried());
            }
        }
        self.unverified.len() < MOST || self.unverified.contains_key(&key)
    }

    fn accept(&mut self, key: IdentityKey) {
        let known = self.unverified.remove(&key).or_else(|| self.verified.remove(&key)).unwrap_or_default();
        if self.verified.len() >= MOST {
            self.forget_oldest();
        }
        self.verified.insert(key, Known { accepted: Some(Instant::now()), refused: None, ..known });
    }

    fn refuse(&mut self, key: IdentityKey, failure: &Failure) {
        let refused = Some((Instant::now(), failure.clone()));
        if let Some(known) = self.verified.get_mut(&key)
            && !failure.is_about_credential()
        {
            // The credential is as good as before; the database would not examine it right away.
            known.refused = refused;
            return;
        }
        let was_verified = self.verified.remove(&key);
        if was_verified.is_none() {
            self.last_guess = Some(Instant::now());
        }
        if self.has_room_for(key) {
            let known = was_verified.or_else(|| self.unverified.remove(&key)).unwrap_or_default();
            self.unverified.insert(key, Known { accepted: None, refused, ..known });
        }
    }

    /// Forgets the credentials that were accepted longest ago: many at a time, since each call examines all of them.
    fn forget_oldest(&mut self) {
        let mut times: Vec<_> = self.verified.values().map(|known| known.accepted).collect();
        if let Some(at) = times.len().checked_sub(1) {
            let (_, newest_to_go, _) = times.select_nth_unstable(TOO_MANY.min(at));
            let newest_to_go = *newest_to_go;
            self.verified.retain(|_, known| known.accepted > newest_to_go);
        }
    }
}

impl Default for Known {
    fn default() -> Self {
        let gate = Arc::new(Semaphore::new(TOGETHER as usize));
        Self { accepted: None, refused: None, gate }
    }
}

impl Known {
    /// Whether a login is trying the credential, or waits to.
    fn is_tried(&self) -> bool {
        Arc::strong_count(&self.gate) > 1
    }

    fn is_refused(&self) -> bool {
        self.refused.as_ref().is_some_and(|(when, _)| when.elapsed() < REFUSED_FOR)
    }
}

impl Attempt {
    /// Records the database's verdict.
    pub(super) fn ended(self, outcome: Result<(), &Failure>) {
        let mut memory = self.logins.memory();
        match outcome {
            Ok(()) => memory.accept(self.key),
            // Refusals for other reasons (a busy database, too many sessions) say nothing about the credential.
            Err(failure) if failure.is_of_security() => memory.refuse(self.key, failure),
            Err(_) => {}
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

    async fn accept(logins: &Arc<Logins>, number: u64) {
        logins.admit(IdentityKey::numbered(number)).await.unwrap().ended(Ok(()));
    }

    async fn refuse(logins: &Arc<Logins>, number: u64) {
        logins.admit(IdentityKey::numbered(number)).await.unwrap().ended(Err(&refusal()));
    }

    /// The numbers of verified and unverified credentials.
    fn remembered(logins: &Logins) -> (usize, usize) {
        let memory = logins.memory();
        (memory.verified.len(), memory.unverified.len())
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_reaches_all_waiting_logins_and_stands_for_a_while() {
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
    async fn a_verified_credential_is_tried_by_two_at_a_time() {
        let logins = Arc::new(Logins::default());
        logins.admit(key()).await.unwrap().ended(Ok(()));
        let together = [logins.admit(key()).await.unwrap(), logins.admit(key()).await.unwrap()];
        assert!(logins.accepted(key()).is_some());
        let third = logins.admit(key());
        assert!(tokio::time::timeout(Duration::from_secs(60), third).await.is_err());
        drop(together);
        assert!(logins.admit(key()).await.is_ok(), "an attempt without an outcome does not block the next one");
    }

    #[tokio::test(start_paused = true)]
    async fn old_verdicts_are_forgotten() {
        let logins = Arc::new(Logins::default());
        accept(&logins, 1).await;
        refuse(&logins, 2).await;
        let age = Duration::from_secs(30);
        for (passed, left) in [(Duration::ZERO, (1, 1)), (REFUSED_FOR, (1, 0)), (age, (0, 0))] {
            tokio::time::advance(passed).await;
            logins.sweep(age);
            assert_eq!(remembered(&logins), left, "after {passed:?}");
        }
    }

    #[tokio::test]
    async fn unverified_credentials_do_not_displace_verified_ones() {
        let logins = Arc::new(Logins::default());
        accept(&logins, 0).await;
        let being_tried = logins.admit(IdentityKey::numbered(1)).await.unwrap();
        for number in 2..2 * MOST as u64 {
            refuse(&logins, number).await;
        }
        let (verified, unverified) = remembered(&logins);
        assert!(verified == 1 && unverified <= MOST, "{verified} verified, {unverified} unverified");
        assert!(logins.is_verified(IdentityKey::numbered(0)));
        assert!(
            logins.memory().unverified.contains_key(&IdentityKey::numbered(1)),
            "a credential that is being tried stays"
        );
        drop(being_tried);
    }

    #[tokio::test]
    async fn the_oldest_of_too_many_verified_credentials_are_forgotten() {
        let logins = Arc::new(Logins::default());
        for number in 0..=MOST as u64 {
            accept(&logins, number).await;
        }
        assert!(
            logins.is_verified(IdentityKey::numbered(MOST as u64)) && !logins.is_verified(IdentityKey::numbered(0))
        );
        let (verified, _) = remembered(&logins);
        assert!((MOST / 2..=MOST).contains(&verified), "{verified}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_says_nothing_about_a_verified_credential() {
        for code in
            ["Neo.ClientError.Security.AuthenticationRateLimit", "Memgraph.ClientError.Statement.SessionLimitReached"]
        {
            let logins = Arc::new(Logins::default());
            accept(&logins, 1).await;
            let limit = Failure { code: code.into(), ..refusal() };
            logins.admit(key()).await.unwrap().ended(Err(&limit));
            assert!(logins.is_verified(key()) && logins.accepted(key()).is_some(), "{code}");
            // A rate limit stands for a moment; a session limit does not.
            let asked = logins.admit(key()).await.is_ok();
            assert_eq!(asked, limit.is_session_limit(), "{code}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_unverified_callers_are_suspected_of_guessing() {
        let logins = Arc::new(Logins::default());
        accept(&logins, 1).await;
        refuse(&logins, 1).await;
        assert!(!logins.suspects_guessing(), "its password was changed");
        refuse(&logins, 2).await;
        assert!(logins.suspects_guessing());
        tokio::time::advance(GUESSED_FOR).await;
        assert!(!logins.suspects_guessing());
    }
}
