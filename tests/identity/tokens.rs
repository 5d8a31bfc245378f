//! Which tokens count: every way to forge, bend or outlive one is refused, and issuers may fail in every way there is.

mod addresses;
mod algorithms;
mod claims;
mod failing;
mod forms;
mod issuers;
mod key_sets;
mod log;
mod mutated;
mod reload;
mod remembered;
mod renewal;
mod secrets;
mod signer;
mod unknown_keys;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use boltgate::{
    auth::token::{Algorithm, IssuerSettings, KeySource, Settings, SetupError, TokenError, Verified, Verifier},
    telemetry::event_log::EventLog,
};
use serde_json::{Value, json};
use tokio::time;

use crate::support::identity_provider::IdentityProvider;
use log::LOG;

/// The issuer of all tokens, where it makes no difference.
const ISSUER: &str = "https://id.example";
const AUDIENCE: &str = "boltgate";
const LEEWAY: Duration = Duration::from_secs(30);
const STALE: Duration = Duration::from_secs(3600);
/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

type Answer = Result<Arc<Verified>, TokenError>;

/// An issuer with all algorithms that take public keys.
fn issuer(issuer: &str, keys: KeySource) -> IssuerSettings {
    use Algorithm::{ES256, ES384, EdDSA, PS256, RS256};
    IssuerSettings {
        name: "corp".into(),
        issuer: issuer.into(),
        audience: vec![AUDIENCE.into()],
        algorithms: vec![RS256, PS256, ES256, ES384, EdDSA],
        keys,
        ca_file: None,
        allow_http: true,
        user_claim: None,
    }
}

fn verifier(issuers: Vec<IssuerSettings>) -> Verifier {
    set_up(issuers).expect("the settings are good")
}

fn set_up(issuers: Vec<IssuerSettings>) -> Result<Verifier, SetupError> {
    set_up_with(Settings { issuers, leeway: LEEWAY, stale_keys: STALE })
}

/// Whatever is logged from then on can be looked up.
fn set_up_with(settings: Settings) -> Result<Verifier, SetupError> {
    log::record();
    Verifier::new(settings, Arc::new(EventLog))
}

/// For an issuer whose keys are at `provider`'s address.
fn verifier_at(provider: &IdentityProvider) -> Verifier {
    verifier(vec![issuer(provider.issuer(), KeySource::Url(provider.keys_url()))])
}

/// The time this number of seconds from now, in seconds since 1970.
fn from_now(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() + seconds
}

/// What a good token says. It outlives every test, also those that let days pass.
fn claims(issuer: &str) -> Value {
    json!({ "iss": issuer, "aud": AUDIENCE, "sub": "alice", "exp": from_now(100 * 24 * 3600) })
}

/// With this claim in the place of what was there.
fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name).expect("is there to be removed");
    claims
}

fn refused(answer: Answer) -> TokenError {
    answer.expect_err("must not count")
}

/// Lets time pass for everything but sockets: these go on afterwards.
async fn pass(duration: Duration) {
    time::pause();
    time::advance(duration).await;
    time::resume();
}

/// Waits until `holds`.
async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let all = async {
        while !holds().await {
            time::sleep(Duration::from_millis(5)).await;
        }
    };
    time::timeout(PATIENCE, all).await.expect(what);
}
