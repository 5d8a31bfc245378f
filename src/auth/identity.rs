//! The identity of a request, which pools, transactions and caches carry along as one value.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasherDefault, Hash, Hasher},
    sync::Arc,
};

use serde_json::Value;
use tokio::time::Instant;

use crate::bolt::AuthToken;

/// Derives keys from credentials. There is one per process, since keys of different secrets cannot be compared.
pub(super) struct CredentialHasher {
    secret: [u8; blake3::KEY_LEN],
}

/// The caller, its login to the database, and the time until which both are valid. Cheap to clone.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    login: Login,
    owner: IdentityKey,
    is_public: bool,
    principal: Option<Principal>,
    until: Option<Instant>,
}

/// A login to the database, and the key that stands for it.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) token: Arc<AuthToken>,
    pub(super) key: IdentityKey,
    pub(super) account: Account,
}

/// The account that a login belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Account {
    /// The caller's own account, which the database authenticates.
    Caller,
    /// The service account, which callers share.
    Service {
        /// Whether the account may only read.
        read_only: bool,
    },
}

/// What is known about the caller: verified already, or once the database has accepted the login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Principal {
    /// The name that impersonation rules match.
    pub(super) name: Option<String>,
    /// The caller's user in the database, from a claim of its token.
    pub(super) user: Option<String>,
    /// The claims of its verified token, if rules read them.
    pub(super) claims: Option<Box<Value>>,
}

/// Identifies a whole credential. Two keys are equal exactly if the credentials are. A key is useless to anyone who
/// sees it, because it is a hash with a secret that never leaves the process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IdentityKey([u8; blake3::OUT_LEN]);

impl Hash for IdentityKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
    }
}

/// A map from identity keys. Its hasher takes a prefix of the key, because keys are random already.
pub type ByIdentity<T> = HashMap<IdentityKey, T, BuildHasherDefault<IdentityKeyHasher>>;

/// A hasher that returns the first bytes of an [`IdentityKey`].
#[derive(Debug, Default)]
pub struct IdentityKeyHasher(u64);

impl Hasher for IdentityKeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(prefix) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*prefix);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl IdentityKey {
    /// Returns the same key for the same number.
    #[cfg(test)]
    pub(crate) fn numbered(number: u64) -> Self {
        Self(*blake3::hash(&number.to_le_bytes()).as_bytes())
    }
}

#[cfg(test)]
impl Identity {
    /// Returns a caller with this login.
    pub(crate) fn sample(token: AuthToken, is_service_account: bool) -> Self {
        let account = if is_service_account { Account::Service { read_only: false } } else { Account::Caller };
        let key = IdentityKey::numbered(0);
        Self::own(Login { token: Arc::new(token), key, account }, None, None)
    }

    /// Returns the caller as that of a verified token for `user`.
    pub(super) fn known_as(self, user: &str, claims: Option<Value>) -> Self {
        let principal = Principal { name: None, user: Some(user.to_owned()), claims: claims.map(Box::new) };
        Self::shared(self.0.login.clone(), self.0.owner, Some(principal), None)
    }

    /// Returns the same caller for the same number.
    pub(crate) fn numbered(number: u64) -> Self {
        let key = IdentityKey::numbered(number);
        Self::own(Login { token: Arc::new(AuthToken::none()), key, account: Account::Caller }, None, None)
    }

    /// Returns a caller whose credential expires at `end`.
    pub(crate) fn sample_until(end: Instant) -> Self {
        let login =
            Login { token: Arc::new(AuthToken::none()), key: IdentityKey::numbered(0), account: Account::Caller };
        Self::own(login, None, Some(end))
    }
}

impl CredentialHasher {
    /// Returns an instance with a fresh secret.
    ///
    /// # Errors
    /// Returns an error if the system cannot provide random numbers.
    pub(super) fn new() -> Result<Self, getrandom::Error> {
        let mut secret = [0; blake3::KEY_LEN];
        getrandom::fill(&mut secret)?;
        Ok(Self { secret })
    }

    /// Derives the key of the credential `token`.
    pub(super) fn key(&self, token: &AuthToken) -> IdentityKey {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        for (name, value) in token.entries() {
            // The lengths keep "ab" + "c" apart from "a" + "bc".
            for part in [name, value] {
                hasher.update(&part.len().to_le_bytes());
                hasher.update(part.as_bytes());
            }
        }
        IdentityKey(hasher.finalize().into())
    }

    /// Returns the login with `token`.
    pub(super) fn login(&self, token: AuthToken, account: Account) -> Login {
        let key = self.key(&token);
        Login { token: Arc::new(token), key, account }
    }
}

impl Identity {
    /// Returns a caller with a login of its own.
    pub(super) fn own(login: Login, principal: Option<Principal>, until: Option<Instant>) -> Self {
        let owner = login.key;
        Self::shared(login, owner, principal, until)
    }

    /// Returns a caller with the key `owner` whose login is shared with others.
    pub(super) fn shared(
        login: Login,
        owner: IdentityKey,
        principal: Option<Principal>,
        until: Option<Instant>,
    ) -> Self {
        Self(Arc::new(Inner { login, owner, is_public: false, principal, until }))
    }

    /// Returns an anonymous caller that the gateway admits on a login of its own.
    pub(super) fn public(login: Login, owner: IdentityKey) -> Self {
        Self(Arc::new(Inner { login, owner, is_public: true, principal: None, until: None }))
    }

    /// The token that the database gets at login.
    #[must_use]
    pub fn token(&self) -> &AuthToken {
        &self.0.login.token
    }

    /// The key of the login. Connections with the same key are interchangeable.
    #[must_use]
    pub fn key(&self) -> IdentityKey {
        self.0.login.key
    }

    /// The key of the caller. What one caller opens belongs to no other caller, even if they share a login.
    #[must_use]
    pub fn owner(&self) -> IdentityKey {
        self.0.owner
    }

    /// The time after which nothing is served to the caller.
    #[must_use]
    pub fn until(&self) -> Option<Instant> {
        self.0.until
    }

    /// The time after which no connection with this login may be used.
    #[must_use]
    pub fn login_until(&self) -> Option<Instant> {
        self.0.until.filter(|_| self.0.login.account == Account::Caller)
    }

    /// Whether the login has no credentials.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.0.login.token.scheme() == "none"
    }

    /// Whether the caller is anonymous and uses a login of the gateway's own. Such callers cannot be told apart.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.0.is_public
    }

    /// Whether the login is the gateway's own account. If the database refuses it, that is not the caller's fault.
    #[must_use]
    pub fn is_service_account(&self) -> bool {
        matches!(self.0.login.account, Account::Service { .. })
    }

    /// Whether everything that the caller requests must be executed as a read.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.0.login.account == Account::Service { read_only: true }
    }

    /// Stands for the caller in logs, metrics and lists: the same for the same credential until the process ends.
    #[must_use]
    pub fn label(&self) -> CallerLabel {
        CallerLabel(self.0.owner.0.first_chunk().copied().unwrap_or_default())
    }

    /// The login name, or the user that the verified token stands for.
    #[must_use]
    pub fn user_name(&self) -> Option<&str> {
        self.user().or_else(|| self.name())
    }

    /// As [`Identity::label`], for the login, which callers of the service account share.
    #[must_use]
    pub fn login_label(&self) -> CallerLabel {
        CallerLabel(self.key().0.first_chunk().copied().unwrap_or_default())
    }

    /// The user that the login stands for.
    #[must_use]
    pub fn login_user(&self) -> Option<&str> {
        if self.is_service_account() { self.token().principal() } else { self.user_name() }
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.0.principal.as_ref()?.name.as_deref()
    }

    pub(super) fn claims(&self) -> Option<&Value> {
        self.0.principal.as_ref()?.claims.as_deref()
    }

    pub(super) fn user(&self) -> Option<&str> {
        self.0.principal.as_ref()?.user.as_deref()
    }
}

/// A caller as operators see it: 16 hexadecimal digits. Nobody can guess a credential from it, because it is part of a
/// hash with a secret that never leaves the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallerLabel([u8; 8]);

/// The number whose 16 hexadecimal digits the label is.
impl From<CallerLabel> for u64 {
    fn from(label: CallerLabel) -> Self {
        Self::from_be_bytes(label.0)
    }
}

impl fmt::Display for CallerLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from(*self))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("scheme", &self.0.login.token.scheme()).finish_non_exhaustive()
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_covers_the_whole_credential() {
        let hasher = CredentialHasher::new().unwrap();
        let tokens = [
            AuthToken::none(),
            AuthToken::basic("a", "bc"),
            AuthToken::basic("ab", "c"),
            AuthToken::basic("a", "bc").with_realm(Some("native")),
            AuthToken::bearer("bc"),
            AuthToken::custom("oidc-custom", "bc"),
        ];
        for (i, one) in tokens.iter().enumerate() {
            for (j, other) in tokens.iter().enumerate() {
                assert_eq!(hasher.key(one) == hasher.key(other), i == j, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn keys_of_two_processes_cannot_be_compared() {
        let key = || CredentialHasher::new().unwrap().key(&AuthToken::none());
        assert_ne!(key(), key());
    }

    #[test]
    fn callers_with_a_shared_login_are_told_apart() {
        let hasher = CredentialHasher::new().unwrap();
        let service = hasher.login(AuthToken::basic("gateway", "pw"), Account::Service { read_only: false });
        let until = Some(Instant::now());
        let [one, other] = ["a", "b"]
            .map(|token| Identity::shared(service.clone(), hasher.key(&AuthToken::bearer(token)), None, until));
        assert_eq!(one.key(), other.key());
        assert_ne!(one.owner(), other.owner());
        assert_eq!((one.until(), one.login_until()), (until, None));
        let own = Identity::own(hasher.login(AuthToken::bearer("a"), Account::Caller), None, until);
        assert_eq!((own.until(), own.login_until()), (until, until));
    }

    #[test]
    fn debug_shows_no_secret() {
        let hasher = CredentialHasher::new().unwrap();
        let principal = Principal { name: Some("alice".into()), user: None, claims: None };
        let login = hasher.login(AuthToken::basic("alice", "correct horse"), Account::Caller);
        let identity = Identity::own(login, Some(principal), None);
        let shown = format!("{identity:?} {:?}", identity.key());
        assert!(!shown.contains("correct horse") && !shown.contains("alice"), "{shown}");
    }
}
