//! What is known of credentials, so that one is tried no more often than it helps.
//!
//! Databases lock users out after some wrong passwords (Neo4j: three), and hash passwords slowly, some of them under one
//! lock. So while it is not known whether a credential is any good, one login tries it and the others wait for what
//! comes of that; a good one is tried by two at a time, since it may have become a bad one; and what the database has
//! just refused is refused without asking again.
//!
//! Good credentials and all others are remembered apart, so that no number of bad ones makes a good one forgotten.

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
/// For so long after a stranger's refusal more of them are expected.
const GUESSED_FOR: Duration = Duration::from_secs(10);
/// Logins of one credential at a time: fewer than it takes to be locked out.
const TOGETHER: u32 = 2;
/// Good credentials remembered at most, and others. Beyond it, logins of the others are not coordinated.
const MOST: usize = 10_000;
/// How many good credentials are forgotten at a time when there are too many.
const TOO_MANY: usize = MOST / 10;

/// What is known of credentials.
#[derive(Default)]
pub(super) struct Logins {
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// The database has accepted them, and not refused them since.
    verified: ByIdentity<Known>,
    unverified: ByIdentity<Known>,
    /// When a stranger was last refused.
    last_guess: Option<Instant>,
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
        let Some(Gate { gate, passes }) = self.memory().gate(key)? else {
            return Ok(attempt(None));
        };
        let pass = gate.acquire_many_owned(passes).await.ok();
        // Whoever was here before may have found out.
        self.memory().gate(key)?;
        Ok(attempt(pass))
    }

    /// Whether the database has accepted the credential of `key`, as far as that is remembered, and not refused it since.
    pub(super) fn is_verified(&self, key: IdentityKey) -> bool {
        self.memory().verified.contains_key(&key)
    }

    /// When the database last accepted the credential of `key`, as far as that is remembered.
    pub(super) fn accepted(&self, key: IdentityKey) -> Option<Instant> {
        self.memory().verified.get(&key)?.accepted
    }

    /// Whether unverified callers have just been refused: others of them may be guessing as well.
    pub(super) fn suspects_guessing(&self) -> bool {
        self.memory().last_guess.is_some_and(|when| when.elapsed() < GUESSED_FOR)
    }

    /// Forgets what is of no more use. Acceptances are remembered for `age`.
    pub(super) fn sweep(&self, age: Duration) {
        let mut memory = self.memory();
        memory.verified.retain(|_, known| known.is_tried() || known.accepted.is_some_and(|when| when.elapsed() < age));
        memory.unverified.retain(|_, known| known.is_tried() || known.is_refused());
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // It is whole after every statement, so a panic elsewhere leaves nothing half done.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has to be passed before a login.
struct Gate {
    gate: Arc<Semaphore>,
    passes: u32,
}

impl Memory {
    /// The gate to pass, unless there are too many unverified ones to keep.
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

    /// Whether one more stranger can be remembered. Of the others, those that nobody is trying are forgotten for it: at
    /// first those whose refusal is over.
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
            // It is as good as before, and the database does not look at it if it is asked at once.
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

    /// Forgets the good credentials that were accepted longest ago. Many at a time, since it takes a look at all.
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
    /// Somebody tries it, or waits to.
    fn is_tried(&self) -> bool {
        Arc::strong_count(&self.gate) > 1
    }

    fn is_refused(&self) -> bool {
        self.refused.as_ref().is_some_and(|(when, _)| when.elapsed() < REFUSED_FOR)
    }
}

impl Attempt {
    /// Says what the database said.
    pub(super) fn ended(self, outcome: Result<(), &Failure>) {
        let mut memory = self.logins.memory();
        match outcome {
            Ok(()) => memory.accept(self.key),
            // Only what concerns logins is remembered: not that the database is busy, or that there are too many sessions.
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

    /// How many verified ones, and how many others.
    fn remembered(logins: &Logins) -> (usize, usize) {
        let memory = logins.memory();
        (memory.verified.len(), memory.unverified.len())
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
    async fn strangers_do_not_make_good_credentials_forgotten() {
        let logins = Arc::new(Logins::default());
        accept(&logins, 0).await;
        let being_tried = logins.admit(IdentityKey::numbered(1)).await.unwrap();
        for number in 2..2 * MOST as u64 {
            refuse(&logins, number).await;
        }
        let (verified, unverified) = remembered(&logins);
        assert!(verified == 1 && unverified <= MOST, "{verified} verified ones, {unverified} others");
        assert!(logins.is_verified(IdentityKey::numbered(0)));
        assert!(logins.memory().unverified.contains_key(&IdentityKey::numbered(1)), "who is being tried stays");
        drop(being_tried);
    }

    #[tokio::test]
    async fn of_too_many_good_credentials_the_oldest_are_forgotten() {
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
    async fn a_limit_says_nothing_about_a_good_credential() {
        for code in
            ["Neo.ClientError.Security.AuthenticationRateLimit", "Memgraph.ClientError.Statement.SessionLimitReached"]
        {
            let logins = Arc::new(Logins::default());
            accept(&logins, 1).await;
            let limit = Failure { code: code.into(), ..refusal() };
            logins.admit(key()).await.unwrap().ended(Err(&limit));
            assert!(logins.is_verified(key()) && logins.accepted(key()).is_some(), "{code}");
            // Whoever would not be looked at is not asked about for a moment.
            let asked = logins.admit(key()).await.is_ok();
            assert_eq!(asked, limit.is_session_limit(), "{code}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_strangers_are_suspected_of_guessing() {
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
