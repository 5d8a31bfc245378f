//! Authenticates requests: turns the headers of a request into an identity, by the operator's policy for its kind of
//! credential.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::Instant;
use zeroize::Zeroizing;

use super::{
    authorization::Credential,
    challenge::Challenge,
    error::{Error, ImpersonationRefused},
    forward::Form,
    identity::{Account, CredentialHasher, Identity, Login, Principal},
    impersonation::Impersonation,
    token::{self, SetupError, Verifier, claims_in, unverified_expiry},
};
use crate::{
    bolt::AuthToken,
    telemetry::observer::{AuthFailure, Observer},
};

/// The headers that identify the caller, as bytes.
#[derive(Clone, Copy, Default)]
pub struct CredentialHeaders<'a> {
    /// `Authorization`.
    pub authorization: Option<&'a [u8]>,
    /// `Realm`: the authority that authenticates the login.
    pub realm: Option<&'a [u8]>,
    /// The ID token that accompanies the access token.
    pub id_token: Option<&'a [u8]>,
    /// The Bolt scheme with which the token is forwarded.
    pub scheme: Option<&'a [u8]>,
}

/// The policy for one kind of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inbound {
    /// The credentials are the login to the database. For requests without credentials, that is the scheme `none`.
    Forward,
    /// The gateway logs in with its service account.
    Service,
    /// The request is refused.
    Refuse,
}

/// The gateway's own account.
#[derive(Clone, Default)]
pub struct ServiceAccount {
    /// The user name. If empty, the gateway logs in without credentials.
    pub user: String,
    /// The password.
    pub password: Zeroizing<String>,
    /// Whether the account may only read.
    pub read_only: bool,
}

/// The operator's settings for authentication.
pub struct Settings {
    /// The policy for each kind of credential.
    pub policy: Policy,
    /// The realm that callers are challenged for: printable ASCII.
    pub realm: String,
    /// The account for [`Inbound::Service`].
    pub service_account: ServiceAccount,
    /// How tokens are verified. Without issuers they are not verified, and the database judges them.
    pub tokens: token::Settings,
}

/// The policy for each kind of credential.
#[derive(Debug, Clone)]
pub struct Policy {
    /// For requests without credentials.
    pub anonymous: Inbound,
    /// For user name and password.
    pub basic: Inbound,
    /// For tokens.
    pub bearer: Inbound,
    /// The Bolt scheme of forwarded tokens.
    pub scheme: String,
    /// The form of forwarded tokens.
    pub form: Form,
    /// The schemes that a request may choose.
    pub request_schemes: Vec<String>,
    /// The scheme for the tokens of each issuer, in the order of [`Settings::tokens`]. `None` means [`Policy::scheme`].
    pub issuer_schemes: Vec<Option<String>>,
    /// The impersonation rules.
    pub impersonation: Impersonation,
    /// Whether callers' claims are kept, because rules read them.
    pub claims: bool,
}

/// Authenticates callers. Clones are alike.
#[derive(Clone)]
pub struct Authenticator {
    hasher: Arc<CredentialHasher>,
    anonymous: Identity,
    service: Login,
    verifier: Option<Verifier>,
    leeway: Duration,
    policy: Policy,
    challenge: Challenge,
    /// The issuers of tokens, as tokens name them.
    issuers: Arc<[String]>,
    observer: Arc<dyn Observer>,
}

impl Authenticator {
    /// Returns an authenticator that reports to `observer`. It contacts no issuers yet: see [`Authenticator::warm_up`].
    ///
    /// # Errors
    /// Returns an error if keys cannot be read, if settings of issuers contradict each other, or if the system cannot
    /// provide random numbers.
    pub fn new(settings: Settings, observer: Arc<dyn Observer>) -> Result<Self, SetupError> {
        Self::with(Arc::new(CredentialHasher::new()?), None, settings, observer)
    }

    /// Returns an authenticator with other settings. Every credential keeps its key, so that connections and transactions
    /// stay with their callers, and keys of issuers that are still wanted need not be fetched again.
    ///
    /// # Errors
    /// As [`Authenticator::new`].
    pub fn renewed(&self, settings: Settings) -> Result<Self, SetupError> {
        Self::with(Arc::clone(&self.hasher), self.verifier.as_ref(), settings, Arc::clone(&self.observer))
    }

    fn with(
        hasher: Arc<CredentialHasher>,
        old: Option<&Verifier>,
        settings: Settings,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, SetupError> {
        let Settings { policy, realm, service_account: account, tokens } = settings;
        let service = match account.user.as_str() {
            "" => AuthToken::none(),
            user => AuthToken::basic(user, &account.password),
        };
        Ok(Self {
            anonymous: Identity::own(hasher.login(AuthToken::none(), Account::Caller), None, None),
            service: hasher.login(service, Account::Service { read_only: account.read_only }),
            hasher,
            leeway: tokens.leeway,
            issuers: tokens.issuers.iter().map(|issuer| issuer.issuer.clone()).collect(),
            verifier: match old {
                _ if tokens.issuers.is_empty() => None,
                Some(old) => Some(old.renewed(tokens, Arc::clone(&observer))?),
                None => Some(Verifier::new(tokens, Arc::clone(&observer))?),
            },
            challenge: Challenge::new(&policy, &realm),
            policy,
            observer,
        })
    }

    /// Fetches the issuers' keys in the background, so that the first request does not have to wait for them. Must be
    /// called inside a tokio runtime.
    pub fn warm_up(&self) {
        if let Some(verifier) = &self.verifier {
            verifier.warm_up();
        }
    }

    /// What callers that are not accepted are told to send.
    #[must_use]
    pub fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// The issuers whose tokens are accepted, as tokens name them; none if tokens are not verified here.
    #[must_use]
    pub fn issuers(&self) -> &[String] {
        &self.issuers
    }

    /// Identifies the caller that sent these headers.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn identify(&self, headers: &CredentialHeaders<'_>) -> Result<Identity, Error> {
        self.caller(headers).await.inspect_err(|error| self.observer.authentication_failed(failure(error)))
    }

    async fn caller(&self, headers: &CredentialHeaders<'_>) -> Result<Identity, Error> {
        let realm = headers.realm.and_then(|realm| str::from_utf8(realm).ok());
        match Credential::of(headers.authorization)? {
            Credential::Nothing => match self.policy.anonymous {
                Inbound::Forward => Ok(self.anonymous.clone()),
                Inbound::Service => Ok(Identity::public(self.service.clone(), self.anonymous.key())),
                Inbound::Refuse => Err(Error::Missing),
            },
            Credential::Basic(text) => self.basic(&text, realm),
            // Boxed, because its future is large and would enlarge the future of every other request.
            Credential::Bearer(token) => Box::pin(self.bearer(token, realm, headers)).await,
        }
    }

    /// The gateway's own account, for what it does by itself and for named queries that anybody may call.
    #[must_use]
    pub fn own_account(&self) -> Identity {
        Identity::public(self.service.clone(), self.anonymous.key())
    }

    /// `caller` on the gateway's own account, for a named query that runs there. It acts as no other user.
    #[must_use]
    pub fn on_own_account(&self, caller: &Identity) -> Identity {
        Identity::shared(self.service.clone(), caller.owner(), None, caller.until())
    }

    /// Reports that the headers of a request cannot be read as those of one caller, and returns the error for that.
    #[must_use]
    pub fn malformed(&self) -> Error {
        self.observer.authentication_failed(AuthFailure::Malformed);
        Error::Malformed
    }

    /// Returns the user to impersonate for a request of `caller` that names the user `wanted`.
    ///
    /// # Errors
    /// Returns an error if the operator does not allow it.
    pub fn acting_as(&self, caller: &Identity, wanted: Option<&str>) -> Result<Option<String>, ImpersonationRefused> {
        let user = self.policy.impersonation.user(caller, wanted);
        user.inspect_err(|_| self.observer.authentication_failed(AuthFailure::Impersonation))
    }

    fn basic(&self, text: &str, realm: Option<&str>) -> Result<Identity, Error> {
        let (user, password) = text.split_once(':').ok_or(Error::Malformed)?;
        let token = AuthToken::basic(user, password).with_realm(realm);
        match self.policy.basic {
            Inbound::Forward => {
                // A successful login proves the name.
                let principal = Principal { name: Some(user.into()), user: None, claims: None };
                Ok(Identity::own(self.hasher.login(token, Account::Caller), Some(principal), None))
            }
            Inbound::Service => Ok(Identity::shared(self.service.clone(), self.hasher.key(&token), None, None)),
            Inbound::Refuse => Err(Error::NotAccepted {
                what: "user names and passwords",
                setting: "auth.basic",
                instead: match self.challenge.accepted().bearer {
                    true => "; send a token, as Authorization: Bearer TOKEN",
                    false => "",
                },
            }),
        }
    }

    async fn bearer(
        &self,
        token: &str,
        realm: Option<&str>,
        headers: &CredentialHeaders<'_>,
    ) -> Result<Identity, Error> {
        if self.policy.bearer == Inbound::Refuse {
            return Err(Error::NotAccepted {
                what: "tokens",
                setting: "auth.bearer",
                instead: match self.challenge.accepted().basic {
                    true => "; send user and password, with curl -u USER or as Authorization: Basic",
                    false => "",
                },
            });
        }
        let verified = match &self.verifier {
            Some(verifier) => Some(verifier.verify(token).await?),
            None => None,
        };
        let principal = verified.as_ref().map(|verified| Principal {
            name: verified.user.clone().or_else(|| verified.subject.clone()),
            user: verified.user.clone(),
            claims: if self.policy.claims { claims_in(token).map(Box::new) } else { None },
        });
        let expires = verified.as_ref().map(|verified| verified.expires).or_else(|| unverified_expiry(token));
        if self.policy.bearer == Inbound::Service {
            let owner = self.hasher.key(&AuthToken::bearer(token));
            return Ok(Identity::shared(self.service.clone(), owner, principal, self.until(expires)?));
        }
        let own_scheme = verified.and_then(|verified| self.policy.issuer_schemes.get(verified.issuer)?.as_deref());
        let scheme = self.scheme(headers, own_scheme)?;
        let id_token = match headers.id_token {
            Some(bytes) if self.policy.form.is_pairs(scheme) => {
                Some(str::from_utf8(bytes).map_err(|_| Error::Malformed)?)
            }
            _ => None,
        };
        let login = self.policy.form.login(scheme, token, id_token, realm)?;
        let id_expires = id_token.and_then(unverified_expiry);
        let until = self.until([expires, id_expires].into_iter().flatten().min())?;
        Ok(Identity::own(self.hasher.login(login, Account::Caller), principal, until))
    }

    /// The Bolt scheme of a token: the request's choice, else its issuer's, else the default.
    fn scheme<'a>(&'a self, headers: &CredentialHeaders<'_>, issuers: Option<&'a str>) -> Result<&'a str, Error> {
        let Some(wanted) = headers.scheme else {
            return Ok(issuers.unwrap_or(&self.policy.scheme));
        };
        let allowed = self.policy.request_schemes.iter().find(|scheme| scheme.as_bytes() == wanted);
        allowed.map(String::as_str).ok_or(Error::SchemeNotAllowed)
    }

    /// Converts an expiry time, with leeway, to the time after which the credential is not accepted here.
    fn until(&self, expires: Option<SystemTime>) -> Result<Option<Instant>, Error> {
        let Some(end) = expires.and_then(|expires| expires.checked_add(self.leeway)) else {
            return Ok(None);
        };
        let left = end.duration_since(SystemTime::now()).map_err(|_| Error::Expired)?;
        Ok(Instant::now().checked_add(left))
    }
}

fn failure(error: &Error) -> AuthFailure {
    match error {
        Error::Malformed | Error::Unsendable(_) => AuthFailure::Malformed,
        // A request without credentials has the scheme `none`.
        Error::Missing | Error::NotAccepted { .. } | Error::SchemeNotAllowed => AuthFailure::Scheme,
        Error::Expired => AuthFailure::Expired,
        Error::Token(error) if error.is_expired() => AuthFailure::Expired,
        Error::Token(error) if error.is_unavailable() => AuthFailure::KeysUnavailable,
        Error::Token(_) => AuthFailure::Token,
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator")
    }
}

impl fmt::Debug for CredentialHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialHeaders")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::event_log::EventLog;

    fn settings(basic: Inbound) -> Settings {
        let policy = Policy {
            anonymous: Inbound::Service,
            basic,
            bearer: Inbound::Forward,
            scheme: "bearer".into(),
            form: Form::Auto,
            request_schemes: Vec::new(),
            issuer_schemes: Vec::new(),
            impersonation: Impersonation::Off,
            claims: false,
        };
        let tokens = token::Settings { issuers: Vec::new(), leeway: Duration::ZERO, stale_keys: Duration::ZERO };
        Settings { policy, realm: "x".into(), service_account: ServiceAccount::default(), tokens }
    }

    #[tokio::test]
    async fn credentials_keep_their_keys_under_new_settings() {
        let old = Authenticator::new(settings(Inbound::Forward), Arc::new(EventLog)).unwrap();
        let new = old.renewed(settings(Inbound::Service)).unwrap();
        let basic = CredentialHeaders { authorization: Some(b"Basic YTpi"), ..CredentialHeaders::default() };
        let [before, after] = [old.identify(&basic).await.unwrap(), new.identify(&basic).await.unwrap()];
        assert!(before.owner() == after.owner(), "its transactions stay with the caller");
        assert!(before.key() != after.key(), "but another account logs in");
        let nothing = CredentialHeaders::default();
        let [before, after] = [old.identify(&nothing).await.unwrap(), new.identify(&nothing).await.unwrap()];
        assert!(before.key() == after.key() && before.owner() == after.owner());
    }
}
