//! Keys that an issuer shows on the network: when they are fetched, and for how long they are good.
//!
//! One fetch at a time, in a task of its own, so that a caller who leaves breaks nothing off. Whoever finds good keys
//! goes on with them; only who has none, or needs one that is not there, waits.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jsonwebtoken::Algorithm;
use serde_json::Value;
use tokio::{sync::watch, time::Instant};

use super::{
    error::TokenError,
    fetch::{Document, FetchError, Fetcher, TIMEOUT},
    keys::KeySet,
};

/// For keys whose server does not say how long they are good.
const LIFETIME: Duration = Duration::from_secs(5 * 60);
const SHORTEST_LIFETIME: Duration = Duration::from_secs(60);
const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// After a fetch that failed.
const RETRY: Duration = Duration::from_secs(5);
/// Between two fetches for the sake of a key that was not there.
const COOL_DOWN: Duration = Duration::from_secs(30);

/// Where the keys are.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// Where the issuer's discovery document says (OpenID Connect Discovery 1.0).
    Discovery,
    /// At this address.
    Url(String),
}

/// The keys of one issuer.
pub(super) struct Remote {
    /// The operator's name for the issuer.
    pub(super) name: String,
    pub(super) issuer: String,
    pub(super) place: Place,
    pub(super) fetcher: Fetcher,
    pub(super) algorithms: Vec<Algorithm>,
    /// How long keys are good beyond their lifetime, when they cannot be renewed.
    pub(super) stale: Duration,
    pub(super) state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    current: Option<Arc<Fetched>>,
    generation: u64,
    /// A fetch is under way; closes when it is over.
    fetching: Option<watch::Receiver<()>>,
    failed: Option<Instant>,
    asked_for_unknown: Option<Instant>,
}

/// Keys, and how long they are good.
pub(super) struct Fetched {
    pub(super) keys: KeySet,
    /// Counts up with each document that differs from the one before.
    pub(super) generation: u64,
    /// Of the document.
    hash: blake3::Hash,
    renew_at: Instant,
    expires: Instant,
}

impl Remote {
    /// Keys that are good.
    ///
    /// # Errors
    /// [`TokenError::KeysUnavailable`].
    pub(super) async fn keys(self: &Arc<Self>) -> Result<Arc<Fetched>, TokenError> {
        let under_way = {
            let mut state = self.state();
            let now = Instant::now();
            if let Some(current) = state.current.clone().filter(|current| now < current.renew_at) {
                return Ok(current);
            }
            let under_way = self.begin(&mut state);
            // Past their lifetime keys are good once renewing them has failed, and then for as long as it does.
            let failing = state.failed.is_some();
            let good = state
                .current
                .clone()
                .filter(|current| now < current.expires || failing && current.is_good_at(now, self.stale));
            if let Some(current) = good {
                return Ok(current);
            }
            under_way
        };
        self.over(under_way).await;
        self.good().ok_or(TokenError::KeysUnavailable)
    }

    /// Keys that were fetched after those of `generation`, among which one was missing.
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`] when they were fetched for such a key a short while ago,
    /// [`TokenError::KeysUnavailable`] when they cannot be: nobody can say then whose the key is.
    pub(super) async fn newer_than(self: &Arc<Self>, generation: u64) -> Result<Arc<Fetched>, TokenError> {
        let under_way = {
            let mut state = self.state();
            if let Some(newer) = state.current.clone().filter(|current| current.generation > generation) {
                return Ok(newer);
            }
            let asked = state.asked_for_unknown.is_some_and(|when| when.elapsed() < COOL_DOWN);
            // A fetch that failed has not found out; it is tried again in its own time.
            if state.under_way().is_none() && state.failed.is_none() && asked {
                return Err(TokenError::UnknownKey);
            }
            state.asked_for_unknown = Some(Instant::now());
            self.begin(&mut state)
        };
        self.over(under_way).await;
        let newer = self.good().filter(|current| current.generation > generation);
        newer.ok_or_else(|| self.state().without_key())
    }

    /// Begins to fetch, unless that is under way or has just failed. Gives what to wait for, if anything.
    pub(super) fn begin(self: &Arc<Self>, state: &mut State) -> Option<watch::Receiver<()>> {
        if state.under_way().is_none() && state.failed.is_none_or(|when| when.elapsed() >= RETRY) {
            let (done, fetching) = watch::channel(());
            state.fetching = Some(fetching);
            let remote = Arc::clone(self);
            tokio::spawn(async move {
                let fetched = remote.fetch().await;
                remote.settle(fetched);
                drop(done);
            });
        }
        state.under_way()
    }

    async fn over(&self, under_way: Option<watch::Receiver<()>>) {
        if let Some(mut fetching) = under_way {
            // Nothing is ever sent: it ends by closing.
            let _ = fetching.changed().await;
        }
    }

    fn good(&self) -> Option<Arc<Fetched>> {
        let current = self.state().current.clone();
        current.filter(|current| current.is_good_at(Instant::now(), self.stale))
    }

    fn settle(&self, fetched: Result<Fresh, Failed>) {
        let mut state = self.state();
        state.fetching = None;
        match fetched {
            Ok(Fresh { keys, hash, lifetime }) => {
                let is_same = state.current.as_ref().is_some_and(|current| current.hash == hash);
                if is_same {
                    tracing::debug!(issuer = self.name, ?lifetime, "the keys of an issuer are still the same");
                } else {
                    tracing::info!(issuer = self.name, keys = keys.len(), ?lifetime, "fetched the keys of an issuer");
                    state.generation += 1;
                }
                let now = Instant::now();
                state.failed = None;
                state.current = Some(Arc::new(Fetched {
                    keys,
                    generation: state.generation,
                    hash,
                    renew_at: now + lifetime * 3 / 4,
                    expires: now + lifetime,
                }));
            }
            Err(Failed { address, reason }) => {
                tracing::warn!(issuer = self.name, address, reason, "the keys of an issuer could not be fetched");
                state.failed = Some(Instant::now());
            }
        }
    }

    async fn fetch(&self) -> Result<Fresh, Failed> {
        let deadline = Instant::now() + TIMEOUT;
        let address = match &self.place {
            Place::Url(address) => address.clone(),
            Place::Discovery => self.discover(deadline).await?,
        };
        let failed = |reason: String| Failed { address: address.clone(), reason };
        let document = self.fetcher.get(&address, deadline).await;
        let Document { body, max_age } = document.map_err(|error| failed(error.to_string()))?;
        let Some(keys) = KeySet::from_jwks(&body, &self.algorithms) else {
            return Err(failed("the answer is no JWKS document".to_owned()));
        };
        if keys.len() == 0 {
            return Err(failed("the answer holds no key that can be used with the issuer's algorithms".to_owned()));
        }
        let lifetime = max_age.unwrap_or(LIFETIME).clamp(SHORTEST_LIFETIME, LONGEST_LIFETIME);
        Ok(Fresh { keys, hash: blake3::hash(&body), lifetime })
    }

    /// The address of the keys, by the issuer's own word.
    async fn discover(&self, deadline: Instant) -> Result<String, Failed> {
        let address = discovery_address(&self.issuer);
        let failed = |reason: &dyn ToString| Failed { address: address.clone(), reason: reason.to_string() };
        let document = self.fetcher.get(&address, deadline).await.map_err(|error| failed(&error))?;
        let document: Value =
            serde_json::from_slice(&document.body).map_err(|_| failed(&"the answer is no discovery document"))?;
        if document.get("issuer").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(failed(&"the discovery document is another issuer's: its `issuer` differs from the setting"));
        }
        let keys = document.get("jwks_uri").and_then(Value::as_str);
        let keys = keys.ok_or_else(|| failed(&"the discovery document names no `jwks_uri`"))?;
        self.fetcher.check(keys).map_err(|error: FetchError| failed(&format!("`jwks_uri`: {error}")))?;
        Ok(keys.to_owned())
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetched {
    fn is_good_at(&self, now: Instant, stale: Duration) -> bool {
        self.expires.checked_add(stale).is_none_or(|end| now < end)
    }
}

impl State {
    /// The fetch under way, if it has not died with its runtime.
    fn under_way(&self) -> Option<watch::Receiver<()>> {
        self.fetching.clone().filter(|fetching| fetching.has_changed().is_ok())
    }

    /// What to say of a key that is not there.
    fn without_key(&self) -> TokenError {
        if self.failed.is_some() { TokenError::KeysUnavailable } else { TokenError::UnknownKey }
    }
}

/// Where an issuer describes itself.
pub(super) fn discovery_address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

/// Keys that have just come.
struct Fresh {
    keys: KeySet,
    hash: blake3::Hash,
    lifetime: Duration,
}

struct Failed {
    address: String,
    reason: String,
}
