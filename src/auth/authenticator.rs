//! The way in: from what a request presents to an identity, as the operator has decided for its kind of credential.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use tokio::time::Instant;
use zeroize::Zeroizing;

use super::{
    authorization::Credential,
    error::{Error, ImpersonationRefused},
    forward::Form,
    identity::{Account, Identity, Keys, Login, Person},
    impersonation::Impersonation,
    token::{self, SetupError, Verifier, unverified_expiry},
};
use crate::bolt::AuthToken;

/// What a request says of its caller, as bytes of headers.
#[derive(Clone, Copy, Default)]
pub struct Presented<'a> {
    /// `Authorization`.
    pub authorization: Option<&'a [u8]>,
    /// `Realm`: the authority that is to judge the login.
    pub realm: Option<&'a [u8]>,
    /// The ID token beside the access token.
    pub id_token: Option<&'a [u8]>,
    /// The Bolt scheme under which the token is to be passed on.
    pub scheme: Option<&'a [u8]>,
}

/// What becomes of credentials of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inbound {
    /// They are the login to the database. No credentials are one as well: the scheme `none`.
    Forward,
    /// The gateway logs in with an account of its own.
    Service,
    /// They are not taken.
    Refuse,
}

/// The gateway's own account.
#[derive(Clone, Default)]
pub struct ServiceAccount {
    /// Its name. Empty: it logs in without credentials.
    pub user: String,
    /// Its password.
    pub password: Zeroizing<String>,
    /// Whether it is for reading only.
    pub read_only: bool,
}

/// What the operator decides about callers.
pub struct Settings {
    /// What becomes of their credentials.
    pub policy: Policy,
    /// The account for [`Inbound::Service`].
    pub service_account: ServiceAccount,
    /// How tokens are verified. Without issuers they are not: the database judges them.
    pub tokens: token::Settings,
}

/// What becomes of callers' credentials.
#[derive(Debug, Clone)]
pub struct Policy {
    /// For requests without credentials.
    pub anonymous: Inbound,
    /// For user and password.
    pub basic: Inbound,
    /// For tokens.
    pub bearer: Inbound,
    /// The Bolt scheme of tokens that are passed on.
    pub scheme: String,
    /// In which form they are.
    pub form: Form,
    /// Schemes that a request may choose.
    pub request_schemes: Vec<String>,
    /// For each issuer of [`Settings::tokens`] in order: the scheme of its tokens, if they have one of their own.
    pub issuer_schemes: Vec<Option<String>>,
    /// Who may act as whom.
    pub impersonation: Impersonation,
}

/// Lets callers in.
pub struct Authenticator {
    keys: Keys,
    nobody: Identity,
    service: Login,
    verifier: Option<Verifier>,
    leeway: Duration,
    policy: Policy,
}

impl Authenticator {
    /// In force from now on. Nothing is asked of issuers yet: see [`Authenticator::warm_up`].
    ///
    /// # Errors
    /// When keys cannot be read or settings of issuers contradict each other, or the system has no random numbers.
    pub fn new(settings: Settings) -> Result<Self, SetupError> {
        let Settings { policy, service_account: account, tokens } = settings;
        let keys = Keys::new()?;
        let service = match account.user.as_str() {
            "" => AuthToken::none(),
            user => AuthToken::basic(user, &account.password),
        };
        Ok(Self {
            nobody: Identity::own(keys.login(AuthToken::none(), Account::Callers), None, None),
            service: keys.login(service, Account::Service { read_only: account.read_only }),
            keys,
            leeway: tokens.leeway,
            verifier: if tokens.issuers.is_empty() { None } else { Some(Verifier::new(tokens)?) },
            policy,
        })
    }

    /// Gets the issuers' keys in the background, so that the first request need not wait for them. Call it inside a
    /// tokio runtime.
    pub fn warm_up(&self) {
        if let Some(verifier) = &self.verifier {
            verifier.warm_up();
        }
    }

    /// Who presents this.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn identify(&self, presented: &Presented<'_>) -> Result<Identity, Error> {
        let realm = presented.realm.and_then(|realm| str::from_utf8(realm).ok());
        match Credential::of(presented.authorization)? {
            Credential::Nothing => match self.policy.anonymous {
                Inbound::Forward => Ok(self.nobody.clone()),
                Inbound::Service => Ok(Identity::public(self.service.clone(), self.nobody.key())),
                Inbound::Refuse => Err(Error::Missing),
            },
            Credential::Basic(text) => self.basic(&text, realm),
            // Boxed, since it is large, and the future of every other request would hold it as well.
            Credential::Bearer(token) => Box::pin(self.bearer(token, realm, presented)).await,
        }
    }

    /// The user as whom a request of `caller` that names the user `wanted` is carried out.
    ///
    /// # Errors
    /// When the operator does not allow it.
    pub fn acting_as(&self, caller: &Identity, wanted: Option<&str>) -> Result<Option<String>, ImpersonationRefused> {
        self.policy.impersonation.user(caller, wanted)
    }

    fn basic(&self, text: &str, realm: Option<&str>) -> Result<Identity, Error> {
        let (user, password) = text.split_once(':').ok_or(Error::Malformed)?;
        let token = AuthToken::basic(user, password).with_realm(realm);
        match self.policy.basic {
            Inbound::Forward => {
                // Whoever is logged in has proved the name.
                let person = Person { name: Some(user.into()), user: None };
                Ok(Identity::own(self.keys.login(token, Account::Callers), Some(person), None))
            }
            Inbound::Service => Ok(Identity::shared(self.service.clone(), self.keys.key(&token), None, None)),
            Inbound::Refuse => Err(Error::NotTaken("user and password")),
        }
    }

    async fn bearer(&self, token: &str, realm: Option<&str>, presented: &Presented<'_>) -> Result<Identity, Error> {
        if self.policy.bearer == Inbound::Refuse {
            return Err(Error::NotTaken("tokens"));
        }
        let verified = match &self.verifier {
            Some(verifier) => Some(verifier.verify(token).await?),
            None => None,
        };
        let person = verified.as_ref().map(|verified| Person {
            name: verified.user.clone().or_else(|| verified.subject.clone()),
            user: verified.user.clone(),
        });
        let expires = verified.as_ref().map(|verified| verified.expires).or_else(|| unverified_expiry(token));
        if self.policy.bearer == Inbound::Service {
            let owner = self.keys.key(&AuthToken::bearer(token));
            return Ok(Identity::shared(self.service.clone(), owner, person, self.until(expires)?));
        }
        let own_scheme = verified.and_then(|verified| self.policy.issuer_schemes.get(verified.issuer)?.as_deref());
        let scheme = self.scheme(presented, own_scheme)?;
        let id_token = match presented.id_token {
            Some(bytes) if self.policy.form.is_pairs(scheme) => {
                Some(str::from_utf8(bytes).map_err(|_| Error::Malformed)?)
            }
            _ => None,
        };
        let login = self.policy.form.login(scheme, token, id_token, realm)?;
        let id_expires = id_token.and_then(unverified_expiry);
        let until = self.until([expires, id_expires].into_iter().flatten().min())?;
        Ok(Identity::own(self.keys.login(login, Account::Callers), person, until))
    }

    /// The Bolt scheme of a token: the request's choice, else its issuer's, else everybody's.
    fn scheme<'a>(&'a self, presented: &Presented<'_>, issuers: Option<&'a str>) -> Result<&'a str, Error> {
        let Some(wanted) = presented.scheme else {
            return Ok(issuers.unwrap_or(&self.policy.scheme));
        };
        let allowed = self.policy.request_schemes.iter().find(|scheme| scheme.as_bytes() == wanted);
        allowed.map(String::as_str).ok_or(Error::SchemeNotAllowed)
    }

    /// When a credential that expires then is of no more use here.
    fn until(&self, expires: Option<SystemTime>) -> Result<Option<Instant>, Error> {
        let Some(end) = expires.and_then(|expires| expires.checked_add(self.leeway)) else {
            return Ok(None);
        };
        let left = end.duration_since(SystemTime::now()).map_err(|_| Error::Expired)?;
        Ok(Instant::now().checked_add(left))
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator")
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presented")
    }
}
