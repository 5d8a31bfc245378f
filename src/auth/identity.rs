//! The identity of a request: a value that pools, transactions and caches carry along whole.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasherDefault, Hash, Hasher},
    sync::Arc,
};

use tokio::time::Instant;

use crate::bolt::AuthToken;

/// Makes keys. One per process: keys of different makers cannot be compared.
pub(super) struct Keys {
    secret: [u8; blake3::KEY_LEN],
}

/// Who is asking, how to tell the database, and for how long. Cheap to clone.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    login: Login,
    owner: IdentityKey,
    is_public: bool,
    person: Option<Person>,
    until: Option<Instant>,
}

/// What the database is told, and what stands for it.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) token: Arc<AuthToken>,
    pub(super) key: IdentityKey,
    pub(super) account: Account,
}

/// Whose login it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Account {
    /// The caller's own, and for the database to judge.
    Callers,
    /// The service account, which callers share.
    Service {
        /// It is for reading.
        read_only: bool,
    },
}

/// What is known of the person beyond doubt, or once the database has accepted the login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    /// The name that rules of impersonation go by.
    pub(super) name: Option<String>,
    /// The database's user of that person, by a claim of its token.
    pub(super) user: Option<String>,
}

/// Stands for the whole of a credential: equal exactly when the credentials are, and of no use to anybody who
/// sees it, since it is hashed with a secret that never leaves the process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IdentityKey([u8; blake3::OUT_LEN]);

impl Hash for IdentityKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
    }
}

/// A map by identity. Keys are random already: a beginning says as much as the whole.
pub type ByIdentity<T> = HashMap<IdentityKey, T, BuildHasherDefault<Beginning>>;

/// Takes the beginning of an [`IdentityKey`] as it is.
#[derive(Debug, Default)]
pub struct Beginning(u64);

impl Hasher for Beginning {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(beginning) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*beginning);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl IdentityKey {
    /// Some key, the same for the same number.
    #[cfg(test)]
    pub(crate) fn numbered(number: u64) -> Self {
        Self(*blake3::hash(&number.to_le_bytes()).as_bytes())
    }
}

#[cfg(test)]
impl Identity {
    /// Somebody with this login.
    pub(crate) fn sample(token: AuthToken, is_service_account: bool) -> Self {
        let account = if is_service_account { Account::Service { read_only: false } } else { Account::Callers };
        let key = IdentityKey::numbered(0);
        Self::own(Login { token: Arc::new(token), key, account }, None, None)
    }

    /// Somebody whose credential ends then.
    pub(crate) fn sample_until(end: Instant) -> Self {
        let login =
            Login { token: Arc::new(AuthToken::none()), key: IdentityKey::numbered(0), account: Account::Callers };
        Self::own(login, None, Some(end))
    }
}

impl Keys {
    /// A maker with a fresh secret.
    ///
    /// # Errors
    /// When the system has no random numbers to give.
    pub(super) fn new() -> Result<Self, getrandom::Error> {
        let mut secret = [0; blake3::KEY_LEN];
        getrandom::fill(&mut secret)?;
        Ok(Self { secret })
    }

    /// The key of whoever holds `token`.
    pub(super) fn key(&self, token: &AuthToken) -> IdentityKey {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        for (name, value) in token.entries() {
            // Lengths keep "ab" + "c" apart from "a" + "bc".
            for part in [name, value] {
                hasher.update(&part.len().to_le_bytes());
                hasher.update(part.as_bytes());
            }
        }
        IdentityKey(hasher.finalize().into())
    }

    /// The login with `token`.
    pub(super) fn login(&self, token: AuthToken, account: Account) -> Login {
        let key = self.key(&token);
        Login { token: Arc::new(token), key, account }
    }
}

impl Identity {
    /// The caller who brought a login of its own.
    pub(super) fn own(login: Login, person: Option<Person>, until: Option<Instant>) -> Self {
        let owner = login.key;
        Self::shared(login, owner, person, until)
    }

    /// A caller known by the key `owner`, on a login that it shares with others.
    pub(super) fn shared(login: Login, owner: IdentityKey, person: Option<Person>, until: Option<Instant>) -> Self {
        Self(Arc::new(Inner { login, owner, is_public: false, person, until }))
    }

    /// Anybody at all, let in on a login of the gateway's own.
    pub(super) fn public(login: Login, owner: IdentityKey) -> Self {
        Self(Arc::new(Inner { login, owner, is_public: true, person: None, until: None }))
    }

    /// What the database is told at login.
    #[must_use]
    pub fn token(&self) -> &AuthToken {
        &self.0.login.token
    }

    /// Stands for the login: connections with the same key are interchangeable.
    #[must_use]
    pub fn key(&self) -> IdentityKey {
        self.0.login.key
    }

    /// Stands for the caller: what one caller has opened belongs to nobody else, also where they share a login.
    #[must_use]
    pub fn owner(&self) -> IdentityKey {
        self.0.owner
    }

    /// Nothing is served to the caller after this.
    #[must_use]
    pub fn until(&self) -> Option<Instant> {
        self.0.until
    }

    /// No connection of this login is lent after this.
    #[must_use]
    pub fn login_until(&self) -> Option<Instant> {
        self.0.until.filter(|_| self.0.login.account == Account::Callers)
    }

    /// Nobody in particular: the database is told of no credentials.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.0.login.token.scheme() == "none"
    }

    /// Anybody at all, let in by the gateway: such callers are strangers to each other, and cannot be told apart.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.0.is_public
    }

    /// Whether it is the gateway's own account that logs in, so that a refusal is not the caller's fault.
    #[must_use]
    pub fn is_service_account(&self) -> bool {
        matches!(self.0.login.account, Account::Service { .. })
    }

    /// Whether all it asks for is to be carried out as reading.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.0.login.account == Account::Service { read_only: true }
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.0.person.as_ref()?.name.as_deref()
    }

    pub(super) fn user(&self) -> Option<&str> {
        self.0.person.as_ref()?.user.as_deref()
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
    fn the_key_stands_for_the_whole_credential() {
        let keys = Keys::new().unwrap();
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
                assert_eq!(keys.key(one) == keys.key(other), i == j, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn keys_of_two_processes_cannot_be_compared() {
        let key = || Keys::new().unwrap().key(&AuthToken::none());
        assert_ne!(key(), key());
    }

    #[test]
    fn callers_on_one_login_are_told_apart() {
        let keys = Keys::new().unwrap();
        let service = keys.login(AuthToken::basic("gateway", "pw"), Account::Service { read_only: false });
        let until = Some(Instant::now());
        let [one, other] =
            ["a", "b"].map(|token| Identity::shared(service.clone(), keys.key(&AuthToken::bearer(token)), None, until));
        assert_eq!(one.key(), other.key());
        assert_ne!(one.owner(), other.owner());
        assert_eq!((one.until(), one.login_until()), (until, None));
        let own = Identity::own(keys.login(AuthToken::bearer("a"), Account::Callers), None, until);
        assert_eq!((own.until(), own.login_until()), (until, until));
    }

    #[test]
    fn debug_shows_no_secret() {
        let keys = Keys::new().unwrap();
        let person = Person { name: Some("alice".into()), user: None };
        let login = keys.login(AuthToken::basic("alice", "correct horse"), Account::Callers);
        let identity = Identity::own(login, Some(person), None);
        let shown = format!("{identity:?} {:?}", identity.key());
        assert!(!shown.contains("correct horse") && !shown.contains("alice"), "{shown}");
    }
}
