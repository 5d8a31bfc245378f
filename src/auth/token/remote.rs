//! Keys that an issuer publishes on the network: when they are fetched, and how long they are valid.
//!
//! There is one fetch at a time, in a task of its own, so that a caller who leaves does not cancel it. A caller waits
//! for it only if there are no valid keys, or if the key that it needs is not among them.

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
use crate::telemetry::observer::Observer;

/// The lifetime of keys whose server does not send one.
const LIFETIME: Duration = Duration::from_secs(5 * 60);
const MIN_LIFETIME: Duration = Duration::from_secs(60);
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// The pause after a failed fetch.
const RETRY_DELAY: Duration = Duration::from_secs(5);
/// The pause between two fetches because of an unknown key.
const COOL_DOWN: Duration = Duration::from_secs(30);

/// Where the keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyLocation {
    /// At the address in the issuer's discovery document (OpenID Connect Discovery 1.0).
    Discovery,
    /// At this address.
    Url(String),
}

/// The keys of one issuer.
pub(super) struct Remote {
    /// The operator's name for the issuer.
    pub(super) name: String,
    pub(super) issuer: String,
    pub(super) location: KeyLocation,
    pub(super) fetcher: Fetcher,
    pub(super) algorithms: Vec<Algorithm>,
    /// How long keys are valid beyond their lifetime when they cannot be renewed.
    pub(super) stale: Duration,
    pub(super) state: Mutex<State>,
    /// Learns of every fetch.
    pub(super) observer: Arc<dyn Observer>,
}

#[derive(Default)]
pub(super) struct State {
    current: Option<Arc<Fetched>>,
    generation: u64,
    /// Closes when the current fetch ends.
    fetching: Option<watch::Receiver<()>>,
    failed: Option<Instant>,
    asked_for_unknown: Option<Instant>,
}

/// Keys, and how long they are valid.
pub(super) struct Fetched {
    pub(super) keys: KeySet,
    /// The number of the document, counting those that differ from the one before.
    pub(super) generation: u64,
    /// The hash of the document.
    hash: blake3::Hash,
    renew_at: Instant,
    expires: Instant,
}

impl Remote {
    /// Returns valid keys.
    ///
    /// # Errors
    /// [`TokenError::KeysUnavailable`].
    pub(super) async fn keys(self: &Arc<Self>) -> Result<Arc<Fetched>, TokenError> {
        let fetch = {
            let mut state = self.state();
            let now = Instant::now();
            if let Some(current) = state.current.clone().filter(|current| now < current.renew_at) {
                return Ok(current);
            }
            let fetch = self.begin(&mut state);
            // Expired keys are valid only after renewing them has failed, and only while it keeps failing.
            let failing = state.failed.is_some();
            let valid = state
                .current
                .clone()
                .filter(|current| now < current.expires || failing && current.is_valid_at(now, self.stale));
            if let Some(current) = valid {
                return Ok(current);
            }
            fetch
        };
        self.wait_for(fetch).await;
        self.valid().ok_or(TokenError::KeysUnavailable)
    }

    /// Returns keys that were fetched after those of `generation`, which lacked a key.
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`] if they were fetched because of an unknown key a short while ago, and
    /// [`TokenError::KeysUnavailable`] if they cannot be fetched, so that it is unknown whether the key exists.
    pub(super) async fn newer_than(self: &Arc<Self>, generation: u64) -> Result<Arc<Fetched>, TokenError> {
        let fetch = {
            let mut state = self.state();
            if let Some(newer) = state.current.clone().filter(|current| current.generation > generation) {
                return Ok(newer);
            }
            let asked = state.asked_for_unknown.is_some_and(|when| when.elapsed() < COOL_DOWN);
            // A failed fetch has found out nothing. It is retried after its own pause.
            if state.current_fetch().is_none() && state.failed.is_none() && asked {
                return Err(TokenError::UnknownKey);
            }
            state.asked_for_unknown = Some(Instant::now());
            self.begin(&mut state)
        };
        self.wait_for(fetch).await;
        let newer = self.valid().filter(|current| current.generation > generation);
        newer.ok_or_else(|| self.state().without_key())
    }

    /// Starts a fetch, unless one is running or has just failed. Returns what to wait for, if anything.
    pub(super) fn begin(self: &Arc<Self>, state: &mut State) -> Option<watch::Receiver<()>> {
        if state.current_fetch().is_none() && state.failed.is_none_or(|when| when.elapsed() >= RETRY_DELAY) {
            let (done, fetching) = watch::channel(());
            state.fetching = Some(fetching);
            let remote = Arc::clone(self);
            tokio::spawn(async move {
                let fetched = remote.fetch().await;
                remote.settle(fetched);
                drop(done);
            });
        }
        state.current_fetch()
    }

    async fn wait_for(&self, fetch: Option<watch::Receiver<()>>) {
        if let Some(mut fetching) = fetch {
            // Nothing is sent. The channel closes when the fetch ends.
            let _ = fetching.changed().await;
        }
    }

    fn valid(&self) -> Option<Arc<Fetched>> {
        let current = self.state().current.clone();
        current.filter(|current| current.is_valid_at(Instant::now(), self.stale))
    }

    fn settle(&self, fetched: Result<Fresh, Failed>) {
        self.observer.keys_fetched(&self.name, fetched.is_ok());
        let mut state = self.state();
        state.fetching = None;
        match fetched {
            Ok(Fresh { keys, hash, lifetime }) => {
                let is_same = state.current.as_ref().is_some_and(|current| current.hash == hash);
                if is_same {
                    tracing::debug!(issuer = self.name, ?lifetime, "the keys of an issuer have not changed");
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
        let address = match &self.location {
            KeyLocation::Url(address) => address.clone(),
            KeyLocation::Discovery => self.discover(deadline).await?,
        };
        let failed = |reason: String| Failed { address: address.clone(), reason };
        let document = self.fetcher.get(&address, deadline).await;
        let Document { body, max_age } = document.map_err(|error| failed(error.to_string()))?;
        let Some(keys) = KeySet::from_jwks(&body, &self.algorithms) else {
            return Err(failed("the answer is not a JWKS document".to_owned()));
        };
        if keys.len() == 0 {
            return Err(failed("the answer contains no key for the issuer's algorithms".to_owned()));
        }
        let lifetime = max_age.unwrap_or(LIFETIME).clamp(MIN_LIFETIME, MAX_LIFETIME);
        Ok(Fresh { keys, hash: blake3::hash(&body), lifetime })
    }

    /// Returns the address of the keys from the issuer's discovery document.
    async fn discover(&self, deadline: Instant) -> Result<String, Failed> {
        let address = discovery_address(&self.issuer);
        let failed = |reason: &dyn ToString| Failed { address: address.clone(), reason: reason.to_string() };
        let document = self.fetcher.get(&address, deadline).await.map_err(|error| failed(&error))?;
        let document: Value =
            serde_json::from_slice(&document.body).map_err(|_| failed(&"the answer is not a discovery document"))?;
        if document.get("issuer").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(failed(&"the `issuer` in the discovery document differs from the setting"));
        }
        let keys = document.get("jwks_uri").and_then(Value::as_str);
        let keys = keys.ok_or_else(|| failed(&"the discovery document has no `jwks_uri`"))?;
        self.fetcher.check(keys).map_err(|error: FetchError| failed(&format!("`jwks_uri`: {error}")))?;
        Ok(keys.to_owned())
    }

    /// Whether `other` has the same keys: those of the same issuer, from the same place, for the same algorithms.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.issuer == other.issuer && self.location == other.location && self.algorithms == other.algorithms
    }

    /// Takes over the keys that `other` has fetched, and how fetching them went.
    pub(super) fn inherit(&self, other: &Self) {
        let other = other.state();
        *self.state() = State {
            current: other.current.clone(),
            generation: other.generation,
            fetching: None,
            failed: None,
            asked_for_unknown: other.asked_for_unknown,
        };
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // The state is consistent after every statement, so a panic while it is locked does no harm.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetched {
    fn is_valid_at(&self, now: Instant, stale: Duration) -> bool {
        self.expires.checked_add(stale).is_none_or(|end| now < end)
    }
}

impl State {
    /// The current fetch, if it has not ended with its runtime.
    fn current_fetch(&self) -> Option<watch::Receiver<()>> {
        self.fetching.clone().filter(|fetching| fetching.has_changed().is_ok())
    }

    /// The error for a key that is not among the keys.
    fn without_key(&self) -> TokenError {
        if self.failed.is_some() { TokenError::KeysUnavailable } else { TokenError::UnknownKey }
    }
}

/// Returns the address of an issuer's discovery document.
pub(super) fn discovery_address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

/// Keys that were just fetched.
struct Fresh {
    keys: KeySet,
    hash: blake3::Hash,
    lifetime: Duration,
}

/// Why a fetch failed.
struct Failed {
    address: String,
    reason: String,
}
