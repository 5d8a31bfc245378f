//! Verifies tokens: finds the issuer by `iss` and the key by `kid`, then checks signature and claims.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, errors::ErrorKind};
use quick_cache::sync::Cache;
use serde_json::Value;

use super::{
    claims::{claims_in, expiry, part},
    error::{SetupError, TokenError},
    fetch::{FetchError, Fetcher},
    keys::KeySet,
    remote::{Fetched, KeyLocation, Remote, State, discovery_address},
    self_test::signatures_are_verified,
    settings::{IssuerSettings, KeySource, Settings},
};
use crate::{telemetry::observer::Observer, tls};

/// The longest token in bytes. HTTP headers are rarely longer.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// Part of the first line of every private key in PEM.
const PRIVATE_KEY: &[u8] = b"PRIVATE KEY-----";
/// The number of verified tokens that are cached.
const CACHED_TOKENS: usize = 10_000;

/// A verified token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The index of its issuer in [`Settings::issuers`].
    pub issuer: usize,
    /// `sub`.
    pub subject: Option<String>,
    /// The claim in [`IssuerSettings::user_claim`].
    pub user: Option<String>,
    /// `exp`, without leeway.
    pub expires: SystemTime,
}

/// Verifies tokens. Cheap to clone.
#[derive(Clone)]
pub struct Verifier {
    shared: Arc<Shared>,
}

struct Shared {
    issuers: Vec<Issuer>,
    leeway: Duration,
    secret: [u8; blake3::KEY_LEN],
    cache: Cache<[u8; blake3::OUT_LEN], CachedToken>,
}

#[derive(Clone)]
struct CachedToken {
    verified: Arc<Verified>,
    /// The generation of the keys that it was verified with.
    generation: u64,
}

struct Issuer {
    settings: IssuerSettings,
    keys: Keys,
}

enum Keys {
    Fixed(KeySet),
    Remote(Arc<Remote>),
}

/// The current keys of an issuer.
enum CurrentKeys<'a> {
    Fixed(&'a KeySet),
    Fetched(Arc<Fetched>),
}

impl Verifier {
    /// Returns a verifier with the keys that are in files, which reports to `observer` when it fetches others. It does
    /// not contact any issuer yet.
    ///
    /// # Errors
    /// See [`SetupError`].
    pub fn new(settings: Settings, observer: Arc<dyn Observer>) -> Result<Self, SetupError> {
        Self::with(settings, &[], observer)
    }

    /// Returns a verifier with other settings, and with the keys that this one has fetched from the same places.
    ///
    /// # Errors
    /// See [`SetupError`].
    pub fn renewed(&self, settings: Settings, observer: Arc<dyn Observer>) -> Result<Self, SetupError> {
        Self::with(settings, &self.shared.issuers, observer)
    }

    fn with(settings: Settings, old: &[Issuer], observer: Arc<dyn Observer>) -> Result<Self, SetupError> {
        let Settings { issuers, leeway, stale_keys } = settings;
        let issuers = issuers
            .into_iter()
            .map(|settings| Issuer::new(settings, stale_keys, &observer))
            .collect::<Result<Vec<_>, _>>()?;
        for issuer in &issuers {
            old.iter().for_each(|old| issuer.inherit(old));
        }
        let mut secret = [0; blake3::KEY_LEN];
        getrandom::fill(&mut secret)?;
        if !signatures_are_verified() {
            return Err(SetupError::Signatures);
        }
        Ok(Self { shared: Arc::new(Shared { issuers, leeway, secret, cache: Cache::new(CACHED_TOKENS) }) })
    }

    /// Starts to fetch the keys of every issuer that has them on the network. Must be called inside a tokio runtime.
    pub fn warm_up(&self) {
        for issuer in &self.shared.issuers {
            if let Keys::Remote(remote) = &issuer.keys {
                remote.begin(&mut remote.state());
            }
        }
    }

    /// Verifies `token` at the current time.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn verify(&self, token: &str) -> Result<Arc<Verified>, TokenError> {
        let shared = &self.shared;
        let hash = *blake3::keyed_hash(&shared.secret, token.as_bytes()).as_bytes();
        if let Some(CachedToken { verified, generation }) = shared.cache.get(&hash)
            && let Some(issuer) = shared.issuers.get(verified.issuer)
            && issuer.keys().await?.generation() == generation
        {
            let is_expired = verified.expires + shared.leeway < SystemTime::now();
            return if is_expired { Err(TokenError::Expired) } else { Ok(verified) };
        }
        let (verified, generation) = shared.verify(token).await?;
        let verified = Arc::new(verified);
        shared.cache.insert(hash, CachedToken { verified: Arc::clone(&verified), generation });
        Ok(verified)
    }
}

impl Shared {
    async fn verify(&self, token: &str) -> Result<(Verified, u64), TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong { limit: MAX_TOKEN_BYTES });
        }
        let header = readable_header(token)?;
        let claims = claims_in(token).ok_or(TokenError::Malformed)?;
        let named = claims.get("iss").and_then(Value::as_str);
        let found = self.issuers.iter().enumerate().find(|(_, issuer)| Some(issuer.settings.issuer.as_str()) == named);
        let (index, issuer) = found.ok_or(TokenError::UnknownIssuer)?;
        if !issuer.settings.algorithms.contains(&header.alg) {
            return Err(TokenError::Algorithm);
        }
        let keys = issuer.keys().await?;
        let (keys, claims) = match issuer.check(token, &header, &keys, self.leeway) {
            // The issuer may have rotated its keys since they were fetched.
            Err(TokenError::UnknownKey) => {
                let keys = issuer.keys_newer_than(&keys).await?;
                let claims = issuer.check(token, &header, &keys, self.leeway)?;
                (keys, claims)
            }
            checked => (keys, checked?),
        };
        Ok((issuer.read(index, &claims)?, keys.generation()))
    }
}

/// Parses the header and refuses extensions that this gateway does not support.
fn readable_header(token: &str) -> Result<Header, TokenError> {
    // Distinguishes `none` and unknown algorithms from a malformed header.
    let unreadable = |_| if names_an_algorithm(token) { TokenError::Algorithm } else { TokenError::Malformed };
    let header = decode_header(token).map_err(unreadable)?;
    let is_understood = header.crit.is_none() && header.enc.is_none() && header.zip.is_none();
    if is_understood { Ok(header) } else { Err(TokenError::Malformed) }
}

/// Whether a header that could not be parsed is valid except for an unknown `alg`.
fn names_an_algorithm(token: &str) -> bool {
    let name = part(token, 0).as_ref().and_then(|header| header.get("alg")?.as_str().map(str::to_owned));
    name.is_some_and(|name| name.parse::<Algorithm>().is_err())
}

impl Issuer {
    fn new(settings: IssuerSettings, stale_keys: Duration, observer: &Arc<dyn Observer>) -> Result<Self, SetupError> {
        let name = || settings.name.clone();
        let location = match &settings.keys {
            KeySource::Discovery => KeyLocation::Discovery,
            KeySource::Url(address) => KeyLocation::Url(address.clone()),
            KeySource::Secret(secret) => {
                let keys = Keys::Fixed(KeySet::from_secret(secret, &settings.algorithms));
                return Ok(Self { keys, settings });
            }
            KeySource::File(path) => {
                let content = std::fs::read(path).map_err(|source| SetupError::Read {
                    name: name(),
                    path: path.clone(),
                    source,
                })?;
                let keys = KeySet::from_jwks(&content, &settings.algorithms)
                    .unwrap_or_else(|| KeySet::from_pem(&content, &settings.algorithms));
                if keys.len() == 0 {
                    if content.windows(PRIVATE_KEY.len()).any(|window| window == PRIVATE_KEY) {
                        return Err(SetupError::PrivateKey { name: name(), path: path.clone() });
                    }
                    return Err(SetupError::NoKeys { name: name(), path: path.clone() });
                }
                return Ok(Self { keys: Keys::Fixed(keys), settings });
            }
        };
        let tls =
            tls::verified(settings.ca_file.as_deref()).map_err(|source| SetupError::Tls { name: name(), source })?;
        let fetcher = Fetcher { tls, allow_http: settings.allow_http };
        let address = match &location {
            KeyLocation::Discovery => discovery_address(&settings.issuer),
            KeyLocation::Url(address) => address.clone(),
        };
        let bad = |error: FetchError| SetupError::Address {
            name: name(),
            // An address may contain a password, which must not appear in a log.
            address: address.rsplit_once('@').map_or(address.as_str(), |(_, rest)| rest).to_owned(),
            reason: error.to_string(),
        };
        fetcher.check(&address).map_err(bad)?;
        observer.keys_wanted(&name());
        let remote = Remote {
            name: name(),
            issuer: settings.issuer.clone(),
            location,
            fetcher,
            algorithms: settings.algorithms.clone(),
            stale: stale_keys,
            state: Mutex::new(State::default()),
            observer: Arc::clone(observer),
        };
        Ok(Self { keys: Keys::Remote(Arc::new(remote)), settings })
    }

    /// Takes over the keys that `old` has fetched, if they are the same ones.
    fn inherit(&self, old: &Self) {
        if let (Keys::Remote(remote), Keys::Remote(old)) = (&self.keys, &old.keys)
            && remote.is_like(old)
        {
            remote.inherit(old);
        }
    }

    async fn keys(&self) -> Result<CurrentKeys<'_>, TokenError> {
        match &self.keys {
            Keys::Fixed(keys) => Ok(CurrentKeys::Fixed(keys)),
            Keys::Remote(remote) => remote.keys().await.map(CurrentKeys::Fetched),
        }
    }

    async fn keys_newer_than(&self, keys: &CurrentKeys<'_>) -> Result<CurrentKeys<'_>, TokenError> {
        match &self.keys {
            Keys::Fixed(_) => Err(TokenError::UnknownKey),
            Keys::Remote(remote) => remote.newer_than(keys.generation()).await.map(CurrentKeys::Fetched),
        }
    }

    /// Checks signature and claims. The returned claims are the signed ones.
    fn check(
        &self,
        token: &str,
        header: &Header,
        keys: &CurrentKeys<'_>,
        leeway: Duration,
    ) -> Result<Value, TokenError> {
        let key = keys.set().find(header.kid.as_deref(), header.alg)?;
        let mut validation = Validation::new(header.alg);
        validation.leeway = leeway.as_secs();
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.settings.issuer]);
        if self.settings.audience.iter().any(|audience| audience == "*") {
            validation.validate_aud = false;
            validation.set_required_spec_claims(&["exp", "iss"]);
        } else {
            validation.set_audience(&self.settings.audience);
            validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        }
        match decode::<Value>(token, &key.decoding, &validation) {
            Ok(decoded) => Ok(decoded.claims),
            Err(error) => Err(reason(error.kind())),
        }
    }

    fn read(&self, index: usize, claims: &Value) -> Result<Verified, TokenError> {
        let user = match &self.settings.user_claim {
            None => None,
            Some(path) => {
                let user = path.text(claims).ok_or_else(|| TokenError::Claim(path.as_str().to_owned()))?;
                Some(user.to_owned())
            }
        };
        let subject = claims.get("sub").and_then(Value::as_str).map(str::to_owned);
        let expires = expiry(claims).ok_or_else(|| TokenError::Claim("exp".to_owned()))?;
        Ok(Verified { issuer: index, subject, user, expires })
    }
}

fn reason(kind: &ErrorKind) -> TokenError {
    match kind {
        ErrorKind::ExpiredSignature => TokenError::Expired,
        ErrorKind::ImmatureSignature => TokenError::NotYetValid,
        ErrorKind::InvalidAudience => TokenError::Audience,
        ErrorKind::InvalidIssuer => TokenError::UnknownIssuer,
        ErrorKind::InvalidAlgorithm => TokenError::Algorithm,
        ErrorKind::MissingRequiredClaim(claim) | ErrorKind::InvalidClaimFormat(claim) => {
            TokenError::Claim(claim.clone())
        }
        ErrorKind::Json(_) | ErrorKind::Base64(_) | ErrorKind::Utf8(_) | ErrorKind::InvalidToken => {
            TokenError::Malformed
        }
        _ => TokenError::Signature,
    }
}

impl CurrentKeys<'_> {
    fn set(&self) -> &KeySet {
        match self {
            Self::Fixed(keys) => keys,
            Self::Fetched(fetched) => &fetched.keys,
        }
    }

    fn generation(&self) -> u64 {
        match self {
            Self::Fixed(_) => 0,
            Self::Fetched(fetched) => fetched.generation,
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("issuers", &self.shared.issuers.len()).finish_non_exhaustive()
    }
}
